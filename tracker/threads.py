"""How many threads each library may use, so that together they do not ask for more cores than there are.

OpenCV, torch, OpenVINO, the decoder and x264 would each take all cores for itself; ``benchmarks.threads``
measures what other shares cost.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

CGROUP = Path("/sys/fs/cgroup")
# How many cores a process may use. Not OMP_NUM_THREADS: whoever imports ultralytics sets that to 1.
SHARE = "TRACK_CORES"


@dataclass(frozen=True)
class Threads:
    """Numbers of threads for one run."""

    inference: int
    opencv: int
    decoder: int  # 0: as many as FFmpeg likes
    encoder: int


def cores() -> int:
    """Return the number of cores this process may use: by affinity, a container's quota, its `SHARE`."""
    # macOS and Windows do not tell which cores a process may use.
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(count, _quota(), _share())))


def _share() -> float:
    """Return the cores that whoever started this process grants it, infinity without a word."""
    told = os.environ.get(SHARE, "").strip()
    return int(told) if told.isdecimal() and int(told) else math.inf


def _quota() -> float:
    """Return the cores that a control group grants, infinity without a limit."""
    try:
        limit, period = (CGROUP / "cpu.max").read_text(encoding="ascii").split()
        return int(limit) / int(period)
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return math.inf


@lru_cache(maxsize=1)
def plan() -> Threads:
    """Return the shares of this process, the same for its whole life."""
    count = cores()
    return Threads(
        inference=count,
        opencv=max(1, count // 2),
        decoder=min(count, 4),
        encoder=min(max(1, count // 2), 8),
    )


@dataclass
class ProcessSetting:
    """A number of the whole process: set while a run needs it, put back when the last run has left.

    Runs may overlap, in threads or as generators that are read in turn.
    """

    read: Callable[[], int]
    write: Callable[[int], None]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _runs: int = 0
    _before: int = 0

    @contextmanager
    def at(self, value: int) -> Iterator[None]:
        """Set it inside the ``with``."""
        with self._lock:
            if not self._runs:
                self._before = self.read()
            self._runs += 1
            self.write(value)
        try:
            yield
        finally:
            with self._lock:
                self._runs -= 1
                if not self._runs:
                    self.write(self._before)


def _opencv() -> Any:
    import cv2

    return cv2


def _torch() -> Any:
    import torch

    return torch


# These stand on the module because the numbers do: each library has one for the whole process.
OPENCV = ProcessSetting(lambda: int(_opencv().getNumThreads()), lambda count: _opencv().setNumThreads(count))
TORCH = ProcessSetting(lambda: int(_torch().get_num_threads()), lambda count: _torch().set_num_threads(count))


@contextmanager
def blas_alone() -> Iterator[None]:
    """Let numpy's and scipy's matrices be computed by the calling thread alone, inside the ``with``.

    Threads of BLAS wait for one another many times in one decomposition. While a network uses all cores, that
    was measured to take up to a hundred times as long as one thread does.
    """
    with _blas().limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _blas() -> Any:
    import scipy.linalg  # noqa: F401  # has a BLAS of its own, which must be there to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
