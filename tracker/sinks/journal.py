"""What a file that is whole only at the end of a run is made from: lines that grow beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tracker.sinks import output_file
from tracker.sinks.text_file import TextSink
from tracker.types import Json, OutputError, Result


class Journal(TextSink):
    """Lines on the disk, the first of which says what they are of: ``{"track": "coco", ...}``."""

    def __init__(self, path: Path, about: Json, goal: Path, *, live: bool) -> None:
        super().__init__(path, overwrite=True, live=live)  # the file is new, made by who opens it
        self._about, self._goal = about, goal

    def header(self) -> str:
        """Return the first line."""
        return json.dumps(self._about) + "\n"

    def lines(self, result: Result) -> str:
        """Return nothing: who owns the journal writes it with ``put``."""
        return ""

    def full(self) -> output_file.DiskFullError:
        """Return the error that says what is left where there is no room for more."""
        return output_file.DiskFullError(
            f"{self._goal}: the disk is full; {self.path.name} keeps what was found: free space and run "
            "again, which makes it whole"
        )

    def _failure(self, error: OSError) -> OutputError:
        return self.full() if error.errno in output_file.FULL else super()._failure(error)

    def put(self, text: str) -> None:
        """Append lines; they are in the file a second later at the latest."""
        self._put(text)


class JournalFile:
    """A journal that is read, also one whose run was killed: a line that is not complete is left out."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def about(self) -> Json:
        """Return what the first line says; None where the file is no journal."""
        try:
            with self.path.open("rb") as file:
                about = json.loads(file.readline(1 << 20))
        except (OSError, ValueError):
            return None
        return about if isinstance(about, dict) and "track" in about else None

    def lines(self) -> Iterator[str]:
        """Yield the lines behind the first, without their ends."""
        with self.path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            file.readline()
            for line in file:
                if line.endswith("\n"):
                    yield line[:-1]

    def note(self, unfinished: Path) -> None:
        """Append that a file is being made of this, so that a kill leaves no half of it."""
        about = json.dumps([str(unfinished), unfinished.stat().st_ino])
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"w{about}\n")

    def drop_unfinished(self) -> None:
        """Delete what a killed run was making of this."""
        for line in self.lines():
            if line.startswith("w["):
                path, number = json.loads(line[1:])
                with suppress(OSError):
                    if Path(path).lstat().st_ino == number:
                        Path(path).unlink()
