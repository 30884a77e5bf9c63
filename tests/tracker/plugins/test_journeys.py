"""The rule of movements, crossing by crossing."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quick import examples
from tracker.plugins._shared.journeys import AGAIN_S, HOLD_S, Journey, Journeys, crossing_of
from tracker.types import Event

SECTIONS = ("north", "east", "south")


def line(time: float, section: str, way: str, track: int = 1, **data: object) -> Event:
    return Event(f"line.{way}", time + 0.3, 0, track, 2, {"line": section, "crossed_s": time, **data})


def zone(time: float, section: str, what: str, track: int = 1, **data: object) -> Event:
    when = {"enter": {"since_s": time}, "exit": {"since_s": 0.0, "left_s": time}}[what]
    return Event(f"zone.{what}", time + 3.0, 0, track, 2, {"zone": section, **when, **data})


def ways(journeys: list[Journey]) -> list[str]:
    return [f"{journey.origin or '?'}>{journey.to or '?'}" for journey in journeys]


def added_up(events: list[Event], **options: float) -> list[Journey]:
    journeys = Journeys(SECTIONS, **options)  # type: ignore[arg-type]
    for event in events:
        journeys.take(event)
    return journeys.finish()


CASES = {
    "through": ("1 north in; 5 east out", "north>east"),
    "U-turn": ("1 north in; 5 north out", "north>north"),
    "came in, never left": ("1 north in", "north>?"),
    "left, never came in": ("1 north out", "?>north"),
    "out and in again at once has not left": (
        *("1 north in; 5 east out; 6 east in; 9 south out", "north>south"),
    ),
    "out and in again later are two": (
        *("1 north in; 5 east out; 60 east in; 65 south out", "north>east east>south"),
    ),
    "born on the wrong side of the line it comes in by": (
        *("1 north out; 2 north in; 9 south out", "north>south"),
    ),
    "the first inwards counts": ("1 north in; 2 south in; 9 east out", "north>east"),
    "the last outwards counts": ("1 north in; 5 east out; 6.5 south out", "north>south"),
    "in by another line is a new journey, however soon": (
        *("1 north in; 5 east out; 6.5 south in; 9 north out", "north>east south>north"),
    ),
    "too long": ("1 north in; 400 east out", "north>? ?>east"),
    "from zone to zone": ("1 north enter; 3 north exit; 9 east enter; 12 east exit", "north>east"),
    "from zone to zone to zone": (
        *("3 north exit; 9 east enter; 12 east exit; 20 south enter", "north>east east>south"),
    ),
    "back into the zone it came from": ("3 north exit; 9 north enter; 12 north exit", "north>north"),
    "on the border of a zone": ("3 north exit; 4 north enter; 6 north exit; 9 east enter", "north>east"),
    "on the border of the zone it ended in": (
        *("1 north exit; 9 east enter; 12 east exit; 13 east enter; 15 east exit", "north>east"),
    ),
    "in one zone only": ("1 north enter; 3 north exit", "north>?"),
    "still in its first zone at the end": ("1 north enter; 3 north exit end_of_run=1", ""),
    "into a zone and back over the line": (
        *("1 north in; 9 east enter; 12 east exit; 15 north out", "north>east east>north"),
    ),
    "under another number": ("1 north in; 5 east out track=7 first_id=1", "north>east"),
    "nothing is joined that the tracks do not join": (*("1 north in; 5 east out track=7", "?>east north>?"),),
    "the number went to another object": ("1 north in; 5 east out first_s=3", "north>? ?>east"),
    "a visit that another track goes on with": (
        "3 north exit; 9 east enter; 14 east exit track=9 entered_id=1; 20 south enter track=9",
        "north>east east>south",
    ),
    "within two seconds": ("1 north in; 5 east out; 6.9 east in; 9 south out", "north>south"),
    "after two seconds": ("1 north in; 5 east out; 7.1 east in; 9 south out", "north>east east>south"),
    "as long as may be": ("1 north in; 301 east out", "north>east"),
    "from zone to zone next to it": ("1 north exit; 2 east enter", "north>east"),
    "through a small zone": ("1 north exit; 9 east enter; 10 east exit", "north>east"),
    "by a zone and back, the last counts": ("1 north exit; 2 east enter; 2.5 north enter", "north>north"),
    "a visit after all is told is another": (
        *("3 north exit; 9 east enter; 12 east exit; 400 east enter; 405 east exit", "north>east east>?"),
    ),
    "the end of a visit that another track goes on with": (
        *("3 north exit; 9 east enter; 14 east exit track=9 entered_id=1", "north>east"),
    ),
    "other lines are none of its business": ("1 west in; 2 north in; 3 west out; 4 east out", "north>east"),
}


def event(text: str) -> Event:
    time, section, way, *more = text.split()
    data = {key: float(value) for key, _, value in (word.partition("=") for word in more)}
    track = int(data.pop("track", 1))
    return (line if way in ("in", "out") else zone)(float(time), section, way, track, **data)


@pytest.mark.parametrize("name", CASES)
def test_from_crossings_to_journeys(name: str) -> None:
    text, told_of = CASES[name]
    events = [event(each) for each in text.split("; ")]
    expected = told_of.split()
    for order in itertools.permutations(events):
        assert ways(added_up(list(order))) == expected, order
    for n in range(len(events)):  # cut in two anywhere
        first, second = Journeys(SECTIONS), Journeys(SECTIONS)
        told = []
        for each in events[:n]:
            first.take(each)
            told += first.advance(each.time)
        second.restore(json.loads(json.dumps(first.state())))
        for each in events[n:]:
            second.take(each)
        assert ways([*told, *second.finish()]) == expected


crossings = st.lists(
    st.builds(
        line,
        st.integers(0, 3000).map(lambda tenths: tenths / 10),
        st.sampled_from(SECTIONS),
        st.sampled_from(["in", "out"]),
        st.integers(1, 3),
    ),
    unique_by=lambda event: event.data["crossed_s"],
    max_size=20,
)


@examples(100)
@given(crossings, st.sampled_from([1.0, 10.0, 300.0]), st.sampled_from([0.04, 1.0, 7.0]), st.randoms())
def test_what_comes_out_depends_on_neither_frames_nor_lateness(
    events: list[Event], max_s: float, period: float, random: object
) -> None:
    """Whenever somebody looks, however events are late, the journeys are these."""
    late = {id(event): event.data["crossed_s"] + random.uniform(0, HOLD_S) for event in events}  # type: ignore[attr-defined]
    expected = added_up(events, max_s=max_s)
    journeys, told, now = Journeys(SECTIONS, max_s=max_s), list[Journey](), 0.0
    for event in sorted(events, key=lambda event: late[id(event)]):
        while now + period <= late[id(event)]:
            now += period
            told += journeys.advance(now)
        journeys.take(event)
    told += journeys.finish()

    def in_order(found: list[Journey]) -> list[str]:
        return sorted(map(repr, found))

    assert in_order(told) == in_order(expected)


@given(crossings, st.sampled_from([1.0, 300.0]))
def test_every_crossing_out_or_in_belongs_to_one_journey_at_most(events: list[Event], max_s: float) -> None:
    journeys = added_up(events, max_s=max_s)
    ends = [end for journey in journeys for end in (journey.came, journey.left) if end is not None]
    assert len(set(ends)) == len(ends) <= len(events)
    for journey in journeys:
        if journey.came and journey.left:
            assert journey.came.object_id == journey.left.object_id
            assert journey.came.time < journey.left.time
    if events:
        assert journeys, "whoever was seen is told of"


def test_the_less_sure_end_says_how_sure() -> None:
    (journey,) = added_up(
        [line(1, "north", "in", sure=0.7, why="feet hidden"), line(5, "east", "out", sure=0.98)]
    )
    assert journey.least_sure is not None
    assert (journey.least_sure.sure, journey.least_sure.why) == (0.7, "feet hidden")
    (journey,) = added_up([zone(3, "north", "exit"), line(5, "east", "out", sure=0.98)])
    assert journey.least_sure is not None and journey.least_sure.sure == 0.98
    (journey,) = added_up([zone(3, "north", "exit")])
    assert journey.least_sure is None


def test_it_is_told_when_nothing_earlier_can_come() -> None:
    journeys = Journeys(SECTIONS)
    for event in (line(1, "north", "in"), line(5, "east", "out"), line(5, "south", "in", 2)):
        journeys.take(event)
    assert journeys.advance(5 + HOLD_S + AGAIN_S) == []
    assert [journey.to for journey in journeys.advance(5.1 + HOLD_S + AGAIN_S)] == ["east"]
    assert journeys.advance(5 + HOLD_S + 300) == []
    assert [journey.origin for journey in journeys.advance(5.1 + HOLD_S + 300)] == ["south"]


def test_who_was_under_way_when_the_state_was_saved_is_told_in_time() -> None:
    first, second = Journeys(SECTIONS), Journeys(SECTIONS)
    first.take(line(1, "north", "in"))
    assert first.advance(50) == []
    second.restore(json.loads(json.dumps(first.state())))
    assert ways(second.advance(400)) == ["north>?"]


def test_events_of_nobody_are_no_crossings() -> None:
    nobody = Event("line.in", 1.0, 0, data={"line": "north", "crossed_s": 1.0})
    assert crossing_of(nobody, SECTIONS) is None
    assert crossing_of(line(1, "west", "in"), SECTIONS) is None
    assert crossing_of(Event("zone.loiter", 1.0, 0, 1, data={"zone": "north"}), SECTIONS) is None
