"""Routes: every object once, true to its way, by the sides it came and left by; bounded."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage import play, scene, standing

from bytetrack import Tracks
from tests.quick import examples
from tracker.plugins._shared.geometry import distance_to_segments
from tracker.plugins._shared.route_line import MOST_RAW, simplified
from tracker.plugins.route import Route
from tracker.types import Canvas, Frame, OptionError, Picture

SIDES = {"left": (5.0, 240.0), "right": (635.0, 240.0), "top": (320.0, 42.0), "bottom": (320.0, 478.0)}
MIDDLE = (320.0, 240.0)


def way(start: tuple[float, float], end: tuple[float, float], count: int) -> np.ndarray:
    return np.linspace(start, end, count)


@pytest.mark.slow
@examples(25)
@given(
    ways=st.lists(
        st.tuples(st.sampled_from(sorted(SIDES)), st.sampled_from(sorted(SIDES))).filter(
            lambda w: w[0] != w[1]
        ),
        min_size=1,
        max_size=6,
    ),
    fps=st.sampled_from([2.0, 10.0, 30.0]),
)
def test_every_object_has_one_route_between_its_sides(ways: list[tuple[str, str]], fps: float) -> None:
    route = Route()
    count = int(3 * fps) + 2
    paths = {i + 1: way(SIDES[a], SIDES[b], count) for i, (a, b) in enumerate(ways)}
    moments = [standing({i: path[k] for i, path in paths.items()}) for k in range(count)]
    events = play(route, moments, at=scene(fps=fps))
    assert sorted((e.data["entry"], e.data["exit"]) for e in events) == sorted(ways)
    assert sorted(e.track_id for e in events) == sorted(paths)
    left = route.files()["routes.json"]
    assert json.loads(json.dumps(left)) == left
    assert left["routes"] == left["kept"] == len(ways) == sum(g["routes"] for g in left["groups"])
    for feature in left["features"]:
        drawn = np.array(feature["geometry"]["coordinates"])
        true = paths[feature["properties"]["track_id"]]
        assert np.abs(drawn[[0, -1]] - true[[0, -1]]).max() < 0.1
        assert distance_to_segments(true, drawn[:-1], drawn[1:]).max() < 4


@pytest.mark.slow
@examples(10)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 2000))
def test_a_long_way_stays_bounded_and_near_the_truth(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    angle = np.cumsum(rng.normal(0, 0.15, count))
    true = np.array([320.0, 240]) + np.cumsum(4 * np.column_stack([np.cos(angle), np.sin(angle)]), axis=0)
    folded = np.abs((true + np.array([640, 480])) % [1280, 960] - [640, 480])  # a mirror at every edge
    folded = np.clip(folded, 2, [638, 478])
    route = Route()
    play(route, (standing({1: p}) for p in folded), at=scene(fps=30))
    features = route.files()["routes.json"]["features"]
    if not features:
        assert np.hypot(*np.ptp(folded, axis=0)) < 30  # it went nowhere
        return
    drawn = np.array(features[0]["geometry"]["coordinates"])
    assert len(drawn) <= MOST_RAW
    assert distance_to_segments(drawn, folded[:-1], folded[1:]).max() < 12


@pytest.mark.slow
def test_who_only_stands_has_no_route() -> None:
    rng = np.random.default_rng(3)
    route = Route()
    play(route, (standing({1: MIDDLE + rng.normal(0, 1, 2)}) for _ in range(3000)), at=scene())
    assert route.groups.total() == 0
    assert list(route.finish()) == [], "what has ended does not end again"
    assert route.still == 1
    assert route.files()["routes.json"]["went_nowhere"] == 1


def test_a_new_number_at_the_old_place_continues_the_route() -> None:
    route = Route()
    path = way(SIDES["left"], SIDES["right"], 60)
    moments = [standing({1 if k < 30 else 2: p}) for k, p in enumerate(path)]
    (event,) = play(route, moments, at=scene())
    assert (event.data["entry"], event.data["exit"], event.track_id) == ("left", "right", 2)


def test_a_route_ends_when_its_object_is_given_up() -> None:
    route = Route()
    path = [standing({1: p}) for p in way(SIDES["left"], MIDDLE, 20)]
    events = play(route, [*path, *[Tracks.empty()] * 40], at=scene(), finish=False)
    assert [e.kind for e in events] == ["route.end"]
    assert events[0].data["end_s"] == 1.9 < events[0].time
    assert not route._paths
    assert list(route.finish()) == []


@pytest.mark.slow
def test_more_routes_than_are_kept_are_counted_and_said() -> None:
    route = Route(keep=10)
    passers = [standing({k // 4 + 1: (100.0 + 50 * (k % 4), 100.0 + k // 4 % 7)}) for k in range(400)]
    play(route, passers, at=scene(lost_s=0.1))
    left = route.files()["routes.json"]
    assert (left["routes"], left["kept"], len(left["features"])) == (100, 10, 10)
    kept = [f["properties"]["track_id"] for f in left["features"]]
    assert min(kept) < 60 < max(kept), "a sample of the whole run, not of its beginning"
    assert "sample of 10" in dict(route.summary())["routes"]


def test_the_trail_is_bounded_smooth_and_in_the_colour_of_its_object() -> None:
    rng = np.random.default_rng(5)
    path = way((50, 300), (600, 300), 200)
    jittered = path + rng.normal(0, 2, path.shape)
    route = Route(seconds=2)
    route.start(scene(fps=25))
    picture = np.zeros((480, 640, 3), np.uint8)
    for index, p in enumerate(jittered):
        list(route.update(Frame(picture, index, index / 25), standing({4: p})))
        route.draw(canvas := Canvas())
    (mark,) = canvas.marks
    assert mark.kind == "polylines"
    assert mark.arguments["colors"] == [4]
    assert mark.arguments["lengths"] == [len(mark.arguments["points"])]
    assert mark.arguments["fade"]
    points = mark.arguments["points"]
    assert 20 <= len(points) <= 30
    assert jittered[-1, 0] - 2.1 * 25 * 2.76 < points[0, 0] < jittered[-1, 0] - 1.9 * 25 * 2.76  # two seconds
    np.testing.assert_allclose(points[-1], jittered[-1])
    assert np.abs(points[5:-5, 1] - 300).mean() < 0.7 * np.abs(jittered[-45:-5, 1] - 300).mean()


def test_classes_are_asked_for_by_name_and_judged_at_the_end() -> None:
    def moments(last: int) -> Iterator[Tracks]:
        for k, p in enumerate(way(SIDES["left"], SIDES["right"], 30)):
            yield standing({1: p}, classes=0 if k < 15 else last)

    cars = Route(classes=["car"])
    assert [e.data["class_name"] for e in play(cars, moments(2), at=scene())] == ["car"]
    assert play(Route(classes=["car"]), moments(0), at=scene()) == []
    canvas = Canvas()
    people = Route(classes=["person"])
    play(people, moments(2), at=scene(), finish=False)
    people.draw(canvas)
    assert canvas.marks == []
    with pytest.raises(OptionError, match="did you mean 'car'"):
        Route(classes=["carr"]).start(scene())


@pytest.mark.slow
def test_the_picture_has_every_route_over_the_empty_scene() -> None:
    image = np.full((2160, 3840, 3), 90, np.uint8)
    route = Route()
    moments = [
        standing({1: (300.0 + 30 * k, 900), 2: (3000.0 - 30 * k, 1500)}, box=(100, 200)) for k in range(50)
    ]
    play(route, moments, at=scene(size=(3840, 2160)), image=image)
    picture = route.files()["routes.png"]
    assert isinstance(picture, Picture)
    assert (picture.background == 90).all()
    lines = [m for m in picture.marks if m.kind == "polyline"]
    lines = [line for line in lines if line.arguments["arrow"]]  # each has a dark rim
    assert len(lines) == 2
    assert picture.title == "2 routes"
    assert picture.notes[0] == "stage, 0:00 to 0:04 of the recording"
    assert [words for words, _ in picture.key] == ["within the picture: 2"]
    height, width = picture.background.shape[:2]
    for line in lines:  # scaled to the smaller picture
        assert (line.arguments["points"] < [width, height]).all()
        assert np.ptp(line.arguments["points"][:, 0]) == pytest.approx(1470 / 3, abs=3)


@given(st.integers(2, 50), st.integers(0, 99))
def test_simplifying_keeps_ends_and_tolerance(count: int, seed: int) -> None:
    points = np.random.default_rng(seed).uniform(0, 100, (count, 2)).cumsum(axis=0)
    corners = simplified(points, 5.0)
    assert len(corners) <= count
    np.testing.assert_allclose(corners[[0, -1]], points[[0, -1]], atol=1e-3)
    assert distance_to_segments(points, corners[:-1], corners[1:]).max() <= 5.01


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0}, {"seconds": float("nan")}, {"keep": 0}, {"anchor": "feet"}]
)
def test_options_that_cannot_be_used_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        Route(**wrong)


@pytest.mark.slow
def test_state_is_bounded_by_what_is_alive_and_kept() -> None:
    route = Route(keep=50)
    route.start(scene(size=(160, 120), fps=30))
    picture = np.zeros((120, 160, 3), np.uint8)
    rng = np.random.default_rng(0)
    sizes = []
    for k in range(6000):
        x = 10.0 + 7 * (k % 20)
        feet = {k // 20 * 2 + 1: (x, 60.0 + rng.normal()), k // 20 * 2 + 2: (150 - x, 90.0)}
        route.update(Frame(picture, k, k / 30), standing(feet, box=(8, 16)))
        if k in (1500, 5990):
            state = {name: value for name, value in vars(route).items() if name != "_empty"}
            sizes.append(len(pickle.dumps(state)))
    assert route.groups.total() > 500
    assert sizes[1] < 1.05 * sizes[0]
