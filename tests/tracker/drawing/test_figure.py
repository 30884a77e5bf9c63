"""Figures: the picture untouched, and beside it what it shows, however small or narrow it is."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.drawing.figure import figure, wrapped
from tracker.drawing.fonts import glyphs
from tracker.types import Canvas, Picture, Scale

BARS = np.full((16, 4), 200, np.uint8)
SCALE = Scale("Seconds present, on a square-root scale", BARS, [(0.0, "0"), (0.5, "10"), (1.0, "40")])
KEY = [("left to right: 12", (0, 0, 200)), ("enters at the bottom, ends within: 3", (255, 255, 255))]
SIZES = [(720, 1280), (1280, 720), (1080, 1280), (33, 1280), (1280, 40), (60, 80)]


def picture(height: int, width: int, **more: object) -> Picture:
    return Picture(np.full((height, width, 3), (10, 200, 30), np.uint8), **more)  # type: ignore[arg-type]


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(
    "more",
    [
        {"scale": SCALE},
        {"key": KEY},
        {"scale": SCALE, "key": KEY},
        {"notes": ["door.mp4", "of " + "long " * 90]},
    ],
)
def test_the_picture_lies_whole_in_the_figure_and_texts_beside_it(
    height: int, width: int, more: dict[str, object]
) -> None:
    page = figure(picture(height, width, title="Where they were", **more))
    rows, columns = np.nonzero((page == (10, 200, 30)).all(axis=2))
    top, left = rows.min(), columns.min()
    assert (rows.max() - top + 1, columns.max() - left + 1) == (height, width)
    assert len(rows) == height * width, "nothing lies over it"
    rest = page.copy()
    rest[top : top + height, left : left + width] = 255
    dark = rest.min(axis=2) < 120
    assert dark[:top].any(), "the title"
    for edge in (dark[0], dark[-1], dark[:, 0], dark[:, -1]):
        assert not edge.any(), "nothing is cut off"
    assert ("notes" in more) or dark[:, left + width :].any()


def test_without_a_title_it_is_the_picture_alone() -> None:
    canvas = Canvas()
    canvas.circle((20, 20), 5, (0, 0, 255), filled=True)
    page = figure(picture(40, 60, marks=tuple(canvas.marks)))
    assert page.shape == (40, 60, 3)
    assert (page[20, 20] == (0, 0, 255)).all()


def test_ticks_stand_where_their_colour_is() -> None:
    ramp = np.zeros((101, 4), np.uint8)
    ramp[:, 2], ramp[:, 3] = np.linspace(0, 250, 101), 255
    made = Scale("Seconds", ramp, [(0.0, "0"), (0.5, "1"), (1.0, "4")])
    page = figure(picture(720, 1280, title="T", scale=made)).astype(int)
    red = (page[..., 0] == 0) & (page[..., 1] == 0)
    column = int(np.median(np.nonzero(red)[1]))
    bar = np.nonzero(red[:, column])[0]
    half = bar[np.argmin(np.abs(page[bar, column, 2] - 125))]
    right = np.nonzero((page[half - 1 : half + 2, column:] == 105).all(axis=2))[1]
    assert len(right), "a tick of the rule's grey beside the middle colour"


def test_lines_are_no_wider_than_asked() -> None:
    text = "the time of all objects together, at each place, by the square root"
    for width in (120, 300, 5000):
        lines = wrapped(text, 20, width)
        assert " ".join(lines) == text
        assert all(glyphs(line, 20).shape[1] <= width for line in lines)
