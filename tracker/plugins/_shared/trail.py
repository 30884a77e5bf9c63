"""The last seconds of every track's positions: a ring of points in the rows of a ``PluginState``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray, IntArray

MOST_POINTS = 192  # of one trail; longer or denser ones are thinned: more cannot be told apart on a picture
EARLY = 0.75  # a point this part of a step after the last is a new one, since clocks are not exact


class Trail:
    """Keeps at least the last ``seconds`` of each row in at most ``points`` / ``EARLY`` + 2 points.

    The newest point is always the last one pushed, so thinning never makes a trail lag behind.
    """

    def __init__(self, seconds: float, fps: float, points: int = MOST_POINTS) -> None:
        points = min(max(math.ceil(seconds * fps), 2), points)
        self.step_s = EARLY * seconds / points
        self.length = math.ceil(points / EARLY) + 2
        self._steps = np.arange(self.length)
        # Where in the ring its points lie, oldest first, by where the next one will be kept.
        self._order = np.add.outer(self._steps, self._steps) % self.length
        self.columns: tuple[tuple[Any, ...], ...] = (  # for PluginState
            ("trail_s", np.float64, (self.length,)),
            ("trail", np.float64, (self.length, 2)),
            ("trail_n", np.int64),  # points ever kept; the newest is at (n - 1) % length
        )

    def push(self, rows: NDArray[np.void], found: IntArray, now: float, points: FloatArray) -> None:
        """Add the present point (M, 2) of the tracks in rows ``found`` (M,)."""
        times, n = rows["trail_s"], rows["trail_n"][found]
        newest = n - 1
        latest = times[found, newest % self.length] - times[found, (n - 2) % self.length]
        newest += (latest >= self.step_s) | (n < 2)
        at = newest % self.length
        times[found, at] = now
        rows["trail"][found, at] = points
        rows["trail_n"][found] = newest + 1

    def window(
        self, rows: NDArray[np.void], found: IntArray, since_s: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return times (M, R) and points (M, R, 2), oldest first; times before ``since_s`` are NaN."""
        n = rows["trail_n"][found]
        at = self._order.take(n % self.length, axis=0)
        at += np.arange(0, len(found) * self.length, self.length)[:, None]
        times = rows["trail_s"][found].ravel().take(at)
        valid = (self._steps >= (self.length - n)[:, None]) & (times >= since_s)
        points = rows["trail"][found].reshape(-1, 2).take(at, axis=0)
        return np.where(valid, times, np.nan), points


def smoothed(points: FloatArray, lengths: IntArray, half: int) -> FloatArray:
    """Return the points (P, 2) of several paths, laid end to end, each a mean over its neighbours.

    ``half`` neighbours to both sides are averaged, fewer towards the ends of a path, which stay in place.

    >>> smoothed(np.array([[0.0, 0], [1, 3], [2, 0]]), np.array([3]), 1).tolist()
    [[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]]
    """
    end = np.cumsum(lengths)
    index = np.arange(len(points))
    to_start, to_end = index - np.repeat(end - lengths, lengths), np.repeat(end - 1, lengths) - index
    reach = np.minimum(np.minimum(to_start, to_end), half)
    sums = np.zeros(len(points) + 1, np.complex128)  # x and y go together: half the time
    np.cumsum(np.ascontiguousarray(points, np.float64).view(np.complex128).ravel(), out=sums[1:])
    total = sums.take(index + reach + 1) - sums.take(index - reach)
    mean: FloatArray = total.view(np.float64).reshape(-1, 2) / (2.0 * reach + 1.0)[:, None]
    return mean


def rounded(points: FloatArray, times: int = 3) -> FloatArray:
    """Return a path (K, 2) with its corners cut (Chaikin 1974), its ends kept: for the eye only.

    >>> rounded(np.array([[0.0, 0], [4, 0], [4, 4]]), 1).tolist()
    [[0.0, 0.0], [3.0, 0.0], [4.0, 1.0], [4.0, 4.0]]
    """
    for _ in range(times if len(points) > 2 else 0):
        first, second = points[:-1], points[1:]
        cut = np.stack([0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut[1:-1], points[-1:]])
    return points
