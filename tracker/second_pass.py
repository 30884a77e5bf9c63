"""A file seen twice: its tracks are finished first, then it is shown again with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType

from bytetrack import Detections, Tracks
from tracker import pipeline
from tracker.refine import measured, refine
from tracker.types import Detector, Frame, Image, Stopwatch, Tracker


class Script:
    """What happens in every frame, known beforehand; plays the detector's and the tracker's part.

    ``rehearse`` makes one from a first pass. It keeps boxes, no pictures: some 100 bytes per box.
    """

    def __init__(
        self, names: Mapping[int, str], frame_rate: float, detections: list[Detections], tracks: list[Tracks]
    ) -> None:
        self.names, self.frame_rate = names, frame_rate
        self._detections, self._tracks = detections, iter(tracks)

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Yield every frame with what was detected in it the first time."""
        yield from zip(frames, self._detections, strict=False)  # a second decoding may be interrupted

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        """Return the tracks of the next frame."""
        return next(self._tracks)

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
    advance: Callable[[int], None] | None = None,
    stopwatch: Stopwatch | None = None,
) -> Script:
    """Run detector and tracker over ``source`` and refine what they found.

    ``advance`` is called once per frame with the number of tracks.
    """
    watch = stopwatch or Stopwatch()
    time_s, detections, tracks = [], [], []
    for result in pipeline.run(source, detector, tracker, sketch=False, stopwatch=watch):
        time_s.append(result.frame.time)
        detections.append(result.detections)
        tracks.append(measured(result.tracks, result.detections))
        if advance is not None:
            advance(len(result.tracks))
    with watch("refine"):
        refined = refine(tracks, time_s)
    return Script(detector.names, tracker.frame_rate, detections, refined)
