"""How fast points move, by the median of all slopes between two of them (Theil 1950, Sen 1968)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bytetrack.types import FloatArray, IntArray

APART = 3  # slopes are taken between points at least this part (1 / 3) of the window's points apart


def theil_sen(times: FloatArray, way: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return velocity (M, 2) and its standard error (M,) of ways (M, R, 2) at times (M, R), NaN left out.

    The velocity is, per axis, the median slope between two points that are not neighbours. Its error is that
    of least squares, 12 ** 0.5 * sigma / (span * n ** 0.5), with sigma from the median absolute residual.
    """
    times = times - times[:, -1:]  # a clock that counts from 1970 leaves few digits for what follows
    first, second = _pairs(times.shape[1])
    passed = times.take(second, axis=1) - times.take(first, axis=1)
    passed = np.where(passed > 0, passed, np.nan)
    x_and_y = way.transpose(2, 0, 1).copy()  # (2, M, R)
    slopes = _median((x_and_y.take(second, axis=2) - x_and_y.take(first, axis=2)) / passed)
    rest = x_and_y - slopes[..., None] * times
    rest = np.where(np.isnan(times), np.nan, rest)
    off = _median(np.abs(rest - _median(rest)[..., None]))
    sigma = 1.4826 * np.hypot(off[0], off[1])  # 1.4826: MAD of a normal
    n = np.count_nonzero(~np.isnan(times), axis=1)
    span = -np.fmin.reduce(times, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # fewer than two points have no speed
        error: FloatArray = np.sqrt(12.0) * sigma / (span * np.sqrt(n))
    return slopes.T, error


@lru_cache(maxsize=16)
def _pairs(points: int) -> tuple[IntArray, IntArray]:
    """Return the first and the second of each two points of a window that are far enough apart."""
    first, second = np.triu_indices(points, max(points // APART, 1))
    return first, second


def _median(values: FloatArray) -> FloatArray:
    """Return the median (...) over the last axis (..., K), NaN left out; NaN where there is nothing."""
    ordered = np.sort(values, axis=-1)  # NaN comes last
    n = np.count_nonzero(~np.isnan(values), axis=-1)
    low, high = np.maximum(n - 1, 0) // 2, np.minimum(n // 2, values.shape[-1] - 1)
    start = np.arange(0, values.size, values.shape[-1]).reshape(n.shape)
    median: FloatArray = (ordered.take(start + low) + ordered.take(start + high)) / 2
    return median
