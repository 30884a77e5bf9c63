"""How fast remembered tracks go: where they are, since the last checkpoints of `track_history.ROW`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray, IntArray

WAY_S, STEP_S = 2.0, 0.1  # so long a way is remembered, in steps of so much
STEPS = round(WAY_S / STEP_S)
ROUNDING = 1e-3  # of a step: a frame every tenth of a second has a step of its own
CLOCK_S = 1024.0  # times are kept as on a clock that goes round in this: they fit into half as many bytes
COLUMN = ("way", np.float32, (STEPS, 3))  # x, y and when, each in the place of its step; NaN: nothing yet


def step_of(now: float) -> int:
    """Return the number of the step that a time belongs to."""
    return int(now / STEP_S + ROUNDING)


def remember(rows: NDArray[np.void], found: IntArray, anchors: FloatArray, now: float) -> None:
    """Write down where the tracks of rows ``found`` (M,) are now, in place of two seconds ago."""
    places = np.empty((len(found), 3), np.float32)
    places[:, :2], places[:, 2] = anchors, now % CLOCK_S
    rows["way"][:, step_of(now) % STEPS][found] = places


def way(row: Any) -> FloatArray:
    """Return where a track was in the two seconds until it was last seen, x, y and when (K, 3), in order."""
    known, seen_s = row["way"].astype(np.float64), float(row["seen_s"])
    age = (seen_s - known[:, 2] + ROUNDING * STEP_S) % CLOCK_S - ROUNDING * STEP_S
    known[:, 2] = seen_s - age
    recent = known[(age > 2 * ROUNDING * STEP_S) & (age <= WAY_S)]
    return np.vstack([recent[recent[:, 2].argsort()], [*row["anchor"], seen_s]])


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
