"""Two passes over a file: the first one tracks and refines, the second one shows the refined tracks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from bytetrack import Detections, Tracks
from tracker import pipeline
from tracker.contracts import Detector, PictureTracker, Tracker
from tracker.offline.identities import Joining, join
from tracker.offline.looks import LookSampler
from tracker.offline.refine import measured, refine
from tracker.types import Frame, Image, Stopwatch

Boxes: TypeAlias = tuple[Detections, Tracks]
Shaped: TypeAlias = Callable[[Tracks, Frame], Tracks]


class PrecomputedTracks(Detector):
    """The detections and tracks of every frame of a file; stands in for both detector and tracker.

    ``first_pass`` makes it. It keeps boxes, not images: some 100 bytes per box, and what was detected beside
    it. ``shaped`` gives tracks of a frame the masks and keypoints that no detections tell.
    """

    def __init__(
        self,
        names: Mapping[int, str],
        frame_rate: float,
        boxes: Mapping[int, Boxes],
        shaped: Shaped | None = None,
    ) -> None:
        self.names, self.frame_rate = names, frame_rate
        self._boxes, self._shaped = boxes, shaped  # by index of the frame
        self._current = Tracks.empty()

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Yield every frame with the detections of the first pass."""
        for frame in frames:
            detections, self._current = self._boxes.get(frame.index, (Detections.empty(), Tracks.empty()))
            if self._shaped is not None:
                self._current = self._shaped(self._current, frame)
            yield frame, detections

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        """Return the refined tracks of the frame that ``stream`` yielded last."""
        return self._current

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Raise ``ValueError``: an image alone does not tell which frame it is."""
        raise ValueError("precomputed tracks belong to frames, not to images; use stream")


def first_pass(
    source: Iterable[Frame],
    detector: Detector,
    tracker: Tracker,
    *,
    raw: bool = True,
    shaped: Shaped | None = None,
    joining: Joining | None = None,
    advance: Callable[[int], None] | None = None,
    stopwatch: Stopwatch | None = None,
) -> PrecomputedTracks:
    """Run detector and tracker over ``source`` and refine the tracks.

    A tracker that compares looks is asked for them now and then, and the tracks are joined by looks over the
    whole file, as ``joining`` says. ``raw`` refines the boxes as they were detected instead of those of the
    tracker's Kalman filter. ``shaped`` is for tracks whose detections nobody knows. ``advance`` is called
    once per frame with the number of tracks.
    """
    watch = stopwatch or Stopwatch()
    index, time_s, tracks = [], [], []
    detections: list[Detections] = []
    looked: list[Detections | None] = []
    sampler = LookSampler(tracker) if isinstance(tracker, PictureTracker) else None
    for result in pipeline.run(source, detector, tracker, sketch=False, stopwatch=watch):
        index.append(result.frame.index)
        time_s.append(result.frame.time)
        detections.append(result.detections)
        looked.append(result.detections if result.looked else None)
        boxes = measured(result.tracks, result.detections) if raw else result.tracks
        tracks.append(replace(boxes, masks=None, keypoints=None, shape_time=None))  # they come back later
        if sampler is not None:
            with watch("track"):
                sampler.sample(len(index) - 1, result.frame, result.tracks, result.detections)
        if advance is not None:
            advance(len(result.tracks))
    with watch("refine"):
        if sampler is not None:
            tracks = join(tracks, np.array(time_s), sampler.looks(), sampler.size, joining or Joining())
        refined = refine(tracks, time_s, detections=looked)
    found = dict(zip(index, zip(detections, refined, strict=True), strict=True))
    return PrecomputedTracks(detector.names, tracker.frame_rate, found, shaped)
