"""What is drawn, and in which colours: as asked for, in boxes and in what plugins draw."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from bytetrack import Detections, Tracks
from tracker.drawing.annotate import DrawOptions, draw
from tracker.drawing.fonts import glyphs
from tracker.drawing.occupied import overlap
from tracker.drawing.palette import color_of
from tracker.drawing.raster import Style
from tracker.drawing.text_layout import captions_of, rectangle_of
from tracker.options import Options
from tracker.run.painter import REMEMBERED, Painter, as_wanted, draw_options
from tracker.types import Canvas, Frame, OptionError, Result

NAMES = {0: "person", 2: "car", 7: "truck"}
BOXES = np.array([[20.0, 60, 80, 140], [120, 60, 180, 140], [220, 60, 280, 140]])


def result(marks: Canvas | None = None, ids: tuple[int, ...] = (1, 5, 9)) -> Result:
    picture = np.full((200, 320, 3), 70, np.uint8)
    n = len(ids)
    tracks = Tracks(np.array(ids), BOXES[:n], np.full(n, 0.5), np.array([0, 2, 2])[:n], np.arange(n))
    return Result(Frame(picture, 0, 0.0), Detections.empty(), tracks, (), tuple((marks or Canvas()).marks))


def colors(image: np.ndarray) -> set[tuple[int, ...]]:
    found, count = np.unique(image.reshape(-1, 3), axis=0, return_counts=True)
    return {tuple(color) for color, times in zip(found.tolist(), count, strict=True) if times > 100}


def test_without_wishes_it_is_as_ever() -> None:
    np.testing.assert_array_equal(
        Painter(NAMES, draw_options(Options(), NAMES))(result()), draw(result(), NAMES)
    )


def test_labels_and_confidences_can_be_left_out() -> None:
    whole, less, none = (
        Painter(NAMES, draw_options(Options(**wish), NAMES))(result())
        for wish in ({}, {"hide_conf": True}, {"hide_labels": True})
    )
    assert (none[:58] == 70).all(), "nothing stands above the boxes"
    changed = [int((image != 70).any(axis=2)[:58].sum()) for image in (whole, less)]
    assert 0 < changed[1] < 0.85 * changed[0], "a label without its confidence is shorter"
    one = replace(result(), tracks=replace(result().tracks, score=np.full(3, 0.9)))
    np.testing.assert_array_equal(less, Painter(NAMES, DrawOptions(confidences=False))(one))


@pytest.mark.parametrize("wish", ["car", "2", ("car",), "car,truck"])
def test_classes_that_are_not_drawn_leave_no_trace(wish: object) -> None:
    marks = Canvas()
    trails = np.array([[30.0, 150], [30, 190], [150, 150], [150, 190]])
    marks.polylines(trails, [2, 2], [1, 5])
    marks.circle((50, 100), 12, 1, filled=True)
    marks.label(1, "37 km/h")
    image = Painter(NAMES, draw_options(Options(draw_classes=wish), NAMES))(result(marks))
    assert (image[:, :110] == 70).all()
    assert (image[:, 110:200] != 70).any()
    assert (image[160:180, 150] != 70).any()


@pytest.mark.slow
def test_a_class_has_one_colour_also_where_a_plugin_draws_its_tracks() -> None:
    marks = Canvas()
    marks.polylines(np.array([[150.0, 150], [150, 190], [250, 150], [250, 190]]), [2, 2], [5, 9], width=6)
    marks.polyline([[60, 150], [60, 190]], (9, 99, 200), width=6)
    image = Painter(NAMES, draw_options(Options(color_by="class"), NAMES))(result(marks))
    assert color_of(3) in colors(image)
    assert color_of(1) in colors(image)
    assert not {color_of(5), color_of(9)} & colors(image)
    assert tuple(image[170, 150]) == tuple(image[170, 250]) == color_of(3)
    assert tuple(image[170, 60]) == (9, 99, 200)


def test_a_trail_keeps_its_colour_while_its_object_is_out_of_sight() -> None:
    painter = Painter(NAMES, draw_options(Options(color_by="class", draw_classes="car"), NAMES))
    painter(result())
    marks = Canvas()
    marks.polylines(np.array([[150.0, 150], [150, 190], [60, 150], [60, 190]]), [2, 2], [5, 1], width=6)
    image = painter(result(marks, ids=()))
    assert tuple(image[170, 150]) == color_of(3)
    assert (image[:, :100] == 70).all()


@pytest.mark.slow
def test_what_a_painter_remembers_is_bounded() -> None:
    painter = Painter(NAMES, DrawOptions(by_class=True))
    for n in range(0, 3 * REMEMBERED, 3):
        painter(result(ids=(n + 1, n + 2, n + 3)))
    assert len(painter._class_of) <= 2 * REMEMBERED


def test_a_class_that_there_is_not_is_refused() -> None:
    with pytest.raises(OptionError, match="did you mean 'car'"):
        draw_options(Options(draw_classes="carr"), NAMES)
    with pytest.raises(OptionError, match="--color-by"):
        Options(color_by="colour")


def test_marks_are_not_changed() -> None:
    marks = Canvas()
    marks.polylines(np.array([[150.0, 150], [150, 190]]), [2], [5])
    before = marks.marks[0].arguments
    list(as_wanted(marks.marks, DrawOptions(by_class=True), {5: 2}))
    assert marks.marks[0].arguments is before
    assert before["colors"] == [5]


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(
    "size",
    [(320, 240), (768, 576), (480, 854), pytest.param((3840, 2160), marks=pytest.mark.slow)],
)
def test_labels_of_a_group_lie_beside_each_other_and_beside_what_plugins_write(size: tuple[int, int]) -> None:
    width, height = size
    unit = np.array([width, height] * 2) / 100
    boxes = np.array([[45 + 2 * n, 45, 49 + 2 * n, 60] for n in range(4)]) * unit
    tracks = Tracks(np.arange(1, 5), boxes, np.full(4, 0.5), np.zeros(4, int), np.arange(4))
    marks = Canvas()
    for name in ("door in 12", "door out 7", "hall: 5"):
        marks.text(name, (0.48 * width, 0.43 * height), (0, 255, 255))
    picture = np.full((height, width, 3), 70, np.uint8)
    shown = Result(Frame(picture, 0, 0.0), Detections.empty(), tracks, (), tuple(marks.marks))
    style = Style.of(picture)
    texts = [rectangle_of(text) for text in captions_of((height, width), style, shown.marks).texts]
    assert len(texts) == 3
    assert not any(overlap(a, b) for a, b in combinations(texts, 2))
    image = draw(shown, NAMES)
    for track_id in range(1, 5):
        alone = draw(replace(shown, tracks=tracks[tracks.track_id == track_id], marks=()), NAMES)
        label = f"{track_id} person 0.50"
        mask = glyphs(label, style.size())
        area = mask.shape[0] * mask.shape[1]
        color = np.array(color_of(track_id))
        least, whole = ((np.abs(p.astype(int) - color).max(axis=2) <= 2).sum() for p in (image, alone))
        assert least > whole - 0.35 * area, f"{label} is hidden"
