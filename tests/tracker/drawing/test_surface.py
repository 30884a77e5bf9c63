"""What is painted on planes looks as what is painted on BGR."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import Detections, Tracks
from tests.quick import examples
from tracker.drawing.annotate import DrawOptions, draw, draw_pixels
from tracker.drawing.surface import opened
from tracker.planes import BT601, BT709, Planes
from tracker.types import Canvas, Frame, Image, Result

SIZE = (240, 320)  # height, width
NAMES = {0: "person", 1: "Fußgänger"}


def scene() -> Image:
    """A picture without edges of colour, on which planes and BGR are the same but for rounding."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    waves = [128 + 60 * np.sin(x / 37 + k) * np.cos(y / 29 - k) for k in range(3)]
    return np.stack(waves, axis=2).astype(np.uint8)


def framed(planes: Planes, boxes: Any, canvas: Canvas | None = None, source: int = 0) -> Result:
    n = len(boxes)
    tracks = Tracks(
        np.arange(1, n + 1), np.reshape(boxes, (n, 4)), np.full(n, 0.5), np.zeros(n, int), np.full(n, source)
    )
    marks = tuple((canvas or Canvas()).marks)
    return Result(Frame.of(planes, 0, 0.0), Detections.empty(), tracks, (), marks)


def ssim(one: Image, other: Image) -> float:
    """Return the mean structural similarity of luminance (Wang et al. 2004), Gaussian windows of 11."""
    a, b = (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float64) for image in (one, other))
    mean = lambda image: cv2.GaussianBlur(image, (11, 11), 1.5)  # noqa: E731
    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    c1, c2 = 6.5025, 58.5225
    return float((((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean())


def same(result: Result) -> None:
    before = [plane.copy() for plane in (result.frame.pixels.y, result.frame.pixels.u)]  # type: ignore[union-attr]
    drawn = draw_pixels(result, NAMES, DrawOptions())
    assert isinstance(drawn, Planes)
    expected = Planes.of(draw(result, NAMES), drawn.matrix).bgr()  # as an encoder gets it
    assert ssim(drawn.bgr(), expected) > 0.995
    difference = np.abs(cv2.blur(drawn.bgr(), (4, 4)).astype(int) - cv2.blur(expected, (4, 4)))
    assert difference.mean() < 3, "colours are those of the picture, too"
    after = result.frame.pixels
    assert isinstance(after, Planes)
    assert np.array_equal(before[0], after.y) and np.array_equal(before[1], after.u)


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("matrix", [BT601, BT709])
@pytest.mark.parametrize("source", [0, -1])
@examples(15)
@given(st.lists(st.tuples(*[st.integers(-20, 330)] * 4), max_size=3))
def test_boxes_and_labels_anywhere(
    matrix: int, source: int, corners: list[tuple[int, int, int, int]]
) -> None:
    boxes = [(min(a, c), min(b, d), max(a, c) + 9, max(b, d) + 9.5) for a, b, c, d in corners]
    same(framed(Planes.of(scene(), matrix), boxes, source=source))


def lines(canvas: Canvas) -> None:
    canvas.polyline([[10, 20], [301, 199]], (0, 200, 255), width=1.5, arrow=True)
    canvas.polylines([[5, 5], [50, 9], [200, 31], [210, 33]], [2, 2], [1, 2])


def faint(canvas: Canvas) -> None:
    canvas.polyline([[11, 21], [99, 61], [120, 33]], 3, fade=True)
    canvas.polyline([[200, 100], [260, 131]], 4, alpha=0.5)


def shapes(canvas: Canvas) -> None:
    canvas.polygon([[13, 17], [90, 21], [55, 77]], (255, 0, 0), alpha=0.3)
    canvas.circle([201, 101], 13, 5, filled=True)
    canvas.circle([318, 3], 11, 6)


def texts(canvas: Canvas) -> None:
    canvas.text("till", [151, 99], (0, 255, 255))
    canvas.table("door", [("in", "3"), ("out", "4")])


@pytest.mark.parametrize("paint", [lines, faint, shapes, texts])
def test_marks(paint: Callable[[Canvas], None]) -> None:
    canvas = Canvas()
    paint(canvas)
    same(framed(Planes.of(scene()), [(40, 60, 90, 160)], canvas))


def test_what_changes_most_of_the_picture_is_painted_on_bgr() -> None:
    canvas = Canvas()
    canvas.polygon([[0, 0], [319, 0], [319, 239]], 1)
    assert isinstance(draw_pixels(framed(Planes.of(scene()), [], canvas), NAMES, DrawOptions()), np.ndarray)
    dark = Canvas()
    dark.dim(0.5, keep_xyxy=[[10, 10, 50, 50]])
    assert isinstance(draw_pixels(framed(Planes.of(scene()), [], dark), NAMES, DrawOptions()), np.ndarray)


def test_an_opened_part_is_put_back_and_nothing_else_changes() -> None:
    planes = Planes.of(scene()).copy()
    before = planes.y.copy()
    with opened(planes, (slice(31, 52), slice(7, 400))) as part:
        assert part.shape == (21, 313, 3)
        part[:] = 255
    assert planes.y[31:52, 7:].min() >= 234
    outside = np.ones(SIZE, bool)
    outside[30:52, 6:] = False
    assert np.array_equal(planes.y[outside], before[outside])
