"""Objects in a zone by area: inside is of whom the greater part is inside."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.masks import Crop
from bytetrack.rotated import corners
from bytetrack.types import FloatArray

AREA = "area"  # the anchor of zones that is no point of a box


class AreaAnchors:
    """Gives a point for each object that is in the zone where the greater part of its area is.

    It is the middle of the part inside or of that outside, whichever is the greater; of somebody wholly on
    one side the middle of all. The area is that of the mask, or else of the rotated box or the box.
    """

    def __init__(self, polygon: FloatArray, size: tuple[int, int]) -> None:
        """Take the zone (K, 2) and the picture's width and height."""
        zone = np.zeros(size[::-1], np.uint8)
        cv2.fillPoly(zone, [np.round((polygon - 0.5) * 16).astype(np.int32)], 1, shift=4)
        self._zone: NDArray[np.bool_] = zone.astype(bool)

    def __call__(self, tracks: Tracks, xyxy: FloatArray) -> FloatArray:
        """Return a point (M, 2) of each track, with boxes ``xyxy`` (M, 4)."""
        points = (xyxy[:, :2] + xyxy[:, 2:]) / 2
        for row, (x, y, inside) in enumerate(self._shapes(tracks, xyxy)):
            there = inside & self._zone[y : y + inside.shape[0], x : x + inside.shape[1]]
            all_of, within = int(np.count_nonzero(inside)), int(np.count_nonzero(there))
            if all_of:
                rows, columns = np.nonzero(there if 2 * within >= all_of else inside & ~there)
                points[row] = x + columns.mean() + 0.5, y + rows.mean() + 0.5
        return points

    def _shapes(self, tracks: Tracks, xyxy: FloatArray) -> Iterator[Crop]:
        height, width = self._zone.shape
        for row in range(len(tracks)):
            if tracks.masks is not None and tracks.masks.size == (height, width):
                mask = tracks.masks.crop(row)
                if mask.inside.size:
                    yield mask
                    continue
            low = np.clip(np.floor(xyxy[row, :2]), 0, (width, height)).astype(int)
            high = np.clip(np.ceil(xyxy[row, 2:]), 0, (width, height)).astype(int)
            shape = np.ones(np.maximum(high - low, 0)[::-1], np.uint8)
            if tracks.rotated is not None and np.isfinite(tracks.rotated[row]).all() and shape.size:
                shape[:] = 0
                around = corners(tracks.rotated[[row]])[0] - low - 0.5
                cv2.fillPoly(shape, [np.round(around * 16).astype(np.int32)], 1, shift=4)
            yield Crop(int(low[0]), int(low[1]), shape.astype(bool))
