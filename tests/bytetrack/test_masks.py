"""Masks as run lengths say what the pixels say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bytetrack import Detections
from bytetrack.masks import Crop, Masks, moved_iou, packed, unpacked
from tests.quick import examples

shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))
pictures = shapes.flatmap(lambda shape: arrays(bool, (3, *shape)))


def _masks(pixels: np.ndarray) -> Masks:  # type: ignore[type-arg]
    return Masks.of([Crop(0, 0, one) for one in pixels], pixels.shape[1:])


@examples(100)
@given(pictures)
def test_pixels_come_back_and_are_measured(pixels: np.ndarray) -> None:  # type: ignore[type-arg]
    masks = _masks(pixels)
    for row, one in enumerate(pixels):
        assert (masks.picture(row) == one).all()
        assert (masks.picture(row) == _masks(pixels).mirrored().mirrored().picture(row)).all()
        assert (masks.mirrored().picture(row) == one[:, ::-1]).all()
        rows, columns = np.nonzero(one)
        assert masks.area[row] == len(rows)
        box = [0, 0, 0, 0]
        if len(rows):
            box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            lowest = columns[rows == rows.max()]
            middle = (lowest.min() + lowest.max() + 1) / 2
            assert masks.lowest[row].tolist() == [middle, rows.max() + 1]
        else:
            assert np.isnan(masks.lowest[row]).all()
        assert masks.xyxy[row].tolist() == box
    shared = np.array([[np.sum(a & b) / max(np.sum(a | b), 1) for b in pixels] for a in pixels])
    np.testing.assert_allclose(masks.iou(masks), shared)
    runs = [masks.runs(row) for row in range(len(masks))]
    np.testing.assert_allclose([[moved_iou(a, b) for b in runs] for a in runs], shared)


@examples(60)
@given(pictures, st.integers(-3, 3), st.integers(-3, 3))
def test_a_moved_mask_is_one_in_another_place(pixels: np.ndarray, x: int, y: int) -> None:  # type: ignore[type-arg]
    size = pixels.shape[1] + 6, pixels.shape[2] + 6
    here = Masks.of([Crop(3, 3, one) for one in pixels], size)
    there = Masks.of([Crop(3 + x, 3 + y, one) for one in pixels], size)
    moved = [moved_iou(here.runs(row), here.runs(0), x * size[0] + y) for row in range(len(here))]
    np.testing.assert_allclose(moved, there.iou(here)[:, 0])


@examples(100)
@given(pictures)
def test_cocos_text_comes_back(pixels: np.ndarray) -> None:  # type: ignore[type-arg]
    masks = _masks(pixels)
    again = Masks.from_coco([masks.to_coco(row) for row in range(3)], masks.size)
    assert again.counts.tolist() == masks.counts.tolist() and again.start.tolist() == masks.start.tolist()
    turned = masks[np.array([2, 0])]
    assert (turned.picture(0) == pixels[2]).all() and (turned.picture(1) == pixels[0]).all()
    assert Masks.concatenate([turned, masks[[1]]]).area.tolist() == masks.area[[2, 0, 1]].tolist()


@pytest.mark.parametrize("text", ["\x01", "o", "5" * 3])
def test_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"damaged|too early|runs are not"):
        Masks.from_coco([{"size": [4, 5], "counts": text}], (4, 5))


def test_what_cocos_own_library_writes() -> None:
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    pixels = np.random.default_rng(1).random((90, 120)) > 0.3
    theirs = coco.encode(np.asfortranarray(pixels.astype(np.uint8)))["counts"].decode()
    masks = _masks(pixels[None])
    assert masks.to_coco(0)["counts"] == theirs
    assert unpacked(theirs).tolist() == masks.runs(0).tolist() and packed(masks.runs(0)) == theirs


def test_what_belongs_to_other_boxes_is_refused() -> None:
    box = [[0, 0, 9, 9]]
    with pytest.raises(ValueError, match="masks must be 1"):
        Detections(box, [0.5], [0], masks=Masks.empty((20, 20)))
    with pytest.raises(ValueError, match=r"keypoints must have shape \(1, J, 3\)"):
        Detections(box, [0.5], [0], keypoints=np.zeros((1, 17, 2)))
    with pytest.raises(ValueError, match="radians, not degrees"):
        Detections(box, [0.5], [0], rotated=np.array([[5, 5, 9, 9, 45.0]]))


def test_masks_of_a_letterbox_are_those_of_the_picture() -> None:
    """A picture of 40x20 in an input of 20x20: at half the scale, with five rows above and below."""
    inside = np.zeros((1, 20, 20), bool)
    inside[0, 5:10, :10] = True  # its upper left quarter
    masks = Masks.from_letterbox(inside, (20, 40))
    assert masks.xyxy.tolist() == [[0, 0, 20, 10]] and masks.area.tolist() == [200]
    assert Masks.from_pictures(masks.pictures()).counts.tolist() == masks.counts.tolist()
