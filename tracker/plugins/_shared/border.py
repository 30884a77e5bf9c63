"""The border of a zone: who is inside, which paths pass it and where, who has got clear of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bytetrack.types import FloatArray
from tracker.plugins._shared.anchors import EDGE_PX, at_edge, beyond_edge, hysteresis
from tracker.plugins._shared.geometry import Mask, Polygon, Segments, cross

NUDGE_PX = 1e-9  # to the right and down: so `Polygon.holds` takes points on a side itself
EDGE_PART = 0.005  # sides nearer to the picture's edge, in parts of its longer side, are meant to lie on it
BESIDE = (0.0, 1.0, -1.0, 2.0, -2.0)  # margins to both sides of a way: is there room to be clear?
Point = Sequence[float]  # x, y: here are few, and numbers are faster than arrays
Crossing = tuple[float, int, Point]  # part of the path, number of the side from 1, place


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
        self._parts: list[list[float]] = np.hstack([self._corners, self._along]).tolist()
        self._each = list(zip(self._corners[:, None], self._following[:, None], strict=True))
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

    def crossings(self, start: Point, end: Point, *, changes: bool) -> list[Crossing]:
        """Return where the path ``start -> end`` passes the border, in order.

        ``changes`` tells whether the end is on the other side of it than the start. A path through a corner
        passes one side, or two or none where it only touches.
        """
        x, y = start[0] + NUDGE_PX, start[1] + NUDGE_PX
        way_x, way_y = end[0] - start[0], end[1] - start[1]
        beside = [way_x * (to_y - y) - way_y * (to_x - x) > 0 for to_x, to_y, _, _ in self._parts]
        found: list[Crossing] = []
        for side, (to_x, to_y, along_x, along_y) in enumerate(self._parts):
            if beside[side] != beside[side + 1 - len(beside)]:
                across = (to_x - x) * along_y - (to_y - y) * along_x
                part = across / (way_x * along_y - way_y * along_x)
                if 0 <= part <= 1:
                    found.append((part, side + 1, (x + part * way_x, y + part * way_y)))
        found.sort(key=lambda crossing: crossing[0])
        if len(found) % 2 == changes:
            return found
        return [(1.0, self._nearest(end), end)] if changes else []  # it begins or ends on the border itself

    def through(
        self, side: int, place: Point, other_side: int, other_place: Point, box: Sequence[float]
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
        middle = (place[0] + other_place[0]) / 2, (place[1] + other_place[1]) / 2
        way_x, way_y = other_place[0] - place[0], other_place[1] - place[1]
        margin = hysteresis(box) / max(math.hypot(way_x, way_y), 1e-9)
        beside = [(middle[0] - n * way_y * margin, middle[1] + n * way_x * margin) for n in BESIDE]
        inside = self.holds(np.array(beside)).tolist()
        clear = [held and self.clear(at, box) for held, at in zip(inside, beside, strict=True)]
        return clear[0] or not any(clear)

    def apart(self, place: Point, other_place: Point, box: Sequence[float]) -> bool:
        """Return whether who went out at one place and came in at the other was clear of the zone between."""
        middle = (place[0] + other_place[0]) / 2, (place[1] + other_place[1]) / 2
        return not self.holds(np.array([middle]))[0] and self.clear(middle, box)

    def _nearest(self, point: Point) -> int:
        return 1 + int(np.argmin([Segments(*side).away(*point) for side in self._each]))

    def clear(self, anchor: Point, box: Sequence[float]) -> bool:
        """Return whether somebody is further from the border than a margin (`anchors.hysteresis`)."""
        x, y = beyond_edge(anchor, box, self._size)
        if self._bounded:
            (least_x, least_y), (most_x, most_y) = self._least.tolist(), self._most.tolist()
            x, y = min(max(x, least_x), most_x), min(max(y, least_y), most_y)
        return self._sides.away(x, y) > hysteresis(box)
