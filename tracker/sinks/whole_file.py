"""The base of files that are whole only at the end of a run, as JSON and XML are."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar

from tracker.contracts import Sink
from tracker.sinks import output_file
from tracker.sinks.journal import Journal, JournalFile
from tracker.types import Event, Json, OutputError, Result, Scene


class WholeFileSink(Sink):
    """Writes lines to a journal, ``NAME.part.EXT`` in the same folder, and makes the file of it at the end.

    A killed run leaves the journal. A run that goes on from its ``--state`` goes on writing it; the next run
    that writes the same name makes it whole where it stands. While a run can be gone on with, its journal
    stays beside the file. Raises ``OutputError``.

    What derives from it implements ``lines`` and ``whole`` and has a ``form``.
    """

    form: ClassVar[str] = ""  # what the first line of a journal calls it

    def __init__(self, path: str | Path, scene: Scene, *, overwrite: bool = False) -> None:
        super().__init__()
        self.path, self._overwrite, self._scene = Path(path), overwrite, scene
        self._journal: Journal | None = None
        self._left: Mapping[str, Json] | None = None  # the journal of an earlier part of the run
        self._ours: str | None = None  # SHA-256 of what an earlier part made, which may be replaced
        self._resumed = self._finished = self._held = self._goes_on = False
        self._results = 0
        self._files: list[Path] = []

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def files(self) -> list[Path]:
        """The file, once it is whole."""
        return self._files

    @property
    def journal(self) -> Path | None:
        """Where the lines are until the file is whole."""
        return None if self._journal is None else self._journal.path

    def about(self) -> dict[str, Json]:
        """Return what a journal says of itself beside its form."""
        scene = self._scene
        names = {str(number): name for number, name in scene.names.items()}
        return {"source": scene.source, "size": [*scene.size], "fps": scene.fps, "names": names}

    def lines(self, result: Result) -> str:
        """Return the lines of one result, each with its line end."""
        raise NotImplementedError

    @classmethod
    def whole(cls, kept: JournalFile) -> Iterator[str]:
        """Yield the text of the file that a journal becomes."""
        raise NotImplementedError

    def write(self, result: Result) -> None:
        """Write one result to the journal."""
        assert self._journal is not None
        self._journal.put(self.lines(result))
        self._results += 1

    def state(self) -> Json:
        """Return where the journal is.

        It stays beside the file, unless the run has ended (this is asked after ``finish``, too) by no limit,
        or its source is live: its next part numbers frames from 0 again.
        """
        self._goes_on = not self._scene.live and (self._held or not self._finished)
        known = None if self._journal is None else self._journal.state()
        if known is None or self._journal is None:
            return None
        return {"journal": str(self._journal.path), "goal": str(self.path), "ours": self._ours, **known}

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on with the journal where time goes on; call it before ``with``."""
        journal = Path(state["journal"])
        self._resumed = tracks
        if tracks and _is_of(self.form, JournalFile(journal)):
            self._left = {"bytes": int(state["bytes"]), **state}
        elif tracks:
            self.warnings.append(f"{journal} is gone; a new one starts here")

    def hold(self) -> None:
        """Keep the journal."""
        self._held = True

    def finish(self, events: Sequence[Event], *, interrupted: bool = False) -> None:
        """Note that no result comes any more."""
        self._finished = True

    def __enter__(self) -> WholeFileSink:
        """Check the path and open the journal."""
        output_file.check(self.path, self._overwrite or self._resumed)
        self._make_leftovers_whole()
        if self._left is None:
            part = output_file.create_temporary(self.path)
        else:
            part = Path(self._left["journal"])
            JournalFile(part).drop_unfinished()
        about = {"track": self.form, **self.about()}
        journal = self._journal = Journal(part, about, self.path, live=self._scene.live)
        if self._left is not None:
            journal.restore(self._left, True)
        try:
            journal.__enter__()
        except output_file.DiskFullError as error:
            journal.__exit__(type(error), error, None)
            if self._left is None:
                part.unlink(missing_ok=True)
                raise output_file.DiskFullError(
                    f"{self.path}: the disk is full; free space, or use -o"
                ) from error
            raise
        self.warnings += journal.warnings
        if self._left is not None and self.path.is_file():
            made = _digest(text.encode() for text in self.whole(JournalFile(journal.path)))
            there = _digest(_pieces(self.path))
            self._ours = there if there in (made, self._left.get("ours")) else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Make the file whole and move it into place, also where the run ended early."""
        journal = self._journal
        if journal is None:
            return
        told = len(journal.warnings)
        failed: OutputError | None = None
        try:
            journal.__exit__(kind, error, trace)
            if (
                journal.failed is None
                and journal.path.is_file()
                and (self._results or self._left is not None)
            ):
                self._files = [self._put_in_place(journal)]
        except OutputError as failure:
            failed = failure
        self.warnings += journal.warnings[told:]
        kept = failed is not None or journal.failed is not None or self._goes_on
        if journal.path.is_file() and not (kept and next(JournalFile(journal.path).lines(), None)):
            journal.path.unlink()
        if failed is None:
            return
        if kind is None and not (self._scene.live and isinstance(failed, output_file.DiskFullError)):
            raise failed
        self.warnings.append(str(failed))  # of a live source: the run itself went well

    def _put_in_place(self, journal: Journal) -> Path:
        replace = self._overwrite or (
            self._ours is not None and self.path.is_file() and _digest(_pieces(self.path)) == self._ours
        )
        try:
            part = make_whole(type(self), journal.path, self.path)
        except output_file.DiskFullError as error:
            raise journal.full() from error
        return output_file.move_into_place(part, self.path, replace)

    def _make_leftovers_whole(self) -> None:
        """Make what killed runs left whole where it stands; no other run writes this name now."""
        own = None if self._left is None else Path(self._left["journal"]).name
        with suppress(OSError):  # a folder that cannot be listed
            found = sorted(self.path.parent.glob(f"{glob.escape(self.path.stem)}.part*"))
            for path in found:
                if path.name != own and output_file.is_temporary(path, self.path):
                    self._make_leftover_whole(path)

    def _make_leftover_whole(self, path: Path) -> None:
        kept = JournalFile(path)
        if not _is_of(self.form, kept):
            return
        if next(kept.lines(), None) is None:
            path.unlink()
            return
        kept.drop_unfinished()
        with suppress(OutputError):  # a full disk, of which this run will tell itself
            make_whole(type(self), path, self.path).replace(path)
            self.warnings.append(f"{path} contains what a killed run had found")


def make_whole(sink: type[WholeFileSink], journal: Path, goal: Path) -> Path:
    """Return a new temporary file beside ``goal`` with what a journal becomes; raises ``OutputError``."""
    part = output_file.create_temporary(goal)
    try:
        JournalFile(journal).note(part)
        with part.open("w", encoding="utf-8", newline="\n") as file:
            for text in sink.whole(JournalFile(journal)):
                file.write(text)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise output_file.write_error(goal, error) from error
    return part


def rescue(sink: type[WholeFileSink], left: Mapping[str, Json], *, anew: bool = False) -> Path | None:
    """Make the journal of a killed run whole under its name, or a free one; None if there is nothing.

    Where the run begins ``anew``, its journal is deleted: it will find the same again.
    """
    journal, goal = Path(left["journal"]), Path(left["goal"])
    try:
        found = journal.lstat()
    except OSError:
        return None
    kept = JournalFile(journal)
    if found.st_ino != left["file"] or not _is_of(sink.form, kept):
        return None
    kept.drop_unfinished()
    if anew or next(kept.lines(), None) is None:
        journal.unlink()
        return None
    part = make_whole(sink, journal, goal)
    if goal.is_file() and _digest(_pieces(goal)) == _digest(_pieces(part)):  # it was made at the run's end
        part.unlink()
        journal.unlink()
        return None
    placed = output_file.move_into_place(part, goal, overwrite=False)
    journal.unlink()
    return placed


def _is_of(form: str, kept: JournalFile) -> bool:
    about = kept.about()
    return about is not None and about["track"] == form


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


def _digest(pieces: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()
