from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from platoons import Platoon, platoons
from walks import BORDER_X, SIZE, frame, play, scene, tracks

from tests.quick import examples
from tracker.plugins.line import Line

ACROSS = [(BORDER_X, 0), (BORDER_X, SIZE[1])]
ALONG = [(0, BORDER_X), (SIZE[0], BORDER_X)]
CARS = Platoon(20, 0.6, 60.0, 480.0, (60.0, 60.0), -400.0, 144.0, None, 2, True, 0.0, 0)


@examples(40)
@given(platoons())
@example(CARS)  # each leaves the picture 0.3 s after the line: was counted as one
def test_all_are_counted_and_none_twice(platoon: Platoon) -> None:
    line = Line(ALONG if platoon.downwards else ACROSS)
    events = play(line, platoon.moments(), platoon.fps)
    assert Counter(event.kind for event in events) == {"line.in": platoon.n}


@pytest.mark.parametrize("apart", [0.1, 0.3, 0.9])
def test_the_second_at_the_same_spot_counts_after_the_first_has_left(apart: float) -> None:
    line = Line(ACROSS)
    line.start(scene(30.0))
    events = []
    for index in range(90):
        ids, boxes = [], []
        for k in range(2):
            x = BORDER_X - 60 + 300 * (index / 30 - k * apart)
            if BORDER_X - 60 <= x <= BORDER_X + 30:
                ids.append(k + 1)
                boxes.append([x - 20, 200, x + 20, 290])
        events += line.update(frame(index, 30.0), tracks(ids, boxes))
    assert [event.kind for event in events] == ["line.in"] * 2


def test_who_overtakes_behind_a_larger_one_counts_for_himself() -> None:
    """Both boxes lie one in the other when they cross, but do not move as one."""
    line = Line(ACROSS)
    line.start(scene(25.0))
    events = []
    for index in range(75):
        t = index / 25
        slow, fast = BORDER_X - 100 + 80 * t, BORDER_X - 156 + 120 * t
        boxes = [[slow - 40, 120, slow + 40, 300], [fast - 18, 190, fast + 18, 296]]
        events += line.update(frame(index, 25.0), tracks([1, 2], boxes))
    assert [event.track_id for event in events] == [1, 2] or [event.track_id for event in events] == [2, 1]


def test_of_two_boxes_the_smaller_is_part_of_one_whole_only() -> None:
    """A cab that its lorry and the next lorry share, in the picture, belongs to its own."""
    line = Line(ACROSS, classes=("truck", "car"))
    line.start(scene(25.0))
    events = []
    for index in range(120):
        x = BORDER_X - 300 + 6 * index
        lorries = [[x - 200, 200, x, 300], [x - 350, 200, x - 150, 300]]
        cab = [x - 190, 220, x - 130, 298]
        events += line.update(frame(index, 25.0), tracks([1, 2, 3], [*lorries, cab], [7, 7, 2]))
    assert len(events) == 2
    assert {event.track_id for event in events} <= {1, 2, 3}


@pytest.mark.parametrize("classes", [(7, 2), (7, 7)])
@pytest.mark.parametrize(
    ("speed", "at"),
    [(80.0, 60.0), (80.0, 840.0), (80.0, 400.0), (30.0, 840.0), (200.0, 100.0), (500.0, 200.0)],
)
@pytest.mark.slow_after(3)
def test_a_lorry_and_its_cab_are_one_however_slow_and_near_the_edge(
    speed: float, at: float, classes: tuple[int, int], fps: float = 10.0
) -> None:
    """The middle of a lorry is slower while an edge cuts its box, and seconds behind the cab on the line.

    Beside the far edge the cab is gone before the middle of what is left of the lorry is there.
    """
    line = Line([(at, 0), (at, SIZE[1])])
    line.start(scene(fps))
    events = []
    for index in range(round((at + 350) / speed * fps)):
        front, ids, boxes = speed * index / fps, [], []
        for number, (back, top) in enumerate(((300.0, 150.0), (84.0, 170.0)), 1):
            end = min(front - 4.0 * (number - 1), SIZE[0])
            box = [max(front - back, 0.0), top, end, 300.0 - 3.0 * number]
            if box[2] - box[0] > 20:
                ids.append(number)
                boxes.append(box)
        kinds = [classes[number - 1] for number in ids]
        events += line.update(frame(index, fps), tracks(ids, np.array(boxes).reshape(-1, 4), kinds))
    assert [event.kind for event in events] == ["line.in"]


def test_who_is_passed_by_the_next_long_after_is_another() -> None:
    """Two in one place, in step, one of whom crossed long before: not as two boxes on one object would."""
    line = Line(ACROSS)
    line.start(scene(10.0))
    events = []
    for index in range(140):
        first = BORDER_X - 60 + min(index, 20) * 6.0 + max(index - 100, 0) * 1.0  # waits behind the line
        second = BORDER_X - 260 + min(index, 90) * 2.5 + max(index - 90, 0) * 1.0
        boxes = [[first - 60, 100, first + 60, 400], [second - 20, 220, second + 20, 380]]
        events += line.update(frame(index, 10.0), tracks([1, 2], boxes))
    assert [event.track_id for event in events] == [1, 2]


@pytest.mark.slow
def test_who_was_counted_is_forgotten_in_time() -> None:
    line = Line(ACROSS)
    play(
        line,
        Platoon(50, 0.1, 60.0, 900.0, (40.0, 90.0), -80.0, 80.0, (0.8, 0.8), 2, False, 0.0, 0).moments(),
        60.0,
    )
    assert len(line.state()["doubles"]) <= 20
    list(line.update(frame(10_000, 60.0), tracks([99], np.array([[0.0, 0, 10, 10]]))))
    assert line.state()["doubles"] == []
