"""The matching of DeepSORT: what was seen last comes first, and what exceeds the limit counts alike.

Unlike `bytetrack.assignment` it works on full matrices, as the official code does (nwojke/deep_sort,
``linear_assignment.py``): costs above the limit are all set to one a little above it, and are dropped after
the assignment. The optimum is the same; where two are equally good, so is the choice.
"""

from __future__ import annotations

import numpy as np

from bytetrack.kalman import Belief, MotionModel
from bytetrack.solver import linear_sum_assignment
from bytetrack.types import FloatArray, IntArray

GATE = 9.4877  # 95 % of the squared Mahalanobis distances of 4 numbers are below it (chi-square)
ABOVE = 1e-5  # how far beyond the limit all forbidden pairs are put


def mahalanobis(model: MotionModel, belief: Belief, measured: FloatArray) -> FloatArray:
    """Return the squared distances (T, D) of measurements (4, D) from where tracks expect them.

    In standard deviations of a track's prediction and its measurement together; both are diagonal. Of rotated
    boxes the angle is left out.
    """
    variance = (belief[2] + model.measurement_variance(belief))[:4]
    apart = measured[:4, None] - belief[0, :4, :, None]
    distance: FloatArray = (apart * apart / variance[:, :, None]).sum(0)
    return distance


def cheapest(cost: FloatArray, limit: float) -> tuple[IntArray, IntArray]:
    """Return the rows and columns (K,) of the cheapest assignment of (N, M) costs up to ``limit``.

    A pair above the limit costs little more than the limit: what is left over counts, but no more than that.

    >>> [m.tolist() for m in cheapest(np.array([[0.1, 0.4], [0.4, np.inf]]), 0.5)]
    [[0], [0]]
    """
    row, column = linear_sum_assignment(np.where(cost <= limit, cost, limit + ABOVE))
    within = cost[row, column] <= limit
    return row[within], column[within]


def cascade(cost: FloatArray, age: FloatArray, limit: float) -> tuple[IntArray, IntArray]:
    """Match (T, D) in rounds: the tracks of least ``age`` (T,) first, the older with what is left.

    Returns the rows and columns that belong together, (K,) each.
    """
    free = np.arange(cost.shape[1])
    rows, columns = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for one in np.unique(age):
        tracks = (age == one).nonzero()[0]
        row, column = cheapest(cost[np.ix_(tracks, free)], limit)
        rows.append(tracks[row])
        columns.append(free[column])
        free = np.delete(free, column)
    return np.concatenate(rows), np.concatenate(columns)
