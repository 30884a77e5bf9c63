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

    It is the middle of the part inside or of that outside, whichever is the greater, or where the middle is
    not in that part, as of both sides of a narrow zone, the place in it that is nearest to the middle. Of
    somebody wholly on one side it is the middle of all. The area is that of the mask, or else of the rotated
    box or the box.
    """

    def __init__(self, polygon: FloatArray, size: tuple[int, int]) -> None:
        """Take the zone (K, 2) and the picture's width and height."""
        self._zone = _covered(polygon, size)

    def __call__(self, tracks: Tracks, xyxy: FloatArray) -> FloatArray:
        """Return a point (M, 2) of each track, with boxes ``xyxy`` (M, 4)."""
        points = (xyxy[:, :2] + xyxy[:, 2:]) / 2
        for row, (x, y, inside) in enumerate(self._shapes(tracks, xyxy)):
            there = inside & self._zone[y : y + inside.shape[0], x : x + inside.shape[1]]
            all_of, within = int(np.count_nonzero(inside)), int(np.count_nonzero(there))
            if all_of:
                points[row] = _middle(there if 2 * within >= all_of else inside & ~there)
                points[row] += x, y
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


def _covered(polygon: FloatArray, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels whose middles are in a polygon (K, 2); OpenCV would fill those at its edge, too."""
    covered = np.zeros(size[::-1], bool)
    (x1, y1), (x2, y2) = polygon.T, np.roll(polygon, -1, axis=0).T
    for row in range(max(int(y1.min()), 0), min(int(y1.max()) + 1, size[1])):
        y = row + 0.5
        crossed = (y1 <= y) != (y2 <= y)
        ways = x1[crossed] + (y - y1[crossed]) / (y2[crossed] - y1[crossed]) * (x2[crossed] - x1[crossed])
        ends = np.clip(np.ceil(np.sort(ways) - 0.5), 0, size[0]).astype(int).tolist()
        for left, right in zip(ends[::2], ends[1::2], strict=True):
            covered[row, left:right] = True
    return covered


def _middle(part: NDArray[np.bool_]) -> FloatArray:
    """Return the middle (2,) of the pixels of a part, x and y, or the middle of its pixel nearest to that."""
    columns, rows = np.count_nonzero(part, axis=0), np.count_nonzero(part, axis=1)
    x = float(columns @ np.arange(len(columns))) / columns.sum()
    y = float(rows @ np.arange(len(rows))) / rows.sum()
    if part[round(y), round(x)]:
        return np.array([x + 0.5, y + 0.5])
    ys, xs = np.nonzero(part)
    nearest = int(np.argmin((xs - x) ** 2 + (ys - y) ** 2))
    return np.array([xs[nearest] + 0.5, ys[nearest] + 0.5])
