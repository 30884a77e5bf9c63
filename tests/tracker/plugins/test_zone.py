from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from walks import BORDER_X, SIZE, Walk, crowds, frame, frames, play, scene, tracks, walk_past

from tests.quick import examples
from tracker.plugins.zone import Zone
from tracker.types import Canvas, Event, OptionError

# All of the picture right of x = 450, so that every crossing of the border is an entry or an exit.
RIGHT_HALF = [(BORDER_X, 0), (SIZE[0], 0), (SIZE[0], SIZE[1]), (BORDER_X, SIZE[1])]
SQUARE = [(300, 300), (600, 300), (600, 600), (300, 600)]


def kinds(events: list[Event]) -> Counter[str]:
    return Counter(event.kind for event in events)


def visits(walk: Walk) -> list[float]:
    """True dwell of each visit right of the border, in order; nothing shorter than half a second is one.

    Sampled finely; a stop on the border itself or a step of 1 px over it belongs to neither side.
    """
    times = np.arange(0, walk.times[-1], 0.01)
    side, since, found = -1, 0.0, []
    for time in times.tolist():
        offset = walk.at(time)[0] - BORDER_X
        if side < 0 and offset > 4.5:
            side, since = 1, time
        elif side > 0 and offset < -4.5:
            side = -1
            found.append(time - since)
    return [*found, times[-1] - since] if side > 0 else found


@pytest.mark.slow
@examples(25)
@given(crowds())
def test_visits_are_exact_whatever_the_frame_rate(crowd: tuple[float, list[Walk], int]) -> None:
    fps, people, seed = crowd
    truth = [dwell for walk in people for dwell in visits(walk)]
    zone = Zone(RIGHT_HALF)
    events = play(zone, frames(fps, people, seed), fps)
    got = [event.data["dwell_s"] for event in events if event.kind == "zone.exit"]
    assert zone.entries == kinds(events)["zone.enter"] == len(got) == len(truth)
    assert zone.visitors <= len(people)
    assert zone.dwell.sum == pytest.approx(sum(got), abs=0.01)
    if not any(kind == "stop" for walk in people for kind in stops(walk)):
        np.testing.assert_allclose(got, truth, atol=0.5 + 2 / fps)


def stops(walk: Walk) -> list[str]:
    """Name the stops on the border, where nobody can say to a second when a visit begins."""
    return ["stop" for x, _ in walk.places if abs(x - BORDER_X) < 10]


@pytest.mark.slow
@examples(8)
@given(crowds())
def test_mirrored_scenes_give_the_same_visits(crowd: tuple[float, list[Walk], int]) -> None:
    fps, people, seed = crowd
    left_half = [(SIZE[0] - x, y) for x, y in RIGHT_HALF]
    straight = play(Zone(RIGHT_HALF), frames(fps, people, seed), fps)
    mirrored = play(Zone(left_half), frames(fps, people, seed, mirrored=True), fps)
    assert [(e.kind, e.frame, e.track_id) for e in straight] == [
        (e.kind, e.frame, e.track_id) for e in mirrored
    ]


def test_dwell_is_the_number_of_frames_inside_over_the_frame_rate() -> None:
    zone = Zone(SQUARE)
    places = [(200.0, 450.0)] * 5 + [(450.0, 450.0)] * 20 + [(700.0, 450.0)] * 5
    events = play(zone, walk_past(places))
    enter, leave = events
    assert (enter.kind, enter.frame, leave.kind, leave.frame) == ("zone.enter", 5, "zone.exit", 26)
    assert leave.data["left_s"] == 2.5, "told when it is sure, counted from the border"
    assert leave.data["dwell_s"] == 2.0
    assert zone.dwell.sum == 2.0
    assert zone.occupancy_mean() == pytest.approx(2.0 / 3.0)


def test_who_is_first_seen_on_the_border_has_entered_when_clear_of_it_or_after_a_while() -> None:
    brushed, stayed, inward = Zone(SQUARE), Zone(SQUARE), Zone(SQUARE)
    assert play(brushed, walk_past([(302.0, 450.0), (297.0, 450.0), (290.0, 450.0), (280.0, 450.0)])) == []
    assert brushed.visitors == 0
    enter, _ = play(stayed, walk_past([(302.0, 450.0)] * 10))
    assert (enter.kind, enter.frame, enter.data["since_s"]) == ("zone.enter", 1, 0.0)
    assert stayed.dwell.sum == 1.0
    enter, _ = play(inward, walk_past([(302.0, 450.0)] + [(320.0, 450.0)] * 9))
    assert (enter.frame, enter.data["since_s"], inward.dwell.sum) == (1, 0.0, 1.0)


def test_a_visit_still_open_at_the_end_is_closed_and_says_so() -> None:
    zone = Zone(SQUARE)
    *_, last = play(zone, walk_past([(450.0, 450.0)] * 20))
    assert (last.kind, last.data["dwell_s"], last.data["end_of_run"]) == ("zone.exit", 2.0, True)


def test_a_visit_ends_where_the_track_was_last_seen() -> None:
    zone = Zone(SQUARE)
    zone.start(scene())
    events: list[Event] = []
    for index in range(100):
        seen = tracks([1], [[430, 360, 470, 450]]) if index < 30 else tracks([], [])
        events += zone.update(frame(index), seen)
    assert [(e.kind, e.data.get("dwell_s")) for e in events] == [("zone.enter", None), ("zone.exit", 3.0)]
    assert zone.occupancy == 0


def test_one_visit_survives_a_gap_and_a_new_number() -> None:
    zone = Zone(SQUARE)
    zone.start(scene())
    events: list[Event] = []
    for index in range(60):
        box = [[400 + index - 20, 360, 400 + index + 20, 450]]
        seen = tracks([], []) if 20 <= index < 28 else tracks([1 if index < 20 else 5], box)
        events += zone.update(frame(index), seen)
    events += zone.finish()
    assert [(e.kind, e.track_id) for e in events] == [("zone.enter", 1), ("zone.exit", 5)]
    assert (zone.visitors, zone.dwell.sum) == (1, pytest.approx(6.0))


@pytest.mark.parametrize("frames", [300, pytest.param(2000, marks=pytest.mark.slow)])
def test_jitter_on_the_border_is_no_visit(frames: int) -> None:
    noise = np.random.default_rng(1).uniform(-1, 1, frames)
    events = play(
        Zone(RIGHT_HALF), walk_past([(BORDER_X - 30, 300.0), *((BORDER_X + n, 300.0) for n in noise)])
    )
    assert events == []


def test_coming_back_is_a_second_visit_of_one_visitor() -> None:
    zone = Zone(SQUARE)
    play(zone, walk_past([(450.0, 450.0), *[(700.0, 450.0)] * 2, (450.0, 450.0)]))
    assert (zone.entries, zone.visitors) == (2, 1)


def test_feet_hidden_for_a_moment_are_no_exit() -> None:
    """A box that ends above what hides the feet jumps up, over the border and back."""
    zone = Zone(SQUARE)
    feet = [(450.0, 450.0)] * 5 + [(450.0, 250.0)] + [(450.0, 450.0)] * 5
    play(zone, walk_past(feet))
    assert (zone.entries, zone.dwell.count, zone.dwell.sum) == (1, 1, pytest.approx(1.1))


def test_a_zone_up_to_the_edge_has_no_border_there() -> None:
    """Somebody walks along the bottom edge, feet cut off by it, from left to right."""
    zone = Zone([(300, 400), (600, 400), (600, SIZE[1] - 2), (300, SIZE[1] - 2)])
    places = [(200.0, SIZE[1] + 6.0)] * 3 + [(450.0, SIZE[1] + 6.0)] * 10 + [(700.0, SIZE[1] + 6.0)] * 3
    assert kinds(play(zone, walk_past(places))) == {"zone.enter": 1, "zone.exit": 1}
    assert zone.dwell.sum == 1.0


def test_occupancy_now_mean_and_most() -> None:
    zone = Zone(SQUARE)
    zone.start(scene())
    most = []
    for index in range(40):
        ids = [1] if index < 10 else [1, 2] if index < 20 else [1]
        boxes = [[430, 360, 470, 450], [530, 360, 570, 450]][: len(ids)]
        zone.update(frame(index), tracks(ids, boxes))
        most.append(zone.occupancy)
    assert (most[5], most[15], zone.occupancy_max) == (1, 2, 2)
    assert zone.occupancy_mean() == pytest.approx(5.0 / 4.0)


def test_who_is_out_of_sight_for_half_a_second_is_still_taken_to_be_there() -> None:
    zone, now = Zone(SQUARE), []
    zone.start(scene())
    for index in range(20):
        seen = tracks([1], [[430, 360, 470, 450]]) if index <= 8 else tracks([], [])
        zone.update(frame(index), seen)
        now.append(zone.occupancy)
    assert now == [1] * (8 + 1 + 5) + [0] * 6


def test_overlapping_zones_each_count() -> None:
    for points in (SQUARE, [(x + 100, y) for x, y in SQUARE]):
        assert kinds(play(Zone(points), walk_past([(450.0, 450.0)] * 3)))["zone.enter"] == 1


def test_the_loiter_alarm_goes_off_once_per_visit() -> None:
    zone = Zone(SQUARE, loiter_s=1.0)
    places = [(450.0, 450.0)] * 30 + [(700.0, 450.0)] * 3 + [(450.0, 450.0)] * 30
    events = [e for e in play(zone, walk_past(places)) if e.kind == "zone.loiter"]
    assert [(e.frame, e.data["dwell_s"]) for e in events] == [(10, 1.0), (43, 1.0)]
    assert zone.loiterers == 2


def test_the_class_filter_watches_these_only() -> None:
    zone = Zone(SQUARE, classes=("car",))
    zone.start(scene())
    boxes = [[430, 360, 470, 450], [530, 360, 570, 450]]
    events = list(zone.update(frame(0), tracks([1, 2], boxes, [0, 2])))
    assert [(e.kind, e.track_id, e.data["class_name"]) for e in events] == [("zone.enter", 2, "car")]


def lorry_and_cab(apart_from: int) -> Counter[str]:
    """A lorry drives into the zone with a box on its cab, which gets out as somebody of its own."""
    zone = Zone(SQUARE)
    zone.start(scene())
    events: list[Event] = []
    for index in range(40):
        x = 150 + min(index, 20) * 15
        cab = x + 20 if index < apart_from else x + 20 + 8 * (index - apart_from)
        boxes = [[x - 80, 380, x + 80, 480], [cab, 420, cab + 40, 476]]
        events += zone.update(frame(index), tracks([1, 2], boxes, [7, 2]))
    return kinds(events)


def test_two_boxes_on_one_object_are_one_visitor_until_they_part() -> None:
    assert lorry_and_cab(apart_from=100) == {"zone.enter": 1}
    assert lorry_and_cab(apart_from=25) == {"zone.enter": 2}


def test_what_is_first_seen_in_the_box_of_a_visitor_waits_until_it_is_apart() -> None:
    zone = Zone(SQUARE)
    zone.start(scene())
    person, board = [400, 300, 460, 500], [410, 430, 450, 460]
    events = [
        *zone.update(frame(0), tracks([1], [person])),
        *zone.update(frame(30), tracks([1, 2], [person, board])),
    ]
    assert [(e.kind, e.track_id) for e in events] == [("zone.enter", 1)]
    left_behind = [[540, 300, 600, 500], board]
    (event,) = zone.update(frame(31), tracks([1, 2], left_behind))
    assert (event.kind, event.track_id, event.data["since_s"]) == ("zone.enter", 2, 3.0)


def test_summary_tells_the_distribution_of_dwell() -> None:
    zone = Zone(SQUARE, loiter_s=5.0)
    places = [place for n in (10, 20, 100) for place in [(450.0, 450.0)] * n + [(700.0, 450.0)] * 2]
    play(zone, walk_past(places))
    rows = dict(zone.summary())
    assert rows["zone entries"] == "3  (1 visitors)"
    assert "longest 10.0 s" in rows["zone dwell"]
    assert zone.dwell.quantile(0.5) == pytest.approx(2.0, rel=0.024)
    assert rows["zone longer than 5 s"] == "1"


def test_it_draws_polygon_name_and_occupancy() -> None:
    zone = Zone(SQUARE, name="till")
    play(zone, walk_past([(450.0, 450.0)] * 3))
    canvas = Canvas()
    zone.draw(canvas)
    assert [mark.kind for mark in canvas.marks] == ["polygon", "polyline", "text", "table"]


@pytest.mark.slow
def test_memory_is_bounded_by_what_is_alive() -> None:
    zone = Zone(SQUARE)
    zone.start(scene())
    for index in range(3000):
        left = 100 + index % 7 * 100
        list(zone.update(frame(index), tracks([index + 1], [[left, 360, left + 40, 450]])))
    assert len(zone._memory) <= 31
    assert len(zone._memory.seen) <= 64


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([(0, 0), (9, 0)], "has 2 points; give three or more"),
        ([(0, 0), (9, 9), (9, 0), (0, 9)], "crosses itself: side 1 meets side 3"),
        ([(0, 0), (9, 0), (9, 0), (9, 9)], "two identical points: 2 and 3"),
    ],
)
def test_unusable_points_are_refused(points: list[tuple[float, float]], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Zone(points)
    with pytest.raises(OptionError, match="more than 0 s"):
        Zone(SQUARE, loiter_s=0)


@pytest.mark.parametrize("room", [1, 8, 14, 30])
@pytest.mark.parametrize("cut", [True, False])
def test_who_walks_out_over_the_edge_of_the_picture_leaves_a_zone_that_ends_before_it(
    room: int, cut: bool
) -> None:
    """The box ends at the picture's edge, or reaches over it; the zone ends ``room`` px above."""
    zone = Zone([(300, 300), (600, 300), (600, SIZE[1] - room), (300, SIZE[1] - room)])
    zone.start(scene())
    events: list[Event] = []
    for index in range(40):
        foot = 700.0 + 8 * index
        box = [320.0, foot - 500, 580.0, min(foot, SIZE[1]) if cut else foot]
        events += zone.update(frame(index), tracks([1], [box]))
    leaves = 0 if room == 1 else 1  # up to the edge: the zone goes on beyond it
    assert kinds(events) == Counter({"zone.enter": 1, "zone.exit": leaves})
    if leaves:
        assert events[-1].data["left_s"] == pytest.approx((SIZE[1] - room - 700) / 80, abs=0.1)


def test_who_walks_along_the_edge_of_the_picture_jitters_over_no_border() -> None:
    """Feet cut off by the lower edge say nothing about how clear somebody is of a border across it."""
    zone = Zone([(BORDER_X, 300), (SIZE[0], 300), (SIZE[0], SIZE[1]), (BORDER_X, SIZE[1])])
    noise = np.random.default_rng(2).uniform(-2, 2, 500)
    places = [(BORDER_X - 30, SIZE[1] + 5.0), *((BORDER_X + n, SIZE[1] + 5.0) for n in noise)]
    assert play(zone, walk_past(places)) == []
