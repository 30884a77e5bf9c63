"""Rotated boxes: half a turn is the same box, and overlaps are those of the polygons."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bytetrack.rotated import alike, corners, nearest_form, overlap_pairs, regular, upright
from bytetrack.types import FloatArray
from tests.quick import examples

boxes = st.tuples(
    st.floats(-50, 50), st.floats(-50, 50), st.floats(1, 60), st.floats(1, 60), st.floats(-4, 4)
).map(lambda values: np.array([values]))


def _set(points: FloatArray) -> FloatArray:
    rounded = points.round(6) + 0.0
    return rounded[np.lexsort(rounded.T)]


@examples(100)
@given(boxes)
def test_half_a_turn_is_the_same_box(box: FloatArray) -> None:
    turned = box + np.array([0, 0, 0, 0, np.pi])
    swapped = box[:, [0, 1, 3, 2, 4]] + np.array([0, 0, 0, 0, np.pi / 2])
    for same in (turned, swapped, regular(turned), nearest_form(box, np.array([2.5]))):
        np.testing.assert_allclose(_set(corners(same)[0]), _set(corners(box)[0]), atol=1e-5)
        np.testing.assert_allclose(upright(same), upright(box), atol=1e-9)
        np.testing.assert_allclose(overlap_pairs(same, box), 1, atol=1e-6)
        assert alike(same, box)[0, 0] > 0.999
    assert -np.pi / 4 <= regular(box)[0, 4] <= 3 * np.pi / 4
    assert abs(nearest_form(box, np.array([2.5]))[0, 4] - 2.5) <= np.pi / 4 + 1e-9


def _clipped(polygon: list[list[float]], by: list[list[float]]) -> list[list[float]]:
    """Return the part of a polygon inside a convex one (Sutherland and Hodgman 1974)."""
    for (ax, ay), (bx, by_) in zip(by, by[1:] + by[:1], strict=True):
        sides = [(bx - ax) * (y - ay) - (by_ - ay) * (x - ax) for x, y in polygon]
        kept = []
        for n, (point, side) in enumerate(zip(polygon, sides, strict=True)):
            before, other = polygon[n - 1], sides[n - 1]
            if (side < 0) != (other < 0):
                part = other / (other - side)
                kept.append([b + part * (p - b) for b, p in zip(before, point, strict=True)])
            if side >= 0:
                kept.append(point)
        polygon = kept
    return polygon


def _area(polygon: list[list[float]]) -> float:
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return abs(sum(ax * by - ay * bx for (ax, ay), (bx, by) in pairs)) / 2


@examples(150)
@given(boxes, boxes)
def test_overlap_is_that_of_the_polygons(one: FloatArray, other: FloatArray) -> None:
    shared = _area(_clipped(corners(one)[0].tolist(), corners(other)[0].tolist()))
    either = float(one[0, 2] * one[0, 3] + other[0, 2] * other[0, 3]) - shared
    ours = overlap_pairs(one, other)[0]
    np.testing.assert_allclose(ours, shared / either, atol=1e-5)
    np.testing.assert_allclose(ours, overlap_pairs(other, one)[0], atol=1e-9)
    mirror = np.array([-1, 1, 1, 1, -1])
    np.testing.assert_allclose(ours, overlap_pairs(one * mirror, other * mirror)[0], atol=1e-9)
