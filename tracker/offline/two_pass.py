"""A file seen twice: its tracks are finished first, then it is shown again with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TypeAlias

from bytetrack import Detections, Tracks
from tracker import pipeline
from tracker.offline.refine import measured, refine
from tracker.types import Detector, Frame, Image, Stopwatch, Tracker

Scene: TypeAlias = tuple[Detections, Tracks]


class Script:
    """What happens in every frame, known beforehand; plays the detector's and the tracker's part.

    ``rehearse`` makes one from a first pass. It keeps boxes, no pictures: some 100 bytes per box.
    """

    def __init__(self, names: Mapping[int, str], frame_rate: float, scenes: Mapping[int, Scene]) -> None:
        self.names, self.frame_rate = names, frame_rate
        self._scenes = scenes  # by index of the frame
        self._now = Tracks.empty()

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Yield every frame with what was detected in it the first time."""
        for frame in frames:
            detections, self._now = self._scenes.get(frame.index, (Detections.empty(), Tracks.empty()))
            yield frame, detections

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        """Return the tracks of the frame that ``stream`` yielded last."""
        return self._now

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Refuse: a script knows its frames by their order only."""
        raise ValueError("a script follows the frames in order; use stream")

    def __enter__(self) -> Script:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""


def rehearse(
    source: Iterable[Frame],
    detector: Detector,
    tracker: Tracker,
    *,
    raw: bool = True,
    advance: Callable[[int], None] | None = None,
    stopwatch: Stopwatch | None = None,
) -> Script:
    """Run detector and tracker over ``source`` and refine what they found.

    ``raw`` begins from the boxes as they were detected, not as the tracker's filter believed them.
    ``advance`` is called once per frame with the number of tracks.
    """
    watch = stopwatch or Stopwatch()
    index, time_s, detections, tracks = [], [], [], []
    for result in pipeline.run(source, detector, tracker, sketch=False, stopwatch=watch):
        index.append(result.frame.index)
        time_s.append(result.frame.time)
        detections.append(result.detections)
        tracks.append(measured(result.tracks, result.detections) if raw else result.tracks)
        if advance is not None:
            advance(len(result.tracks))
    with watch("refine"):
        refined = refine(tracks, time_s)
    scenes = dict(zip(index, zip(detections, refined, strict=True), strict=True))
    return Script(detector.names, tracker.frame_rate, scenes)
