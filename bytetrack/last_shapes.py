"""Tracks get the masks, keypoints and rotated boxes of their detections, and keep the last ones.

A rotated box tells where its object is, as the upright box does: of those no old ones are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from bytetrack.masks import Crop, Masks
from bytetrack.types import Detections, FloatArray, Tracks


class Shape(NamedTuple):
    """What was last seen of one track, and when."""

    time: float
    mask: Masks | None  # one
    keypoints: FloatArray | None  # (J, 3)


@dataclass
class LastShapes:
    """Remembers the shapes of tracks by their id, ``keep_s`` seconds long.

    >>> found = Detections([[0, 0, 9, 9]], [0.9], [0], keypoints=[[[4, 5, 0.8]]])
    >>> tracks = Tracks(np.array([7]), found.xyxy, found.score, found.class_id, np.array([0]))
    >>> last = LastShapes()
    >>> last.carry(tracks, found, 1.0).keypoints.tolist()
    [[[4.0, 5.0, 0.8]]]
    >>> unseen = Tracks(np.array([7]), found.xyxy, found.score, found.class_id, np.array([-1]))
    >>> last.carry(unseen, Detections.empty(), 1.5).shape_time.tolist()
    [1.0]
    """

    keep_s: float = 1.0
    _known: dict[int, Shape] = field(default_factory=dict, init=False, repr=False)

    def carry(self, tracks: Tracks, detections: Detections, time: float) -> Tracks:
        """Return the tracks of a frame with the shapes that were last seen of each, and their time.

        Tracks of detections that have none come back as they are. A rotated box that the tracker has
        filtered stays; of another tracker it is that of the detection, and unknown where there is none.
        """
        seen = detections.masks, detections.keypoints, detections.rotated
        if not self._known and all(one is None for one in seen):
            return tracks
        ids, sources = tracks.track_id.tolist(), tracks.source.tolist()
        for track_id, row in zip(ids, sources, strict=True):
            if row >= 0:
                self._known[track_id] = _shape(detections, row, time)
        for track_id in [key for key, shape in self._known.items() if time - shape.time > self.keep_s]:
            del self._known[track_id]
        if not self._known:
            return tracks
        shapes = [self._known.get(track_id) for track_id in ids]
        rotated = tracks.rotated
        if rotated is None and detections.rotated is not None:
            rotated = np.full((len(ids), 5), np.nan)
            rotated[tracks.source >= 0] = detections.rotated[tracks.source[tracks.source >= 0]]
        return replace(
            tracks,
            masks=self._masks(shapes),
            keypoints=self._keypoints(shapes),
            rotated=rotated,
            shape_time=np.array([np.nan if shape is None else shape.time for shape in shapes], np.float64),
        )

    def _masks(self, shapes: list[Shape | None]) -> Masks | None:
        some = next((shape.mask for shape in reversed(self._known.values()) if shape.mask is not None), None)
        if some is None:
            return None
        none = Masks.of([Crop(0, 0, np.zeros((0, 0), bool))], some.size)
        of_size = [shape.mask if shape is not None else None for shape in shapes]
        parts = [none if mask is None or mask.size != some.size else mask for mask in of_size]
        return Masks.concatenate(parts) if parts else Masks.empty(some.size)

    def _keypoints(self, shapes: list[Shape | None]) -> FloatArray | None:
        known = [shape.keypoints for shape in reversed(self._known.values()) if shape.keypoints is not None]
        if not known:
            return None
        keypoints = np.full((len(shapes), *known[0].shape), np.nan)
        for row, shape in enumerate(shapes):
            if shape is not None and shape.keypoints is not None and shape.keypoints.shape == known[0].shape:
                keypoints[row] = shape.keypoints
        return keypoints


def _shape(detections: Detections, row: int, time: float) -> Shape:
    masks, keypoints = detections.masks, detections.keypoints
    return Shape(
        time,
        None if masks is None else masks[[row]],
        None if keypoints is None else keypoints[row],
    )
