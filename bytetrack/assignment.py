"""Exact assignment with a price for staying unmatched, computed on the pairs that can be worth matching.

The result is that of `lap.lapjv(cost, extend_cost=True, cost_limit=limit)`: every unmatched row and column
costs ``limit / 2``. Matching a pair saves two of these, so it gains ``limit - cost``, and the optimum is the
matching of greatest total gain; pairs that gain nothing are never part of it. Solving first and dropping the
matches above the limit afterwards is not the same: a pair that is dropped may have kept others from matching.
"""

from __future__ import annotations

import lap
import numpy as np
from numpy.typing import NDArray

from bytetrack.solver import linear_sum_assignment
from bytetrack.types import FloatArray, IntArray

FEW = 64  # pairs; solving so few takes less time than looking for certain ones among them (measured)

# Both solvers are exact. `lap.lapjv` takes 0.6 to 0.9 of the time of scipy's on matrices within these bounds,
# dense crowds of some hundred boxes. Elsewhere, as in most frames, it takes 1 to 4 times as long: its call
# costs more, it pads matrices to squares, and it is slow with nearly empty ones.
LAP_SIDES = 64, 400
LAP_FILLED = 0.2  # part of the matrix that is pairs
LAP_SQUARE = 1.1  # longer side to shorter side


def best_matching(row: IntArray, column: IntArray, gain: FloatArray, shape: tuple[int, int]) -> IntArray:
    """Choose the matching of greatest total gain from E possible pairs of a matrix of ``shape``.

    ``gain`` (E,) must be above 0. Returns indices into the pairs; no row and no column is chosen twice.

    Most pairs are certain: a pair that gains more than its best rivals in row and column together is part of
    the optimum, because exchanging those two for it would gain. When the certain pairs are taken out, others
    become certain; what remains in the end are true conflicts, which a solver resolves.
    """
    chosen: list[IntArray] = []
    left = np.arange(len(gain))
    while len(left):
        if _distinct(row, shape[0]) and _distinct(column, shape[1]):
            chosen.append(left)
            break
        few = len(left) <= FEW
        sure = left[:0] if few else _certain(row, column, gain, shape).nonzero()[0]
        if len(sure) == 0:
            chosen.append(left.take(_solve(row, column, gain, shape)))
            break
        chosen.append(left.take(sure))
        open_row, open_column = np.ones(shape[0], bool), np.ones(shape[1], bool)
        open_row[row.take(sure)] = open_column[column.take(sure)] = False
        rest = (open_row.take(row) & open_column.take(column)).nonzero()[0]
        row, column, gain, left = row.take(rest), column.take(rest), gain.take(rest), left.take(rest)
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


def _certain(row: IntArray, column: IntArray, gain: FloatArray, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask of pairs that gain more than their best rivals of row and column together."""
    of_row, of_column = np.zeros(shape[0]), np.zeros(shape[1])
    np.maximum.at(of_row, row, gain)
    np.maximum.at(of_column, column, gain)
    best: NDArray[np.bool_] = (gain == of_row.take(row)) & (gain == of_column.take(column))
    if not (_distinct(row[best], shape[0]) and _distinct(column[best], shape[1])):  # equal gains are rivals
        best &= np.bincount(row, best, shape[0])[row] == 1
        best &= np.bincount(column, best, shape[1])[column] == 1
    rival = np.where(best, 0.0, gain)
    of_row[:] = of_column[:] = 0.0
    np.maximum.at(of_row, row, rival)
    np.maximum.at(of_column, column, rival)
    best &= gain > of_row.take(row) + of_column.take(column)
    return best


def _solve(row: IntArray, column: IntArray, gain: FloatArray, shape: tuple[int, int]) -> IntArray:
    """Return the optimum of pairs that compete, as indices into them (K,)."""
    row, rows = _renumber(row, shape[0])
    column, columns = _renumber(column, shape[1])
    matrix = np.zeros((rows, columns))  # what is not a pair gains nothing, like staying unmatched
    pair = np.full(matrix.shape, -1)
    matrix[row, column] = gain
    pair[row, column] = np.arange(len(gain))
    solve = _lapjv if _suits_lap(rows, columns, len(gain)) else _scipy
    solution = pair[solve(matrix)]
    result: IntArray = solution[solution >= 0]
    return result


def _suits_lap(rows: int, columns: int, pairs: int) -> bool:
    short, long = min(rows, columns), max(rows, columns)
    square = LAP_SIDES[0] <= short and long <= min(LAP_SIDES[1], LAP_SQUARE * short)
    return square and pairs >= LAP_FILLED * rows * columns


def _scipy(gain: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the rows and columns of the matching of greatest total gain."""
    row, column = linear_sum_assignment(gain, maximize=True)
    return row, column


def _lapjv(gain: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the same by the method of Jonker and Volgenant (1987)."""
    if gain.shape[0] > gain.shape[1]:  # columns added to make it square would cost much more time than rows
        column, row = _lapjv(gain.T)
        return row, column
    _, column_of_row, _ = lap.lapjv(-gain, extend_cost=True)
    return np.arange(len(column_of_row)), column_of_row


def _renumber(index: IntArray, size: int) -> tuple[IntArray, int]:
    """Return indices below ``size`` counted without gaps, and how many different ones there are."""
    present = np.zeros(size, np.intp)
    present[index] = 1
    number = present.cumsum()
    return number.take(index) - 1, int(number[-1])
