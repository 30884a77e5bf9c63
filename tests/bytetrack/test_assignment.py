from __future__ import annotations

from functools import cache
from unittest import mock

import lap
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from bytetrack import assignment
from bytetrack.assignment import linear_assignment

seeds = st.integers(0, 2**32 - 1)


def price(
    cost: NDArray[np.float64], limit: float, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> float:
    """What a matching costs when whoever stays alone costs half the limit."""
    assert len(set(rows.tolist())) == len(rows) and len(set(columns.tolist())) == len(columns)
    alone = cost.shape[0] + cost.shape[1] - 2 * len(rows)
    return float(cost[rows, columns].sum() + alone * limit / 2)


def cheapest(cost: NDArray[np.float64], limit: float) -> float:
    """The least price of all matchings, by trying every one."""

    @cache
    def rest(row: int, taken: int) -> float:
        if row == cost.shape[0]:
            return (cost.shape[1] - taken.bit_count()) * limit / 2
        ways = [limit / 2 + rest(row + 1, taken)]
        ways += [
            cost[row, c] + rest(row + 1, taken | 1 << c) for c in range(cost.shape[1]) if not taken >> c & 1
        ]
        return float(min(ways))

    return rest(0, 0)


@given(
    st.integers(0, 6).flatmap(
        lambda n: st.integers(0, 6).flatmap(
            lambda m: st.lists(
                st.one_of(st.floats(0, 2), st.sampled_from([0.0, 0.25, 0.5, 1.0])),
                min_size=n * m,
                max_size=n * m,
            ).map(lambda values: np.array(values).reshape(n, m))
        )
    ),
    st.floats(0.01, 1.5),
)
def test_is_the_cheapest_of_all_matchings(cost: NDArray[np.float64], limit: float) -> None:
    for few in (0, assignment.FEW):  # small ones go to the solver at once unless told otherwise
        with mock.patch.object(assignment, "FEW", few):
            rows, columns = linear_assignment(cost, limit)
        assert price(cost, limit, rows, columns) == pytest.approx(cheapest(cost, limit), abs=1e-9)
        assert (cost[rows, columns] < limit).all()


@given(seeds, st.integers(1, 60), st.integers(1, 60), st.floats(0.02, 1), st.floats(0.1, 0.99))
def test_equals_scipy_on_the_clipped_matrix_and_lap_with_its_limit(
    seed: int, n: int, m: int, density: float, limit: float
) -> None:
    rng = np.random.default_rng(seed)
    cost = np.where(rng.random((n, m)) < density, rng.random((n, m)), 1.0)
    ours = linear_assignment(cost, limit)

    rows, columns = linear_sum_assignment(np.minimum(cost, limit))
    paid = cost[rows, columns] < limit
    assert price(cost, limit, *ours) == pytest.approx(price(cost, limit, rows[paid], columns[paid]), abs=1e-9)

    _, column_of_row, _ = lap.lapjv(cost, extend_cost=True, cost_limit=limit)
    rows = np.flatnonzero(column_of_row >= 0)
    rows = rows[cost[rows, column_of_row[rows]] < limit]  # at the limit, matched or not is the same to it
    assert [r.tolist() for r in ours] == [rows.tolist(), column_of_row[rows].tolist()]


@pytest.mark.parametrize("shape", [(64, 64), (90, 97), (97, 90)])
@pytest.mark.parametrize("filled", [0.3, 1.0])
def test_both_solvers_find_the_optimum_of_large_dense_conflicts(
    shape: tuple[int, int], filled: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(shape[0])
    gain = np.where(rng.random(shape) < filled, rng.random(shape), 0.0)
    row, column = gain.nonzero()
    used = []
    for name in ("_lapjv", "_scipy"):
        solver = getattr(assignment, name)
        monkeypatch.setattr(assignment, name, lambda gain, n=name, s=solver: used.append(n) or s(gain))
    found = []
    for sides in (assignment.LAP_SIDES, (0, 0)):
        monkeypatch.setattr(assignment, "LAP_SIDES", sides)
        chosen = assignment._solve(row, column, gain[row, column], shape)
        assert len(set(row[chosen])) == len(set(column[chosen])) == len(chosen)
        found.append(sorted(chosen.tolist()))
    assert found[0] == found[1]
    assert set(used[:-1]) == {"_lapjv"} and used[-1] == "_scipy"


def test_the_limit_is_a_price_not_a_filter() -> None:
    # Solved first and cut afterwards, the diagonal (0.1 + 0.99) beats 0.6 + 0.6 and leaves one match of two.
    cost = np.array([[0.1, 0.6], [0.6, 0.99]])
    assert linear_assignment(cost, 0.9)[1].tolist() == [0]
    assert linear_assignment(cost, 1.2)[1].tolist() == [0, 1]
    cost = np.array([[0.1, 0.45], [0.45, 0.99]])
    assert linear_assignment(cost, 0.9)[1].tolist() == [1, 0]


def test_equal_rivals_are_left_to_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "FEW", 0)
    # Rows 0 and 1 like column 0 alike, row 0 has an alternative: taking either for sure would lose it.
    cost = np.array([[0.2, 0.3], [0.2, 1.0]])
    assert linear_assignment(cost, 0.9)[1].tolist() == [1, 0]


def test_true_conflicts_reach_the_solver_and_plain_cases_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    solve = assignment._solve

    def watched(*pairs: NDArray[np.float64]) -> NDArray[np.intp]:
        sizes.append(len(pairs[0]))
        return solve(*pairs)

    monkeypatch.setattr(assignment, "_solve", watched)
    linear_assignment(1 - np.eye(50), 0.9)
    assert sizes == []
    linear_assignment(np.array([[0.3, 0.35], [0.35, 0.45]]), 0.9)
    assert sizes == [4]
