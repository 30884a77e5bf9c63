"""The base of files that are whole only at the end of a run, as JSON and XML are."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TextIO

from tracker.contracts import Sink
from tracker.sinks import output_file
from tracker.types import OutputError


class WholeFileSink(Sink):
    """Collects its text in a temporary file beside ``path``, and puts the whole into place at the end.

    What derives from it calls ``put`` and implements ``head`` and ``tail``. Raises ``OutputError``.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        super().__init__()
        self.path, self._overwrite = Path(path), overwrite
        self._body: TextIO | None = None
        self._part: Path | None = None
        self._files: list[Path] = []

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def files(self) -> list[Path]:
        """The file, once it is whole."""
        return self._files

    def head(self) -> str:
        """Return what stands before the body; asked at the end."""
        return ""

    def tail(self) -> str:
        """Return what stands behind the body."""
        return ""

    def put(self, text: str) -> None:
        """Append to the body."""
        assert self._body is not None
        try:
            self._body.write(text)
        except OSError as error:
            raise output_file.write_error(self.path, error) from error

    def __enter__(self) -> WholeFileSink:
        """Check the path, and create the temporary file."""
        output_file.check(self.path, self._overwrite)
        self._part = output_file.create_temporary(self.path)
        self._body = self._part.open("w+", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Make the file whole and move it into place, also where the run ended early."""
        if self._body is None or self._part is None:
            return
        body, part = self._body, self._part
        try:
            with body:
                tail, head = self.tail(), self.head()
                body.write(tail)
                if head:
                    part = self._with_head(head, body)
            self._files = [output_file.move_into_place(part, self.path, self._overwrite)]
        except (OSError, OutputError) as failure:
            told = (
                failure if isinstance(failure, OutputError) else output_file.write_error(self.path, failure)
            )
            if kind is None:
                raise told from failure
            self.warnings.append(str(told))
        finally:
            self._body = None
            self._part.unlink(missing_ok=True)

    def _with_head(self, head: str, body: TextIO) -> Path:
        whole = output_file.create_temporary(self.path)
        body.seek(0)
        with whole.open("w", encoding="utf-8") as file:
            file.write(head)
            while piece := body.read(1 << 20):
                file.write(piece)
        return whole
