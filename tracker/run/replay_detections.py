"""A run over stored detections without their video: everything behind the detector."""

from __future__ import annotations

import threading
from pathlib import Path

from tracker.contracts import Detector, Source
from tracker.detectors.every_nth import EveryNth
from tracker.offline.saved_detections import DetectionFrames, SavedDetections
from tracker.options import Options
from tracker.run.checkpoint import Saved
from tracker.run.claims import Claims
from tracker.run.stored import detector_of
from tracker.run.upstream import Upstream
from tracker.types import OptionError, Stopwatch


class WithSavedDetections(Upstream):
    """What ``--save-detections`` wrote. Raises ``InputError`` and ``OptionError`` when it is opened."""

    def __init__(self, path: Path, options: Options) -> None:
        super().__init__(None, options)
        self._path = path
        for name, without in (("appearance", ("none", "self")), ("camera_motion", ("off",))):
            if getattr(options, name) not in without:
                flag = f"--{name.replace('_', '-')}"
                raise OptionError(f"{flag} needs pictures: give the video with --video")

    @property
    def name(self) -> str:
        """What the file is called."""
        return self._path.name

    def claim(self, claims: Claims) -> None:
        """Claim the file."""
        claims.read("the stored detections", self._path)

    def make_source(self, stop: threading.Event, stopwatch: Stopwatch, saved: Saved | None = None) -> Source:
        """Return the frames that the file names."""
        self._saved = SavedDetections(self._path)
        return DetectionFrames(self._saved, stop)

    def make_detector(self, source: Source, stopwatch: Stopwatch) -> Detector:
        """Return the file."""
        stored, every = detector_of(self._saved, self._options), self._options.detect_every
        return stored if every == 1 else EveryNth(stored, every)
