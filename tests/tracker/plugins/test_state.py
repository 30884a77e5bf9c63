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
from tracker.types import Event, Frame

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


@pytest.mark.parametrize("cut", [1, 30, 58, 69, 119])
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
