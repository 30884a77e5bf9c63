"""A loitering alarm is seen in the picture, for as long as it lasts and no longer."""

from __future__ import annotations

import numpy as np
import pytest
from stage import scene, standing

from bytetrack import Detections, Tracks
from tracker.drawing.annotate import draw
from tracker.plugins._shared.alarm import RED
from tracker.plugins.zone import Zone
from tracker.types import Canvas, Frame, Result

SQUARE = [(200, 100), (440, 100), (440, 380), (200, 380)]


@pytest.mark.slow
def test_who_stays_too_long_stands_in_red_until_gone() -> None:
    zone, picture = Zone(SQUARE, "shelter", loiter_s=2), np.full((480, 640, 3), 70, np.uint8)
    zone.start(scene(fps=10))
    red, words = [], []
    for k in range(80):
        there = {2: (100, 300)}
        if 10 <= k < 60:
            there[1] = (300, 300)  # in the zone; the other never is
        tracks = standing(there, box=(40, 80))
        frame = Frame(picture, k, k / 10)
        list(zone.update(frame, tracks))
        canvas = Canvas()
        zone.draw(canvas)
        image = draw(Result(frame, Detections.empty(), tracks, (), tuple(canvas.marks)), {0: "person"})
        where = np.argwhere((image == RED).all(axis=2))
        red.append(len(where) > 50)
        words.append([m.arguments["texts"] for m in canvas.marks if m.kind == "labels"])
        if red[-1]:
            (top, left), (bottom, right) = where.min(axis=0), where.max(axis=0)
            assert 205 < top < 225 and 300 <= bottom < 315, "around its box"
            assert 265 < left < 285 and 315 < right < 335
    assert [k for k, shown in enumerate(red) if shown] == list(range(30, 60))
    assert words[30] == [{1: "shelter 2 s"}]
    assert words[59] == [{1: "shelter 5 s"}]


def test_a_zone_without_a_threshold_marks_nobody() -> None:
    zone, canvas = Zone(SQUARE, "shelter"), Canvas()
    zone.start(scene(fps=10))
    for k in range(80):
        list(zone.update(Frame(np.zeros((480, 640, 3), np.uint8), k, k / 10), standing({1: (300, 300)})))
    zone.draw(canvas)
    assert not [m for m in canvas.marks if m.kind == "labels"]
    list(zone.update(Frame(np.zeros((480, 640, 3), np.uint8), 80, 8.0), Tracks.empty()))
