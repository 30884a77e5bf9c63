"""A run that goes on where an earlier one stopped: what it knows, in a file, now and then and at the end."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tracker.contracts import LastingTracker, PictureTracker, Sink
from tracker.errors import system_reason
from tracker.plugin_host import FAULTS, Host, failure, moment, numbered
from tracker.run import sealed
from tracker.run.fingerprint import is_same
from tracker.run.lock import Lock
from tracker.run.summary import Report
from tracker.sinks import output_file
from tracker.sinks.text_file import TextSink
from tracker.types import Json, OptionError, OutputError, Scene

LOG = logging.getLogger("track")
UNUSABLE = (KeyError, TypeError, ValueError, IndexError, AttributeError)  # what `restore` may raise


@dataclass(frozen=True)
class Saved:
    """What an earlier part of a run left."""

    source: str
    size: list[int]  # width, height
    live: bool
    ended: bool  # by itself: its visits are closed, nobody of then is awaited
    frame: int  # index and time of the last frame
    time: float
    tracker: dict[str, Json]  # "kind" and "state"
    plugins: dict[str, Json]
    sinks: dict[str, Json]
    report: dict[str, Json]
    passed: int = 0  # frames since the source's first, those left out by the detector too
    recording: Json = None  # what a file is known again by (`tracker.run.fingerprint`)
    left: dict[str, str] = field(default_factory=dict)  # files of plugins -> SHA-256 of what is in them


class StateFile:
    """Where a run keeps what it knows: read once, written by a thread, replaced as a whole.

    Raises ``OptionError`` for a file that is no state or another run's, ``OutputError`` where none can be
    written.
    """

    def __init__(self, path: str | Path, every_s: float) -> None:
        self.path = Path(path)
        self.saved: Saved | None = None
        self.resuming = False  # whether time goes on too, and with it every track
        self.left: dict[str, str] = {}  # what plugins left, and what was in it
        self._run: dict[str, Json] = {}  # what the file holds
        self._begun: dict[str, Json] = {}  # of tables of a run that was killed before its first save
        self._announced: list[str] = []  # tables that it was about to create
        self._every_s = every_s
        self._due = time.monotonic() + every_s
        self._writer: threading.Thread | None = None
        self._failed = False
        self._lock = Lock(output_file.lock_path(self.path))

    def load(self) -> Saved | None:
        """Return what the file holds, None where there is none yet; nobody else gets it until ``release``."""
        if not self.path.parent.is_dir():
            raise OutputError(f"{self.path}: the folder {self.path.parent} does not exist; create it first")
        if not self._lock.acquire():
            raise OptionError(
                f"--state {self.path}: another run is using it; end that run, or give another file"
            )
        try:
            run = sealed.read(self.path)
        except ValueError as error:
            raise self._foreign(str(error)) from error
        if run is None:
            self._check_writable()
            return None
        self._announced = run.pop("announced", [])
        self._run = run
        try:
            if run["frame"] is None:  # killed before it had seen anything
                self._begun = run["sinks"]
                return None
            self.saved = Saved(**run)
        except (KeyError, TypeError) as error:
            raise self._foreign("is damaged") from error
        self.left = dict(self.saved.left)
        return self.saved

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
        new = [name for name, part in _named(sinks) if isinstance(part, TextSink)]
        self._announced = [name for name in new if name not in self._run["sinks"]]
        if self._announced:
            self._write(sealed.dump(**self._run, announced=self._announced))

    def created(self, sinks: Sequence[Sink]) -> None:
        """Say that the files are there, and what is in them."""
        old = {name for name, part in _named(sinks) if isinstance(part, TextSink)} - {*self._announced}
        states = {name: state for name, state in _states(sinks).items() if name not in old}
        if states:
            self._run = {**self._run, "sinks": {**self._run["sinks"], **states}}
            self._announced = []
            self._write(sealed.dump(**self._run), _tables(sinks))

    def rescue(self) -> Iterator[Path]:
        """Move the videos into place that a killed run was writing; yield where they are."""
        for left in self._run.get("sinks", {}).values():
            if isinstance(left, dict) and "part" in left and (path := output_file.rescue(left)):
                yield path

    def add_left(self, left: Mapping[str, str]) -> None:
        """Note the files that plugins have left: the next part of the run may replace them."""
        self.left |= left
        if left and self._run:
            self._join()
            self._run = {**self._run, "left": self.left}
            self._write(sealed.dump(**self._run))

    def begin(self, scene: Scene, tracker: LastingTracker, *, resumed: bool) -> None:
        """Decide what can go on; let a fresh tracker go on with it, or with the numbering alone."""
        beginning, saved = tracker.state(), self.saved
        if saved is None:
            return
        now = time.time() if scene.live else saved.time
        if list(scene.size) != saved.size or scene.live != saved.live:
            kind = "a live source" if saved.live else "a file"
            raise self._foreign(f"belongs to {saved.source} ({kind}, {saved.size[0]} x {saved.size[1]})")
        if scene.live:
            self.check_source(scene.source)
        self.resuming = not saved.ended and (resumed or scene.live) and now >= saved.time
        if saved.tracker.get("kind") != _kind(tracker):
            raise self._foreign(f"was written with another tracker ({saved.tracker.get('kind')})")
        try:
            state = saved.tracker["state"]
            if not self.resuming:
                state = {**beginning, "next_id": state["next_id"]}
            elif now - saved.time > scene.lost_s:
                memory = {"memory": state["memory"]} if "memory" in state else {}  # ages by itself
                state = {**beginning, **memory, "next_id": state["next_id"]}
            tracker.restore(state)
        except UNUSABLE as error:
            raise self._foreign("does not fit this tracker") from error

    def check_source(self, name: str, source: str | None = None) -> None:
        """Refuse what an earlier run on another source left.

        Files are compared by what is in them, where ``source`` says where they are, else by name.
        """
        if self.saved is None:
            return
        same = None if source is None else is_same(self.saved.recording, source)
        if same is False and name == self.saved.source:
            raise self._foreign(f"belongs to another recording that was called {name} too")
        if not same and name != self.saved.source:
            raise self._foreign(f"belongs to {self.saved.source}, not to {name}")

    def restore(self, host: Host, sinks: Sequence[Sink], report: Report) -> None:
        """Hand everybody their own; sinks are not entered yet."""
        for name, sink in _named(sinks):
            if name in self._announced and isinstance(sink, TextSink):
                sink.restore({"bytes": 0}, False)
            elif name in self._begun and isinstance(sink, TextSink):
                sink.restore(self._begun[name], False)
        if self.saved is None:
            return
        here = [member.key for member in host.members]
        missing = [name for name in self.saved.plugins if name not in here]
        if missing:
            raise self._foreign(f"holds the counts of {missing[0]}, which this run does not have")
        for member in host.members:
            if member.key in self.saved.plugins:
                self._hand(member.key, member.name, member.plugin.restore, self.saved.plugins[member.key])
        for name, sink in _named(sinks):
            if name in self.saved.sinks:
                self._hand(name, type(sink).__name__, sink.restore, self.saved.sinks[name])
        self._hand("table", type(report).__name__, report.restore, self.saved.report)

    def _hand(self, name: str, kind: str, restore: Callable[[Json, bool], None], state: Json) -> None:
        try:
            restore(state, self.resuming)
        except UNUSABLE as error:
            why = f"{kind}.restore: {type(error).__name__}: {error}"
            raise self._foreign(f"saved {self._moment()}, does not fit {name} ({why})") from error
        except FAULTS as error:
            raise failure(kind, "restore", f"on the state saved {self._moment()}", error) from error

    def _moment(self) -> str:
        return "" if self.saved is None else moment(self.saved.frame, self.saved.time, self.saved.live)

    def due(self) -> bool:
        """Whether it is time to save again, and the last time is over."""
        busy = self._writer is not None and self._writer.is_alive()
        return not busy and time.monotonic() >= self._due

    def save(
        self,
        scene: Scene,
        frame: tuple[int, float],
        tracker: LastingTracker,
        host: Host,
        sinks: Sequence[Sink],
        report: Report,
        *,
        passed: int = 0,
        recording: Json = None,
        ended: bool = False,
        wait: bool = False,
    ) -> None:
        """Save: the copy is taken at once, written behind, or before returning with ``wait``."""
        self._due = time.monotonic() + self._every_s
        content = {
            "source": scene.source,
            "size": list(scene.size),
            "live": scene.live,
            "ended": ended,
            "frame": frame[0],
            "time": frame[1],
            "tracker": {"kind": _kind(tracker), "state": tracker.state()},
            "plugins": host.states(),
            "sinks": _states(sinks),
            "report": report.state(),
            "passed": passed,
            "recording": recording,
            "left": self.left,
        }
        try:
            run = sealed.dump(**content)
        except (TypeError, ValueError, RecursionError):
            host.states(check=lambda state: sealed.dump(state=state))  # says who it was
            raise
        self._join()
        self._run = content
        self._writer = threading.Thread(
            target=self._write, args=(run, _tables(sinks)), name="save state", daemon=True
        )
        self._writer.start()
        if wait:
            self._writer.join()

    def release(self) -> None:
        """Let another run have the file."""
        self._join()
        self._lock.release()

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

    def _foreign(self, what: str) -> OptionError:
        return OptionError(
            f"--state {self.path}: {what}; the file was not changed: move it away, or give another one"
        )


def _kind(tracker: LastingTracker) -> str:
    return tracker.kind if isinstance(tracker, PictureTracker) else type(tracker).__name__


def _named(sinks: Iterable[Sink]) -> Iterator[tuple[str, Sink]]:
    """Yield each sink under a name that it has in the next run too: ``csvsink out.csv``."""
    sinks = list(sinks)
    names = [f"{type(sink).__name__.lower()} {sink.name}".strip() for sink in sinks]
    return zip(numbered(names), sinks, strict=True)


def _tables(sinks: Iterable[Sink]) -> list[Path]:
    return [sink.path for sink in sinks if isinstance(sink, TextSink) and sink.path.is_file()]


def _states(parts: Iterable[Sink]) -> dict[str, Json]:
    states = {name: part.state() for name, part in _named(parts)}
    return {name: state for name, state in states.items() if state is not None}
