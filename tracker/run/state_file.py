"""The file in which a run keeps what it knows: one run's at a time, written behind, replaced as a whole."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tracker.contracts import Sink
from tracker.errors import system_reason
from tracker.plugin_host import numbered
from tracker.run import sealed
from tracker.run.lock import Lock
from tracker.sinks import CocoSink, CvatSink, output_file
from tracker.sinks.text_file import TextSink
from tracker.sinks.whole_file import WholeFileSink, rescue
from tracker.types import Json, OptionError, OutputError, Scene

LOG = logging.getLogger("track")
WHOLE = CocoSink, CvatSink


class StateFile:
    """A file that is read once, written by a thread and never half written.

    What its keys mean is `tracker.run.checkpoint`'s; the file itself knows the tables of a run ("sinks"), so
    that a kill leaves none that is nobody's.
    """

    def __init__(self, path: str | Path, every_s: float) -> None:
        self.path = Path(path)
        self.announced: list[str] = []  # tables that a killed run was about to create
        self._run: dict[str, Json] = {}  # what the file holds
        self._every_s = every_s
        self._due = time.monotonic() + every_s
        self._writer: threading.Thread | None = None
        self._failed = False
        if self.path.is_dir():
            raise OutputError(f"--state {self.path}: is a folder; give a file name")
        self._lock = Lock(output_file.lock_path(self.path))

    def load(self) -> dict[str, Json] | None:
        """Return what the file holds, None where there is none yet; nobody else gets it until ``release``.

        Raises ``OptionError`` for a file that is no state or in use, ``OutputError`` where none can
        be written.
        """
        if not self.path.parent.is_dir():
            raise OutputError(f"{self.path}: the folder {self.path.parent} does not exist; create it first")
        if not self._lock.acquire():
            raise OptionError(
                f"--state {self.path}: another run is using it; end that run, or give another file"
            )
        try:
            run = sealed.read(self.path)
        except ValueError as error:
            raise self.foreign(str(error)) from error
        if run is None:
            self._check_writable()
            return None
        self.announced = run.pop("announced", [])
        self._run = run
        return run

    @property
    def is_new(self) -> bool:
        """Whether no earlier part of the run has written anything."""
        return not self._run

    def announce(self, scene: Scene, sinks: Sequence[Sink]) -> None:
        """Say in the file which tables are about to be created, so that a kill leaves none that is nobody's.

        Call it before the sinks are entered, and `created` after.
        """
        if not self._run:
            self._run = {
                "source": scene.source,
                "size": list(scene.size),
                "live": scene.live,
                "ended": False,
                "frame": None,
                "time": None,
                "tracker": {},
                "plugins": {},
                "sinks": {},
                "report": {},
            }
        new = [name for name, part in named(sinks) if isinstance(part, TextSink)]
        self.announced = [name for name in new if name not in self._run["sinks"]]
        if self.announced:
            self._write(sealed.dump(**self._run, announced=self.announced))

    def created(self, sinks: Sequence[Sink]) -> None:
        """Say that the files are there, and what is in them."""
        old = {name for name, part in named(sinks) if isinstance(part, TextSink)} - {*self.announced}
        new = {name: state for name, state in states(sinks).items() if name not in old}
        if new:
            self._run = {**self._run, "sinks": {**self._run["sinks"], **new}}
            self.announced = []
            self._write(sealed.dump(**self._run), tables(sinks))

    def rescue(self, *, resume: bool) -> Iterator[Path]:
        """Move into place what a killed run was writing; yield where it is.

        With ``resume`` journals stay, where there is a frame to go on from.
        """
        run = self._run
        of_a_file, begun = not run.get("live"), run.get("frame") is not None
        goes_on = resume and of_a_file and begun and (not run.get("ended") or run.get("open"))
        for name, left in run.get("sinks", {}).items():
            path = None
            if isinstance(left, dict) and "part" in left:
                path = output_file.rescue(left)
            elif isinstance(left, dict) and "journal" in left and not goes_on:
                sink = next(sink for sink in WHOLE if name.startswith(sink.__name__.lower()))
                path = rescue(sink, left, anew=of_a_file and not begun)
            if path is not None:
                yield path

    def due(self) -> bool:
        """Whether it is time to save again, and the last time is over."""
        busy = self._writer is not None and self._writer.is_alive()
        return not busy and time.monotonic() >= self._due

    def save(self, content: Mapping[str, Json], sinks: Sequence[Sink], *, wait: bool = False) -> None:
        """Write ``content`` behind, or before returning with ``wait``; raises what `json.dumps` raises."""
        self._due = time.monotonic() + self._every_s
        run = sealed.dump(**content)
        self._join()
        self._run = dict(content)
        self._writer = threading.Thread(
            target=self._write, args=(run, tables(sinks)), name="save state", daemon=True
        )
        self._writer.start()
        if wait:
            self._writer.join()

    def amend(self, **more: Json) -> None:
        """Write what the file holds with ``more`` in it; a file that holds nothing yet stays so."""
        if self._run:
            self._join()
            self._run = {**self._run, **more}
            self._write(sealed.dump(**self._run))

    def release(self) -> None:
        """Let another run have the file."""
        self._join()
        self._lock.release()

    def foreign(self, what: str) -> OptionError:
        """Return the error that says why this run cannot go on from the file."""
        return OptionError(
            f"--state {self.path}: {what}; the file was not changed: move it away, or give another one"
        )

    def _join(self) -> None:
        if self._writer is not None:
            self._writer.join()

    def _write(self, run: str, tables: Iterable[Path] = ()) -> None:
        """Write the file; what is in the tables reaches the disk before that says so."""
        part: Path | None = None
        try:
            for table in tables:
                with suppress(FileNotFoundError):  # deleted; who writes it notices
                    output_file.sync(table)
            part = sealed.part(self.path)
            with part.open("w", encoding="utf-8") as file:
                file.write(sealed.seal(run))
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
            output_file.sync(self.path.parent)
            self._failed = False
        except (OSError, OutputError) as error:
            if part is not None:
                with suppress(OSError):
                    part.unlink()
            if not self._failed:
                reason = system_reason(error) or error
                LOG.warning("%s: the state cannot be saved (%s); the run goes on", self.path, reason)
            self._failed = True

    def _check_writable(self) -> None:
        try:
            sealed.part(self.path).unlink()
        except OSError as error:
            raise OutputError(
                f"{self.path}: cannot be written ({error.strerror}); choose another file for --state"
            ) from error


def named(sinks: Iterable[Sink]) -> Iterator[tuple[str, Sink]]:
    """Yield each sink under a name that it has in the next run too: ``csvsink out.csv``."""
    sinks = list(sinks)
    names = [f"{type(sink).__name__.lower()} {sink.name}".strip() for sink in sinks]
    return zip(numbered(names), sinks, strict=True)


def tables(sinks: Iterable[Sink]) -> list[Path]:
    """Return the tables that are there."""
    found = (
        sink.path if isinstance(sink, TextSink) else sink.journal
        for sink in sinks
        if isinstance(sink, TextSink | WholeFileSink)
    )
    return [path for path in found if path is not None and path.is_file()]


def states(sinks: Iterable[Sink]) -> dict[str, Json]:
    """Return what each sink has to keep, by name; who has nothing to keep is left out."""
    kept = {name: sink.state() for name, sink in named(sinks)}
    return {name: state for name, state in kept.items() if state is not None}
