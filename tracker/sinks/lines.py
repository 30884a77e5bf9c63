"""A text file that grows line by line; the formats differ only in how they write a result."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from tracker.sinks import place
from tracker.types import Json, OptionError, OutputError, Result, Sink

LOG = logging.getLogger("track")
FLUSH_S = 1.0  # what a killed run can lose
BUFFER_BYTES = 1 << 16
WAITING_BYTES = 1 << 22  # that wait for room on a full disk while a live source runs
SAMPLE = 4096  # bytes at the beginning and at the end by which a table is known again


class Lines(Sink):
    """Writes text lines to ``path`` in place: whatever ends the run, what was written is there.

    ``-`` is standard output. A table that somebody deletes or moves away begins anew with what comes then.
    While a live source runs, a full disk makes lines wait and does not end the run. Raises ``OutputError``.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False, live: bool = False) -> None:
        super().__init__()
        self.path = Path(path)
        self._overwrite, self._live = overwrite, live
        self._standard = str(path) == "-"
        self._flushed = 0.0
        self._kept: Mapping[str, Json] | None = None  # of an earlier part of the run; None: begin anew
        self._file: FileIO | None = None
        self._waiting = bytearray()  # what is not in the file yet
        self._dropped = 0  # lines for which there was no room
        self._full = False
        self._closed = False
        self.failed: OutputError | None = None  # why nothing is written any more
        self._raised: OutputError | None = None  # the run knows

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def files(self) -> list[Path]:
        """The table, or the last part of it where somebody moved the first away."""
        return [self.path]

    def header(self) -> str:
        """Return what stands before the first result, with its line end."""
        return ""

    def lines(self, result: Result) -> str:
        """Return the lines of one result, each with its line end."""
        raise NotImplementedError

    def __enter__(self) -> Lines:
        """Create the file; raises ``OutputError``."""
        if self._standard:
            self._put(self.header())
            return self
        going_on = self._kept is not None and self.path.is_file()
        place.check(self.path, self._overwrite or going_on)
        try:
            if going_on:
                self._cut()
            new = not os.path.lexists(self.path)
            self._file = FileIO(self.path, "a" if going_on else "x" if new else "w")
            begun = going_on and self.path.stat().st_size > 0
        except OSError as error:
            raise place.failure(self.path, error) from error
        if self._kept is not None and not going_on:
            self.warnings.append(f"{self.path} is gone; a new one begins where the run goes on")
        if not begun:
            self._put(self.header())
        return self

    def state(self) -> Json:
        """Return how long the file is, and by what it is known again."""
        self.flush()
        if self.failed is not None and self.failed is self._raised:
            raise self.failed  # the state of before is the one to go on from
        if self._file is None or not self.path.is_file():
            return None
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return {"bytes": size, "file": os.fstat(file.fileno()).st_ino, "sample": _sample(file, size)}

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Append to the file as it was when ``state`` was taken; call it before ``with``.

        What a run wrote after that, before it was killed, will come again or is not in its counts either.
        """
        self._kept = {"bytes": int(state["bytes"]), "file": state.get("file"), "sample": state.get("sample")}

    def write(self, result: Result) -> None:
        """Write one result; a second later at the latest it is in the file."""
        self._put(self.lines(result))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what waits and close."""
        if self._closed:
            return
        told = self.failed
        self._closed = True
        try:
            if told is None:
                self._write(last=True)
        except OSError as failure:
            self.failed = self._failure(failure)
        if self._dropped:
            self.warnings.append(f"{self.path}: {self._dropped} lines are missing: the disk was full")
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        if self.failed is not None and kind is None and self.failed is not self._raised:
            raise self.failed

    def flush(self) -> None:
        """Make sure that what was written is in the file; raises ``OutputError``, once."""
        if self._closed or self.failed is not None:
            return
        try:
            self._write()
        except OSError as error:
            self.failed = self._raised = self._failure(error)
            raise self.failed from error

    def _put(self, text: str) -> None:
        if self._closed:
            raise ValueError(f"{self.path}: written to after it was closed")
        if self.failed is not None:
            return
        self._waiting += text.encode("utf-8", "backslashreplace")
        many = len(self._waiting) > BUFFER_BYTES and not self._full
        if many or time.monotonic() - self._flushed >= FLUSH_S:
            self.flush()

    def _write(self, *, last: bool = False) -> None:
        """Hand everything that waits to the operating system."""
        self._flushed = time.monotonic()
        if self._standard:
            sys.stdout.write(self._waiting.decode())
            self._waiting.clear()
            sys.stdout.flush()
            return
        if self._file is None or not (self._waiting or last) or not self._is_in_place():
            return
        try:
            while self._waiting:
                del self._waiting[: self._file.write(self._waiting)]
        except OSError as error:
            if not (self._live and error.errno in place.FULL):
                raise
            if last:
                self._dropped += self._waiting.count(b"\n")
            else:
                self._rest()
        else:
            self._full = False

    def _rest(self) -> None:
        """Let lines wait for room, as many as memory is worth."""
        if not self._full:
            LOG.warning("%s: the disk is full; the run goes on, writing when there is room", self.path)
        self._full = True
        if len(self._waiting) > WAITING_BYTES:
            whole = self._waiting.find(b"\n") + 1  # the rest of a line that is half written
            self._dropped += self._waiting.count(b"\n", whole)
            del self._waiting[whole:]

    def _is_in_place(self) -> bool:
        """Whether there is a file to write to: where ours was deleted or moved away a new one begins.

        Where even the folder is gone the run goes on, for the sake of other outputs, and is told at its end.
        """
        assert self._file is not None
        ours = os.fstat(self._file.fileno())
        with suppress(OSError):
            if os.path.samestat(ours, self.path.stat()) or (ours.st_nlink and os.path.lexists(self.path)):
                return True
        self._file.close()
        try:
            self.path = place.another(self.path)
            self._file = FileIO(self.path, "x")
        except OSError as error:
            self._file, self.failed = None, self._failure(error)
            self._waiting.clear()
            return False
        LOG.warning("%s: was deleted or moved away; what follows is in a new file", self.path)
        self._waiting[:0] = self.header().encode()
        return True

    def _cut(self) -> None:
        """Leave what was there when the state was taken; raises ``OptionError`` for somebody else's file."""
        assert self._kept is not None
        kept, found = self._kept["bytes"], self._kept["sample"]
        with self.path.open("rb") as file:
            size, number = os.fstat(file.fileno()).st_size, os.fstat(file.fileno()).st_ino
            if size < kept:  # cut by somebody, or lost with the power
                file.seek(0)
                self.warnings.append(
                    f"{self.path} is shorter than when the state was saved; its end is missing"
                )
                kept = file.read().rfind(b"\n") + 1
            elif found is not None:
                known = _sample(file, kept) == found if kept else size == 0 or number == self._kept["file"]
                if not known:
                    raise OptionError(
                        f"{self.path}: is not the table that --state goes on with; move it away, "
                        "or give another name"
                    )
        os.truncate(self.path, kept)

    def _failure(self, error: OSError) -> OutputError:
        if not self.path.parent.is_dir():
            return place.FolderGoneError(self.path)
        return OutputError(f"{self.path}: {error.strerror}; what was written before is kept")


def _sample(file: BinaryIO, size: int) -> str:
    """Return what tells a file of ``size`` bytes from another."""
    file.seek(0)
    parts = [file.read(min(SAMPLE, size))]
    file.seek(max(size - SAMPLE, 0))
    parts.append(file.read(min(SAMPLE, size)))
    return hashlib.sha256(b"".join(parts)).hexdigest()[:32]
