"""Tracks carry what was last seen of them, and forget it in time."""

from __future__ import annotations

import numpy as np

from bytetrack import BYTETracker, Detections, Tracks
from bytetrack.last_shapes import LastShapes
from bytetrack.masks import Crop, Masks


def _found(x: int) -> Detections:
    masks = Masks.of([Crop(x, 5, np.ones((20, 10), bool))], (50, 90))
    return Detections(
        [[x, 5, x + 10, 25]],
        [0.9],
        [0],
        masks=masks,
        keypoints=np.full((1, 3, 3), float(x)),
        rotated=np.array([[x + 5, 15, 10, 20, 0.1]]),
    )


def test_a_track_keeps_the_last_shape_with_its_time() -> None:
    tracker, last = BYTETracker(), LastShapes(keep_s=1.0)
    for frame, x in enumerate((10, 12, 14)):
        tracks = last.carry(tracker.update(_found(x)), _found(x), frame / 10)
        assert tracks.masks is not None and tracks.masks.xyxy.tolist() == [[x, 5, x + 10, 25]]
        assert tracks.keypoints is not None and tracks.keypoints[0, 0, 0] == x
        assert tracks.rotated is not None and tracks.rotated[0, 0] == x + 5
        assert tracks.shape_time is not None and tracks.shape_time.tolist() == [frame / 10]
        assert tracks[np.array([], int)].masks is not None
    supposed = last.carry(tracker.predict(), Detections.empty(), 0.3)
    assert supposed.source.tolist() == [-1] and supposed.shape_time is not None
    assert supposed.shape_time.tolist() == [0.2]
    assert supposed.rotated is None  # where it was then is not where it is
    assert last.carry(Tracks.empty(), Detections.empty(), 1.3).masks is None  # nobody remembers it now


def test_tracks_of_boxes_alone_come_back_as_they_are() -> None:
    found = Detections([[0, 0, 9, 9]], [0.9], [0])
    tracks = BYTETracker().update(found)
    assert LastShapes().carry(tracks, found, 0.0) is tracks
