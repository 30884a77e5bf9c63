"""What a part of a run has to do with those before and behind it: with ``--state``, and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tracker.contracts import Detector, LastingTracker, Sink, Source
from tracker.options import Options
from tracker.plugin_host import Host
from tracker.run.checkpoint import Checkpoint, Parts, Reshape, Saved
from tracker.run.fingerprint import fingerprint
from tracker.run.resumed import Resumed
from tracker.run.summary import Report
from tracker.types import Frame, Json, Scene


class Continuation:
    """A run without ``--state``: nothing was before it, and nothing goes on from it."""

    kept = False  # whether a later part may go on from this one

    @property
    def is_new(self) -> bool:
        """Whether no earlier part has written anything."""
        return True

    @property
    def saved(self) -> Saved | None:
        """What an earlier part left."""
        return None

    @property
    def since(self) -> float | None:
        """Time of the last frame of an earlier part whose tracks go on."""
        return None

    @property
    def left(self) -> Mapping[str, str]:
        """Files that plugins have left, and what was in them."""
        return {}

    def load(self) -> list[Path]:
        """Read what an earlier part left; return the files that a killed one was writing."""
        return []

    def release(self) -> None:
        """Let another run go on."""

    def check_source(self, name: str, recording: str | None) -> None:
        """Refuse to go on with another source."""

    def begin(
        self, scene: Scene, tracker: LastingTracker, *, resumed: bool, before: str | None = None
    ) -> None:
        """Let a fresh tracker go on; ``before`` is what a live source may have been called before."""

    def restore(
        self, host: Host, sinks: Sequence[Sink], report: Report, reshape: Reshape | None = None
    ) -> None:
        """Hand everybody what they knew; sinks are not entered yet."""

    def skip(self, source: Source, detector: Detector) -> None:
        """Go on counting behind the last frame of the earlier part."""

    def announce(self, scene: Scene, sinks: Sequence[Sink], recording: str | None) -> None:
        """Note what is read, and which tables are about to be created."""

    def created(self, sinks: Sequence[Sink]) -> None:
        """Note that the tables are there."""

    def count(self, frame: Frame) -> None:
        """Note that a frame has been through."""

    def due(self) -> bool:
        """Whether it is time to save."""
        return False

    def hold(self, parts: Parts, detector: Detector) -> None:
        """Keep what everybody knows before visits are closed: a limit has ended a file, of which more may be
        asked for.
        """

    def save(self, parts: Parts, detector: Detector, *, wait: bool = False, ended: bool = False) -> None:
        """Save what everybody knows, if there was a frame."""

    def add_left(self, left: Mapping[str, str]) -> None:
        """Note the files that plugins have left."""


class _Kept(Continuation):
    """A run with ``--state``: a checkpoint is read at the beginning, written now and then and at the end."""

    kept = True

    def __init__(self, path: str | Path, every_s: float, *, resume: bool) -> None:
        self._checkpoint = Checkpoint(path, every_s)
        self._resume = resume
        self._last: tuple[int, float] | None = None  # index and time of the last frame
        self._passed = 0  # frames, with those of the part of the run that this one resumes
        self._recording: Json = None  # what the source is known again by

    @property
    def is_new(self) -> bool:
        return self._checkpoint.file.is_new

    @property
    def saved(self) -> Saved | None:
        return self._checkpoint.saved

    @property
    def since(self) -> float | None:
        return self._last[1] if self._checkpoint.resuming and self._last else None

    @property
    def left(self) -> Mapping[str, str]:
        return self._checkpoint.left

    def load(self) -> list[Path]:
        self._checkpoint.load(resume=self._resume)
        return [*self._checkpoint.file.rescue(resume=self._resume)]

    def release(self) -> None:
        self._checkpoint.file.release()

    def check_source(self, name: str, recording: str | None) -> None:
        self._checkpoint.check_source(name, recording)

    def begin(
        self, scene: Scene, tracker: LastingTracker, *, resumed: bool, before: str | None = None
    ) -> None:
        self._checkpoint.begin(scene, tracker, resumed=resumed, before=before)

    def restore(
        self, host: Host, sinks: Sequence[Sink], report: Report, reshape: Reshape | None = None
    ) -> None:
        self._checkpoint.restore(host, sinks, report, reshape)

    def skip(self, source: Source, detector: Detector) -> None:
        if self.saved is not None:
            self._last = self.saved.frame, self.saved.time
            if isinstance(source, Resumed):
                self._passed = self.saved.passed
                detector.resume(self.saved.passed)
                self._checkpoint.restore_detector(detector)

    def announce(self, scene: Scene, sinks: Sequence[Sink], recording: str | None) -> None:
        if not scene.live and recording is not None:
            self._recording = fingerprint(recording)
        self._checkpoint.file.announce(scene, sinks)

    def created(self, sinks: Sequence[Sink]) -> None:
        self._checkpoint.file.created(sinks)

    def count(self, frame: Frame) -> None:
        self._last = frame.index, frame.time
        self._passed += 1

    def due(self) -> bool:
        return self._checkpoint.file.due()

    def hold(self, parts: Parts, detector: Detector) -> None:
        if self._last is not None:
            self._checkpoint.hold(parts, self._last, **self._of_the_source(parts.scene, detector))

    def save(self, parts: Parts, detector: Detector, *, wait: bool = False, ended: bool = False) -> None:
        if self._last is not None:
            more = self._of_the_source(parts.scene, detector)
            self._checkpoint.save(parts, self._last, wait=wait, ended=ended, **more)

    def _of_the_source(self, scene: Scene, detector: Detector) -> dict[str, Json]:
        assert self._last is not None
        seen = None if scene.live else detector.state(self._last[0])
        return {"passed": self._passed, "recording": self._recording, "detector": seen}

    def add_left(self, left: Mapping[str, str]) -> None:
        self._checkpoint.add_left(left)


def make_continuation(options: Options) -> Continuation:
    """Return what ``--state`` asks for; no file is touched before `Continuation.load`."""
    if not options.state:
        return Continuation()
    return _Kept(options.state, options.state_every, resume=options.resume)
