"""Lines and zones that change while a run goes on: what was counted, and who is inside, is kept."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent.parent / "plugins"))

from walks import BORDER_X, SIZE, SPAN, frame, scene, tracks

from tracker.plugin_host import Host
from tracker.plugins.movement import Movement
from tracker.run.live_shapes import LiveShapes
from tracker.types import Event, OptionError
from tracker.zones.shapes import Shape

FLOAT_SIZE = (float(SIZE[0]), float(SIZE[1]))
LINE = Shape("line", "door", ((BORDER_X, SPAN[0]), (BORDER_X, SPAN[1])), FLOAT_SIZE)
ZONE = Shape("zone", "hall", ((500, 200), (880, 200), (880, 880), (500, 880)), FLOAT_SIZE, loiter_s=3.0)
EXTENT = 40.0, 90.0


class Stage:
    """Plugins of two shapes, and people who walk over the line into the zone and back."""

    def __init__(self, shapes: list[Shape], fps: float = 10.0) -> None:
        self.scene, self.fps = scene(fps), fps
        self.host = Host([shape.plugin(SIZE) for shape in shapes])
        self.host.start(self.scene)
        self.live = LiveShapes(self.host, self.scene)
        self.live.adopt([(f"s{n}", shape) for n, shape in enumerate(shapes)])
        self.events: list[Event] = []
        self.index = 0

    def show(self, places: dict[int, tuple[float, float]]) -> None:
        boxes = [(x - EXTENT[0] / 2, y - EXTENT[1], x + EXTENT[0] / 2, y) for x, y in places.values()]
        seen = tracks([*places], np.array(boxes)) if places else tracks([], [])
        found, _ = self.host.look(frame(self.index, self.fps), seen)
        self.events += found
        self.live.at(self.index / self.fps, self.index)
        self.index += 1

    def kinds(self) -> Counter[str]:
        return Counter(event.kind for event in self.events)


def walkers(index: int) -> dict[int, tuple[float, float]]:
    """Six people in lanes of their own, each to and fro between x = 200 and x = 800."""
    places = {}
    for person in range(6):
        phase = (index + 17 * person) % 120
        part = phase / 60 if phase < 60 else 2 - phase / 60
        places[person + 1] = (200 + 600 * part, 250.0 + 90 * person)
    return places


def played(every: int | None, frames: int = 400) -> Stage:
    stage = Stage([LINE, ZONE])
    for index in range(frames):
        stage.show(walkers(index))
        if every and index % every == every - 1:
            # another colour and back: the plugins are made anew, the geometry is the same
            color = "red" if index % (2 * every) == every - 1 else "blue"
            stage.live.put([("s0", replace(LINE, color=color)), ("s1", replace(ZONE, color=color))])
    stage.events += stage.host.finish()
    return stage


@pytest.mark.slow
@pytest.mark.parametrize(
    "every", [pytest.param(1, marks=pytest.mark.slow), pytest.param(13, marks=pytest.mark.slow), 25]
)
def test_shapes_put_again_count_as_if_nobody_had_touched_them(every: int) -> None:
    untouched, changed = played(None), played(every)
    assert untouched.kinds()["line.in"] > 10
    assert untouched.kinds()["zone.enter"] > 10
    assert untouched.kinds()["zone.loiter"] > 3
    told = [event for event in changed.events if event.kind != "shape.changed"]
    assert told == untouched.events
    assert changed.host.summaries() == untouched.host.summaries()


def test_the_same_shapes_change_nothing_at_all() -> None:
    stage = Stage([LINE, ZONE])
    before = [member.given for member in stage.host.members]
    assert stage.live.put([("s0", LINE), ("s1", ZONE)]) == []
    assert [member.given for member in stage.host.members] == before


def test_a_zone_moved_by_a_pixel_has_no_entry_of_who_is_inside() -> None:
    stage = Stage([ZONE])
    for x in range(300, 700, 20):
        stage.show({1: (float(x), 500.0)})
    assert stage.kinds()["zone.enter"] == 1
    moved = replace(ZONE, points=tuple((x + 1, y) for x, y in ZONE.points))
    stage.live.put([("s0", moved)])
    for _ in range(20):
        stage.show({1: (700.0, 500.0)})
    assert stage.kinds()["zone.enter"] == 1
    assert stage.kinds()["zone.exit"] == 0


def test_a_line_moved_over_somebody_counts_nobody() -> None:
    stage = Stage([LINE])
    for _ in range(20):
        stage.show({1: (600.0, 400.0)})
    moved = replace(LINE, points=((700, SPAN[0]), (700, SPAN[1])))
    stage.live.put([("s0", moved)])
    for _ in range(20):
        stage.show({1: (600.0, 400.0)})
    assert not stage.kinds()["line.in"] + stage.kinds()["line.out"]
    for x in range(600, 800, 10):
        stage.show({1: (float(x), 400.0)})
    assert stage.kinds()["line.in"] == 1


def test_who_was_about_to_cross_is_forgotten_when_the_line_moves() -> None:
    stage = Stage([LINE])
    for x in range(380, 452, 4):
        stage.show({1: (float(x), 400.0)})  # beyond the line by a pixel, not clear of it
    stage.live.put([("s0", replace(LINE, points=((300, SPAN[0]), (300, SPAN[1]))))])
    for x in range(452, 600, 10):
        stage.show({1: (float(x), 400.0)})
    assert not stage.kinds()["line.in"] + stage.kinds()["line.out"]


def test_totals_follow_a_new_name_and_new_directions() -> None:
    stage = Stage([LINE])
    for x in range(300, 600, 10):
        stage.show({1: (float(x), 400.0)})
    stage.live.put([("s0", replace(LINE, name="entrance", names=("arrived", "left")))])
    for x in range(300, 600, 10):
        stage.show({2: (float(x), 600.0)})
    rows = stage.host.summaries()[0]
    assert (rows[0][0], rows[0][1][0], rows[1][0]) == ("entrance arrived", "2", "entrance left")
    changed = next(event for event in stage.events if event.kind == "shape.changed")
    assert (changed.data["old"]["name"], changed.data["new"]["name"]) == ("door", "entrance")
    assert changed.counted_as is None, "nobody has crossed"
    assert [*stage.host.states()] == ["line entrance"]


def test_what_is_removed_says_its_last_and_stays_in_the_table() -> None:
    stage = Stage([LINE, ZONE])
    for x in range(300, 700, 10):
        stage.show({1: (float(x), 500.0)})
    stage.live.put([("s0", LINE)])
    stage.show({1: (700.0, 500.0)})
    assert stage.kinds()["zone.exit"] == 1
    ended = next(event for event in stage.events if event.kind == "zone.exit")
    assert ended.time == pytest.approx((stage.index - 2) / stage.fps)
    rows = [name for rows in stage.host.summaries() for name, _ in rows]
    assert "hall entries" in rows
    assert len(stage.host.members) == 1


@pytest.mark.parametrize("change", [{"anchor": "center"}, {"classes": ("person", "car")}])
def test_another_anchor_or_class_closes_visits_and_keeps_totals(change: dict[str, object]) -> None:
    stage = Stage([ZONE])
    for x in range(300, 700, 20):
        stage.show({1: (float(x), 500.0)})
    stage.live.put([("s0", replace(ZONE, **change))])  # type: ignore[arg-type]
    stage.show({})
    assert (stage.kinds()["zone.enter"], stage.kinds()["zone.exit"]) == (1, 1)
    assert stage.live.counters[0].plugin.entries == 1  # type: ignore[union-attr]


def test_from_zero_counts_anew_and_lets_people_stay_where_they_are() -> None:
    stage = Stage([LINE, ZONE])
    for x in range(300, 700, 10):
        stage.show({1: (float(x), 500.0)})
    stage.live.zero()
    stage.show({1: (700.0, 500.0)})
    zero = next(event for event in stage.events if event.kind == "counts.zero")
    assert zero.data["totals"]["door"] == {"in": 1, "out": 0}
    assert zero.data["totals"]["hall"]["enter"] == 1
    for x in range(700, 300, -10):
        stage.show({1: (float(x), 500.0)})
    for _ in range(20):
        stage.show({1: (300.0, 500.0)})
    assert (stage.kinds()["zone.enter"], stage.kinds()["zone.exit"]) == (1, 1)
    totals = stage.live.counters[0].plugin.totals  # type: ignore[union-attr]
    assert dict(totals) == {("out", "person"): 1}


def test_a_shape_that_cannot_be_used_changes_nothing() -> None:
    stage = Stage([LINE])
    before = [member.given for member in stage.host.members]
    crossing = replace(ZONE, points=((0, 0), (100, 100), (100, 0), (0, 100)))
    with pytest.raises(OptionError, match="crosses itself"):
        stage.live.put([("s0", LINE), ("new", crossing)])
    assert [member.given for member in stage.host.members] == before
    stage.show({})
    assert stage.events == []


def test_a_line_that_a_movement_needs_keeps_its_name() -> None:
    stage = Stage([LINE, ZONE])
    counter = Movement(("door", "hall"), "way in")
    counter.start(stage.scene)
    stage.host.exchange([*(member.given for member in stage.host.members), counter])
    stage.live.check([("s0", replace(LINE, color="red")), ("s1", ZONE)])
    for lost in ([("s1", ZONE)], [("s0", replace(LINE, name="gate")), ("s1", ZONE)]):
        with pytest.raises(OptionError, match="movement 'way in' counts at 'door'"):
            stage.live.check(lost)
