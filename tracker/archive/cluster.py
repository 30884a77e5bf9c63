"""The workers of a Ray cluster that runs already: none is started, and none joined that was not named."""

from __future__ import annotations

import logging
import os
import socket
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any

from tracker.archive.files import EXTRA
from tracker.archive.pool import Pool, crashed
from tracker.archive.tasks import CRASHES, Outcome, Task, perform
from tracker.errors import OptionError
from tracker.threads import SHARE

GPU_SHARE = 0.25  # of a GPU for one worker: four keep it busy while they decode
ANSWER_S = 5.0
CLIENT = "ray://"
PORTS = {True: 10001, False: 6379}  # of Ray's client server, and of its head
TOKEN_FILE = "~/.ray/auth_token"


class Cluster(Pool):
    """A Ray cluster at an address; ``gpu``: a worker takes a share of a GPU, where there are any."""

    def __init__(self, address: str, *, gpu: bool = False) -> None:
        self._address, self._gpu = address, gpu
        self._running: dict[Any, Task] = {}

    def __enter__(self) -> Cluster:
        """Join; raises ``OptionError``."""
        prepare()
        try:
            import ray
        except ImportError:
            raise OptionError(f"--address {self._address} needs Ray: pip install '{EXTRA}'") from None
        if not self._address.startswith(CLIENT) or _has_client():
            answers(self._address)
        else:
            raise OptionError(f"--address {self._address} needs Ray's client: pip install '{EXTRA}'")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the client warns of what it raises as well
                ray.init(
                    address=self._address,
                    namespace="track",
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    **({} if self._address.startswith(CLIENT) else {"configure_logging": False}),
                )
        except Exception as error:  # of many kinds
            raise OptionError(
                f"--address {self._address}: Ray does not let us in ({reason(error)}); the same Ray, Python "
                "and token are needed on all machines"
            ) from error
        self._ray = ray
        self._gpus = self._gpu and ray.cluster_resources().get("GPU", 0) > 0
        self._perform = ray.remote(max_calls=0)(perform_by_share)  # 0: a worker keeps its model, on a GPU too
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave; what was being done ends."""
        self._ray.shutdown()

    @property
    def cores(self) -> int:  # type: ignore[override] # nodes come and go
        """The cores of the cluster as it is now, or the shares of its GPUs."""
        there = self._ray.cluster_resources()
        return max(1, int(there.get("GPU", 0) / GPU_SHARE if self._gpus else there.get("CPU", 0)))

    def submit(self, task: Task) -> None:
        """Take a task."""
        options: dict[str, Any] = {"num_cpus": 0 if task.waits else 1, "max_retries": CRASHES - 1}
        if self._gpus and task.detects:
            options["num_gpus"] = GPU_SHARE
        self._running[self._perform.options(name=task.title, **options).remote(task)] = task

    def wait(self, timeout_s: float) -> list[tuple[Task, Outcome]]:
        """Return what has been done."""
        if not self._running:
            return []
        ready, _ = self._ray.wait([*self._running], num_returns=1, timeout=timeout_s)
        more, _ = self._ray.wait([*self._running], num_returns=len(self._running), timeout=0)
        return [(self._running.pop(each), self._outcome(each)) for each in {*ready, *more}]

    def _outcome(self, reference: Any) -> Outcome:
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:  # before it came to our own code
            return Outcome(error=" ".join(str(error.cause).split()))
        except self._ray.exceptions.RayError as error:
            return Outcome(error=crashed(f"was lost ({type(error).__name__})"))
        return outcome


def perform_by_share(task: Task) -> Outcome:
    """Do a task with as many cores as Ray has given to the worker, which it tells as OpenMP's number."""
    os.environ[SHARE] = os.environ.get("OMP_NUM_THREADS", "")
    return perform(task)


def prepare() -> None:
    """Let Ray send nothing about us, and show a token; raises ``OptionError`` where there is none."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else a warning for each start
    os.environ.pop("RAY_ADDRESS", None)  # the address is the one that was given, nobody else's
    if "RAY_AUTH_MODE" in os.environ:
        return
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH", TOKEN_FILE)).expanduser()
    if not os.environ.get("RAY_AUTH_TOKEN") and not path.is_file():
        raise OptionError(
            "a cluster takes commands from whoever reaches it: start it with RAY_AUTH_MODE=token and copy "
            "the token here (`ray get-auth-token`), or, in a network of your own, set RAY_AUTH_MODE=disabled"
        )
    os.environ["RAY_AUTH_MODE"] = "token"


def answers(address: str) -> None:
    """Try the port of a cluster, since Ray itself tries for minutes; raises ``OptionError``."""
    client = address.startswith(CLIENT)
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if not host:
        host, port = address.removeprefix(CLIENT), str(PORTS[client])
    if not port.isdecimal():
        raise OptionError(f"--address {address}: give local, HOST:PORT or ray://HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
    except OSError as error:
        raise OptionError(
            f"--address {address}: no Ray cluster answers there ({error.strerror or error}); start one with "
            "`ray start --head`"
        ) from error


def reason(error: Exception) -> str:
    """Return why Ray refused, in a line: its first one, or the last where that is of a traceback.

    >>> reason(ConnectionError("Initialization failure from server:\\nTraceback ...\\nOSError: no memory"))
    'Initialization failure from server: OSError: no memory'
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"{lines[0]} {lines[-1]}" if lines[0].endswith(":") and len(lines) > 1 else lines[0]


def _has_client() -> bool:
    from importlib.util import find_spec

    return find_spec("grpc") is not None
