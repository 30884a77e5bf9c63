from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.plugins._shared.geometry import (
    Polygon,
    Polyline,
    distance_to_segments,
    overlap_of_smaller,
    self_intersection,
)

whole = st.integers(-20, 20)
points = st.tuples(whole, whole)
ZIGZAG = np.array([[0.25, -9.4], [5, 0], [-5, 3], [0.25, 9.4]])


def signed_crossings(start: np.ndarray, end: np.ndarray, line: np.ndarray) -> np.ndarray:
    return Polyline(line).crossings(start, end)[0]


@given(points, points)
def test_going_back_undoes_going(a: tuple[int, int], b: tuple[int, int]) -> None:
    start, end = np.array([a], float), np.array([b], float)
    assert signed_crossings(start, end, ZIGZAG) == -signed_crossings(end, start, ZIGZAG)


@given(st.lists(points, min_size=2, max_size=6))
def test_a_closed_path_that_avoids_the_ends_crosses_as_often_each_way(way: list[tuple[int, int]]) -> None:
    """A line far longer than the walk: whoever comes back to the start has crossed to and fro alike."""
    line = np.array([[0.5, -1000.0], [3.5, 0.5], [0.5, 1000.0]])
    ring = np.array([*way, way[0]], float)
    assert signed_crossings(ring[:-1], ring[1:], line).sum() == 0


def test_a_path_through_a_corner_crosses_once_and_one_that_touches_it_not_at_all() -> None:
    line = np.array([[0.0, 0], [5, 5], [10, 0]])
    assert signed_crossings(np.array([[5.0, 0]]), np.array([[5.0, 10]]), line) == [1]
    assert signed_crossings(np.array([[0.0, 5]]), np.array([[10.0, 5]]), line) == [0]


def test_where_nothing_is_known_nothing_is_crossed() -> None:
    assert signed_crossings(np.full((1, 2), np.nan), np.array([[5.0, 10]]), ZIGZAG) == [0]


def test_the_place_of_a_crossing() -> None:
    line = Polyline(np.array([[0.0, 0], [0, 10]]))
    assert line.fraction(np.array([-1.0, 5]), np.array([3.0, 5])) == 0.25
    assert line.fraction(np.array([-1.0, 50]), np.array([3.0, 50])) == 1.0


def test_distance_is_to_the_segment_not_to_its_line() -> None:
    line = np.array([[0.0, 0], [10, 0]])
    np.testing.assert_allclose(
        distance_to_segments(np.array([[5.0, 3], [13, 4], [-3, -4]]), line[:1], line[1:]), [3, 5, 5]
    )
    assert distance_to_segments(np.array([[5.0, 3]]), line[:0], line[:0]) == [np.inf]


@given(points)
def test_inside_and_outside_of_a_notched_square(point: tuple[int, int]) -> None:
    notched = np.array([[-10, -10], [10, -10], [10, 10], [0, 0], [-10, 10]], float)
    x, y = point[0] + 0.25, point[1] + 0.1  # off the border
    expected = -10 < x < 10 and -10 < y < 10 and not y > abs(x)
    assert Polygon(notched).holds(np.array([[x, y]])) == [expected]


@pytest.mark.parametrize(
    ("shape", "closed", "expected"),
    [
        ([(0, 0), (9, 0), (9, 9), (0, 9)], True, None),
        ([(0, 0), (9, 9), (9, 0), (0, 9)], True, (0, 2)),
        ([(0, 0), (9, 9), (9, 0), (0, 9)], False, (0, 2)),
        ([(0, 0), (9, 0), (4, 0)], False, (0, 1)),
        ([(0, 0), (9, 0), (9, 9), (9, 0)], False, (0, 2)),
        ([(0, 0), (9, 0), (5, 5), (5, 0)], False, (0, 2)),
        ([(0, 0), (5, 0), (9, 0), (9, 9)], True, None),
        ([(0, 0), (9, 0), (9, 9), (4, 0)], True, (0, 2)),
    ],
)
def test_self_intersection(
    shape: list[tuple[int, int]], closed: bool, expected: tuple[int, int] | None
) -> None:
    assert self_intersection(shape, closed=closed) == expected


def test_overlap_is_of_the_smaller() -> None:
    box = np.array([0.0, 0, 10, 10])
    others = np.array([[2.0, 2, 4, 4], [5, 0, 25, 10], [20, 20, 30, 30]])
    np.testing.assert_allclose(overlap_of_smaller(box, others), [1.0, 0.5, 0.0])
