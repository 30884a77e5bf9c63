"""Speeds against a synthetic camera whose every metre is known."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage import play, scene, standing

from bytetrack import Tracks
from tests.quick import examples
from tracker.options import Options
from tracker.plugins._shared.ground import ground_from_image, points, to_ground
from tracker.plugins.speed import POINTS, Speed, theil_sen
from tracker.run.build_plugins import check, from_text, make_plugins
from tracker.types import Canvas, Frame, OptionError

SIZE = (1280, 720)
FOCAL_PX, HEIGHT_M, DOWN = 900.0, 7.0, np.radians(22)  # a camera on a lamp post
CORNERS_M = np.array([[-3.5, 14.0], [3.5, 14.0], [3.5, 34.0], [-3.5, 34.0]])


def seen(metres: np.ndarray) -> np.ndarray:
    """Project points (M, 2) of the ground, x right and y ahead of the camera, to pixels."""
    x, y = metres.T
    ahead = y * np.cos(DOWN) + HEIGHT_M * np.sin(DOWN)
    below = HEIGHT_M * np.cos(DOWN) - y * np.sin(DOWN)
    return np.column_stack([SIZE[0] / 2 + FOCAL_PX * x / ahead, SIZE[1] / 2 + FOCAL_PX * below / ahead])


def speed(**options: object) -> Speed:
    return Speed(image=seen(CORNERS_M), metres="7x20", **options)


def drive(
    kmh: float, fps: float, *, jitter_px: float = 0.0, seed: int = 0, wild: float = 0.0, heading: int = 1
) -> Iterator[Tracks]:
    """One car down the middle of the road, its box's foot ``jitter_px`` off, or wildly in some frames."""
    rng = np.random.default_rng(seed)
    length_s = 22 / (kmh / 3.6)
    for k in range(int(length_s * fps) + 1):
        along = 13 + kmh / 3.6 * k / fps
        foot = seen(np.array([[0.5, along if heading > 0 else 48 - along]]))[0] + rng.normal(0, jitter_px, 2)
        if rng.random() < wild:
            foot += rng.uniform(-60, 60, 2)
        yield standing({1: foot}, box=(40, 40), classes=2)


@examples(40)
@given(
    kmh=st.floats(8, 70),
    fps=st.sampled_from([10.0, 25.0, 60.0]),
    seed=st.integers(0, 999),
    heading=st.sampled_from([-1, 1]),
)
def test_speed_is_true_under_perspective_and_jitter(kmh: float, fps: float, seed: int, heading: int) -> None:
    plugin = speed()
    (end,) = play(
        plugin, drive(kmh, fps, jitter_px=0.7, seed=seed, heading=heading), at=scene(size=SIZE, fps=fps)
    )
    assert end.kind == "speed.end"
    assert end.data["kmh"] == pytest.approx(kmh, rel=0.06, abs=1.0)
    assert "1 measured" in dict(plugin.summary())["car"]


@pytest.mark.parametrize("seed", range(5))
def test_wild_boxes_do_not_make_wild_speeds(seed: int) -> None:
    plugin = speed()
    (end,) = play(plugin, drive(40, 25, jitter_px=0.5, seed=seed, wild=0.08), at=scene(size=SIZE, fps=25))
    assert end.data["kmh"] == pytest.approx(40, rel=0.07)
    assert end.data["top_kmh"] < 60


def test_who_stands_has_no_speed_to_speak_of() -> None:
    rng = np.random.default_rng(2)
    foot = seen(np.array([[0.0, 20.0]]))[0]
    plugin = speed()
    (end,) = play(
        plugin, [standing({1: foot + rng.normal(0, 0.5, 2)}) for _ in range(300)], at=scene(size=SIZE, fps=25)
    )
    assert end.data["kmh"] == 0


def test_the_same_speed_whatever_the_shift_of_the_clock() -> None:
    ends = []
    for begin in (0.0, 1.7e9):
        plugin = speed()
        plugin.start(scene(size=SIZE, fps=25))
        image = np.zeros((1, 1, 3), np.uint8)
        for k, tracks in enumerate(drive(50, 25, jitter_px=0.5)):
            plugin.update(Frame(image, k, begin + k / 25), tracks)
        ends.append([e.data["kmh"] for e in plugin.finish()])
    assert ends[0] == ends[1]
    assert len(ends[0]) == 1


def test_too_fast_is_reported_once_and_only_above_the_limit() -> None:
    def kinds(limit: float) -> list[str]:
        moments = drive(50, 25, jitter_px=0.3)
        return [e.kind for e in play(speed(limit_kmh=limit), moments, at=scene(size=SIZE, fps=25))]

    assert kinds(45) == ["speed.over", "speed.end"]
    assert kinds(55) == ["speed.end"]


@pytest.mark.parametrize(("x", "y"), [(0.5, 42.0), (0.5, 10.0), (8.0, 24.0), (-8.0, 24.0)])
def test_nothing_is_told_outside_the_calibrated_area(x: float, y: float) -> None:
    """A car goes to and fro, five metres each way, around a place that is not on the measured road."""
    plugin = speed(limit_kmh=5)
    moments = [
        standing({1: seen(np.array([[x, y + 2.0 * np.sin(k / 20)]]))[0]}, box=(40, 40)) for k in range(200)
    ]
    assert play(plugin, moments, at=scene(size=SIZE, fps=25)) == []
    canvas = Canvas()
    plugin.draw(canvas)
    assert not [m for m in canvas.marks if m.kind == "labels" and m.arguments["texts"]]


def test_a_speed_ends_where_the_area_ends() -> None:
    """It is shown on the road and gone as soon as the car has left it, not a moment later."""
    plugin, shown = speed(), []
    plugin.start(scene(size=SIZE, fps=25))
    image = np.zeros((1, 1, 3), np.uint8)
    for k in range(120):
        along = 13 + 10 * k / 25  # metres at 36 km/h
        plugin.update(Frame(image, k, k / 25), standing({1: seen(np.array([[0.5, along]]))[0]}, box=(40, 40)))
        canvas = Canvas()
        plugin.draw(canvas)
        shown += [along for m in canvas.marks if m.kind == "labels" and m.arguments["texts"]]
    assert 14 < min(shown) < 24
    assert 33 < max(shown) < 34 + 20 / 8


def spurts(*begins: float, lasting_s: float) -> list[Tracks]:
    """A car at 25 km/h, from these times on 15 km/h faster for a while."""
    along, moments = 14.0, []
    for k in range(50):
        fast = any(0 <= k / 25 - begin < lasting_s for begin in begins)
        along += (25 + 15 * fast) / 3.6 / 25
        moments.append(standing({1: seen(np.array([[0.5, along]]))[0]}, box=(40, 40), classes=2))
    return moments


def estimates(moments: list[Tracks]) -> dict[int, float]:
    """Return the speed over 0.4 s in the frames in which it is found anew."""
    plugin, found = speed(window_s=0.4), {}
    plugin.start(scene(size=SIZE, fps=25))
    for k, tracks in enumerate(moments):
        plugin.update(Frame(np.zeros((1, 1, 3), np.uint8), k, k / 25), tracks)
        if plugin._estimated_s == k / 25:
            found[k] = float(plugin._memory.own["kmh"][0])
    return found


@pytest.mark.parametrize(
    ("moments", "above", "told_at"),
    [(spurts(0.8, 1.4, lasting_s=0.2), [27, 39], []), (spurts(0.8, lasting_s=0.8), [27, 33, 39], [33])],
    ids=["twice, but not in a row", "three times in a row"],
)
def test_it_takes_two_estimates_above_the_limit_one_after_the_other(
    moments: list[Tracks], above: list[int], told_at: list[int]
) -> None:
    assert [frame for frame, kmh in estimates(moments).items() if kmh > 32] == above
    events = play(speed(window_s=0.4, limit_kmh=32), moments, at=scene(size=SIZE, fps=25))
    assert [event.frame for event in events if event.kind == "speed.over"] == told_at


def trembling(kmh: float, off_m: float) -> list[Tracks]:
    """A car that is seen as far as this ahead of and behind its place, ten times a second."""
    off = np.tile([0, 1, -1, 0.5, -0.5], 6) * off_m
    feet = np.column_stack([np.full(30, 0.5), 14 + kmh / 36 * np.arange(30) + off])
    return [standing({1: foot}, box=(40, 40), classes=2) for foot in seen(feet)]


@pytest.mark.parametrize(
    ("kmh", "off_m", "told"), [(18, 0.8, True), (18, 0.9, False), (6, 0.5, True), (6, 0.6, False)]
)
def test_what_may_be_wrong_by_a_quarter_and_by_3_kmh_has_no_speed(
    kmh: float, off_m: float, told: bool
) -> None:
    events = play(speed(), trembling(kmh, off_m), at=scene(size=SIZE, fps=10))
    assert [event.kind for event in events] == ["speed.end"] * told


def test_the_error_told_is_the_spread_of_the_slopes() -> None:
    dice = np.random.default_rng(0)
    times = np.tile(np.linspace(3.0, 3.8, 12), (4000, 1))
    way = times[..., None] * [2.0, -1.0] + dice.normal(0, 0.1, (4000, 12, 2))
    velocity, error = theil_sen(times, way)
    assert np.median(error) == pytest.approx(np.hypot(*velocity.std(axis=0)), rel=0.15)


def test_miles_are_told_where_they_are_asked_for() -> None:
    plugin = speed(units="mph", limit_mph=25)
    events = play(plugin, drive(48.28, 25), at=scene(size=SIZE, fps=25))
    assert [e.kind for e in events] == ["speed.over", "speed.end"]
    assert events[1].data["kmh"] == pytest.approx(48.3, abs=1)
    assert events[1].data["mph"] == pytest.approx(30, abs=0.6)
    assert events[0].data["limit_kmh"] == pytest.approx(40.2, abs=0.1)
    assert "median 30 mph, 85 % below 30 mph, fastest 30 mph" in dict(plugin.summary())["car"]
    assert play(speed(limit_mph=31), drive(48.28, 25), at=scene(size=SIZE, fps=25))[0].kind == "speed.end"


def test_the_example_of_the_help_is_one() -> None:
    assert isinstance(from_text(f"speed:{Speed.example}"), Speed)
    with pytest.raises(OptionError, match="metres=7x20") as caught:
        from_text("speed")
    assert Speed.example in str(caught.value)


def test_units_belong_to_speeds() -> None:
    names, size = {2: "car"}, (1280, 720)
    given = f"speed:{Speed.example}"
    (plugin,) = make_plugins(Options(plugin=(given,), units="mph"), size, names)
    assert isinstance(plugin, Speed) and plugin.units == "mph"
    (plugin,) = make_plugins(Options(plugin=(f"{given};units=kmh",), units="mph"), size, names)
    assert isinstance(plugin, Speed) and plugin.units == "kmh", "the nearer word counts"
    with pytest.raises(OptionError, match="--units mph is for speeds"):
        check(Options(units="mph"))


def test_what_is_not_plausible_has_no_speed() -> None:
    at = scene(size=SIZE, fps=25)
    assert play(speed(max_kmh=45), drive(50, 25), at=at) == []
    low = Speed(image="280,700 1000,700 780,400 500,400", metres="7x20")  # its horizon is at y = 209
    assert play(low, [standing({1: (400 + 4 * k, 150)}) for k in range(60)], at=at) == [], "in the sky"
    cut = [standing({1: (300 + 4 * k, 719.5)}) for k in range(60)]
    assert play(speed(), cut, at=at) == [], "the foot is below the picture"
    rng = np.random.default_rng(0)
    wild = [standing({1: rng.uniform([300, 250], [900, 600])}) for _ in range(60)]
    assert play(speed(max_kmh=500), wild, at=at) == [], "no straight line fits this"
    assert play(speed(), [standing({1: (600, 400)})] * 10, at=at) == [], "too short to tell"


def test_the_label_and_the_calibration_are_shown() -> None:
    plugin = speed()
    moments = list(drive(36, 25))
    play(plugin, moments, at=scene(size=SIZE, fps=25), finish=False)
    canvas = Canvas()
    plugin.draw(canvas)
    labels = [m.arguments for m in canvas.marks if m.kind == "labels"]
    assert labels == [{"texts": {1: "36 km/h"}}]
    texts = [m.arguments["text"] for m in canvas.marks if m.kind == "text"]
    assert texts == ["7 m", "20 m", "7 m", "20 m"]
    plugin.update(Frame(np.zeros((1, 1, 3), np.uint8), 99, 99.0), Tracks.empty())
    gone = Canvas()
    plugin.draw(gone)
    assert not [m for m in gone.marks if m.kind == "labels" and m.arguments["texts"]]


def test_classes_are_asked_for_by_name() -> None:
    assert play(speed(classes=["person"]), drive(36, 25), at=scene(size=SIZE, fps=25)) == []
    with pytest.raises(OptionError, match="tram"):
        speed(classes=["tram"]).start(scene())


@examples(30)
@given(seed=st.integers(0, 999), bad=st.integers(0, 2), missing=st.integers(0, 4))
def test_the_slope_is_exact_with_few_wrong_points(seed: int, bad: int, missing: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, 1, 14))[None]
    velocity = rng.uniform(-9, 9, 2)
    way = times[..., None] * velocity + rng.uniform(-5, 5, 2)
    way[0, rng.choice(14, bad, replace=False)] += rng.uniform(-99, 99, (bad, 2))
    times[0, :missing] = np.nan
    got, error = theil_sen(times, way)
    if bad == 0:
        np.testing.assert_allclose(got[0], velocity, atol=1e-9)
        assert error[0] == pytest.approx(0, abs=1e-9)
    else:
        assert np.abs(got[0] - velocity).max() < 40  # pulled, not carried away


def test_calibration_is_required() -> None:
    with pytest.raises(OptionError, match="needs a calibration"):
        Speed()
    with pytest.raises(OptionError, match="needs a calibration"):
        Speed(image="1,1 2,1 2,2 1,2")


@pytest.mark.parametrize(
    ("image", "metres", "message"),
    [
        ("0,0 9,0 9,9", "0,0 1,0 1,1", "four or more"),
        ("0,0 9,0 9,9 0,9", "0,0 1,0 1,1", "got 4 and 3"),
        ("0,0 9,0 18,0 0,9", "0,0 1,0 2,0 0,1", "one line"),
        ("0,0 9,0 9,9 0,9", "0,0 1,0 2,0 0,1", "one line"),
        ("0,0 9,0 9,9 0,9", "0,0 1,1 1,0 0,1", "different order"),
        ("5,5 5,5 5,5 5,5", "1x1", "the same"),
        ("0,0 9,0 9,9 nan,9", "1x1", "not a number"),
        ("0,0 9,0 9,9 0;9", "1x1", "cannot read image"),
        ("0,0 9,0 9,9 0,9 5,5 4,4", "0,0 9,0 9,9 0,9 5,5 8,8", "calibration point"),
    ],
)
def test_a_calibration_that_fixes_nothing_is_refused(image: str, metres: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Speed(image=image, metres=metres)


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_s": 0},
        {"min_kmh": 300},
        {"limit_kmh": -3},
        {"limit_mph": 500},
        {"limit_mph": 20, "limit_kmh": 30},
        {"units": "knots"},
        {"max_kmh": float("nan")},
        {"anchor": "wheel"},
    ],
)
def test_options_that_cannot_be_used_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        speed(**wrong)


corner = st.floats(-0.25, 0.25)


@given(st.lists(st.tuples(corner, corner), min_size=4, max_size=4), st.integers(0, 99))
def test_the_ground_is_where_the_corners_say_and_lines_stay_straight(
    shifts: list[tuple[float, float]], seed: int
) -> None:
    image = (np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) + shifts) * 400 + 300
    metres = points("7x25", "metres")
    ground = ground_from_image(image, metres)
    np.testing.assert_allclose(to_ground(ground, image), metres, atol=1e-6)
    start, end = np.random.default_rng(seed).uniform(400, 600, (2, 2))
    line = to_ground(ground, np.linspace(start, end, 5))
    along = line - line[0]
    assert np.abs(along[:, 0] * along[-1, 1] - along[:, 1] * along[-1, 0]).max() < 1e-6


@pytest.mark.slow
def test_state_is_bounded_by_what_is_alive() -> None:
    plugin = speed()
    at = scene(size=SIZE, fps=25)
    plugin.start(at)
    image = np.zeros((1, 1, 3), np.uint8)
    sizes = []
    for k in range(2400):
        foot = seen(np.array([[k // 40 % 5 - 2.0, 14 + 0.4 * (k % 40)]]))[0]
        plugin.update(Frame(image, k, k / 25), standing({k // 40 + 1: foot}, classes=2))
        if k in (800, 2360):
            sizes.append(len(pickle.dumps(vars(plugin))))
    assert sizes[1] < 1.02 * sizes[0]
    assert int(plugin._totals[2].sum()) > 50
    assert plugin._trail.length < 2 * POINTS
