"""The laws of a moving picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bytetrack import BYTETracker, Detections
from bytetrack.appearance import AppearanceTracker
from bytetrack.kalman import XYAH
from bytetrack.warp import scale_of, warp_belief, warp_points, warp_xyxy
from tests.bytetrack.crowd import random_boxes


def similarity(scale: float, angle: float, x: float, y: float) -> NDArray[np.float64]:
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[a, -b, x], [b, a, y]])


shifts = st.floats(-50, 50)
similarities = st.builds(similarity, st.floats(0.8, 1.25), st.floats(-0.2, 0.2), shifts, shifts)


def some_belief(seed: int, n: int = 7) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    belief = XYAH.initiate(XYAH.from_xyxy(random_boxes(rng, n).T.copy()))
    belief[1] = rng.normal(0, 3, (4, n))
    return XYAH.predict(belief)


def inverse(transform: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.linalg.inv(transform[:, :2])
    return np.hstack((linear, -linear @ transform[:, 2:]))


@given(similarities, st.integers(0, 99))
def test_there_and_back_is_where_it_was(transform: NDArray[np.float64], seed: int) -> None:
    boxes = random_boxes(np.random.default_rng(seed), 5)
    np.testing.assert_allclose(warp_xyxy(warp_xyxy(boxes, transform), inverse(transform)), boxes, atol=1e-6)
    belief = some_belief(seed)
    again = warp_belief(warp_belief(belief, transform, XYAH), inverse(transform), XYAH)
    np.testing.assert_allclose(again[:2], belief[:2], atol=1e-6)


@given(st.floats(-50, 50), st.floats(-50, 50), st.integers(0, 99))
def test_a_shift_moves_places_and_nothing_else(x: float, y: float, seed: int) -> None:
    before = some_belief(seed)
    after = warp_belief(before, similarity(1, 0, x, y), XYAH)
    np.testing.assert_allclose(after[0, 0], before[0, 0] + x, atol=1e-9)
    np.testing.assert_allclose(after[0, 1], before[0, 1] + y, atol=1e-9)
    np.testing.assert_array_equal(after[0, 2:], before[0, 2:])
    np.testing.assert_array_equal(after[1:], before[1:])


@given(similarities, st.integers(0, 99))
def test_a_belief_and_its_box_move_together(transform: NDArray[np.float64], seed: int) -> None:
    belief = some_belief(seed)
    boxes = XYAH.to_xyxy(belief[0]).T
    moved = XYAH.to_xyxy(warp_belief(belief, transform, XYAH)[0]).T
    np.testing.assert_allclose(moved, warp_xyxy(boxes, transform), atol=1e-6)


@given(st.floats(0.5, 2), st.integers(0, 99))
def test_zooming_and_predicting_may_change_places(scale: float, seed: int) -> None:
    zoom = similarity(scale, 0, 10, -20)
    belief = some_belief(seed)
    one = XYAH.predict(warp_belief(belief, zoom, XYAH))
    other = warp_belief(XYAH.predict(belief), zoom, XYAH)
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_variances_stay_positive_and_total_under_a_turn() -> None:
    belief = some_belief(1)
    turned = warp_belief(belief, similarity(1, 0.3, 0, 0), XYAH)
    assert (turned[2] > 0).all()
    np.testing.assert_allclose(turned[2, :2].sum(0), belief[2, :2].sum(0))
    assert scale_of(similarity(1.5, 0.3, 4, 5)) == pytest.approx(1.5)
    assert warp_points(np.array([1.0, 0]), similarity(1, np.pi / 2, 0, 0)) == pytest.approx([0, 1])


@pytest.mark.parametrize("told", [True, False])
def test_a_tracker_that_is_told_follows_through_a_jerk(told: bool) -> None:
    tracker = BYTETracker()
    box = np.array([[100.0, 100, 130, 180]])
    jerk = similarity(1, 0, 60, 0)
    for _ in range(10):
        tracker.update(Detections(box, [0.9], [0]))
    if told:
        tracker.warp(jerk)
    assert len(tracker.update(Detections(warp_xyxy(box, jerk), [0.9], [0]))) == (1 if told else 0)


def test_who_is_lost_moves_with_the_picture_and_a_cut_forgets() -> None:
    tracker = AppearanceTracker(BYTETracker(), size=(2000, 1000))
    red = lambda rows: np.tile([1.0, 0, 0], (len(rows), 1))  # noqa: E731
    here, there = [[300.0, 100, 320, 150]], [[900.0, 100, 920, 150]]
    for _ in range(30):
        tracker.update(Detections(here, [0.9], [0]), 1.0, red)
    for _ in range(60):
        tracker.update(Detections.empty(), 1.0, red)
    tracker.warp(similarity(1, 0, 600, 0))
    for _ in range(3):
        tracks = tracker.update(Detections(there, [0.9], [0]), 1.0, red)
    assert tracks.track_id.tolist() == [1]
    tracker.forget()
    for _ in range(3):
        tracks = tracker.update(Detections(there, [0.9], [0]), 1.0, red)
    assert tracks.track_id.tolist() == [2]
