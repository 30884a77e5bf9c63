from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bytetrack import Detections, Tracks
from bytetrack.masks import Crop, Masks
from tests.tracker.videos import picture
from tracker.archive.sketch import packed, unpacked
from tracker.drawing.annotate import draw
from tracker.types import Canvas, Frame, PluginError, Result

NAMES = {0: "person", 2: "car"}


def every_mark(canvas: Canvas) -> None:
    """Draw with all that a canvas offers."""
    canvas.polyline([(1, 1), (30, 20), (60, 5)], (0, 200, 255), arrow=True, fade=True)
    canvas.polylines(np.random.default_rng(1).uniform(0, 48, (7, 2)), [3, 4], [1, (9, 8, 7)])
    canvas.polygon(np.array([(0, 0), (20, 0), (20, 20)], np.float32), 7)
    canvas.circle(np.array([30, 30]), np.float32(5.5), (1, 2, 3), filled=True)
    canvas.text("Tür · 3", (60, 44), (255, 255, 255), anchor="rb")
    canvas.label(1, "37 km/h")
    canvas.labels({2: "1.5 s", 1: "x"})
    canvas.table("door", [("in", "3"), ("out", "0")])
    canvas.overlay(np.random.default_rng(2).integers(0, 255, (6, 8, 4), np.uint8))
    canvas.dim(0.4, [(3, 3, 30, 30)])


def shaped() -> Tracks:
    """Return two tracks with all there may be of them."""
    rng = np.random.default_rng(3)
    return Tracks(
        np.array([1, 2]),
        rng.uniform(0, 60, (2, 4)).cumsum(axis=1) / 4,
        np.array([0.9, 0.4]),
        np.array([0, 2]),
        np.array([0, -1]),
        masks=Masks.of([Crop(4, 5, rng.random((9, 7)) > 0.4), Crop(0, 0, np.ones((3, 3), bool))], (48, 64)),
        keypoints=rng.uniform(0, 48, (2, 17, 3)) / [1, 1, 48],
        rotated=np.array([[20, 20, 10, 5, 0.3], [np.nan] * 5]),
        shape_time=np.array([1.0, np.nan]),
    )


def test_what_comes_back_draws_the_very_picture() -> None:
    canvas = Canvas(by="Everything")
    every_mark(canvas)
    found = Detections([[1, 2, 30, 40]], [0.5], [2])
    result = Result(Frame(picture(3), 3, 0.3), found, shaped(), (), tuple(canvas.marks))
    data = packed(result, detections=True)
    detections, tracks, marks = unpacked(data)
    again = Result(result.frame, detections, tracks, (), marks)
    assert np.array_equal(draw(again, NAMES), draw(result, NAMES))
    assert not np.array_equal(draw(result, NAMES), result.frame.image)
    assert detections.xyxy.tolist() == found.xyxy.tolist()
    assert [mark[::2] for mark in marks] == [mark[::2] for mark in canvas.marks]
    assert packed(again, detections=True) == data
    assert len(unpacked(packed(result))[0]) == 0  # they are kept only where they are drawn


@pytest.mark.parametrize("value", [Path("x"), b"bytes", np.array(["a"])])
def test_what_cannot_be_kept_is_told_with_its_plugin(value: object) -> None:
    canvas = Canvas(by="Odd")
    canvas.text(value, (0, 0), (1, 2, 3))  # type: ignore[arg-type]
    result = Result(Frame(picture(0), 0, 0.0), Detections.empty(), Tracks.empty(), (), tuple(canvas.marks))
    with pytest.raises(PluginError, match=r"plugin Odd.draw \(text\): .*--draw"):
        packed(result)
