"""What a person sees: colours, labels and marks, on pictures of any size."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import Detections, Tracks
from tests.quick import examples
from tracker.drawing import fonts
from tracker.drawing.annotate import color_of, draw, paint
from tracker.drawing.palette import PALETTE_RGB
from tracker.types import Canvas, Frame, Image, Mark, Result

NAMES = {0: "person", 1: "Fußgänger", 2: "行人"}
BOX = (40.0, 60.0, 90.0, 160.0)


def gray(height: int = 240, width: int = 320, level: int = 128) -> Image:
    return np.full((height, width, 3), level, np.uint8)


def result(
    image: Image, boxes: Any = (BOX,), *, class_id: int = 0, source: int = 0, canvas: Canvas | None = None
) -> Result:
    image.flags.writeable = False
    n = len(boxes)
    tracks = Tracks(
        np.arange(1, n + 1),
        np.asarray(boxes, float).reshape(-1, 4),
        np.full(n, 0.83),
        np.full(n, class_id),
        np.full(n, source),
    )
    return Result(Frame(image, 0, 0.0), Detections.empty(), tracks, (), tuple((canvas or Canvas()).marks))


def changed(before: Image, after: Image) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what differs."""
    ys, xs = np.nonzero((before != after).any(axis=2))
    return int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max())


def test_same_id_same_colour_and_neighbours_differ() -> None:
    assert [color_of(i) for i in range(1, 200)] == [color_of(i) for i in range(1, 200)]
    linear = np.array([(c >> 16, c >> 8 & 255, c & 255) for c in PALETTE_RGB]) / 255.0
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    deuteranopia = np.array(  # Machado et al. 2009, severity 1
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    )
    for sight in (np.eye(3), deuteranopia):
        lab = oklab(np.clip(linear @ sight.T, 0, 1))
        apart = np.linalg.norm(lab[:, None] - lab[None], axis=2) + np.eye(len(lab))
        assert apart.min() > 0.05, "two colours of the palette look alike"  # 0.02 is just noticeable
        assert apart[:8, :8].min() > 0.11, "the first eight must be told apart at a glance"


def oklab(linear: Any) -> Any:
    """Linear sRGB to OKLab (Ottosson 2020)."""
    lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.cbrt(linear @ lms.T) @ lab.T


def test_drawing_is_pure_and_repeatable() -> None:
    canvas = every_mark(320, 240)
    image = gray()
    before, shown = image.copy(), result(image, [BOX, (60, 70, 120, 200)], canvas=canvas)
    first, second = draw(shown, NAMES), draw(shown, NAMES)
    assert np.array_equal(image, before)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, before)
    assert first.shape == before.shape and first.dtype == np.uint8 and first.flags.writeable


def test_no_tracks_no_change() -> None:
    image = gray()
    assert np.array_equal(draw(result(image, []), NAMES), image)


def test_the_box_is_where_the_track_is() -> None:
    image = gray()
    picture = draw(result(image), NAMES)
    x1, y1, x2, y2 = (int(v) for v in BOX)
    for y, x in ((y2, 60), (120, x1), (120, x2), (y1, x2 - 3)):
        assert np.abs(picture[y, x].astype(int) - color_of(1)).max() < 60, (x, y)
    assert (picture[y1 + 25 : y2 - 5, x1 + 5 : x2 - 5] == 128).all(), "the object itself stays visible"
    assert changed(image, picture)[3] <= y2 + 2


def test_a_predicted_box_is_dashed_and_has_no_score() -> None:
    image = gray()
    seen, predicted = (draw(result(image, source=s), NAMES) for s in (0, -1))
    edge = slice(75, 158), slice(37, 43)  # the left side
    painted = [np.mean((p[edge] != 128).any(axis=2).any(axis=1)) for p in (seen, predicted)]
    assert painted[0] == 1.0 and 0.2 < painted[1] < 0.9
    assert changed(image, predicted)[2] < changed(image, seen)[2] or changed(image, seen)[2] <= BOX[2] + 2
    widths = [np.flatnonzero((p[50] != 128).any(axis=1)).size for p in (seen, predicted)]
    assert widths[1] < widths[0], "the tag is shorter without a score"


def test_a_label_mark_extends_the_tag_of_its_track() -> None:
    canvas = Canvas()
    canvas.label(1, "4.2 km/h")
    canvas.label(99, "nobody has this id")
    image = gray()
    plain, longer = draw(result(image), NAMES), draw(result(image, canvas=canvas), NAMES)
    widths = [np.flatnonzero((p[50] != 128).any(axis=1)).size for p in (plain, longer)]
    assert widths[1] > widths[0] + 20


def test_labels_avoid_each_other_and_stay_inside() -> None:
    image = gray(480, 640)
    boxes = [(0, 0, 60, 200), (10, 5, 70, 210), (600, 100, 640, 300), (590, 110, 645, 310)]
    picture = draw(result(image, boxes), NAMES)
    for track_id in range(1, 5):
        tag = (picture == color_of(track_id)).all(axis=2)
        assert tag.sum() > 400, f"the tag of track {track_id} is hidden"


@pytest.mark.parametrize("text", ["行人", "Fußgänger", "пешеход", "شخص", "ひと"])
def test_names_in_any_script_are_readable(text: str) -> None:
    if not hasattr(cv2, "FontFace") and any(c in text for c in "行人ひと"):
        pytest.skip("DejaVu Sans, used with OpenCV 4, has no CJK")
    mask = fonts.glyphs(text, 20)
    for unknown in ("?" * len(text), "\U0010fffd" * len(text)):
        tofu = fonts.glyphs(unknown, 20)
        assert mask.shape != tofu.shape or not np.array_equal(mask, tofu)
    columns = [fonts.glyphs(c, 20) for c in sorted(set(text))]
    assert len({c.tobytes() for c in columns}) == len(columns), "two letters look the same: boxes?"


def test_pillow_sets_the_text_where_opencv_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    fonts.glyphs.cache_clear()
    try:
        letters = [fonts.glyphs(c, 24) for c in "äßпж"]
        assert len({m.tobytes() for m in letters}) == 4
        assert all(m.max() > 200 for m in letters)
        assert fonts.glyphs("7 person 0.83", 14).shape[0] == 18
    finally:
        fonts.glyphs.cache_clear()


def test_a_text_is_set_once_and_cannot_be_changed() -> None:
    mask = fonts.glyphs("cached", 17)
    assert fonts.glyphs("cached", 17) is mask
    with pytest.raises(ValueError, match="read-only"):
        mask[0, 0] = 1


def test_line_width_scales_lines_and_text() -> None:
    image = gray(480, 640)
    boxes = [(200, 200, 300, 400)]
    areas = [
        int((draw(result(image, boxes), NAMES, line_width=w) != image).any(axis=2).sum()) for w in (1, 3, 6)
    ]
    assert areas[0] < areas[1] < areas[2]


def every_mark(width: float, height: float) -> Canvas:
    canvas = Canvas()
    canvas.overlay(np.dstack([np.full((4, 6), v, np.uint8) for v in (0, 0, 255, 90)]))
    canvas.dim(0.5, [[0, 0, width / 2, height / 2]])
    square = np.array([[0.1, 0.2], [0.8, 0.2], [0.8, 0.9], [0.1, 0.9]]) * [width, height]
    canvas.polygon(square, (0, 255, 0))
    canvas.polyline(square, (255, 0, 0), closed=True, alpha=0.5)
    canvas.polyline(square, 3, arrow=True, width=2)
    canvas.polyline(square, 4, fade=True)
    canvas.polylines(np.concatenate([square, square + 9]), [4, 0, 4], [4, 5, 6], fade=True)
    canvas.circle([width / 2, height / 2], height / 4, (0, 0, 255))
    canvas.circle([width / 3, height / 2], 3, 5, filled=True)
    for anchor in ("lt", "mm", "rb"):
        canvas.text("Tür 2: 5", [width / 2, height / 2], (255, 255, 255), anchor=anchor)
    canvas.table("gate", [("in", "3"), ("out", "12")])
    canvas.table("", [("now", "5")], (0, 255, 255))
    canvas.label(1, "4 km/h")
    canvas.labels({1: "4 km/h", 2: "5 km/h"})
    return canvas


def test_every_mark_of_a_canvas_paints_something() -> None:
    recorded = {mark.kind for mark in every_mark(320, 240).marks}
    assert recorded == {n for n in vars(Canvas) if not n.startswith("_") and n not in ("marks", "by")}
    for mark in every_mark(320, 240).marks:
        painted = paint(gray(), [mark])
        assert np.array_equal(painted, gray()) == (mark.kind in ("label", "labels")), mark
    with pytest.raises(ValueError, match="unknown mark 'spiral'"):
        paint(gray(), [Mark("spiral", {})])


def test_shapes_are_where_they_were_recorded() -> None:
    canvas = Canvas()
    canvas.polygon([[100, 100], [200, 100], [200, 200], [100, 200]], (0, 0, 255), alpha=0.5)
    picture = paint(gray(), canvas.marks)
    assert picture[150, 150].tolist() == pytest.approx([64, 64, 192], abs=1)
    left, top, right, bottom = changed(gray(), picture)
    assert 98 <= left <= 100 and 98 <= top <= 100 and 200 <= right <= 202 and 200 <= bottom <= 202

    canvas = Canvas()
    canvas.polyline([[20, 50], [300, 50]], (0, 0, 255), fade=True, width=3)
    red = paint(gray(), canvas.marks)[50, 25:295:30, 2].astype(int)
    assert (np.diff(red) >= 0).all() and red[0] < 150 and red[-1] > 230, "fades in towards the last point"

    canvas = Canvas()
    canvas.dim(1.0, [[10, 20, 30, 40]])
    picture = paint(gray(), canvas.marks)
    assert (picture[20:40, 10:30] == 128).all() and picture[20:40, 30:].max() == 0

    canvas = Canvas()
    canvas.overlay(np.dstack([np.full((2, 2), v, np.uint8) for v in (255, 0, 0, 255)]))
    assert (paint(gray(), canvas.marks) == (255, 0, 0)).all()


def test_the_anchor_of_a_text_is_where_the_point_lies_in_it() -> None:
    def spot(anchor: str) -> tuple[int, int, int, int]:
        canvas = Canvas()
        canvas.text("Hello", [160, 120], (255, 255, 255), anchor=anchor)
        return changed(gray(), paint(gray(), canvas.marks))

    assert spot("lt")[0] >= 157 and spot("lt")[1] >= 117
    assert spot("rb")[2] <= 162 and spot("rb")[3] <= 122
    middle = spot("mm")
    assert abs((middle[0] + middle[2]) / 2 - 160) < 4 and abs((middle[1] + middle[3]) / 2 - 120) < 5


def test_labels_keep_clear_of_captions_and_tables() -> None:
    image = gray(480, 640)
    canvas = Canvas()
    canvas.text("line in 10", (300, 190), (0, 255, 255), anchor="mb")
    canvas.table("line", [("in", "10"), ("out", "12")], (0, 255, 255))
    boxes = [(250, 200, 300, 300), (12, 30, 60, 200)]
    picture = draw(result(image, boxes, canvas=canvas), NAMES)
    captions = paint(image.copy(), canvas.marks)
    left, top, right, bottom = changed(image, captions)
    written = (captions != image).any(axis=2)
    assert left < 20 and top < 20 and right > 300 and bottom > 180
    for track_id in (1, 2):
        tag = cv2.erode((picture == color_of(track_id)).all(axis=2).astype(np.uint8), np.ones((5, 5)))
        assert tag.sum() > 100
        assert not (cv2.dilate(tag, np.ones((5, 5))).astype(bool) & written).any()


def test_a_short_table_is_a_line_and_a_long_one_is_not() -> None:
    def extent(rows: list[tuple[str, str]]) -> tuple[int, int]:
        canvas = Canvas()
        canvas.table("gate", rows)
        left, top, right, bottom = changed(gray(480, 640), paint(gray(480, 640), canvas.marks))
        return right - left, bottom - top

    line = extent([("in", "3")])
    assert extent([("in", "3"), ("out", "12")])[1] == line[1] < 30
    wide, high = extent([("in", "3  (person 2, car 1)"), ("out", "12  (person 10, bus 2)")])
    assert wide < 0.4 * 640 and high > 2.5 * (line[1] - 8)


def test_tables_are_stacked_and_flow_into_a_second_column() -> None:
    canvas = Canvas()
    for index in range(24):
        canvas.table(f"table {index}", [("in", "1"), ("out", "2")])
    picture = paint(gray(), canvas.marks)
    one = paint(gray(), canvas.marks[:1])
    width, height = changed(gray(), one)[2:]
    assert changed(gray(), picture)[2] > 1.8 * width
    assert changed(gray(), paint(gray(), canvas.marks[:2]))[3] > 1.8 * height


anywhere = st.floats(-1e12, 1e12) | st.floats(-300, 600) | st.just(float("nan"))
points = st.lists(st.tuples(anywhere, anywhere), max_size=5)


@pytest.mark.slow
@examples(60)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 120)),
    path=points,
    radius=st.floats(-5, 1e9),
    width=st.floats(0, 50),
    text=st.text(max_size=12),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    alpha=st.floats(0, 1),
    size_of_text=st.floats(0, 20),
)
def test_any_mark_on_any_picture(
    size: tuple[int, int],
    path: list[tuple[float, float]],
    radius: float,
    width: float,
    text: str,
    flags: tuple[bool, bool, bool, bool],
    alpha: float,
    size_of_text: float,
) -> None:
    closed, arrow, fade, filled = flags
    around = np.full((size[0] + 20, size[1] + 20, 3), 77, np.uint8)  # what lies around must not be touched
    picture = around[10:-10, 10:-10]
    canvas = Canvas()
    canvas.polyline(np.array(path), 7, width=width, closed=closed, arrow=arrow, alpha=alpha, fade=fade)
    canvas.polygon(np.array(path), (1, 2, 3), alpha=alpha)
    canvas.dim(alpha, [[*a, *b] for a, b in pairwise(path)])
    for point in path:
        canvas.circle(point, radius, 2, width=width, filled=filled)
        canvas.text(text, point, (9, 200, 30), size=size_of_text, anchor="mb")
    canvas.table(text, [(text, "1"), ("", text)])
    paint(picture, canvas.marks)
    around[10:-10, 10:-10] = 77
    assert (around == 77).all()


@examples(60)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 120)),
    boxes=st.lists(st.tuples(anywhere, anywhere, anywhere, anywhere), max_size=4),
    source=st.sampled_from([0, -1]),
    class_id=st.sampled_from([0, 1, 2, 17]),
)
def test_any_box_on_any_picture(
    size: tuple[int, int], boxes: list[tuple[float, float, float, float]], source: int, class_id: int
) -> None:
    image = gray(*size)
    assert draw(result(image, boxes, source=source, class_id=class_id), NAMES).shape == image.shape
    assert (image == 128).all()
