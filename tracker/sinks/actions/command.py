"""Events to a command: started once per event, with the event on its standard input."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from tracker.sinks.actions.outbox import ActionSink, Undelivered
from tracker.types import Event, OptionError, Scene

AT_ONCE = 4  # commands that may run at the same time
TIMEOUT_S = 30.0  # after which a command is ended
POLL_S = 0.05


class CommandSink(ActionSink):
    """Runs a command per event, with its JSON in one line on standard input; its output is not shown.

    The command runs without a shell; use ``cmd:sh -c '...'`` for one. It has its own process group, so that
    Ctrl-C ends only the run. The group is killed after `TIMEOUT_S`, or at the end of the run. Messages show
    only the name of the program.
    """

    def __init__(
        self, kind: str, command: str, scene: Scene, *, timeout_s: float = TIMEOUT_S, **more: Any
    ) -> None:
        try:
            self._argv = shlex.split(command)
        except ValueError as error:
            raise OptionError(f"--on {kind}=cmd:...: {error}; close every quote") from error
        if not self._argv:
            raise OptionError(f"--on {kind}=cmd: needs a command: cmd:./ring.sh")
        program = shutil.which(self._argv[0])
        if program is None:
            raise OptionError(
                f"--on {kind}=cmd:...: cannot find the program {self._argv[0]!r}; "
                "give its path, and make it executable"
            )
        self._argv[0] = program
        self._timeout_s = timeout_s
        super().__init__(kind, f"cmd:{Path(program).name}", scene, workers=AT_ONCE, **more)

    def deliver(self, event: Event) -> None:
        """Run the command and wait for its end."""
        quiet = subprocess.DEVNULL
        try:
            process = subprocess.Popen(
                self._argv, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True
            )
        except OSError as error:
            raise Undelivered(f"cannot be started ({error.strerror})") from error
        with process:
            body: bytes | None = self.encoded(self.message(event)) + b"\n"
            waited_s = 0.0
            while True:
                try:
                    process.communicate(body, timeout=POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    body = None  # communicate continues where it stopped
                    waited_s += POLL_S
                    if waited_s >= self._timeout_s or self._closing.is_set():
                        _end(process)
                        raise Undelivered(f"ended after {waited_s:.0f} s") from None
        if process.returncode:
            raise Undelivered(f"exit code {process.returncode}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):  # Windows has no process groups
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.communicate()
