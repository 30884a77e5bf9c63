"""What every built-in plugin promises: cut in two anywhere, it tells what it would have told in one piece."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
from stage import scene, standing

from bytetrack import Tracks
from tracker.plugins import Plugin
from tracker.plugins.follow import Follow
from tracker.plugins.heatmap import Heatmap
from tracker.plugins.line import Line
from tracker.plugins.route import Route
from tracker.plugins.speed import Speed
from tracker.plugins.zone import Zone
from tracker.types import Canvas, Event, Frame

FRAMES = 120
MIDDLE = [(250.0, 150.0), (420.0, 150.0), (420.0, 440.0), (250.0, 440.0)]
PLUGINS: dict[str, Callable[[], Plugin]] = {
    "line": lambda: Line([(320, 0), (320, 480)]),
    "zone": lambda: Zone(MIDDLE, loiter_s=2.0),
    "route": Route,
    "heatmap": Heatmap,
    "heatmap of who stands": lambda: Heatmap(mode="standing"),
    "speed": lambda: Speed(image="0,0 640,0 640,480 0,480", metres="20x15", limit_kmh=4),
    "follow": lambda: Follow("1"),
}


def street(index: int) -> Tracks:
    """One walks to the right and is hidden for a second, one comes back, one stands and leaves."""
    feet: dict[int, tuple[float, float]] = {}
    if not 55 <= index < 65:
        feet[1] = (20 + 5 * index, 400)
    if 10 <= index < 110:
        feet[2] = (600 - 5 * min(index - 10, 110 - index), 200)
    if index < 70:
        feet[3] = (330, 300)
    return standing(feet, box=(30, 70))


def look(plugin: Plugin, frames: range) -> list[Event]:
    image = np.zeros((480, 640, 3), np.uint8)
    return [
        event for index in frames for event in plugin.update(Frame(image, index, index / 10), street(index))
    ]


def plain(events: list[Event]) -> list[object]:
    return [json.loads(json.dumps(asdict(event), default=float)) for event in events]


@pytest.fixture(params=PLUGINS)
def make(request: pytest.FixtureRequest) -> Callable[[], Plugin]:
    return PLUGINS[request.param]


@pytest.mark.slow_after(3)
@pytest.mark.parametrize(
    "cut", [58, *(pytest.param(cut, marks=pytest.mark.slow) for cut in (1, 30, 69, 119))]
)
def test_cut_in_two_it_tells_the_same(make: Callable[[], Plugin], cut: int) -> None:
    whole, first, second = make(), make(), make()
    for plugin in (whole, first, second):
        plugin.start(scene())
    events = look(whole, range(FRAMES))
    before = look(first, range(cut))
    state = json.loads(json.dumps(first.state(), allow_nan=False))
    second.restore(state, True)
    assert json.loads(json.dumps(second.state(), allow_nan=False)) == state, "nothing is lost on the way"
    parts = [*before, *look(second, range(cut, FRAMES))]
    assert plain(parts) == plain(events)
    assert plain(list(second.finish())) == plain(list(whole.finish()))
    assert list(second.summary()) == list(whole.summary())


def test_a_state_from_before_ways_were_remembered_goes_on() -> None:
    """Of a line: certainty has less to go by for two seconds; what is counted is the same."""
    whole, first, second = PLUGINS["line"](), PLUGINS["line"](), PLUGINS["line"]()
    for plugin in (whole, first, second):
        plugin.start(scene())
    look(whole, range(FRAMES))
    look(first, range(66))
    text = json.dumps(first.state())
    older = json.loads(text, object_hook=lambda known: {key: known[key] for key in known if key != "way"})
    assert older != json.loads(text)
    older["doubles"] = [[*one[:4], [one[2]]] for one in older["doubles"]]
    second.restore(older, True)
    look(second, range(66, FRAMES))
    assert [value.split()[0] for _, value in second.summary()] == [
        value.split()[0] for _, value in whole.summary()
    ]


def test_it_says_what_it_found_in_words_and_every_event_where(make: Callable[[], Plugin]) -> None:
    plugin = make()
    plugin.start(scene())
    empty = list(plugin.summary())
    events = [*look(plugin, range(FRAMES)), *plugin.finish()]
    rows = list(plugin.summary())
    assert rows != empty and all(name and value for name, value in rows)
    for event in events:
        assert event.kind.partition(".")[0] == type(plugin).__name__.lower()
        if event.track_id is not None:
            assert event.data["class_name"] == "person"
            if not isinstance(plugin, Route | Follow):  # they tell of a way, not of a place
                assert {"x", "y"} <= set(event.data)


FIRST: dict[str, dict[str, dict[str, object]]] = {  # what the first event of each kind tells
    "line": {
        "line.in": {
            "line": "line",
            "direction": "in",
            "class_name": "person",
            "x": 320.0,
            "y": 400.0,
            "crossed_s": 6.0,
            "sure": 0.98,
        }
    },
    "zone": {
        "zone.enter": {"zone": "zone", "class_name": "person", "x": 330.0, "y": 300.0, "since_s": 0.0},
        "zone.loiter": {"zone": "zone", "class_name": "person", "x": 330.0, "y": 300.0, "dwell_s": 2.0},
        "zone.exit": {
            "zone": "zone",
            "class_name": "person",
            "x": 425.0,
            "y": 200.0,
            "dwell_s": 2.7,
            "since_s": 4.7,
            "left_s": 7.4,
        },
    },
    "route": {
        "route.end": {"class_name": "person", "entry": "left", "exit": "right", "start_s": 0.0, "end_s": 11.9}
    },
    "speed": {
        "speed.over": {"class_name": "person", "x": 65.0, "y": 400.0, "kmh": 5.6, "limit_kmh": 4},
        "speed.end": {"class_name": "person", "x": 330.0, "y": 300.0, "kmh": 0.0, "top_kmh": 0.0},
    },
}
ROWS = {
    "line": [("line in", "1"), ("line out", "0")],
    "zone": [
        ("zone entries", "3  (3 visitors)"),
        ("zone occupancy", "1.09 on average, 3 at most"),
        ("zone dwell", "half 3.4 s or less, nine in ten 7.0 s, longest 7.0 s"),
        ("zone longer than 2 s", "3"),
    ],
    "route": [("routes", "2"), ("left to right", "1"), ("within the picture", "1")],
    "heatmap": [("present", "28 s, all objects together"), ("most at", "332,302: 7 s")],
    "speed": [("person", "3 measured, median 6 km/h, 85 % below 6 km/h, fastest 6 km/h")],
    "follow": [("followed", "person 1, seen 10.9 s of 11.9 s")],
}


@pytest.mark.parametrize("name", ROWS)
def test_events_and_rows_are_told_in_these_words(name: str) -> None:
    plugin, first = PLUGINS[name](), dict[str, object]()
    plugin.start(scene())
    for event in [*look(plugin, range(FRAMES)), *plugin.finish()]:
        first.setdefault(event.kind, dict(event.data))
    assert list(plugin.summary()) == ROWS[name]
    if name in FIRST:
        assert first == FIRST[name]


def test_who_is_lost_is_told_with_the_moment_he_was_last_seen() -> None:
    follow = Follow("3")
    follow.start(scene())
    lost = [event for event in look(follow, range(FRAMES)) if event.kind == "follow.lost"]
    assert [(event.track_id, event.data) for event in lost] == [(3, {"class_name": "person", "seen_s": 6.9})]


@pytest.mark.slow
def test_routes_are_left_as_geojson_is_laid_out() -> None:
    route = Route()
    route.start(scene())
    look(route, range(FRAMES))
    list(route.finish())
    left = dict(route.files()["routes.json"])
    (feature, _) = left.pop("features")
    assert left == {
        "type": "FeatureCollection",
        "unit": "pixels",
        "size": [640, 480],
        "routes": 2,
        "kept": 2,
        "went_nowhere": 1,
        "groups": [
            {"entry": "left", "exit": "right", "routes": 1},
            {"entry": "inside", "exit": "inside", "routes": 1},
        ],
    }
    assert feature == {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[20.0, 400.0], [615.0, 400.0]]},
        "properties": {"track_id": 1, **FIRST["route"]["route.end"]},
    }


def test_a_zone_shows_its_name_and_how_many_are_in_it() -> None:
    zone, canvas = Zone(MIDDLE, "till", loiter_s=2.0), Canvas()
    zone.start(scene())
    look(zone, range(40))
    zone.draw(canvas)
    texts = [mark.arguments["text"] for mark in canvas.marks if mark.kind == "text"]
    assert texts == ["till: 1"]
    assert [mark.arguments["texts"] for mark in canvas.marks if mark.kind == "labels"] == [{3: "till 4 s"}]


@pytest.mark.parametrize("name", ["zone", "speed"])
def test_a_class_without_a_name_is_told_by_its_number(name: str) -> None:
    plugin, image = PLUGINS[name](), np.zeros((480, 640, 3), np.uint8)
    plugin.start(scene())
    events: list[Event] = []
    for index in range(90):
        tracks = standing({1: (150 + 5 * index, 300)}, box=(30, 70), classes=9)
        events += plugin.update(Frame(image, index, index / 10), tracks)
    assert {event.data["class_name"] for event in [*events, *plugin.finish()]} == {"9"}
    if name == "speed":
        assert [row[0] for row in plugin.summary()] == ["9"]


def test_a_visit_begins_when_the_border_was_passed() -> None:
    zone = PLUGINS["zone"]()
    zone.start(scene())
    begun = [event.data["since_s"] for event in look(zone, range(FRAMES)) if event.kind == "zone.enter"]
    assert begun == [0.0, 4.6, 4.7]
