"""The colours of codecs: there and back, in parts, scaled; and a frame that makes its BGR when asked."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quick import examples
from tracker.planes import BT601, BT709, SWSCALE_BGR, Planes, as_bgr, to_bgr, to_yuv
from tracker.types import Frame, Image

MATRICES = (BT601, BT709)


def noise(seed: int, size: tuple[int, int] = (32, 48)) -> Image:
    """A picture in which every colour occurs, each over two by two pixels."""
    half = np.random.default_rng(seed).integers(0, 256, (size[0] // 2, size[1] // 2, 3), np.uint8)
    return np.repeat(np.repeat(half, 2, 0), 2, 1)


@pytest.mark.parametrize("matrix", MATRICES)
@examples(40)
@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_a_colour_comes_back(matrix: int, color: tuple[int, int, int]) -> None:
    image = np.full((2, 2, 3), color, np.uint8)
    planes = Planes.of(image, matrix)
    assert planes.y.min() >= 16 and planes.y.max() <= 235
    assert min(planes.u.min(), planes.v.min()) >= 16 and max(planes.u.max(), planes.v.max()) <= 240
    assert np.abs(planes.bgr().astype(int) - image).max() <= 2


@pytest.mark.parametrize("matrix", MATRICES)
def test_the_matrices_are_those_of_the_standards(matrix: int) -> None:
    white, blue = np.array([255, 255, 255, 1]), np.array([255, 0, 0, 1])
    assert to_yuv(matrix) @ white == pytest.approx([235, 128, 128], abs=1e-3)
    luma = {BT601: 16 + 219 * 0.114, BT709: 16 + 219 * 0.0722}[matrix]
    assert (to_yuv(matrix) @ blue)[:2] == pytest.approx([luma, 240], abs=1e-3)
    both = to_bgr(matrix)[:, :3] @ to_yuv(matrix)[:, :3]
    assert both == pytest.approx(np.eye(3), abs=1e-4)


def test_opencv_makes_the_same_of_bt601() -> None:
    planes = Planes.of(noise(1))
    data = np.concatenate([plane.ravel() for plane in (planes.y, planes.u, planes.v)]).reshape(-1, 48)
    assert np.abs(planes.bgr().astype(int) - cv2.cvtColor(data, cv2.COLOR_YUV2BGR_I420)).max() <= 2


@pytest.mark.parametrize("matrix", MATRICES)
@examples(30)
@given(st.integers(0, 99), st.integers(0, 14), st.integers(0, 22), st.integers(1, 16), st.integers(1, 24))
def test_a_part_is_that_of_the_whole_and_put_back_changes_nothing(
    matrix: int, seed: int, top: int, left: int, height: int, width: int
) -> None:
    planes = Planes.of(noise(seed), matrix)
    where = slice(2 * top, min(2 * (top + height), 32)), slice(2 * left, min(2 * (left + width), 48))
    part = planes.part(where)
    assert np.array_equal(part, planes.bgr()[where])
    mine = planes.copy()
    mine.put(where, part)
    for name in ("y", "u", "v"):
        before, after = getattr(planes, name).astype(int), getattr(mine, name)
        assert np.abs(before - after).max() <= 2
    mine.put(where, np.zeros_like(part))
    outside = np.ones((32, 48), bool)
    outside[where] = False
    assert np.array_equal(mine.y[outside], planes.y[outside])
    assert mine.y[where].max() == 16
    assert planes.y is not mine.y, "the original is not touched"


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("size", [(16, 24), (13, 17), (9, 8)])
def test_much_smaller_is_as_the_whole_that_swscale_makes(matrix: int, size: tuple[int, int]) -> None:
    smooth = cv2.GaussianBlur(cv2.resize(noise(3, (8, 12)), (48, 32)), (9, 9), 0)
    out = np.zeros((*size, 3), np.uint8)
    planes = Planes.of(smooth, matrix)
    made = planes.scaled(size, out)
    assert made is out
    assert np.array_equal(made, planes.scaled(size))
    error = made - cv2.resize(smooth, size[::-1]).astype(int)
    assert np.abs(error).max() < 14
    assert error.mean((0, 1)) == pytest.approx(SWSCALE_BGR, abs=1.5)


@pytest.mark.parametrize("size", [(32, 48), (20, 30), (50, 71)])
def test_else_scaled_is_the_whole_scaled(size: tuple[int, int]) -> None:
    planes = Planes.of(noise(4))
    out = np.zeros((*size, 3), np.uint8)
    assert planes.scaled(size, out) is out
    assert np.array_equal(out, cv2.resize(planes.bgr(), size[::-1]))


class TestAFrame:
    def made(self) -> tuple[Frame, list[int]]:
        calls: list[int] = []
        planes = Planes.of(noise(5))

        def make() -> Image:
            calls.append(1)
            return noise(5)

        return Frame.of(replace(planes, make=make), 7, 0.5), calls

    def test_makes_its_image_once_when_it_is_first_asked_for(self) -> None:
        frame, calls = self.made()
        assert isinstance(frame.pixels, Planes)
        assert (frame.size, frame.index, frame.time) == ((48, 32), 7, 0.5)
        assert repr(frame) == "Frame(index=7, time=0.500, 48x32)"
        assert frame.luma is frame.pixels.y
        assert frame.at(9, 1.0).pixels is frame.pixels
        assert not calls
        assert frame.image is frame.image is frame.at(8, 1.0).image
        assert calls == [1]
        assert np.array_equal(as_bgr(frame.pixels), frame.image)
        assert not frame.image.flags.writeable

    def test_of_an_array_is_one_as_ever(self) -> None:
        image = noise(6)
        frame = Frame(image, 3, 0.1)
        assert frame.image is image is frame.pixels
        assert (frame.size, frame.at(4, 0.2).index) == ((48, 32), 4)
        assert np.array_equal(frame.luma, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
        assert Frame.of(noise(6), 3, 0.1).image.flags.writeable is False

    def test_replaced_copied_and_pickled_it_is_whole(self) -> None:
        frame, _ = self.made()
        dark = np.zeros((4, 4, 3), np.uint8)
        assert replace(frame, image=dark).pixels is dark, "no planes of another picture stay behind"
        assert replace(frame, time=2.0).time == 2.0
        for other in (copy.copy(frame), pickle.loads(pickle.dumps(frame))):
            assert np.array_equal(other.image, frame.image)
            assert (other.index, other.time) == (7, 0.5)
        with pytest.raises(AttributeError, match="'Frame' has no attribute 'picture'"):
            _ = frame.picture  # type: ignore[attr-defined]
