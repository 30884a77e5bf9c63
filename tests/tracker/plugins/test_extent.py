"""Where the feet are while something hides them, on boxes whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from walks import SIZE, frame, scene, tracks

from tracker.plugins._shared.plugin_state import PluginState
from tracker.plugins.line import Line

FPS = 10.0
Box = list[float]
WHOLE = [400.0, 200.0, 440.0, 300.0]  # 100 px high
FAR = [10.0, 10.0, 20.0, 40.0]


def feet(
    boxes: Sequence[Box | None],
    others: Callable[[int], Box | None] = lambda n: None,
    score: Sequence[float] = (),
) -> list[float]:
    """Show one object's boxes, a frame each, and another's; return where the first one's feet are."""
    memory, found = PluginState(scene(FPS)), []
    for index, box in enumerate(boxes):
        shown = [(1, box), (2, others(index))]
        here = [(number, one) for number, one in shown if one is not None]
        seen = tracks([number for number, _ in here], [one for _, one in here])
        seen.score[: len(score) > index] = score[index] if len(score) > index else 1.0
        memory.update(index / FPS, seen)
        found.append(float(memory.anchors[0, 1]) if box is not None else math.nan)
    return found


def cut_at(box: Box, bottom: float) -> Box:
    return [*box[:3], bottom]


SITTING_DOWN = [cut_at(WHOLE, bottom) for bottom in (290.0, 280.0, 270.0, 270.0, 270.0, 270.0)]


def test_feet_behind_somebody_nearer_stay_where_they_are() -> None:
    hidden = [WHOLE] * 10 + [cut_at(WHOLE, 250.0)] * 5 + [WHOLE] * 5
    near = [395.0, 240.0, 445.0, 380.0]
    assert feet(hidden, lambda n: near if 10 <= n < 15 else None) == pytest.approx([300.0] * 20)


def test_a_box_that_swallows_a_neighbour_keeps_its_feet() -> None:
    swallowing = [WHOLE] * 10 + [cut_at(WHOLE, 340.0)] * 5 + [WHOLE] * 5
    near = [395.0, 260.0, 445.0, 345.0]
    assert feet(swallowing, lambda n: near) == pytest.approx([300.0] * 20)


def test_a_falling_score_is_a_cause_and_a_steady_one_is_none() -> None:
    short = [WHOLE] * 10 + SITTING_DOWN
    assert feet(short, score=[0.8] * 10 + [0.4] * 6)[-3:] == pytest.approx([300.0] * 3, abs=5)
    assert feet(short, score=[0.8] * 16)[-3:] == pytest.approx([270.0] * 3)


@pytest.mark.parametrize("fps", [5.0, 10.0, 25.0, 60.0])
def test_no_body_shrinks_so_fast_under_its_head_so_something_unseen_hides_the_feet(fps: float) -> None:
    """A post or a counter is no box; the lower edge flickers over the line and back."""
    line, events = Line([[0, 280], [640, 280]]), []
    line.start(scene(fps))
    for index in range(int(6 * fps)):
        hidden = 2 <= index / fps < 5 and index % 3
        shown = tracks([1], [cut_at(WHOLE, 260.0) if hidden else WHOLE])
        events += line.update(frame(index, fps), shown)
    assert not [*events, *line.finish()]


def test_who_sits_down_behind_something_is_believed_after_a_while() -> None:
    sitting = [WHOLE] * 10 + [cut_at(WHOLE, 260.0)] * 30
    found = feet(sitting, lambda n: [395.0, 250.0, 445.0, 380.0])
    assert found[10:24] == pytest.approx([300.0] * 14)
    assert found[30:] == pytest.approx([260.0] * 10)


def test_an_occluder_behind_is_none() -> None:
    """Its feet are higher: it stands further away and hides nothing."""
    short = [WHOLE] * 10 + SITTING_DOWN
    assert feet(short, lambda n: [380.0, 150.0, 460.0, 268.0])[-3:] == pytest.approx([270.0] * 3)


@pytest.mark.parametrize("per_s", [-0.5, 0.3, 0.9])
def test_who_comes_nearer_or_goes_away_is_followed(per_s: float) -> None:
    """Heights that grow steadily are no doubt, with others over them all the time."""
    growing: list[Box | None] = []
    for n in range(40):
        height = 100 * math.exp(per_s * n / FPS)
        growing.append([400.0, 200.0, 440.0, 200.0 + height])
    found = feet(growing, lambda n: [395.0, 230.0, 445.0, 2000.0])
    assert found == pytest.approx([box[3] for box in growing if box], abs=1e-6)


def test_the_height_that_is_held_goes_on_growing() -> None:
    boxes, truth = [], []
    for n in range(24):
        height = 100 * math.exp(0.2 * n / FPS)
        truth.append(200 + height)
        boxes.append([400.0, 200.0, 440.0, 200 + (height if n < 20 else 0.6 * height)])
    found = feet(boxes, lambda n: [395.0, 240.0, 445.0, 500.0] if n >= 20 else None)
    assert found[20:] == pytest.approx(truth[20:], abs=4.0)
    assert found[20] > 300 + (truth[19] - 300) - 4


def test_of_who_is_new_nothing_is_known_yet() -> None:
    emerging = [cut_at(WHOLE, 250.0)] * 3 + [WHOLE] * 3
    assert feet(emerging, lambda n: [395.0, 240.0, 445.0, 380.0]) == pytest.approx([250.0] * 3 + [300.0] * 3)


def test_a_box_that_the_edge_cuts_says_nothing_of_the_height() -> None:
    bottom = float(SIZE[1])
    leaving: list[Box | None] = [[400.0, 780.0 + 8 * n, 440.0, min(880.0 + 8 * n, bottom)] for n in range(12)]
    found = feet(leaving, lambda n: [390.0, 850.0, 450.0, bottom])
    assert found == pytest.approx([box[3] for box in leaving if box])


def test_the_top_must_go_on_as_before() -> None:
    """A box that jumps as a whole is somebody elsewhere, not somebody whose feet are hidden."""
    jumped = [WHOLE] * 10 + [[400.0, 240.0, 440.0, 310.0]] * 3
    assert feet(jumped, lambda n: [395.0, 250.0, 445.0, 380.0])[-3:] == pytest.approx([310.0] * 3)


def test_another_shape_after_a_gap_is_somebody_else() -> None:
    line = Line([(0, 280), (SIZE[0], 280)])
    line.start(scene(FPS))
    events = []
    child, adult = [400.0, 200.0, 430.0, 250.0], [395.0, 195.0, 445.0, 320.0]
    for index, box in enumerate([child] * 10 + [None] * 3 + [adult] * 5):
        seen = tracks([1], [box]) if box else tracks([], [])
        events += line.update(frame(index, FPS), seen)
    assert events == []
    same = (
        [cut_at(WHOLE, 260.0)] * 10 + [None] * 3 + [[400.0, 235.0, 440.0, 297.0]] * 5
    )  # as high, further on
    line.start(scene(FPS))
    for index, box in enumerate(same):
        events += line.update(frame(index, FPS), tracks([1], [box]) if box else tracks([], []))
    assert [event.kind for event in events] == ["line.in"]


@pytest.mark.parametrize("fps", [3.0, 4.0, 5.0, 10.0])
def test_where_frames_are_rare_nobody_was_unseen_from_one_to_the_next(fps: float) -> None:
    """Feet are hidden for a moment: still the same person, seen in every frame, crossing once."""
    line, events = Line([[0, 260], [640, 260]]), []
    line.start(scene(fps))
    for index in range(int(12 * fps)):
        foot = 260 + 90 * (index / fps - 5.5)
        bottom = foot - 50 if abs(index / fps - 5.5) < 0.4 else foot
        across = 400 + 90 * (index / fps - 5.5)
        boxes = [[390.0, foot - 100, 430.0, bottom], [across, 230.0, across + 50, 310.0]]
        events += line.update(frame(index, fps), tracks([1, 2], boxes))
    assert [event.kind for event in events] == ["line.in"]


@pytest.mark.parametrize("fps", [8.0, 10.0, 25.0])
def test_a_box_cut_after_a_gap_is_nobody_else(fps: float) -> None:
    """What the edge cuts off says nothing of the height: a car drives out over it, unseen for 0.4 s."""
    for start in np.arange(0.0, 1.0, 0.1):
        line, events = Line([[0, 875], [900, 875]]), []
        line.start(scene(fps))
        for index in range(int(4 * fps)):
            foot = 520 + 250 * (index / fps + start / 5)
            if foot - 100 > 890 or 840 < foot < 950:
                continue
            box = [300.0, max(foot - 100, 0.0), 420.0, min(foot, float(SIZE[1]))]
            events += line.update(frame(index, fps), tracks([1], [box], [2]))
        assert [event.kind for event in [*events, *line.finish()]] == ["line.in"]


def test_a_crossing_while_the_feet_are_hidden_waits_until_they_are_seen() -> None:
    line = Line([(0, 280), (SIZE[0], 280)])
    for last, expected in ((300.0, []), (250.0, ["line.out"])):
        line.start(scene(FPS))
        events = []
        for index in range(25):
            bottom = 300.0 if index < 10 else 240.0 if index < 15 else last
            top = 200.0 if index < 15 or last == 300.0 else 150.0
            number, near = (2, [395.0, 230.0, 445.0, 380.0]) if 10 <= index < 15 else (3, FAR)
            events += line.update(frame(index, FPS), tracks([1, number], [[400.0, top, 440.0, bottom], near]))
            assert not events or index >= 15
        assert [event.kind for event in events] == expected


def test_vertical_flicker_over_the_line_counts_nothing_whatever_hides_the_feet() -> None:
    """A box 76, 76, 64, 55, 65, 71 px high within half a second, as somebody's in a street."""
    line = Line([(0, 290), (SIZE[0], 290)])
    line.start(scene(FPS))
    heights = [100] * 8 + [84, 72, 86, 93] * 3 + [100] * 8
    events = []
    for index, height in enumerate(heights):
        number, near = (2, [410.0, 260.0, 460.0, 380.0]) if 8 <= index < 20 else (3, FAR)
        events += line.update(
            frame(index, FPS), tracks([1, number], [[400.0, 200.0, 440.0, 200.0 + height], near])
        )
    assert events == []


def test_nothing_is_written_to_the_tracks() -> None:
    seen = tracks([1, 2], [WHOLE, [395.0, 240.0, 445.0, 380.0]])
    before = seen.xyxy.copy()
    memory = PluginState(scene(FPS))
    for index in range(10):
        memory.update(index / FPS, tracks([1, 2], [WHOLE, [395.0, 240.0, 445.0, 380.0]]))
    seen.xyxy[0, 3] = before[0, 3] = 250.0
    memory.update(1.0, seen)
    assert memory.doubt.tolist() == [True, False]
    np.testing.assert_array_equal(seen.xyxy, before)
