"""A run that goes on where an earlier one stopped: what it knew, and who gets which part of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tracker.contracts import Detector, LastingTracker, PictureTracker, Sink
from tracker.plugin_host import FAULTS, Host, failure, moment
from tracker.run import sealed
from tracker.run.fingerprint import is_same
from tracker.run.state_file import StateFile, named, states
from tracker.run.summary import Report
from tracker.sinks.text_file import TextSink
from tracker.types import Json, Scene

# Takes the key of a plugin and what it had saved; returns both as they are now, None: it is no more.
Reshape: TypeAlias = Callable[[str, Json], "tuple[str, Json] | None"]
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
    detector: Json = None
    left: dict[str, str] = field(default_factory=dict)  # files of plugins -> SHA-256 of what is in them
    open: dict[str, Json] | None = None  # the same before visits were closed, where a limit ended the run


@dataclass(frozen=True)
class Parts:
    """Who knows something of a run, and is asked for it when that is saved."""

    scene: Scene
    tracker: LastingTracker
    host: Host
    sinks: Sequence[Sink]
    report: Report


class Checkpoint:
    """What an earlier part of a run knew and this one goes on with, and what it knows itself, in ``file``.

    Raises ``OptionError`` for what is another run's.
    """

    def __init__(self, path: str | Path, every_s: float) -> None:
        self.file = StateFile(path, every_s)
        self.saved: Saved | None = None
        self.resuming = False  # whether time goes on too, and with it every track
        self.left: dict[str, str] = {}  # what plugins left, and what was in it
        self._begun: dict[str, Json] = {}  # of tables of a run that was killed before its first save
        self._open: dict[str, Json] | None = None  # what `hold` was given

    def load(self, *, resume: bool = False) -> Saved | None:
        """Return what was saved, None where nothing was; nobody else gets the file until it is released.

        Who reads on (``resume``) behind a limit that ended the earlier part gets what was known before
        its visits were closed.
        """
        run = self.file.load()
        if run is None:
            return None
        try:
            if run["frame"] is None:  # killed before it had seen anything
                self._begun = run["sinks"]
                return None
            before = (run.get("open") if resume else None) or {}
            self.saved = Saved(**{**run, **before, "open": None})
        except (KeyError, TypeError) as error:
            raise self.file.foreign("is damaged") from error
        self.left = dict(self.saved.left)
        return self.saved

    def add_left(self, left: Mapping[str, str]) -> None:
        """Note the files that plugins have left: the next part of the run may replace them."""
        self.left |= left
        if left:
            self.file.amend(left=self.left)

    def begin(
        self, scene: Scene, tracker: LastingTracker, *, resumed: bool, before: str | None = None
    ) -> None:
        """Decide what can go on; let a fresh tracker go on with it, or with the numbering alone.

        ``before`` is another name by which a live source is known, that of a run before it was given one.
        """
        beginning, saved = tracker.state(), self.saved
        if saved is None:
            return
        now = time.time() if scene.live else saved.time
        if list(scene.size) != saved.size or scene.live != saved.live:
            kind = "a live source" if saved.live else "a file"
            raise self.file.foreign(f"belongs to {saved.source} ({kind}, {saved.size[0]} x {saved.size[1]})")
        if scene.live and (before is None or saved.source != before):
            self.check_source(scene.source)
        self.resuming = not saved.ended and (resumed or scene.live) and now >= saved.time
        if saved.tracker.get("kind") != _kind(tracker):
            raise self.file.foreign(f"was written with another tracker ({saved.tracker.get('kind')})")
        try:
            state = saved.tracker["state"]
            if not self.resuming:
                state = {**beginning, "next_id": state["next_id"]}
            elif now - saved.time > scene.lost_s:
                memory = {"memory": state["memory"]} if "memory" in state else {}  # ages by itself
                state = {**beginning, **memory, "next_id": state["next_id"]}
            tracker.restore(state)
        except UNUSABLE as error:
            raise self.file.foreign("does not fit this tracker") from error

    def check_source(self, name: str, source: str | None = None) -> None:
        """Refuse what an earlier run on another source left.

        Files are compared by what is in them, where ``source`` says where they are, else by name.
        """
        if self.saved is None:
            return
        same = None if source is None else is_same(self.saved.recording, source)
        if same is False and name == self.saved.source:
            raise self.file.foreign(f"belongs to another recording that was called {name} too")
        if not same and name != self.saved.source:
            raise self.file.foreign(f"belongs to {self.saved.source}, not to {name}")

    def restore_detector(self, detector: Detector) -> None:
        """Let a detector go on that looks only where something changed since."""
        if self.saved is not None and self.resuming:
            self._hand(
                "detector",
                type(detector).__name__,
                lambda state, _: detector.restore(state),
                self.saved.detector,
            )

    def restore(
        self, host: Host, sinks: Sequence[Sink], report: Report, reshape: Reshape | None = None
    ) -> None:
        """Hand everybody their own; sinks are not entered yet.

        ``reshape`` tells whose a state is now, where lines and zones may have changed since it was saved.
        """
        for name, sink in named(sinks):
            if name in self.file.announced and isinstance(sink, TextSink):
                sink.restore({"bytes": 0}, False)
            elif name in self._begun and isinstance(sink, TextSink):
                sink.restore(self._begun[name], False)
        if self.saved is None:
            return
        here = [member.key for member in host.members]
        plugins = self.saved.plugins
        if reshape is not None:
            plugins = dict(filter(None, (reshape(key, state) for key, state in plugins.items())))
        missing = [name for name in plugins if name not in here]
        if missing:
            raise self.file.foreign(f"holds the counts of {missing[0]}, which this run does not have")
        for member in host.members:
            if member.key in plugins:
                self._hand(member.key, member.name, member.plugin.restore, plugins[member.key])
        for name, sink in named(sinks):
            if name in self.saved.sinks:
                self._hand(name, type(sink).__name__, sink.restore, self.saved.sinks[name])
        self._hand("table", type(report).__name__, report.restore, self.saved.report)

    def _hand(self, name: str, kind: str, restore: Callable[[Json, bool], None], state: Json) -> None:
        try:
            restore(state, self.resuming)
        except UNUSABLE as error:
            why = f"{kind}.restore: {type(error).__name__}: {error}"
            raise self.file.foreign(f"saved {self._moment()}, does not fit {name} ({why})") from error
        except FAULTS as error:
            raise failure(kind, "restore", f"on the state saved {self._moment()}", error) from error

    def _moment(self) -> str:
        return "" if self.saved is None else moment(self.saved.frame, self.saved.time, self.saved.live)

    def hold(self, parts: Parts, frame: tuple[int, float], **more: Json) -> None:
        """Keep what is known now beside what `save` saves later with ``ended``."""
        for sink in parts.sinks:
            sink.hold()
        self._open = deepcopy({**_content(parts, frame), **more, "ended": False})

    def save(
        self,
        parts: Parts,
        frame: tuple[int, float],
        *,
        ended: bool = False,
        wait: bool = False,
        **more: Json,
    ) -> None:
        """Save what is known at the index and the time of the last ``frame``, and ``more`` of `Saved`.

        The copy is taken at once, written behind, or before returning with ``wait``.
        """
        content = {**_content(parts, frame), **more, "ended": ended, "left": self.left}
        if ended:
            content["open"] = self._open
        try:
            self.file.save(content, parts.sinks, wait=wait)
        except (TypeError, ValueError, RecursionError):
            parts.host.states(check=lambda state: sealed.dump(state=state))  # says who it was
            raise


def _content(parts: Parts, frame: tuple[int, float]) -> dict[str, Json]:
    return {
        "source": parts.scene.source,
        "size": list(parts.scene.size),
        "live": parts.scene.live,
        "frame": frame[0],
        "time": frame[1],
        "tracker": {"kind": _kind(parts.tracker), "state": parts.tracker.state()},
        "plugins": parts.host.states(),
        "sinks": states(parts.sinks),
        "report": parts.report.state(),
    }


def _kind(tracker: LastingTracker) -> str:
    return tracker.kind if isinstance(tracker, PictureTracker) else type(tracker).__name__
