"""What a part of a run has to do with those before and behind it: with ``--state``, and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tracker.contracts import Detector, Sink, Source
from tracker.options import Options
from tracker.run.checkpoint import Checkpoint, Parts, Reshape, Saved
from tracker.run.fingerprint import fingerprint
from tracker.run.resumed import Resumed
from tracker.types import Frame, Json, PluginError


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
    def resumes_file(self) -> bool:
        """Whether this run reads on in the file in which an earlier part stopped."""
        return False

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

    def take_up(
        self,
        parts: Parts,
        source: Source,
        detector: Detector,
        *,
        recording: str | None,
        before: str | None = None,
        reshape: Reshape | None = None,
    ) -> None:
        """Hand everybody what they knew, and note which tables are about to be created.

        The source is open, the sinks are not entered yet. ``recording`` is where the source is, ``before``
        what a live one may have been called before.
        """

    def created(self, sinks: Sequence[Sink]) -> None:
        """Note that the tables are there."""

    def count(self, frame: Frame) -> None:
        """Note that a frame has been through."""

    def due(self) -> bool:
        """Whether it is time to save."""
        return False

    def hold(self) -> None:
        """Keep what everybody knows before visits are closed: a limit has ended a file, of which more may be
        asked for.
        """

    def save(self, *, wait: bool = False, ended: bool = False) -> None:
        """Save what everybody knows, if there was a frame and no plugin has failed.

        Where one has, the last state is the one to go on from.
        """

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
    def resumes_file(self) -> bool:
        saved = self.saved
        return self._resume and saved is not None and not saved.live and not saved.ended

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

    def take_up(
        self,
        parts: Parts,
        source: Source,
        detector: Detector,
        *,
        recording: str | None,
        before: str | None = None,
        reshape: Reshape | None = None,
    ) -> None:
        self._parts, self._detector, checkpoint = parts, detector, self._checkpoint
        checkpoint.begin(parts.scene, parts.tracker, resumed=self._resume, before=before)
        checkpoint.restore(parts.host, parts.sinks, parts.report, reshape)
        if self.saved is not None:
            self._last = self.saved.frame, self.saved.time
            if isinstance(source, Resumed):
                self._passed = self.saved.passed
                detector.resume(self.saved.passed)
                checkpoint.restore_detector(detector)
        if not parts.scene.live and recording is not None:
            self._recording = fingerprint(recording)
        checkpoint.file.announce(parts.scene, parts.sinks)

    def created(self, sinks: Sequence[Sink]) -> None:
        self._checkpoint.file.created(sinks)

    def count(self, frame: Frame) -> None:
        self._last = frame.index, frame.time
        self._passed += 1

    def due(self) -> bool:
        return self._checkpoint.file.due()

    def hold(self) -> None:
        if self._last is not None:
            self._checkpoint.hold(self._parts, self._last, **self._of_the_source())

    def save(self, *, wait: bool = False, ended: bool = False) -> None:
        errors = self._parts.host.errors
        if self._last is None or errors:
            return
        try:
            more = self._of_the_source()
            self._checkpoint.save(self._parts, self._last, wait=wait, ended=ended, **more)
        except PluginError as error:
            errors.append(error)
            raise

    def _of_the_source(self) -> dict[str, Json]:
        assert self._last is not None
        seen = None if self._parts.scene.live else self._detector.state(self._last[0])
        return {"passed": self._passed, "recording": self._recording, "detector": seen}

    def add_left(self, left: Mapping[str, str]) -> None:
        self._checkpoint.add_left(left)


def make_continuation(options: Options) -> Continuation:
    """Return what ``--state`` asks for; no file is touched before `Continuation.load`."""
    if not options.state:
        return Continuation()
    return _Kept(options.state, options.state_every, resume=options.resume)
