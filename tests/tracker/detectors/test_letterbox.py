from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.quick import examples
from tracker.detectors.letterbox import GREY, Letterbox

sizes = st.tuples(st.integers(1, 3000), st.integers(1, 3000))
targets = st.sampled_from([32, 320, 640, 1280])


@given(sizes, targets, st.booleans())
def test_the_input_is_whole_strides_and_holds_the_picture(
    picture: tuple[int, int], target: int, rectangular: bool
) -> None:
    box = Letterbox.fit(picture, (target, target), rectangular=rectangular)
    for side in (0, 1):
        assert box.shape[side] % 32 == 0
        assert (box.top, box.left)[side] >= 0
        assert (box.top, box.left)[side] + box.inner[side] <= box.shape[side] <= target
    assert max(box.inner) == target
    assert rectangular or box.shape == (target, target)


@given(sizes, targets, st.data())
def test_a_box_comes_back_where_it_was(picture: tuple[int, int], target: int, data: st.DataObject) -> None:
    box = Letterbox.fit(picture, (target, target))
    corner = st.tuples(st.floats(0, picture[1]), st.floats(0, picture[0]))
    xyxy = np.array([[*data.draw(corner), *data.draw(corner)]])
    gain = np.array([box.inner[1] / picture[1], box.inner[0] / picture[0]] * 2)
    there = xyxy * gain + np.array([box.left, box.top] * 2)
    np.testing.assert_allclose(box.to_picture(there), xyxy, atol=1e-3)


@given(sizes, targets)
def test_the_geometry_is_that_of_ultralytics(picture: tuple[int, int], target: int) -> None:
    from ultralytics.data.augment import LetterBox
    from ultralytics.utils.ops import scale_boxes

    box = Letterbox.fit(picture, (target, target))
    assume(min(picture) * min(np.divide(target, picture)) > 0.5)  # old releases fail at less than a row
    theirs = LetterBox((target, target), auto=True, stride=32)(image=np.full((*picture, 3), 255, np.uint8))
    assert theirs.shape[:2] == box.shape
    rows, columns = ((theirs[..., 0] == 255).any(axis=axis).nonzero()[0] for axis in (1, 0))
    assert (len(rows), len(columns)) == box.inner
    assert (rows[0], columns[0]) == (box.top, box.left)
    # scale_boxes takes the scale from the padded shape; where a side was rounded down into whole strides,
    # that is not the scale the picture was given, and its boxes are off
    assume(min(np.divide(box.shape, picture)) == min(np.divide(target, picture)))
    inside = np.array([[3.0, 4.0, 20.0, 30.0]], np.float32)
    expected = scale_boxes(box.shape, inside.copy(), picture)
    # until late in 8.4 it had one scale for both sides, of which each was rounded to whole pixels
    rounding = 0.5 / min(box.inner)
    np.testing.assert_allclose(box.to_picture(inside), expected, rtol=rounding + 1e-5, atol=1e-3)


@examples(20)
@given(st.tuples(st.integers(1, 300), st.integers(1, 300)))
def test_pixels_fill_the_inner_window_and_nothing_else(picture: tuple[int, int]) -> None:
    box = Letterbox.fit(picture, (64, 64), rectangular=False)
    out = box.blank(2)
    box.fill(np.full((*picture, 3), 200, np.uint8), out[1])
    assert (out[0] == GREY).all()
    window = np.zeros((64, 64), bool)
    window[box.top : box.top + box.inner[0], box.left : box.left + box.inner[1]] = True
    assert (out[1][window] == 200).all()
    assert (out[1][~window] == GREY).all()


def test_boxes_are_cut_at_the_edges() -> None:
    box = Letterbox.fit((576, 768), (640, 640))
    np.testing.assert_allclose(box.to_picture(np.array([[-5.0, -5, 700, 700]])), [[0, 0, 768, 576]])
