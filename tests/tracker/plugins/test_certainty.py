from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from walks import BORDER_X, SPAN, frame, play, scene, tracks, walk_past

from tracker.plugins._shared.certainty import SURE, Evidence, certainty
from tracker.plugins._shared.motion import CLOCK_S, way
from tracker.plugins._shared.plugin_state import PluginState
from tracker.plugins.line import Line

CALM = Evidence(
    age_s=5.0,
    born_sizes=4.0,
    back_s=math.inf,
    gap_s=0.04,
    took_s=0.1,
    clear_sizes=0.2,
    before_sizes=1.5,
    unsteady=0.005,
    unrest=0.01,
    doubted=False,
    hidden=0.0,
    score=0.8,
    usual_score=0.8,
    classed_s=math.inf,
    cut=False,
    lost=False,
)
POINTS = [(BORDER_X, SPAN[0]), (BORDER_X, SPAN[1])]


def test_what_nothing_speaks_against_is_sure() -> None:
    sure, why = certainty(CALM)
    assert SURE < sure < 1
    assert why == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"lost": True}, "last seen on the line"),
        ({"back_s": 1.0}, "turned back at once"),
        ({"classed_s": 0.5}, "class undecided"),
        ({"score": 0.5}, "low score"),
        ({"score": 0.25, "usual_score": 0.3}, "low score"),
        ({"doubted": True}, "box deformed"),
        ({"unrest": 0.1}, "box deformed"),
        ({"age_s": 0.2}, "identity began at the line"),
        ({"took_s": 1.0}, "slow across the line"),
        ({"hidden": 0.5}, "feet hidden"),
        ({"before_sizes": 0.1}, "came from close to the line"),
        ({"unsteady": 0.04}, "moved unsteadily"),
        ({"unsteady": math.nan}, "seen too seldom"),
    ],
)
def test_each_sign_of_trouble_makes_it_less_sure_and_is_named(change: dict[str, float], why: str) -> None:
    sure, reasons = certainty(replace(CALM, **change))  # type: ignore[arg-type]
    assert sure < certainty(CALM)[0]
    assert reasons == [why]


def test_small_signs_make_it_doubtful_together() -> None:
    small = [{"cut": True}, {"hidden": 0.5}, {"score": 0.5}]
    for sign in small:
        assert certainty(replace(CALM, **sign))[0] > SURE  # type: ignore[arg-type]
    both = certainty(replace(CALM, **small[0], **small[1], **small[2]))  # type: ignore[arg-type]
    assert both[0] < SURE
    assert both[1] == ["cut by the picture's edge", "low score", "feet hidden"]


def test_a_walker_who_is_seen_all_the_way_is_counted_for_sure() -> None:
    (event,) = play(Line(POINTS), walk_past([(BORDER_X - 120 + 12 * n, 400) for n in range(20)]))
    assert event.data["sure"] > SURE
    assert "why" not in event.data


def test_the_summary_and_the_event_say_what_is_doubtful() -> None:
    line = Line(POINTS, name="door")
    there_and_back = [-150 + 30 * n for n in range(7)] + [30 - 30 * n for n in range(1, 6)]
    first, second = play(line, walk_past([(BORDER_X + x, 400) for x in there_and_back]))
    assert "why" not in first.data
    assert "turned back at once" in second.data["why"]
    assert second.data["sure"] < SURE
    assert line.summary() == [("door in", "1"), ("door out", "1, 1 of them doubtful")]


@pytest.mark.parametrize("growth", [0.3, 0.5])
def test_who_grows_steadily_from_the_first_frame_is_not_deformed(growth: float) -> None:
    """Somebody comes towards the camera and crosses within the first second."""
    line, events = Line([[0, 400], [900, 400]]), []
    line.start(scene(5.0))
    for index in range(8):
        height, bottom = 100 * math.exp(growth * index / 5), 340 + 20 * index
        box = [450 - height / 5, bottom - height, 450 + height / 5, bottom]
        events += line.update(frame(index, 5.0), tracks([1], [box]))
    (event,) = events
    assert event.data["sure"] >= 0.97, "a box that is deformed gives 0.96"


def test_a_class_that_changed_on_the_line_is_doubtful() -> None:
    line = Line(POINTS)
    line.start(scene())
    events = []
    for index in range(16):
        x = BORDER_X - 120 + 16 * index
        events += line.update(
            frame(index), tracks([1], [[x - 20, 210, x + 20, 300]], [2 if index < 6 else 7])
        )
    assert [event.data.get("why") for event in events] == ["class undecided"]


def test_doubts_go_on_after_a_restart() -> None:
    line, again = Line(POINTS), Line(POINTS)
    there_and_back = [-150 + 30 * n for n in range(7)] + [30 - 30 * n for n in range(1, 6)]
    play(line, walk_past([(BORDER_X + x, 400) for x in there_and_back]))
    again.start(scene())
    again.restore(line.state(), tracks=False)
    assert again.summary() == line.summary()


def test_a_way_is_remembered_over_the_turn_of_its_clock() -> None:
    """Long runs tell the same as short ones."""
    told = []
    for start in (0.0, CLOCK_S - 0.9, 7 * CLOCK_S - 0.5):
        memory = PluginState(scene(), "bottom_center")
        for index in range(40):
            memory.update(start + index / 10, tracks([1], [[10 + index, 10, 30 + index, 50]]))
        path = way(memory.row(0))
        told.append(np.round(path - [0, 0, start], 2).tolist())
        assert path[0, 2] == pytest.approx(start + 2.0)
        assert len(path) == 20
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("cut", [3, 4, 5, 29])
def test_a_way_goes_on_after_a_restart(cut: int) -> None:
    """What is told then is what an uncut run tells."""
    ways = []
    for cuts in ((), (cut,)):
        memory = PluginState(scene(), "bottom_center")
        for index in range(60):
            if index in cuts:
                kept, memory = memory.state(), PluginState(scene(), "bottom_center")
                memory.restore(json.loads(json.dumps(kept)))
            memory.update(index / 25, tracks([1], [[10 + index / 3, 10, 30 + index / 3, 50]]))
        ways.append(way(memory.row(0)).tolist())
    assert ways[0] == ways[1]
