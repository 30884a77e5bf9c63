"""How fast remembered tracks go: where they are, since the last checkpoints of `track_history.ROW`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray


def velocity(rows: NDArray[np.void]) -> FloatArray:
    """Return the velocity (M, 2) of remembered tracks in pixels per second; NaN if seen once."""
    mean: FloatArray = (rows["anchor"] - _checkpoint(rows)[:, :2]) / baseline_s(rows)[:, None]
    return mean


def baseline_s(rows: NDArray[np.void]) -> FloatArray:
    """Return over how long a time (M,) `velocity` is measured; NaN if seen once."""
    passed = rows["seen_s"] - _checkpoint(rows)[:, 2]
    return np.where(passed > 0, passed, np.nan)  # seen once: no time has passed


def least_drift(rows: NDArray[np.void], other: np.void) -> FloatArray:
    """Return by how much velocities of tracks (M,) differ from another's at least, pixels per second.

    NaN where one is not known. The middle of a box goes half as fast as the object while it comes in over the
    picture's edge: then it is known only to have this speed, twice as much, or something between.
    """
    both = np.append(rows, other)
    speed = velocity(both)
    since_s = (both["seen_s"] - baseline_s(both))[:, None]
    most = np.where(both["cut_s"] >= since_s, 2 * speed, speed)
    low, high = np.minimum(speed, most), np.maximum(speed, most)
    apart = np.maximum(np.maximum(low[:-1] - high[-1], low[-1] - high[:-1]), 0.0)
    drift: FloatArray = np.hypot(apart[:, 0], apart[:, 1])
    return drift


def _checkpoint(rows: NDArray[np.void]) -> FloatArray:
    oldest = np.where(np.isnan(rows["past"][:, 1, 2]), 0, 1)
    past: FloatArray = rows["past"][np.arange(len(rows)), oldest]
    return past
