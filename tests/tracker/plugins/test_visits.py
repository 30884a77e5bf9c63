"""Two boxes on one object are one visitor; two people are two, however near one another they stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from walks import frame, scene, tracks

from tracker.plugins.zone import Zone
from tracker.types import Event

SQUARE = [(300, 300), (600, 300), (600, 600), (300, 600)]
Box = tuple[float, float, float, float]


def run(moments: Sequence[dict[int, Box]], classes: dict[int, int] | None = None) -> tuple[Zone, list[Event]]:
    """Show boxes by number, ten frames a second."""
    zone, kinds, events = Zone(SQUARE), classes or {}, list[Event]()
    zone.start(scene())
    for index, seen in enumerate(moments):
        class_ids = [kinds.get(number, 0) for number in seen]
        events += zone.update(frame(index), tracks(list(seen), list(seen.values()), class_ids))
    return zone, events + list(zone.finish())


def in_front(x: float) -> Box:
    return x - 30, 300.0, x + 30, 500.0


def behind(x: float) -> Box:
    return x - 20, 290.0, x + 20, 440.0


@pytest.mark.parametrize("way", ["stand", "walk", "come in"])
@pytest.mark.parametrize("first", ["in front", "behind", "both"])
def test_two_people_one_behind_the_other_for_eight_seconds_are_two(way: str, first: str) -> None:
    """Both are of one class and overlap; who walks does not keep in step to a few pixels."""
    sway = np.random.default_rng(0).normal(0, 1.5, (90, 2)).cumsum(axis=0)
    moments: list[dict[int, Box]] = []
    for n in range(90):
        x = {"stand": 450.0, "walk": 420.0 + n / 2, "come in": 280.0 + min(2.0 * n, 160)}[way]
        a, b = (x, x) if way == "stand" else (x + sway[n, 0] / 4, x + np.clip(sway[n, 1] * 2, -12, 12))
        pair = {1: in_front(a), 2: behind(b)}
        late = {"in front": 2, "behind": 1}.get(first)
        moments.append({k: box for k, box in pair.items() if k != late or n >= 2})
    zone, events = run(moments)
    assert (zone.entries, zone.visitors, zone.dwell.count) == (2, 2, 2)
    if way == "stand":  # else they are told apart once they are out of step
        assert max(e.time - e.data["since_s"] for e in events if e.kind == "zone.enter") <= 1.3


def test_a_box_is_not_passed_from_one_host_to_the_next() -> None:
    """Larger people walk by in front of somebody small who stands there, each for less than a second."""
    moments = []
    for n in range(80):
        seen = {1: behind(450.0)}
        for k in range(8):
            x = 450 + 6.0 * (n - 10 * k - 5)
            if abs(x - 450) < 200:
                seen[10 + k] = in_front(x)
        moments.append(seen)
    zone, events = run(moments)
    small = [e for e in events if e.track_id == 1]
    assert [(e.kind, e.data["since_s"]) for e in small] == [("zone.enter", 0.0), ("zone.exit", 0.0)]
    assert zone.visitors == len({e.track_id for e in events})


@pytest.mark.parametrize("classes", [{}, {2: 2}])
@pytest.mark.parametrize("smaller_first", [0, 3])
def test_a_second_box_that_moves_with_the_first_is_never_counted(
    classes: dict[int, int], smaller_first: int
) -> None:
    """Through the zone for ten seconds; the larger of the two may be seen later."""
    noise = np.random.default_rng(1).normal(0, 0.5, (100, 2, 4))
    moments = []
    for n in range(100):
        x = 250.0 + 4 * n
        boxes = np.array([in_front(x), (x - 20, 310, x + 25, 430 if n % 2 else 428)]) + noise[n]
        moments.append({k + 1: tuple(box) for k, box in enumerate(boxes.tolist()) if k or n >= smaller_first})
    zone, _ = run(moments, classes)  # type: ignore[arg-type]
    assert (zone.entries, zone.visitors, zone.dwell.count) == (1, 1, 1)


@pytest.mark.parametrize(("common", "visitors"), [(0.55, 1), (0.45, 2)])
def test_a_box_of_which_less_than_half_is_common_is_somebody_of_its_own(common: float, visitors: int) -> None:
    """A narrow box at the end of a parked van slips out of its box, by less than a quarter of its size."""
    van: Box = (350.0, 350.0, 550.0, 480.0)
    moments: list[dict[int, Box]] = []
    for n in range(40):
        inside = 20 * max(0.8 - 0.05 * n, common)
        moments.append({1: van, 2: (550 - inside, 370, 570 - inside, 470)})
    zone, _ = run(moments, {1: 7})
    assert (zone.entries, zone.visitors) == (visitors, visitors)


def test_a_lorry_that_comes_out_of_the_edge_of_the_picture_keeps_its_cab() -> None:
    """Its box grows while it enters; the cab is in front of it all the time."""
    moments = []
    for n in range(60):
        front = 10.0 + 12 * n
        seen: dict[int, Box] = {1: (max(front - 300, 0.0), 350, front, 480)}
        seen[2] = (max(front - 60, 0.0), 370, front - 4, 476)
        moments.append(seen)
    zone, _ = run(moments, {1: 7, 2: 2})
    assert (zone.entries, zone.visitors) == (1, 1)


def test_who_walks_before_a_parked_lorry_is_somebody_of_its_own() -> None:
    lorry: Box = (310.0, 250.0, 590.0, 560.0)
    moments = [{1: lorry, 2: (x - 20, 400.0, x + 20, 520.0)} for x in np.linspace(340, 560, 60).tolist()]
    zone, events = run(moments, {1: 7})
    assert (zone.entries, zone.visitors) == (2, 2)
    assert [e.data["since_s"] for e in events if e.kind == "zone.enter"] == [0.0, 0.0]


def test_a_part_that_alone_is_left_goes_on_with_the_visit() -> None:
    """The lorry's own box is lost for good, its cab's is not: still one visit, without a break."""
    moments = []
    for n in range(120):
        x = 250.0 + 2 * n
        seen: dict[int, Box] = {2: (x - 10, 420, x + 30, 476)}
        if n < 50:
            seen[1] = (x - 80, 380, x + 80, 480)
        moments.append(seen)
    zone, _ = run(moments, {1: 7, 2: 2})
    assert (zone.entries, zone.visitors, zone.dwell.count) == (1, 1, 1)
    assert zone.dwell.sum > 8


def test_a_visit_handed_over_takes_its_visitor_along() -> None:
    """The smaller box counts first, the larger takes over, then they part: two people, two visitors."""
    moments: list[dict[int, Box]] = [{2: behind(450.0)}] * 2
    moments += [{2: behind(450.0), 1: in_front(450.0)}] * 4
    moments += [{2: behind(450.0), 1: in_front(540.0)}] * 10
    zone, events = run(moments)
    assert (zone.entries, zone.visitors) == (2, 2)
    assert len([e for e in events if e.kind == "zone.exit"]) == 2


def passer(x: float) -> Box:
    return x - 20, 400.0, x + 20, 490.0


@pytest.mark.parametrize("hidden_s", [0.8, 1.5, 2.5])
def test_who_is_hidden_in_the_middle_of_a_zone_and_gets_another_number_is_one_visit(hidden_s: float) -> None:
    """Behind a pole it takes its time; it comes out where it may have walked."""
    moments: list[dict[int, Box]] = [{1: passer(250 + 6.0 * n)} for n in range(30)]
    moments += [{}] * round(10 * hidden_s)
    moments += [{2: passer(480 + 6.0 * n)} for n in range(40)]
    zone, events = run(moments)
    assert (zone.entries, zone.visitors, zone.dwell.count) == (1, 1, 1)
    assert zone.dwell.sum == pytest.approx(4.2 + hidden_s - 0.1, abs=0.3)
    assert [e.track_id for e in events] == [1, 2]


@pytest.mark.slow_after(4)
@pytest.mark.parametrize("apart_s", [0.6, 1.0, 1.6, 2.0])
@pytest.mark.parametrize("seen_s", [1.0, 1.5, 2.0])
def test_who_comes_out_of_a_door_inside_a_zone_is_the_next_one(apart_s: float, seen_s: float) -> None:
    """All come out at one place, walk a little and are hidden at another, still inside."""
    moments = []
    for n in range(300):
        since = {k + 1: n / 10 - apart_s * k for k in range(10)}
        moments.append({k: passer(400 + 60 * s) for k, s in since.items() if 0 <= s < seen_s})
    zone, _ = run(moments)
    assert (zone.entries, zone.visitors, zone.dwell.count) == (10, 10, 10)


@pytest.mark.parametrize("goes_in", [False, True])
def test_a_passing_waits_while_the_feet_are_hidden(goes_in: bool) -> None:
    """Somebody's box ends above the feet, as another stands in front, and slips down past the border."""
    moments: list[dict[int, Box]] = []
    for n in range(40):
        hidden, after = 20 <= n < 28, n >= 28
        top = 150.0 + (5.0 * (n - 19) if hidden else 40.0 if after and goes_in else 0.0)
        seen: dict[int, Box] = {1: (430, top, 470, top + (65 if hidden else 120))}
        moments.append(seen | ({2: (410.0, top + 60, 900.0, 640.0)} if hidden else {}))
    events = run(moments)[1]
    entered = [event for event in events if event.kind == "zone.enter" and event.track_id == 1]
    assert len(entered) == goes_in
    assert all(event.frame >= 28 > 10 * event.data["since_s"] for event in entered)


@pytest.mark.slow_after(3)
@pytest.mark.parametrize("fps", [5.0, 30.0])
@pytest.mark.parametrize("way", [(0.0, 1.0), (0.0, -1.0), (1.0, 1.0), (1.0, -1.0)])
def test_the_backpack_of_somebody_slow_is_no_second_visitor(fps: float, way: tuple[float, float]) -> None:
    """Its lower edge passes the border more than a second after the feet, or before them."""
    zone = Zone(SQUARE)
    zone.start(scene(fps))
    rng = np.random.default_rng(0)
    for index in range(round(14 * fps)):
        x, y = 450 + np.array(way) * (48 * index / fps - 350)
        boxes = [[x - 24, y - 120, x + 24, y], [x - 20, y - 98, x + 8, y - 54]]
        shaken = boxes + rng.normal(0, 1, (2, 4))
        zone.update(frame(index, fps), tracks([1, 2], shaken, [0, 2]))
    list(zone.finish())
    assert (zone.entries, zone.visitors) == (1, 1)


def test_who_walks_past_a_parked_car_is_no_part_of_it() -> None:
    zone, events = run(
        [{1: (350, 310, 590, 470), 2: (400 + 6 * n, 380, 420 + 6 * n, 460)} for n in range(-25, 20)],
        {1: 2, 2: 0},
    )
    assert (zone.entries, zone.visitors) == (2, 2)
    assert max(e.time - e.data["since_s"] for e in events if e.kind == "zone.enter") <= 1.3


def test_a_slow_lorry_and_its_cab_are_one_visitor() -> None:
    """The middle of the lorry is over the border 1.4 s after the cab's."""
    moments: list[dict[int, Box]] = []
    for n in range(90):
        front = 280.0 + 8 * n
        moments.append({1: (front - 300, 250, front, 450), 2: (front - 84, 300, front - 4, 447)})
    zone, _ = run(moments, {1: 7, 2: 7})
    assert (zone.entries, zone.visitors) == (1, 1)
