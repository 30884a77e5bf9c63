"""Movements through a junction whose matrix is known come out exact."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quick import examples
from tests.tracker.plugins.junction import (
    ARMS,
    NAMES,
    Trip,
    counted,
    matrix,
    moments,
    play,
    scene,
    sections,
)
from tracker.plugin_host import Host
from tracker.plugins._shared.journeys import Journeys
from tracker.plugins.movement import Movement
from tracker.types import Canvas, OptionError


def truth(trips: Sequence[Trip]) -> Counter[tuple[str | None, str | None, str]]:
    return Counter((trip.origin, trip.to, NAMES[trip.class_id]) for trip in trips)


@st.composite
def traffic(draw: st.DrawFn, *, incomplete: bool = False, most: int = 16) -> tuple[float, list[Trip]]:
    """A frame rate and objects that follow one another through any two arms, U-turns included."""
    fps = draw(st.sampled_from([5.0, 7.5, 10.0, 12.5, 25.0, 30.0, 60.0]))
    ends = st.sampled_from([*ARMS, None] if incomplete else ARMS)
    trips: list[Trip] = []
    starts = 0.0
    for _ in range(draw(st.integers(1, most if fps < 30 else 6))):
        origin, to = draw(ends), draw(ends)
        if origin is None and to is None:
            to = "east"
        class_id = draw(st.sampled_from(list(NAMES)))
        trips.append(Trip(origin, to, starts, class_id, draw(st.sampled_from([120.0, 180.0, 250.0]))))
        # in each other's way on the crossing no two are to become one object: one after the other
        starts += trips[-1].takes_s + draw(st.sampled_from([1.2, 2.0]))
    return fps, trips


@pytest.mark.parametrize("zones", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["lines", "zones"])
def test_each_of_the_sixteen_movements_is_told_once(zones: bool) -> None:
    ways = [(origin, to) for origin in ARMS for to in ARMS]
    trips = [Trip(*way, 5.0 * n, speed=250.0) for n, way in enumerate(ways)]
    movement, events = counted(trips, 5.0, zones=zones)
    assert matrix(events) == truth(trips)
    assert movement.totals == Counter({(a, b, "car"): 1 for a in ARMS for b in ARMS})


@pytest.mark.slow
@examples(15)
@given(traffic())
def test_the_matrix_is_exact(drawn: tuple[float, list[Trip]]) -> None:
    fps, trips = drawn
    assert matrix(counted(trips, fps)[1]) == truth(trips)


@pytest.mark.slow
@examples(8)
@given(traffic())
def test_zones_count_as_lines_do(drawn: tuple[float, list[Trip]]) -> None:
    fps, trips = drawn
    assert matrix(counted(trips, fps, zones=True)[1]) == truth(trips)


@pytest.mark.slow
@examples(15)
@given(traffic(incomplete=True))
def test_who_was_not_seen_at_both_ends_is_incomplete(drawn: tuple[float, list[Trip]]) -> None:
    fps, trips = drawn
    _, events = counted(trips, fps)
    assert matrix(events) == truth(trips)
    assert all(
        (event.kind == "movement") == (None not in (event.data["from"], event.data["to"])) for event in events
    )


@pytest.mark.slow
@pytest.mark.parametrize("fps", [5.0, 25.0, 60.0])
@pytest.mark.parametrize("origin", ARMS)
def test_platoons_through_every_movement(fps: float, origin: str) -> None:
    """Four in a row, a car's length apart, to each arm: the lines see them one by one."""
    trips = [Trip(origin, to, 1.0 * n + 14 * k) for k, to in enumerate(ARMS) for n in range(4)]
    assert matrix(counted(trips, fps)[1]) == truth(trips)


def test_flows_that_cross_at_the_same_time() -> None:
    trips = [
        Trip(origin, to, 1.2 * n, class_id)
        for origin, to, class_id in (("north", "south", 2), ("east", "west", 5), ("south", "west", 2))
        for n in range(4)
    ]
    assert matrix(counted(trips, 10.0)[1]) == truth(trips)


def test_an_event_says_what_is_known_of_it() -> None:
    (event,) = counted([Trip("north", "west", 1.0)], 25.0, names={"north>west": "right"})[1]
    assert (event.kind, event.track_id, event.class_id) == ("movement", 1, 2)
    data = dict(event.data)
    assert data.pop("since_s") == pytest.approx(1 + 140 / 150, abs=0.01)  # in and ...
    assert data.pop("left_s") == pytest.approx(1 + (440 + 85 + 300) / 150, abs=0.02)  # ... out, on the lines
    assert data == {
        **{"movement": "junction", "name": "right", "from": "north", "to": "west"},
        **{"class_name": "car", "sure": data["sure"]},
    }
    assert data["sure"] > 0.95
    assert 0 < event.time - event.data["left_s"] < 6  # told when nothing earlier can come any more


def test_a_track_that_breaks_inside_and_goes_on_is_one_journey() -> None:
    """It breaks while it drives straight on: the lines know it as one object, and so do movements."""
    events = counted([Trip("north", "south", 0.0, breaks=0.5)], 25.0)[1]
    assert matrix(events) == {("north", "south", "car"): 1}
    assert (events[0].track_id, events[0].data["first_id"]) == (1001, 1)


def test_a_track_that_ends_inside_and_another_that_begins_are_not_joined() -> None:
    trips = [Trip("north", None, 0.0), Trip(None, "south", 8.0)]
    assert matrix(counted(trips, 25.0)[1]) == {("north", None, "car"): 1, (None, "south", "car"): 1}


@pytest.mark.slow
def test_junctions_share_sections() -> None:
    """Two junctions with one road between: what leaves the one comes into the other."""
    trips = [Trip("north", "south", 0.0), Trip("west", "east", 7.0), Trip("east", "north", 14.0)]
    one, two = Movement(("north", "south"), "main road"), Movement(("south", "east", "west"), "side road")
    play([*sections(), one, two], moments(trips, 25.0), scene(25.0))
    assert one.totals == {("north", "south", "car"): 1, ("", "north", "car"): 1}
    assert two.totals == {("", "south", "car"): 1, ("west", "east", "car"): 1, ("east", "", "car"): 1}


def test_some_classes_only() -> None:
    trips = [Trip("north", "south", 0.0), Trip("north", "south", 7.0, 5)]
    movement, events = counted(trips, 25.0, classes=("bus",))
    assert matrix(events) == {("north", "south", "bus"): 1}
    assert movement.totals == {("north", "south", "bus"): 1}


def test_who_takes_too_long_is_incomplete_as_soon_as_that_is_known() -> None:
    trips = [Trip("north", "south", 0.0), Trip("east", None, 1.0), Trip("west", "east", 20.0)]
    _, events = counted(trips, 10.0, max_s=6.0)
    assert matrix(events) == truth(trips)
    late = next(event for event in events if event.data["from"] == "east")
    assert late.kind == "movement.incomplete"
    assert 6 < late.time - late.data["since_s"] < 6 + 4
    assert matrix(counted(trips, 10.0, max_s=3.0)[1]) == {
        ("north", None, "car"): 1,
        (None, "south", "car"): 1,
        ("east", None, "car"): 1,
        ("west", None, "car"): 1,
        (None, "east", "car"): 1,
    }


MIXED = [
    Trip("north", "east", 0.0),
    Trip(None, "south", 2.0),
    Trip("west", None, 4.0),
    Trip("east", "east", 5.0),
]


@pytest.mark.slow
@examples(8)
@given(traffic(incomplete=True, most=5), st.floats(0, 1))
def test_any_run_cut_anywhere_counts_as_a_whole_one(drawn: tuple[float, list[Trip]], where: float) -> None:
    cut_in_two(*drawn, where)


@pytest.mark.parametrize("where", [0.2, 0.45, 0.7])
def test_a_run_cut_in_two_counts_as_a_whole_one(where: float) -> None:
    cut_in_two(5.0, MIXED, where)


def cut_in_two(fps: float, trips: list[Trip], where: float) -> None:
    shown = list(moments(trips, fps))
    whole = [*sections(), Movement(ARMS)]
    expected = play(whole, iter(shown), scene(fps))
    cut = int(where * len(shown))
    first, second = Host([*sections(), Movement(ARMS)]), Host([*sections(), Movement(ARMS)])
    first.start(scene(fps))
    events = [event for frame, tracks in shown[:cut] for event in first.look(frame, tracks, sketch=False)[0]]
    states = json.loads(json.dumps(first.states()))
    second.start(scene(fps))
    for member in second.members:
        member.plugin.restore(states[member.key], True)
    for frame, tracks in shown[cut:]:
        events += second.look(frame, tracks, sketch=False)[0]
    assert events + second.finish() == expected
    assert second.members[-1].plugin.summary() == whole[-1].summary()


@pytest.mark.slow
@examples(8)
@given(traffic(incomplete=True, most=5))
def test_the_events_of_any_run_tell_the_same_as_the_run(drawn: tuple[float, list[Trip]]) -> None:
    from_events_alone(*drawn)


def test_events_tell_the_same_as_the_run() -> None:
    from_events_alone(5.0, MIXED)


def from_events_alone(fps: float, trips: list[Trip]) -> None:
    """Whoever has nothing but the events comes to the same movements, in whatever order they stand there."""
    events = play([*sections(), Movement(ARMS)], moments(trips, fps), scene(fps))
    journeys = Journeys(ARMS)
    for event in reversed(events):
        journeys.take(event)
    found = Counter((j.origin, j.to, j.latest.track_id, j.latest.time) for j in journeys.finish())
    assert found == Counter(
        (e.data["from"], e.data["to"], e.track_id, e.data["left_s"] if e.data["to"] else e.data["since_s"])
        for e in events
        if e.kind.startswith("movement")
    )


@pytest.mark.slow
def test_memory_is_bounded_by_who_is_under_way() -> None:
    trips = [Trip("north", None, 2.0 * n) for n in range(20)]
    host = Host([*sections(), movement := Movement(ARMS, max_s=5.0)])
    host.start(scene(5.0))
    most = 0
    for frame, tracks in moments(trips, 5.0):
        host.look(frame, tracks, sketch=False)
        most = max(most, sum(map(len, movement.state()["journeys"].values())))
    assert 0 < most <= 8
    host.finish()
    assert movement.totals == {("north", "", "car"): 20}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sections": ["north"]}, "needs two sections or more, not north"),
        ({"sections": "north"}, "needs two sections or more, not north"),
        ({"sections": []}, "needs two sections or more, not none"),
        ({"sections": ["north", "north"]}, "names section 'north' twice"),
        ({"sections": ["a", "b"], "max_s": 0}, "max_s takes a number of seconds above 0"),
        ({"sections": ["a", "b"], "max_s": float("nan")}, "max_s takes"),
        ({"sections": ["a", "b"], "names": {"a": "x"}}, "'a' is not a movement; write a>b: NAME"),
        (
            {"sections": ["north", "b"], "names": {"nort>b": "x"}},
            "'nort' is not one of its sections, did you mean",
        ),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=f"movement 'junction'.*{message}"):
        Movement(**options)  # type: ignore[arg-type]


def test_the_picture_and_the_terminal_tell_the_matrix() -> None:
    trips = [Trip("north", "south", 0.0), Trip("north", "west", 7.0), Trip("south", None, 14.0)]
    movement, _ = counted(trips, 10.0, names={"north>south": "through"})
    canvas = Canvas()
    movement.draw(canvas)
    (mark,) = canvas.marks
    assert mark.arguments["rows"] == (("through", "1"), ("north>west", "1"), ("incomplete", "1"))
    rows = dict(movement.summary())
    assert rows["junction"] == "2 movements; incomplete: 1 (33.3 %)"
    heads, south = rows["junction "].split("  "), rows["junction from south"].split()
    assert [head.strip() for head in heads if head.strip()][-1] == "never left"
    assert south == ["0", "0", "0", "0", "1"]
    assert rows["junction through"] == "1"


def test_where_nothing_is_complete_the_terminal_asks_for_the_direction() -> None:
    movement, _ = counted([Trip("north", None, 0.0)], 5.0)
    assert "track zones check" in dict(movement.summary())["junction"]
