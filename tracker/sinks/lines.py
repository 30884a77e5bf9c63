"""A text file that grows line by line; the formats differ only in how they write a result."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TextIO

from tracker.sinks import place
from tracker.types import OutputError, Result

FLUSH_S = 1.0  # what a killed run can lose


class Lines:
    """Writes text lines to ``path`` in place: whatever ends the run, what was written is there.

    ``-`` is standard output. Raises ``OutputError``.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        self.path = Path(path)
        self._overwrite = overwrite
        self._flushed = 0.0

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
            place.check(self.path, self._overwrite)
            try:
                self._file = self.path.open("w", encoding="utf-8", newline="\n")
            except OSError as error:
                raise OutputError(
                    f"{self.path}: cannot be written ({error.strerror}); choose another place"
                ) from error
        self._put(self.header())
        return self

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
