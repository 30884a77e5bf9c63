"""Laws of zones: whoever goes through one, however fast, thin the zone or rare the frames, is one visit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from walks import frame, scene, tracks

from bytetrack import Tracks
from tests.quick import examples
from tracker.plugins.zone import Zone
from tracker.types import Event, Frame

FPS = st.sampled_from([5.0, 10.0, 25.0, 30.0, 60.0])
Place = tuple[float, float]


def boxes(feet: dict[int, Place], box: tuple[float, float] = (30.0, 40.0)) -> Tracks:
    w, h = box
    return tracks(list(feet), [[x - w / 2, y - h, x + w / 2, y] for x, y in feet.values()])


def show(zone: Zone, seen: Iterator[tuple[Frame, Tracks]], fps: float) -> list[Event]:
    zone.start(scene(fps))
    events = [event for picture, present in seen for event in zone.update(picture, present)]
    return events + list(zone.finish())


def walking(
    ways: dict[int, Callable[[float], Place | None]], seconds: float, fps: float, box: tuple[float, float]
) -> Iterator[tuple[Frame, Tracks]]:
    for index in range(round(seconds * fps) + 1):
        places = {number: way(index / fps) for number, way in ways.items()}
        yield frame(index, fps), boxes({n: place for n, place in places.items() if place}, box)


def straight(start: Place, angle: float, speed: float, begin_s: float = 0.0) -> Callable[[float], Place]:
    return lambda t: (
        start[0] + math.cos(angle) * speed * (t - begin_s),
        start[1] + math.sin(angle) * speed * (t - begin_s),
    )


@st.composite
def convex(draw: st.DrawFn) -> np.ndarray:
    """A convex polygon about the middle of the picture, from a square to a splinter of 2 px."""
    corners = draw(st.integers(3, 8))
    turn = draw(st.floats(0, 2 * math.pi))
    round_ = np.linspace(0, 2 * math.pi, corners, endpoint=False) + turn
    wide, thin = draw(st.floats(60, 200)), draw(st.sampled_from([1.0, 4.0, 10.0, 60.0]))
    flat = np.stack([wide * np.cos(round_), thin * np.sin(round_)], 1)
    tilt = draw(st.floats(0, math.pi))
    c, s = math.cos(tilt), math.sin(tilt)
    return flat @ np.array([[c, s], [-s, c]]) + 450


def chord(polygon: np.ndarray, point: np.ndarray, way: np.ndarray) -> float:
    """Length of the line through a point inside a convex polygon: clipped by the half plane of each side."""
    low, high = -math.inf, math.inf
    middle = polygon.mean(axis=0)
    for a, b in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        normal = np.array([a[1] - b[1], b[0] - a[0]])
        normal = normal if normal @ (middle - a) > 0 else -normal
        rate, room = normal @ way, normal @ (point - a)
        if rate > 1e-12:
            low = max(low, -room / rate)
        elif rate < -1e-12:
            high = min(high, -room / rate)
    return high - low


@examples(60)
@given(convex(), st.floats(0, 2 * math.pi), st.floats(60, 4000), FPS, st.integers(1, 4))
def test_who_goes_straight_through_a_convex_zone_is_one_visit(
    polygon: np.ndarray, angle: float, speed: float, fps: float, times: int
) -> None:
    middle = polygon.mean(axis=0)
    way = np.array([math.cos(angle), math.sin(angle)])
    start, far = middle - 380 * way, 760 / speed
    apart = far + 5.0  # the one before is forgotten
    ways: dict[int, Callable[[float], Place | None]] = {}
    for n in range(times):
        line = straight((float(start[0]), float(start[1])), angle, speed, n * apart)
        ways[n + 1] = lambda t, line=line, n=n: line(t) if 0 <= t - n * apart <= far else None  # type: ignore[misc]
    zone = Zone(polygon)
    events = show(zone, walking(ways, times * apart, fps, (30.0, 40.0)), fps)
    kinds = [event.kind for event in events]
    inside_s = chord(polygon, middle, way) / speed
    seen_inside = [e.data["dwell_s"] for e in events if e.kind == "zone.exit"]
    if far * fps >= 4:  # else it is hardly seen on both sides
        assert (kinds.count("zone.enter"), kinds.count("zone.exit"), zone.visitors) == (times,) * 3
        np.testing.assert_allclose(seen_inside, inside_s, atol=1.001 / fps)
        if inside_s < 1 / fps:
            np.testing.assert_allclose(seen_inside, inside_s, atol=2.1e-3)


COMB = [(300, 300), (600, 300), (600, 320), (320, 320), (320, 390), (600, 390), (600, 410), (320, 410),
        (320, 480), (600, 480), (600, 500), (300, 500)]  # fmt: skip


@pytest.mark.slow_after(4)
@pytest.mark.parametrize("fps", [5.0, 25.0, 60.0, 200.0])
@pytest.mark.parametrize("speed", [100.0, 700.0, 5000.0])
@pytest.mark.parametrize("down", [True, False])
def test_each_arm_of_a_concave_zone_is_a_visit(fps: float, speed: float, down: bool) -> None:
    """Three arms 20 px high, 70 px apart, crossed one after the other or all between two frames."""
    line = straight(
        (450.0, 290.0 - speed / fps) if down else (450.0, 510.0 + speed / fps),
        math.pi / (2 if down else -2),
        speed,
    )
    zone = Zone(COMB)
    show(zone, walking({1: line}, 230 / speed + 3 / fps, fps, (30.0, 40.0)), fps)
    assert (zone.entries, zone.dwell.count, zone.visitors) == (3, 3, 1)
    assert zone.dwell.sum == pytest.approx(60 / speed, abs=3 / fps if speed / fps < 20 else 2e-3 + 3 / fps)


SQUARE = [(300.0, 300.0), (600.0, 300.0), (600.0, 600.0), (300.0, 600.0)]


@pytest.mark.parametrize("angle", [math.pi / 4, 3 * math.pi / 4, -math.pi / 4])
@pytest.mark.parametrize("step", [7.0, 50.0, 300.0, 600.0])
def test_a_path_through_corners_is_one_visit(angle: float, step: float) -> None:
    way = np.array([math.cos(angle), math.sin(angle)])
    start = 450 - 4.5 * 100 * way
    line = straight((float(start[0]), float(start[1])), angle, step * 10)
    zone = Zone(SQUARE)
    show(zone, walking({1: line}, 90.0 / step, 10.0, (30.0, 40.0)), 10.0)
    assert (zone.entries, zone.dwell.count) == (1, 1)
    assert zone.dwell.sum == pytest.approx(300 * math.sqrt(2) / (step * 10), abs=0.1001)


@pytest.mark.slow
@examples(40)
@given(convex(), st.integers(0, 7), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_jitter_on_a_border_or_a_corner_is_no_visit(
    polygon: np.ndarray, side: int, part: float, seed: int
) -> None:
    """Somebody comes up to the border and stands there for a minute, now on this side, now on that."""
    a, b = polygon[side % len(polygon)], polygon[(side + 1) % len(polygon)]
    at, middle = a + part * (b - a), polygon.mean(axis=0)
    outward = (at - middle) / np.hypot(*(at - middle))
    noise = np.random.default_rng(seed).uniform(-0.9, 0.9, (600, 2))
    feet = [at + 0.5 * outward + 30 * outward * back for back in range(9, 0, -1)]
    feet += list(at + 0.5 * outward + noise)
    zone = Zone(polygon)
    seen = ((frame(i), boxes({1: (float(x), float(y))}, (40.0, 90.0))) for i, (x, y) in enumerate(feet))
    assert show(zone, seen, 10.0) == []


@pytest.mark.parametrize("hidden", [(0.2, 0.9), (0.75, 1.5), (1.0, 1.4), (0.2, 1.9)])
def test_who_is_hidden_before_the_zone_or_in_it_is_one_visit(hidden: tuple[float, float]) -> None:
    """It walks 2 s at 300 px/s through a zone 100 px wide, which it is in from 0.8 to 1.13 s."""
    zone = Zone([(400.0, 200.0), (500.0, 200.0), (500.0, 700.0), (400.0, 700.0)])
    line = straight((160.0, 450.0), 0.0, 300.0)
    show(
        zone,
        walking({1: lambda t: None if hidden[0] <= t < hidden[1] else line(t)}, 2.5, 30.0, (30.0, 40.0)),
        30.0,
    )
    assert (zone.entries, zone.dwell.count, zone.visitors) == (1, 1, 1)


@st.composite
def platoons(draw: st.DrawFn) -> tuple[float, int, float, float, bool, str]:
    """Frame rate, how many, seconds apart, speed, whether each has two boxes, and where the door is."""
    fps = draw(st.sampled_from([5.0, 10.0, 25.0, 60.0]))
    apart = draw(st.sampled_from([0.1, 0.2, 0.4, 0.6, 1.0, 2.0]))
    speed = draw(st.floats(40, 500).filter(lambda v: v * apart >= 45))  # no two boxes in one place
    return (
        fps,
        draw(st.integers(2, 50)),
        apart,
        speed,
        draw(st.booleans()),
        draw(st.sampled_from(["middle", "edge"])),
    )


@pytest.mark.slow
@examples(40)
@given(platoons())
def test_everybody_of_a_platoon_is_counted_and_nobody_twice(
    given_: tuple[float, int, float, float, bool, str],
) -> None:
    """One lane, one behind the other, into a zone behind which, or in which, they are hidden."""
    fps, many, apart, speed, double, door = given_
    first, last, end = (860.0, 900.0, 910.0) if door == "edge" else (400.0, 480.0, 470.0)  # the picture: 900
    zone = Zone([(first, 200.0), (last, 200.0), (last, 700.0), (first, 700.0)])
    seconds = (many - 1) * apart + 260 / speed + 0.5

    def seen() -> Iterator[tuple[Frame, Tracks]]:
        for index in range(round(seconds * fps) + 1):
            ids, rows = [], []
            for n in range(many):
                x = first - 100 + speed * (index / fps - n * apart)
                if first - 100 <= x < end:
                    ids.append(n + 1)
                    rows.append([x - 20, 400, x + 20, 490])
                    if double:
                        ids.append(n + 1001)
                        rows.append([x - 15, 404, x + 17, 486])
            yield frame(index, fps), tracks(ids, rows)

    show(zone, seen(), fps)
    if speed / fps < end - first:  # each is seen inside
        assert (zone.entries, zone.visitors, zone.dwell.count) == (many, many, many)
