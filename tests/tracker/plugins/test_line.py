from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from walks import BORDER_X, BOX, SIZE, SPAN, Walk, crowds, frame, frames, play, scene, tracks, walk_past

from tests.quick import examples
from tracker.plugins.line import Line
from tracker.types import Canvas, Event, OptionError

POINTS = [(BORDER_X, SPAN[0]), (BORDER_X, SPAN[1])]


def kinds(events: list[Event]) -> Counter[str]:
    return Counter(event.kind for event in events)


def past(xs: list[float], y: float = 300.0, ids: list[int] | None = None) -> Counter[str]:
    return kinds(play(Line(POINTS), walk_past([(BORDER_X + x, y) for x in xs], ids=ids)))


@pytest.mark.slow
@examples(30)
@given(crowds())
def test_counts_are_exact_whatever_the_frame_rate(crowd: tuple[float, list[Walk], int]) -> None:
    fps, people, seed = crowd
    truth = sum((walk.counts for walk in people), Counter())
    line = Line(POINTS)
    got = kinds(play(line, frames(fps, people, seed), fps))
    assert (got["line.in"], got["line.out"]) == (truth["right"], truth["left"])
    assert (line.total("in"), line.total("out")) == (truth["right"], truth["left"])


@pytest.mark.slow
@examples(12)
@given(crowds())
def test_mirrored_scenes_give_mirrored_events(crowd: tuple[float, list[Walk], int]) -> None:
    fps, people, seed = crowd
    straight = play(Line(POINTS), frames(fps, people, seed), fps)
    mirror = [(SIZE[0] - x, y) for x, y in POINTS]
    mirrored = play(Line(mirror), frames(fps, people, seed, mirrored=True), fps)
    turned = {"line.in": "line.out", "line.out": "line.in"}
    assert [(e.frame, turned[e.kind], e.track_id) for e in straight] == [
        (e.frame, e.kind, e.track_id) for e in mirrored
    ]


@pytest.mark.slow
@examples(6)
@given(crowds())
def test_the_order_in_which_the_points_were_drawn_does_not_matter(
    crowd: tuple[float, list[Walk], int],
) -> None:
    fps, people, seed = crowd
    assert play(Line(POINTS), frames(fps, people, seed), fps) == play(
        Line(POINTS[::-1]), frames(fps, people, seed), fps
    )


def test_a_bend_in_a_straight_line_changes_nothing() -> None:
    bent = Line([POINTS[0], (BORDER_X, 300), POINTS[1]])
    shown = [(BORDER_X + x, 300.0) for x in (-30, -10, 10, 30)]  # through the very corner
    assert kinds(play(bent, walk_past(shown))) == {"line.in": 1}


@pytest.mark.parametrize("frames", [500, pytest.param(5000, marks=pytest.mark.slow)])
def test_jitter_on_the_line_counts_nothing_however_long(frames: int) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, frames)
    assert past([-30, -15, *noise, -15, -30]) == {}
    assert past([-30, -15, *noise, 15, 30]) == {"line.in": 1}


def test_standing_still_beyond_the_line_for_long_does_not_defeat_the_margin() -> None:
    assert past([-30, *[2.0] * 200, -30]) == {}
    assert past([-30, *[2.0] * 200, 30]) == {"line.in": 1}


def test_coming_back_counts_again_once_per_crossing() -> None:
    assert past([-30, 30, -30, 30, -30]) == {"line.in": 2, "line.out": 2}


def test_what_is_first_seen_beyond_the_line_has_not_crossed() -> None:
    assert past([10, 20, 30]) == {}


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        (-2.0, 30.0, {}),
        (2.0, -30.0, {}),
        (0.0, 30.0, {}),
        (-10.0, 30.0, {"line.in": 1}),
        (10.0, -30.0, {"line.out": 1}),
    ],
)
def test_what_first_stands_on_the_line_came_from_neither_side(
    first: float, then: float, expected: dict[str, int]
) -> None:
    """The margin is 4.5 px; once it has been clear of the line it counts like everybody."""
    assert past([first, first, then]) == expected
    back = {"line.in": 1} if then < 0 else {"line.out": 1}
    assert past([first, first, then, -then]) == Counter(expected) + Counter(back)


@pytest.mark.parametrize("last", [1.0, 3.0, 4.0])
def test_who_vanishes_beyond_the_line_on_the_way_has_crossed_and_who_stands_there_has_not(
    last: float,
) -> None:
    onward = [(BORDER_X + x, 300.0) for x in (last - 60, last - 40, last - 20, last)]
    standing = [(BORDER_X + x, 300.0) for x in (-20, last, *[last] * 15)]
    for way, expected in ((onward, {"line.in": 1}), (standing, {})):
        shown = [*walk_past(way), *((frame(n), tracks([], [])) for n in range(len(way), len(way) + 20))]
        for end in (len(way) + 1, len(shown)):  # the film ends at once, or much later
            assert kinds(play(Line(POINTS), iter(shown[:end]))) == expected
    shown = [*walk_past(onward), *((frame(n), tracks([], [])) for n in range(4, 12))]
    again = [(frame(n), tracks([1], [[BORDER_X + 10, 210, BORDER_X + 50, 300]])) for n in range(12, 15)]
    assert kinds(play(Line(POINTS), iter(shown + again))) == {"line.in": 1}  # seen again: not twice


def test_a_path_over_points_exactly_on_the_line_crosses_once() -> None:
    assert past([-20, -10, 0, 10, 20]) == {"line.in": 1}
    assert past([-20, -10, 0, 0, 0, -10, -20]) == {}


def test_passing_the_end_is_no_crossing_and_coming_back_through_is_one() -> None:
    below = SPAN[1] + 50
    line = Line(POINTS)
    shown = [(BORDER_X - 60, below), (BORDER_X + 60, below), (BORDER_X + 60, 500), (BORDER_X - 60, 500)]
    assert kinds(play(line, walk_past(shown))) == {"line.out": 1}


def test_a_slow_crossing_belongs_to_the_place_where_the_line_was_crossed() -> None:
    """Cross just inside the end, walk on along the line, out beyond its end, and only then away."""
    end = SPAN[1]
    way = [
        (BORDER_X - 20, end - 5),
        (BORDER_X + 1.5, end - 5),
        (BORDER_X + 1.5, end + 40),
        (BORDER_X + 60, end + 40),
    ]
    (event,) = play(Line(POINTS), walk_past(way))
    assert event.kind == "line.in"
    assert (event.data["x"], event.data["y"]) == (BORDER_X, end - 5)
    assert event.data["crossed_s"] < 0.1 < event.time


def test_a_crossing_during_a_gap_counts() -> None:
    line = Line(POINTS)
    line.start(scene())
    box = [BORDER_X - 50, 200, BORDER_X - 10, 290]
    moved = [box[0] + 60, box[1], box[2] + 60, box[3]]
    assert not list(line.update(frame(0), tracks([1], [box])))
    for index in range(1, 15):
        assert not list(line.update(frame(index), tracks([], [])))
    assert kinds(list(line.update(frame(15), tracks([1], [moved])))) == {"line.in": 1}


def test_a_new_number_on_the_line_inherits_side_and_count() -> None:
    steps = [-40, -30, -20, -10, 0.5, 10, 20, 30]
    for change in range(2, len(steps)):
        ids = [1 if i < change else 2 for i in range(len(steps))]
        assert past(steps, ids=ids) == {"line.in": 1}, change


def test_somebody_else_far_away_inherits_nothing() -> None:
    line = Line(POINTS)
    shown = walk_past([(BORDER_X - 40, 300), (BORDER_X - 40, 300), (BORDER_X + 100, 300)], ids=[1, 1, 2])
    assert play(line, shown) == []


def double(offset_s: int, overlap: bool, ids: tuple[int, int] = (1, 2)) -> Counter[str]:
    """A lorry and, ``offset_s`` frames behind it, its cab or another lorry in the next lane."""
    line = Line(POINTS, classes=("truck", "car"))
    line.start(scene())
    events: list[Event] = []
    for index in range(30):
        x = BORDER_X - 100 + 10 * index
        lorry = [x - 100, 200, x + 100, 300]
        shift = 0 if overlap else 150
        cab = [x - 8 * offset_s - 40, 230 + shift, x - 8 * offset_s + 60, 295 + shift]
        events += line.update(frame(index), tracks(list(ids), [lorry, cab], [7, 2]))
    return kinds(events)


def test_two_boxes_on_one_object_count_once_and_two_objects_twice() -> None:
    assert double(2, overlap=True) == {"line.in": 1}
    assert double(2, overlap=False) == {"line.in": 2}


def test_who_leaves_while_the_rest_of_it_still_comes_is_no_second_box() -> None:
    """A lorry through a gate of two lines: its cab is out again as its own middle comes in."""
    gate = Line([(400, 850), (400, 100), (460, 100), (460, 850)])
    gate.start(scene())
    events: list[Event] = []
    for index in range(55):
        x = 100 + 12 * index
        lorry, cab = [x - 100, 300, x + 100, 420], [x + 20, 330, x + 100, 415]
        events += gate.update(frame(index), tracks([1, 2], [lorry, cab], [7, 2]))
    assert [(event.kind, event.track_id) for event in events] == [("line.in", 2), ("line.out", 2)]


def test_a_line_up_to_the_edge_holds_feet_that_the_edge_cuts_off() -> None:
    line = Line([(BORDER_X, 0), (BORDER_X, SIZE[1] - 3)])
    assert kinds(play(line, walk_past([(BORDER_X + x, SIZE[1] + 5.0) for x in (-30, 0, 30)]))) == {
        "line.in": 1
    }


@pytest.mark.parametrize(
    ("points", "towards", "first"),
    [
        ([(450, 100), (450, 700)], None, "line.in"),
        ([(450, 100), (450, 700)], "left", "line.out"),
        ([(450, 700), (450, 100)], "right", "line.in"),
        ([(400, 100), (500, 700)], None, "line.in"),
    ],
)
def test_in_leads_to_the_right_unless_turned(
    points: list[tuple[int, int]], towards: str | None, first: str
) -> None:
    (event,) = play(Line(points, towards=towards), walk_past([(420, 400), (480, 400)]))
    assert event.kind == first


def test_in_leads_down_over_a_flat_line() -> None:
    (event,) = play(
        Line([(700, 400), (100, 400)], names=("south", "north")), walk_past([(400, 380), (400, 420)])
    )
    assert (event.kind, event.data["direction"]) == ("line.in", "south")


def test_the_arrow_points_where_in_leads() -> None:
    for points, towards, (dx, dy) in (
        (POINTS, None, (1, 0)),
        (POINTS, "left", (-1, 0)),
        ([(100, 400), (700, 400)], None, (0, 1)),
        ([(700, 400), (100, 400)], "up", (0, -1)),
    ):
        line = Line(points, towards=towards)
        line.start(scene())
        start, tip = line.arrow()
        np.testing.assert_allclose((tip - start) / np.hypot(*(tip - start)), (dx, dy), atol=1e-9)


def test_the_class_filter_counts_by_the_vote_of_the_moment_of_crossing() -> None:
    line = Line(POINTS, classes=("car",))
    line.start(scene())
    events: list[Event] = []
    for index, (x, class_id) in enumerate([(-40, 7), (-20, 7), (20, 2), (40, 2)]):
        events += line.update(
            frame(index), tracks([1], [[BORDER_X + x - 20, 200, BORDER_X + x + 20, 290]], [class_id])
        )
    assert kinds(events) == {"line.in": 1}
    assert line.totals == {("in", "car"): 1}


def test_it_draws_line_arrow_and_totals() -> None:
    line = Line(POINTS, name="door")
    play(line, walk_past([(BORDER_X + x, 300) for x in (-30, 30)]))
    canvas = Canvas()
    line.draw(canvas)
    marks = {mark.kind: mark.arguments for mark in canvas.marks}
    assert any(mark.arguments.get("arrow") for mark in canvas.marks)
    texts = {mark.arguments["text"]: mark.arguments["at"][0] for mark in canvas.marks if mark.kind == "text"}
    assert texts["door in 1"] > BORDER_X > texts["door out 0"]  # each on the side it leads to
    assert marks["table"]["rows"] == (("in", "1"), ("out", "0"))


@pytest.mark.slow
def test_memory_is_bounded_by_what_is_alive() -> None:
    line = Line(POINTS)
    line.start(scene())
    for index in range(3000):
        box = [100 + index % 7 * 100, 100, 100 + index % 7 * 100 + BOX[0], 190]
        list(line.update(frame(index), tracks([index + 1], [box])))
    assert len(line._memory) <= 31
    assert len(line._memory.seen) <= 64


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([(0, 0)], "has 1 point; give two or more"),
        ([(0, 0), (0, 0)], "two identical points"),
        ([(0, 0), (9, 9), (0, 0)], "ends where it begins"),
        ([(0, 0), (9, 0), (9, 9), (5, -5)], "crosses itself"),
        ([(0, 0), (float("nan"), 3)], "not a number"),
    ],
)
def test_unusable_points_are_refused(points: list[tuple[float, float]], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Line(points, name="door")


def test_unknown_words_are_refused_with_what_was_meant() -> None:
    with pytest.raises(OptionError, match="did you mean 'bottom_center'"):
        Line(POINTS, anchor="botom_center")
    with pytest.raises(OptionError, match="one of right, left, down, up"):
        Line(POINTS, towards="north")
    with pytest.raises(OptionError, match="runs parallel to 'up'"):
        Line(POINTS, towards="up")
    with pytest.raises(OptionError, match="did you mean 'person'"):
        Line(POINTS, classes=("persn",)).start(scene())


@pytest.mark.slow_after(3)
@pytest.mark.parametrize("fps", [10.0, 25.0, 60.0])
@pytest.mark.parametrize("noise", [0.01, 0.02, 0.03])
def test_who_stops_on_the_line_crosses_once_however_the_box_trembles(fps: float, noise: float) -> None:
    """Every edge of the box is off by a part of its side, anew in each frame, three seconds on the line."""
    random = np.random.default_rng(4)
    line, events = Line([[0, 300], [640, 300]]), list[Event]()
    line.start(scene(fps))
    for index in range(int(8 * fps)):
        now = index / fps
        foot = 300 + 100 * (min(now - 2, 0) + max(now - 5, 0))
        box = np.array([[270, foot - 150, 330, foot]]) + random.normal(0, noise, 4) * [60, 150, 60, 150]
        events += line.update(frame(index, fps), tracks([1], box))
    assert [event.kind for event in events] == ["line.in"]


@pytest.mark.parametrize(
    ("steps", "downwards", "beyond", "counted"),
    [
        ((100, 100), True, 8.0, 1),
        ((92, 112), True, 8.0, 0),  # no further than this box is wrong
        ((92, 112), True, 15.0, 1),
        ((92, 112), False, 8.0, 1),  # its height says little of where it is from side to side
    ],
)
def test_whose_box_trembles_must_be_further_beyond(
    steps: tuple[int, int], downwards: bool, beyond: float, counted: int
) -> None:
    line = Line([(0, 500), (900, 500)] if downwards else [(500, 0), (500, 900)])
    line.start(scene())
    events: list[Event] = []
    for index in range(90):
        x = y = 500.0
        along = min(-60 + index, beyond)
        x, y = (x, y + along) if downwards else (x + along, y)
        events += line.update(
            frame(index), tracks([1], np.array([[x - 20, y - steps[index % 2], x + 20, y]]))
        )
    assert len(events) == counted


@pytest.mark.parametrize(("downwards", "counted"), [(True, 1), (False, 2)])
def test_whose_height_trembles_is_counted_back_sooner_sideways(downwards: bool, counted: int) -> None:
    line = Line([(0, 500), (900, 500)] if downwards else [(500, 0), (500, 900)])
    line.start(scene())
    events: list[Event] = []
    for index in range(120):
        along = min(-60.0 + 2 * index, max(120.0 - 2 * index, -13.0))
        x, y = (500.0, 500.0 + along) if downwards else (500.0 + along, 500.0)
        box = np.array([[x - 20, y - (96, 108)[index % 2], x + 20, y]])
        events += line.update(frame(index), tracks([1], box))
    assert len(events) == counted
