"""The border of a zone: who is inside, which paths pass it and where, who has got clear of it."""

from __future__ import annotations

import numpy as np

from bytetrack.types import FloatArray
from tracker.plugins._shared.anchors import EDGE_PX, at_edge, beyond_edge, hysteresis
from tracker.plugins._shared.geometry import Mask, Polygon, Segments, cross, distance_to_segments

NUDGE_PX = 1e-9  # to the right and down: so `Polygon.holds` takes points on a side itself
EDGE_PART = 0.005  # sides nearer to the picture's edge, in parts of its longer side, are meant to lie on it
BESIDE = (0.0, 1.0, -1.0, 2.0, -2.0)  # margins to both sides of a way: is there room to be clear?
Crossing = tuple[float, int, FloatArray]  # part of the path, number of the side from 1, place (2,)


class Border:
    """The sides of a polygon (K, 2) on a picture of ``size``; those on its edge are none.

    There the zone goes on beyond the picture: who walks along the edge, feet cut off, is inside.
    """

    def __init__(self, polygon: FloatArray, size: tuple[int, int]) -> None:
        self._size = size
        far = np.array(size, np.float64)
        touching = at_edge(polygon, size, EDGE_PART)
        self._corners = np.where(touching[:, :2], 0.0, np.where(touching[:, 2:], far, polygon))
        self._next = np.roll(np.arange(len(polygon)), -1)
        self._following = self._corners[self._next]
        self._along = self._following - self._corners
        along = touching & np.roll(touching, -1, axis=0)  # (K, 4) sides on the left, top, right, bottom edge
        border = ~along.any(axis=1)
        self._sides = Segments(self._corners[border], self._following[border])
        beyond = np.logical_or.reduce(along, axis=0)
        self._least = np.where(beyond[:2], EDGE_PX, -np.inf)
        self._most = np.where(beyond[2:], far - EDGE_PX, np.inf)
        self._bounded = bool(beyond.any())
        self._low, self._high = self._corners.min(axis=0), self._corners.max(axis=0)
        self._area = Polygon(self._corners)
        turns = cross(self._along, self._along[self._next])
        self.convex = bool((turns >= 0).all() or (turns <= 0).all())

    def within(self, anchors: FloatArray) -> FloatArray:
        """Return anchors (M, 2); where the zone goes on beyond the picture, what is there is on its edge."""
        return np.minimum(np.maximum(anchors, self._least), self._most) if self._bounded else anchors

    def holds(self, anchors: FloatArray) -> Mask:
        """Return which anchors (M, 2), as `within` returns them, are inside."""
        return self._area.holds(anchors)

    def near(self, before: FloatArray, anchors: FloatArray) -> Mask:
        """Return which paths (M, 2) to (M, 2) may meet the zone; none from where nothing is known (NaN)."""
        low, high = np.minimum(before, anchors), np.maximum(before, anchors)
        overlap = (high >= self._low) & (low <= self._high)
        meet: Mask = overlap[:, 0] & overlap[:, 1]
        return meet

    def crossings(self, start: FloatArray, end: FloatArray, *, changes: bool) -> list[Crossing]:
        """Return where the path ``start -> end`` (2,) passes the border, in order.

        ``changes`` tells whether the end is on the other side of it than the start. A path through a corner
        passes one side, or two or none where it only touches.
        """
        start, way = start + NUDGE_PX, end - start
        to_corners = self._corners - start
        beside = cross(way, to_corners) > 0
        met = np.flatnonzero(beside != beside[self._next])
        along = self._along[met]
        parts = cross(to_corners[met], along) / cross(way, along)
        on_way = (parts >= 0) & (parts <= 1)
        parts, met = parts[on_way], met[on_way]
        order = np.argsort(parts, kind="stable")
        found = [
            (part, side + 1, start + part * way)
            for part, side in zip(parts[order].tolist(), met[order].tolist(), strict=True)
        ]
        if len(found) % 2 == changes:
            return found
        return [(1.0, self._nearest(end), end)] if changes else []  # it begins or ends on the border itself

    def through(
        self, side: int, place: FloatArray, other_side: int, other_place: FloatArray, xyxy: FloatArray
    ) -> bool:
        """Return whether who passed these sides at these places has gone through, not just over a corner.

        Through between sides that lie opposite one another; else where the middle of the way was clear of the
        border, or as clear as it can be in a zone that is thin there. Back over the same side is not.
        """
        if side == other_side:
            return False
        along = self._along[[side - 1, other_side - 1]]
        if float(along[0] @ along[1]) < 0:
            return True
        middle, way = (place + other_place) / 2, other_place - place
        boxes = np.repeat(xyxy[None], len(BESIDE), axis=0)
        across = np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), 1e-9) * hysteresis(boxes)[:1]
        beside = middle + np.array(BESIDE)[:, None] * across
        clear = self.clear(beside, boxes) & self.holds(beside)
        return bool(clear[0]) or not clear.any()

    def apart(self, place: FloatArray, other_place: FloatArray, xyxy: FloatArray) -> bool:
        """Return whether who went out at one place and came in at the other was clear of the zone between."""
        middle = ((place + other_place) / 2)[None]
        return not self.holds(middle)[0] and bool(self.clear(middle, xyxy[None])[0])

    def _nearest(self, point: FloatArray) -> int:
        sides = zip(self._corners[:, None], self._following[:, None], strict=True)
        return 1 + int(np.argmin([distance_to_segments(point[None], a, b)[0] for a, b in sides]))

    def clear(self, anchors: FloatArray, xyxy: FloatArray) -> Mask:
        """Return who (M,) is further from the border than a margin of its own size (`anchors.HYSTERESIS`)."""
        at_least = self.within(beyond_edge(anchors, xyxy, self._size))
        clear: Mask = self._sides.distance(at_least) > hysteresis(xyxy)
        return clear
