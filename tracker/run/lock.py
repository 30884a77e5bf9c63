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
                file: IO[bytes] = os.fdopen(_not_through_a_link(self._path), "ab")
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
            if (
                os.fstat(file.fileno()).st_size == 0
            ):  # else it is somebody's file that happens to be called so
                self._path.unlink()
        file.close()


def _not_through_a_link(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)  # not on Windows
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)  # wait for no pipe's reader


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


if sys.platform == "win32":
    import errno
    import msvcrt

    def hold(path: Path, *, alone: bool) -> IO[bytes] | None:
        """Return nothing: Windows keeps a file that is open from being replaced by itself."""
        return None

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

    def hold(path: Path, *, alone: bool) -> IO[bytes] | None:
        """Hold a file that exists until what is returned is closed, whatever names it has.

        Many may hold it to read it, and one ``alone`` to write it. Returns None where that cannot be had
        because the file system knows no locks; raises ``BlockingIOError`` where somebody else has it.
        """
        try:
            file = path.open("rb")
        except OSError:
            return None
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            if isinstance(error, BlockingIOError):
                raise
            return None
        return file

    def _try(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
