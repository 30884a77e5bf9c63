"""The base of all text outputs: a file that grows line by line."""

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

from tracker.contracts import Sink
from tracker.sinks import output_file
from tracker.types import Json, OptionError, OutputError, Result

LOG = logging.getLogger("track")
FLUSH_S = 1.0  # what a killed run can lose
BUFFER_BYTES = 1 << 16
WAITING_BYTES = 1 << 22  # most that wait in memory while the disk is full and the source is live
SAMPLE = 4096  # bytes at the beginning and at the end by which a file is recognised


class TextSink(Sink):
    """Appends text lines to ``path`` itself: however the run ends, the lines written so far are there.

    The formats implement ``lines`` and, where they have one, ``header``. ``-`` is standard output. If the
    file is deleted or moved away during the run, a new one begins. With a live source a full disk does not
    end the run: lines wait until there is room. Raises ``OutputError``.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False, live: bool = False) -> None:
        super().__init__()
        self.path = Path(path)
        self._overwrite, self._live = overwrite, live
        self._standard = str(path) == "-"
        self._flushed = 0.0
        self._kept: Mapping[str, Json] | None = (
            None  # the file of an earlier part of the run; None: begin a new one
        )
        self._file: FileIO | None = None
        self._waiting = bytearray()  # what is not in the file yet
        self._dropped = 0  # lines for which there was no room
        self._full = False
        self._closed = False
        self.failed: OutputError | None = None  # why nothing is written any more
        self._raised: OutputError | None = None  # the error that was raised already

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def files(self) -> list[Path]:
        """The file, or the last part of it if the first was moved away."""
        return [self.path]

    def header(self) -> str:
        """Return the text before the first result, with its line end."""
        return ""

    def lines(self, result: Result) -> str:
        """Return the lines of one result, each with its line end."""
        raise NotImplementedError

    def __enter__(self) -> TextSink:
        """Create the file; raises ``OutputError``."""
        if self._standard:
            self._put(self.header())
            return self
        going_on = self._kept is not None and self.path.is_file()
        output_file.check(self.path, self._overwrite or going_on)
        try:
            if going_on:
                self._cut()
            new = not os.path.lexists(self.path)
            self._file = FileIO(self.path, "a" if going_on else "x" if new else "w")
            begun = going_on and self.path.stat().st_size > 0
        except OSError as error:
            raise output_file.write_error(self.path, error) from error
        if self._kept is not None and not going_on:
            self.warnings.append(f"{self.path} is gone; a new one starts here")
        if not begun:
            self._put(self.header())
        return self

    def state(self) -> Json:
        """Return the length of the file, and by what it is recognised."""
        self.flush()
        if self.failed is not None and self.failed is self._raised:
            raise self.failed  # so that the previous state is kept
        if self._file is None or not self.path.is_file():
            return None
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return {"bytes": size, "file": os.fstat(file.fileno()).st_ino, "sample": _sample(file, size)}

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Append to the file as it was when ``state`` was taken; call it before ``with``.

        What a run that was killed wrote after that is cut off; it will be written again.
        """
        self._kept = {"bytes": int(state["bytes"]), "file": state.get("file"), "sample": state.get("sample")}

    def write(self, result: Result) -> None:
        """Write one result; it is in the file a second later at the latest."""
        self._put(self.lines(result))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the lines that wait and close the file."""
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
        """Write the lines that wait into the file; raises ``OutputError``, once."""
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
        """Hand the lines that wait to the operating system."""
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
            if not (self._live and error.errno in output_file.FULL):
                raise
            if last:
                self._dropped += self._waiting.count(b"\n")
            else:
                self._keep_waiting()
        else:
            self._full = False

    def _keep_waiting(self) -> None:
        """Keep lines until there is room, `WAITING_BYTES` at most."""
        if not self._full:
            LOG.warning("%s: the disk is full; the run goes on, writing when there is room", self.path)
        self._full = True
        if len(self._waiting) > WAITING_BYTES:
            whole = self._waiting.find(b"\n") + 1  # the rest of a line that is half written
            self._dropped += self._waiting.count(b"\n", whole)
            del self._waiting[whole:]

    def _is_in_place(self) -> bool:
        """Whether there is a file to write to; begins a new one if ours was deleted or moved away.

        If the folder is gone as well, the run continues for its other outputs; the error comes at its end.
        """
        assert self._file is not None
        ours = os.fstat(self._file.fileno())
        with suppress(OSError):
            if os.path.samestat(ours, self.path.stat()) or (ours.st_nlink and os.path.lexists(self.path)):
                return True
        self._file.close()
        try:
            self.path = output_file.next_free(self.path)
            self._file = FileIO(self.path, "x")
        except OSError as error:
            self._file, self.failed = None, self._failure(error)
            self._waiting.clear()
            return False
        LOG.warning("%s: was deleted or moved away; what follows is in a new file", self.path)
        self._waiting[:0] = self.header().encode()
        return True

    def _cut(self) -> None:
        """Cut the file to its length when the state was saved; raises ``OptionError`` for another file."""
        assert self._kept is not None
        kept, found = self._kept["bytes"], self._kept["sample"]
        with self.path.open("rb") as file:
            size, number = os.fstat(file.fileno()).st_size, os.fstat(file.fileno()).st_ino
            if size < kept:  # a user cut it, or the end was lost in a power failure
                file.seek(0)
                self.warnings.append(
                    f"{self.path} is shorter than when the state was saved; its end is missing"
                )
                kept = file.read().rfind(b"\n") + 1
            elif found is not None:
                known = _sample(file, kept) == found if kept else size == 0 or number == self._kept["file"]
                if not known:
                    raise OptionError(
                        f"{self.path}: is not the table that --state continues; move it away, "
                        "or give another name"
                    )
        os.truncate(self.path, kept)

    def _failure(self, error: OSError) -> OutputError:
        if not self.path.parent.is_dir():
            return output_file.FolderGoneError(self.path)
        return OutputError(f"{self.path}: {error.strerror}; what was written before is kept")


def _sample(file: BinaryIO, size: int) -> str:
    """Return a hash of the beginning and the end of a file of ``size`` bytes."""
    file.seek(0)
    parts = [file.read(min(SAMPLE, size))]
    file.seek(max(size - SAMPLE, 0))
    parts.append(file.read(min(SAMPLE, size)))
    return hashlib.sha256(b"".join(parts)).hexdigest()[:32]
