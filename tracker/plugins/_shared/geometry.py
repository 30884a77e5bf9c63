"""Plane geometry of lines and polygons against many points at once; pure functions, pixels throughout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytetrack.types import FloatArray, IntArray

Mask = NDArray[np.bool_]
PARTS = 256  # of a polyline that are looked at together


def cross(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return the z component of the cross product over the last axis (..., 2)."""
    product: NDArray[Any] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


class Segments:
    """Straight parts, from (K, 2) to (K, 2), that are asked often how far something is from them."""

    def __init__(self, begin: FloatArray, end: FloatArray) -> None:
        self._begin_x, self._begin_y = begin.T.copy()
        self._along_x, self._along_y = (end - begin).T.copy()
        self._square = np.maximum(self._along_x * self._along_x + self._along_y * self._along_y, 1e-12)
        columns = self._begin_x, self._begin_y, self._along_x, self._along_y, self._square
        self._parts: list[list[float]] = np.stack(columns, axis=1).tolist()

    def distance(self, points: FloatArray) -> FloatArray:
        """Return the distance (M,) of each point (M, 2) to the nearest part; infinite where there is none."""
        if not len(self._square):
            return np.full(len(points), np.inf)
        x, y = points[:, :1] - self._begin_x, points[:, 1:] - self._begin_y  # (M, K)
        part = (x * self._along_x + y * self._along_y) / self._square
        part = np.minimum(np.maximum(part, 0.0), 1.0)
        x -= part * self._along_x
        y -= part * self._along_y
        nearest: FloatArray = np.sqrt((x * x + y * y).min(axis=1))
        return nearest

    def away(self, x: float, y: float) -> float:
        """Return the distance of one point: for a few, numbers are faster than arrays."""
        to_x, to_y = self.offset(x, y)
        return math.sqrt(to_x * to_x + to_y * to_y)

    def offset(self, x: float, y: float) -> tuple[float, float]:
        """Return where one point lies as seen from the nearest point of any part.

        >>> Segments(np.array([[0.0, 0]]), np.array([[9.0, 0]])).offset(4, -3)
        (0.0, -3.0)
        """
        nearest, found = math.inf, (math.inf, math.inf)
        for begin_x, begin_y, along_x, along_y, square in self._parts:
            to_x, to_y = x - begin_x, y - begin_y
            part = min(max((to_x * along_x + to_y * along_y) / square, 0.0), 1.0)
            to_x, to_y = to_x - part * along_x, to_y - part * along_y
            away = to_x * to_x + to_y * to_y
            if away < nearest:
                nearest, found = away, (to_x, to_y)
        return found


def distance_to_segments(points: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
    """Return the distance (M,) of each point (M, 2) to the nearest of the segments (K, 2) to (K, 2)."""
    return Segments(start, end).distance(points)


class Polyline(Segments):
    """A line through points (K, 2) that is asked often who crosses it."""

    def __init__(self, points: FloatArray) -> None:
        super().__init__(points[:-1], points[1:])
        self._points: list[list[float]] = points.tolist()
        self._last: tuple[FloatArray, FloatArray] | None = None  # where paths ended, and the sides of that

    def crossings(self, start: FloatArray, end: FloatArray) -> tuple[IntArray, bool]:
        """Return how often each path ``start -> end`` (M, 2) crosses the line, with sign: (M,).

        And whether any path may end on the line itself, where it has crossed nothing yet.

        +1 is a crossing to the right-hand side of somebody who walks along the line on the picture (y points
        down), -1 to the left; going over and back in one step is 0. A path through a corner of the line
        crosses once. A path that starts where nothing is known (NaN) crosses nothing.

        >>> Polyline(np.array([[0.0, 0], [9, 0]])).crossings(np.array([[5.0, -1]]), np.array([[5.0, 1]]))
        (array([1]), False)
        """
        known = self._last is not None and self._last[0] is start
        before = self._last[1] if self._last is not None and known else self.sides(start)
        after = self.sides(end)
        self._last = end, after  # most paths go on from there in the next frame
        passed = before * after < 0
        touching = bool(np.count_nonzero(after) < after.size)
        total = np.zeros(len(start), np.int64)
        if np.count_nonzero(passed):
            for row in np.flatnonzero(passed.any(axis=1)).tolist():
                total[row] = self._passed(start[row].tolist(), end[row].tolist(), after[row].tolist())
        return total, touching

    def _passed(self, start: list[float], end: list[float], after: list[float]) -> int:
        """Return how often one path crosses the line, with sign; ``after`` are the sides of its end."""
        (x, y), (way_x, way_y) = start, (end[0] - start[0], end[1] - start[1])
        beside = [way_x * (to_y - y) - way_y * (to_x - x) > 0 for to_x, to_y in self._points]
        total = 0
        for (begin_x, begin_y, along_x, along_y, _), left, right, side in zip(
            self._parts, beside, beside[1:], after, strict=False
        ):
            before = along_x * (y - begin_y) - along_y * (x - begin_x)
            if left != right and before * side < 0:
                total += 1 if side > 0 else -1
        return total

    def sides(self, points: FloatArray) -> FloatArray:
        """Return on which side (M, K-1) of each part points (M, 2) lie, by sign."""
        sides: FloatArray = self._along_x * (points[:, 1:] - self._begin_y)
        sides -= self._along_y * (points[:, :1] - self._begin_x)
        return sides

    def normal(self, x: float, y: float) -> tuple[float, float]:
        """Return the unit vector across the part that is nearest to a point."""

        def off(part: list[float]) -> float:
            begin_x, begin_y, along_x, along_y, square = part
            to_x, to_y = x - begin_x, y - begin_y
            along = min(max((to_x * along_x + to_y * along_y) / square, 0.0), 1.0)
            return math.hypot(to_x - along * along_x, to_y - along * along_y)

        _, _, along_x, along_y, square = min(self._parts, key=off)
        return -along_y / math.sqrt(square), along_x / math.sqrt(square)

    def fraction(self, start: FloatArray, end: FloatArray) -> float:
        """Return where on the path ``start -> end`` (2,), 0 to 1, it last crosses the line; 1 if nowhere."""
        (x, y), (to_x, to_y) = start.tolist(), end.tolist()
        way_x, way_y = to_x - x, to_y - y
        fractions = []
        for begin_x, begin_y, along_x, along_y, _ in self._parts:
            turn = way_x * along_y - way_y * along_x
            if turn:
                along = ((begin_x - x) * along_y - (begin_y - y) * along_x) / turn
                across = ((begin_x - x) * way_y - (begin_y - y) * way_x) / turn
                if 0 <= along <= 1 and 0 <= across <= 1:
                    fractions.append(along)
        return max(fractions, default=1.0)


class Polygon:
    """A polygon (K, 2) that is asked often."""

    def __init__(self, corners: FloatArray) -> None:
        self._x0, self._y0 = x0, y0 = corners.T.copy()
        x1, self._y1 = np.concatenate((corners[1:], corners[:1])).T.copy()
        level = self._y1 == y0  # such sides are never straddled
        self._slope = (x1 - x0) / np.where(level, 1.0, self._y1 - y0)
        upright = len(corners) == 4 and bool((level | (x1 == x0)).all())
        self._rectangle = (corners.min(axis=0), corners.max(axis=0)) if upright else None

    def holds(self, points: FloatArray) -> Mask:
        """Return which points (M, 2) lie inside, by the even-odd rule.

        >>> Polygon(np.array([[0.0, 0], [4, 0], [4, 3], [0, 3]])).holds(np.array([[1.0, 1], [5, 1]])).tolist()
        [True, False]
        """
        if self._rectangle is not None:  # most are: half the work
            low, high = self._rectangle
            between = (points >= low) & (points < high)
            both: Mask = between[:, 0] & between[:, 1]
            return both
        x, y = points[:, :1], points[:, 1:]
        straddles = (self._y0 > y) != (self._y1 > y)
        left_of = x < self._slope * (y - self._y0) + self._x0
        inside: Mask = np.logical_xor.reduce(straddles & left_of, axis=1)
        return inside


def area(polygon: ArrayLike) -> float:
    """Return the area of a simple polygon (K, 2) in square pixels.

    >>> area([[0, 0], [4, 0], [4, 3], [0, 3]])
    12.0
    """
    corners = np.asarray(polygon, np.float64)
    return abs(float(cross(corners, np.roll(corners, -1, axis=0)).sum())) / 2


def self_intersection(points: Sequence[Sequence[float]], *, closed: bool) -> tuple[int, int] | None:
    """Return the first two parts of a polyline or polygon that meet, or None.

    Part i goes from point i to the next. Neighbours share a point and only meet when they fold back.

    >>> self_intersection([[0, 0], [9, 9], [9, 0], [0, 9]], closed=True)
    (0, 2)
    """
    corners = np.asarray(points, np.float64)
    if closed:
        begin, end = corners, np.roll(corners, -1, axis=0)
    else:
        begin, end = corners[:-1], corners[1:]
    count = len(begin)
    for first in range(0, count, PARTS):  # bounded memory, however many points
        some = slice(first, first + PARTS)
        meeting = np.triu(_meet(begin[some], end[some], begin, end), first + 1)
        for i in range(first, min(first + PARTS, count)):
            for j in {i + 1, *((count - 1,) if closed and i == 0 else ())}:
                if i < j < count:  # neighbours
                    meeting[i - first, j] = _folds_back(begin[i], end[i], begin[j], end[j])
        if meeting.any():
            i, j = np.argwhere(meeting)[0].tolist()
            return first + i, j
    return None


def open_ring(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Return the corners of a polygon without the last where it repeats the first: a ring that was closed.

    >>> open_ring([(0, 0), (4, 0), (4, 3), (0, 0)])
    ((0, 0), (4, 0), (4, 3))
    """
    corners = tuple(points)
    return corners[:-1] if len(corners) > 3 and tuple(corners[0]) == tuple(corners[-1]) else corners


def overlap_of_smaller(xyxy: FloatArray, others: FloatArray) -> FloatArray:
    """Return the part (K,) of the smaller of two boxes that lies in the other: (4,) against (K, 4)."""
    corner = np.maximum(xyxy[:2], others[:, :2])
    sides = np.maximum(np.minimum(xyxy[2:], others[:, 2:]) - corner, 0)
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    smaller = np.minimum(areas, (xyxy[2] - xyxy[0]) * (xyxy[3] - xyxy[1]))
    part: FloatArray = sides[:, 0] * sides[:, 1] / np.maximum(smaller, 1e-9)
    return part


def _meet(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> Mask:
    """Return which segments a-b (I, 2) meet which c-d (J, 2), touching included: (I, J)."""
    a, b = a[:, None], b[:, None]
    c_side, d_side = cross(b - a, c - a), cross(b - a, d - a)
    a_side, b_side = cross(d - c, a - c), cross(d - c, b - c)
    met: Mask = (c_side * d_side < 0) & (a_side * b_side < 0)
    for side, point, (p, q) in (
        (c_side, c, (a, b)),
        (d_side, d, (a, b)),
        (a_side, a, (c, d)),
        (b_side, b, (c, d)),
    ):
        near = (np.minimum(p, q) <= point).all(axis=-1) & (point <= np.maximum(p, q)).all(axis=-1)
        met |= (side == 0) & near
    return met


def _folds_back(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> bool:
    if np.array_equal(a, d):  # the last part of a ring and the first
        a, b, c, d = c, d, a, b
    return float(cross(b - a, d - c)) == 0 and float(((b - a) * (d - c)).sum()) < 0
