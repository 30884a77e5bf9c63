"""Exact assignment with a price for staying alone, on the few pairs that can be worth it.

What `lap.lapjv(cost, extend_cost=True, cost_limit=limit)` computes: every unmatched row and column costs
``limit / 2``. Matching a pair saves two of these, so it gains ``limit - cost``, and the optimum is the
matching of greatest total gain; pairs that gain nothing are never part of it. This is not "solve, then drop
what exceeds the limit", where a pair that is dropped later may first have pushed others apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from bytetrack.types import FloatArray, IntArray

FEW = 64  # pairs; the solver is done with so few before another look would be (measured)


def best_matching(row: IntArray, column: IntArray, gain: FloatArray, shape: tuple[int, int]) -> IntArray:
    """Choose the matching of greatest total gain from E possible pairs of a matrix of ``shape``.

    ``gain`` (E,) must be above 0. Returns indices into the pairs; no row and no column is chosen twice.

    Most pairs are beyond doubt: one that gains more than its best rivals in row and column together is in
    the optimum (else swap it in for those two). Taking such pairs out leaves others beyond doubt; what
    remains in the end, true conflicts, goes to a solver.
    """
    chosen: list[IntArray] = []
    left = np.arange(len(gain))
    while len(left):
        if _distinct(row, shape[0]) and _distinct(column, shape[1]):
            chosen.append(left)
            break
        few = len(left) <= FEW
        sure = left[:0] if few else _beyond_doubt(row, column, gain, shape).nonzero()[0]
        if len(sure) == 0:
            chosen.append(left[_solve(row, column, gain, shape)])
            break
        chosen.append(left[sure])
        open_row, open_column = np.ones(shape[0], bool), np.ones(shape[1], bool)
        open_row[row[sure]] = open_column[column[sure]] = False
        rest = (open_row[row] & open_column[column]).nonzero()[0]
        row, column, gain, left = row[rest], column[rest], gain[rest], left[rest]
    if len(chosen) == 1:
        return chosen[0]
    return np.concatenate(chosen) if chosen else left


def linear_assignment(cost: FloatArray, limit: float) -> tuple[IntArray, IntArray]:
    """Return the matched rows and columns of an (N, M) cost matrix, unmatched ones costing ``limit / 2``.

    >>> cost = np.array([[0.1, 0.4], [0.4, 0.99]])
    >>> [m.tolist() for m in linear_assignment(cost, limit=0.9)]
    [[0, 1], [1, 0]]
    """
    gain = limit - np.asarray(cost, np.float64)
    row, column = np.nonzero(gain > 0)
    chosen = np.sort(best_matching(row, column, gain[row, column], gain.shape))
    return row[chosen], column[chosen]


def _distinct(index: IntArray, size: int) -> bool:
    """Return whether no index below ``size`` occurs twice."""
    if len(index) > size:
        return False
    seen = np.zeros(size, bool)
    seen[index] = True
    return int(np.count_nonzero(seen)) == len(index)


def _beyond_doubt(
    row: IntArray, column: IntArray, gain: FloatArray, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return the mask of pairs that gain more than their best rivals of row and column together."""
    of_row, of_column = np.zeros(shape[0]), np.zeros(shape[1])
    np.maximum.at(of_row, row, gain)
    np.maximum.at(of_column, column, gain)
    best: NDArray[np.bool_] = (gain == of_row[row]) & (gain == of_column[column])
    if not (_distinct(row[best], shape[0]) and _distinct(column[best], shape[1])):  # equals are rivals
        best &= np.bincount(row, best, shape[0])[row] == 1
        best &= np.bincount(column, best, shape[1])[column] == 1
    rival = np.where(best, 0.0, gain)
    of_row[:] = of_column[:] = 0.0
    np.maximum.at(of_row, row, rival)
    np.maximum.at(of_column, column, rival)
    best &= gain > of_row[row] + of_column[column]
    return best


def _solve(row: IntArray, column: IntArray, gain: FloatArray, shape: tuple[int, int]) -> IntArray:
    row, rows = _renumber(row, shape[0])
    column, columns = _renumber(column, shape[1])
    matrix = np.zeros((rows, columns))  # a pair that cannot be gains nothing, like no pair at all
    pair = np.full(matrix.shape, -1)
    matrix[row, column] = gain
    pair[row, column] = np.arange(len(gain))
    solution = pair[linear_sum_assignment(matrix, maximize=True)]
    result: IntArray = solution[solution >= 0]
    return result


def _renumber(index: IntArray, size: int) -> tuple[IntArray, int]:
    """Return indices below ``size`` counted without gaps, and how many different ones there are."""
    present = np.zeros(size, np.intp)
    present[index] = 1
    number = present.cumsum()
    return number[index] - 1, int(number[-1])
