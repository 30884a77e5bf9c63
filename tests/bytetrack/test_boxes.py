from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import boxes
from tests.bytetrack.crowd import random_boxes

seeds = st.integers(0, 2**32 - 1)


def textbook_iou(a: np.ndarray, b: np.ndarray) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


@given(seeds)
def test_iou_is_the_textbook_one_symmetric_and_bounded(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = random_boxes(rng, 7, extent=300), random_boxes(rng, 5, extent=300)
    matrix = boxes.iou(a, b)
    np.testing.assert_allclose(matrix, [[textbook_iou(p, q) for q in b] for p in a], atol=1e-12)
    np.testing.assert_array_equal(matrix, boxes.iou(b, a).T)
    assert matrix.min() >= 0 and matrix.max() <= 1
    np.testing.assert_allclose(np.diag(boxes.iou(a, a)), 1)


def test_iou_is_nothing_for_boxes_that_touch_or_are_apart() -> None:
    assert boxes.iou([[0, 0, 2, 2]], [[2, 0, 4, 2], [0, 2, 2, 4], [50, 50, 60, 60]]).tolist() == [[0, 0, 0]]


def test_boxes_without_area_overlap_nothing() -> None:
    assert boxes.iou([[1, 1, 1, 9], [3, 3, 3, 3]], [[1, 1, 1, 9], [3, 3, 3, 3], [0, 0, 9, 9]]).sum() == 0


def test_iou_takes_lists_and_float32() -> None:
    assert boxes.iou(np.array([[0, 0, 2, 2]], np.float32), [[0, 0, 2, 1]]).tolist() == [[0.5]]


@given(seeds)
def test_sweep_finds_the_pairs_of_the_full_matrix(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = boxes.columns(random_boxes(rng, rng.integers(0, 40), extent=400).round(rng.integers(-2, 2)))
    b = boxes.columns(random_boxes(rng, rng.integers(0, 40), extent=400).round(rng.integers(-2, 2)))
    full, swept = boxes._compare_all(a, b), boxes._sweep(a, b)
    assert sorted(zip(*full, strict=True)) == sorted(zip(*swept, strict=True))


def test_many_boxes_go_through_the_sweep_and_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    a, b = random_boxes(rng, 400, extent=3000), random_boxes(rng, 300, extent=3000)
    assert len(a) * len(b) > boxes.DENSE_LIMIT
    swept = boxes.iou(a, b)
    monkeypatch.setattr(boxes, "DENSE_LIMIT", 10**9)
    np.testing.assert_array_equal(swept, boxes.iou(a, b))
    assert (swept > 0).any()


@given(seeds)
def test_conversions_there_and_back(seed: int) -> None:
    xyxy = boxes.columns(random_boxes(np.random.default_rng(seed), 9))
    np.testing.assert_allclose(boxes.xyah_to_xyxy(boxes.xyxy_to_xyah(xyxy)), xyxy, atol=1e-9)
    np.testing.assert_allclose(boxes.xywh_to_xyxy(boxes.xyxy_to_xywh(xyxy)), xyxy, atol=1e-9)


def test_conversions_mean_what_they_say() -> None:
    xyxy = np.array([[10.0], [20.0], [40.0], [80.0]])
    assert boxes.xyxy_to_xyah(xyxy).ravel().tolist() == [25, 50, 0.5, 60]
    assert boxes.xyxy_to_xywh(xyxy).ravel().tolist() == [25, 50, 30, 60]
