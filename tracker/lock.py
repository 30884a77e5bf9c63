"""One run at a time on one file."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO


class Lock:
    """Held by one at a time, and by nobody when its process has ended, however it ended.

    The lock is the operating system's. The file that bears it means nothing: one that a killed process left
    is taken over. Where the file system knows no locks everybody gets one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Return whether nobody else has it."""
        while True:
            try:
                file = self._path.open("ab")
            except OSError:  # a folder of others; whoever writes there will be told so
                return True
            try:
                taken = _try(file)
            except OSError:  # no locks here
                file.close()
                return True
            if taken and _is_at(file, self._path):
                self._file = file
                return True
            file.close()
            if not taken:
                return False
            # its owner deleted the file after we had opened it: another one may stand there now

    def release(self) -> None:
        """Give it back."""
        file, self._file = self._file, None
        if file is None:
            return
        with suppress(OSError):  # while it is ours; Windows deletes no open file
            self._path.unlink()
        file.close()


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


if sys.platform == "win32":
    import errno
    import msvcrt

    def _try(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EDEADLOCK):
                return False
            raise
        return True
else:
    import fcntl

    def _try(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
