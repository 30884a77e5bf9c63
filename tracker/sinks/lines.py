"""A text file that grows line by line; the formats differ only in how they write a result."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TextIO

from tracker.sinks import place
from tracker.types import Json, OutputError, Result

FLUSH_S = 1.0  # what a killed run can lose


class Lines:
    """Writes text lines to ``path`` in place: whatever ends the run, what was written is there.

    ``-`` is standard output. Raises ``OutputError``.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        self.path = Path(path)
        self._overwrite = overwrite
        self._flushed = 0.0
        self._kept: int | None = None  # bytes of an earlier part of the run; None: begin anew

    def header(self) -> str:
        """Return what stands before the first result, with its line end."""
        return ""

    def lines(self, result: Result) -> str:
        """Return the lines of one result, each with its line end."""
        raise NotImplementedError

    def __enter__(self) -> Lines:
        """Create the file; raises ``OutputError``."""
        self._file: TextIO | None = sys.stdout
        if str(self.path) != "-":
            going_on = self._kept is not None and self.path.is_file()
            place.check(self.path, self._overwrite or going_on)
            try:
                if going_on:
                    os.truncate(self.path, min(self._kept or 0, self.path.stat().st_size))
                self._file = self.path.open("a" if going_on else "w", encoding="utf-8", newline="\n")
            except OSError as error:
                raise OutputError(
                    f"{self.path}: cannot be written ({error.strerror}); choose another place"
                ) from error
            if going_on and self.path.stat().st_size:
                return self
        self._put(self.header())
        return self

    def state(self) -> Json:
        """Return how long the file is."""
        self.flush()
        return None if self._file in (None, sys.stdout) else {"bytes": self.path.stat().st_size}

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Append to the file as it was when ``state`` was taken; call it before ``with``.

        What a run wrote after that, before it was killed, will come again or is not in its counts either.
        """
        self._kept = int(state["bytes"])

    def write(self, result: Result) -> None:
        """Write one result; a second later at the latest it is in the file."""
        self._put(self.lines(result))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what waits and close."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.flush() if file is sys.stdout else file.close()
        except OSError as failure:
            if kind is None:
                raise self._failure(failure) from failure

    def _put(self, text: str) -> None:
        if self._file is None:
            raise ValueError(f"{self.path}: written to after it was closed")
        try:
            self._file.write(text)
            if time.monotonic() - self._flushed >= FLUSH_S:
                self._file.flush()
                self._flushed = time.monotonic()
        except OSError as error:
            raise self._failure(error) from error

    def flush(self) -> None:
        """Make sure that what was written is in the file; raises ``OutputError``."""
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: {error.strerror}; what was written before is kept")
