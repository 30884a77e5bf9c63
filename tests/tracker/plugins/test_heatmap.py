"""Heatmaps: seconds are conserved, lie where they were spent, and have a scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage import play, scene, standing

from bytetrack import Tracks
from tests.quick import examples
from tracker.plugins._shared.shades import colored, footprint, scale, ticks
from tracker.plugins.heatmap import Heatmap
from tracker.types import Canvas, Frame, OptionError, Picture

feet = st.tuples(st.floats(-50, 700), st.floats(-50, 500))


@pytest.mark.slow
@examples(30)
@given(
    ways=st.lists(st.lists(feet, min_size=1, max_size=6), min_size=1, max_size=4),
    fps=st.sampled_from([1.0, 10.0, 60.0]),
    width=st.floats(1, 600),
)
def test_every_second_of_every_object_is_counted_once(
    ways: list[list[tuple[float, float]]], fps: float, width: float
) -> None:
    """Each stands at its places in turn, two seconds and more in all."""
    each = max(round(2.5 * fps), 3)
    count = each * max(map(len, ways))
    moments = [
        standing(
            {n: way[k // each] for n, way in enumerate(ways, 1) if k // each < len(way)}, box=(width, 40)
        )
        for k in range(count)
    ]
    heat = Heatmap()
    play(heat, moments, at=scene(fps=fps, lost_s=1))
    assert heat.total_s() == pytest.approx(sum(each * len(way) for way in ways) / fps)
    seconds = heat.seconds()
    assert (seconds >= 0).all()
    assert seconds.max() <= heat.total_s() + 1e-9


@pytest.mark.slow
@examples(10)
@given(
    moment_s=st.floats(0.1, 1.8),
    fps=st.sampled_from([5.0, 10.0, 30.0]),
    box=st.tuples(st.floats(5, 640), st.floats(5, 480)),
    jitter=st.floats(0, 0.4),
)
def test_a_phantom_of_a_moment_is_nobody(
    moment_s: float, fps: float, box: tuple[float, float], jitter: float
) -> None:
    rng = np.random.default_rng(4)
    frames = max(int(moment_s * fps), 1)
    path = np.linspace((10, 400), (630, 400), round(6 * fps))  # somebody who walks through
    moments = []
    for k, at in enumerate(path):
        there = {1: tuple(at)}
        if 20 <= k < 20 + frames:
            there[2] = tuple((500, 150) + rng.uniform(-1, 1, 2) * jitter * np.sqrt(box[0] * box[1]) / 2)
        moments.append(standing(there, box=box))
    heat, alone = Heatmap(), Heatmap()
    play(heat, moments, at=scene(fps=fps))
    play(alone, [m[m.track_id == 1] for m in moments], at=scene(fps=fps))
    np.testing.assert_allclose(heat.seconds(), alone.seconds(), atol=1e-9)
    assert heat.total_s() == pytest.approx(len(path) / fps)


@pytest.mark.parametrize("fps", [10.0, 25.0, 60.0])
def test_who_runs_through_in_half_a_second_is_somebody(fps: float) -> None:
    heat = Heatmap()
    path = np.linspace((100, 300), (500, 300), round(0.5 * fps))
    play(heat, [standing({1: tuple(at)}) for at in path], at=scene(fps=fps))
    assert heat.total_s() == pytest.approx(len(path) / fps)
    column = heat.seconds().max(axis=0)
    assert (column[(path[:, 0] * 192 / 640).astype(int)] > 0).all(), "all the way, from its first moment"


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("place", [(100.0, 100.0), (500.0, 460.0), (320.0, 240.0)])
@pytest.mark.parametrize("fps", [5.0, 25.0])
def test_who_stands_leaves_the_seconds_stood_at_that_place(place: tuple[float, float], fps: float) -> None:
    heat = Heatmap()
    play(heat, [standing({1: place})] * round(12 * fps), at=scene(fps=fps))
    seconds = heat.seconds()
    assert seconds.max() == pytest.approx(12)
    row, column = np.unravel_index(seconds.argmax(), seconds.shape)
    cell = 640 / seconds.shape[1]
    assert np.abs((np.array([column, row]) + 0.5) * cell - place).max() <= cell
    assert dict(heat.summary())["most at"].endswith("12 s")


def test_two_who_stand_apart_do_not_add_and_two_at_one_place_do() -> None:
    apart, together = Heatmap(), Heatmap()
    play(apart, [standing({1: (100, 100), 2: (500, 400)})] * 50, at=scene())
    play(together, [standing({1: (100, 100), 2: (100, 100)})] * 50, at=scene())
    assert apart.seconds().max() == pytest.approx(5)
    assert together.seconds().max() == pytest.approx(10)


def test_standing_leaves_out_who_walks() -> None:
    rng = np.random.default_rng(0)
    moments = [
        standing({1: (100 + rng.normal(0, 0.7), 100 + rng.normal(0, 0.7)), 2: (20 + 3 * k, 400)})
        for k in range(200)
    ]
    heat = Heatmap(mode="standing")
    play(heat, moments, at=scene())
    assert heat.total_s() == pytest.approx(20, abs=1)
    assert heat.seconds()[60:].max() == 0
    both = Heatmap()
    play(both, moments, at=scene())
    assert both.total_s() == pytest.approx(40)


def test_time_that_passed_unseen_is_nobodys() -> None:
    heat = Heatmap()
    heat.start(scene(fps=10, lost_s=1))
    times = (
        [k / 10 for k in range(30)] + [602.9 + k / 10 for k in range(20)] + [5.0]
    )  # away, then its clock was set back
    for now in times:
        heat.update(Frame(np.zeros((480, 640, 3), np.uint8), 0, now), standing({1: (99, 99)}))
    assert heat.total_s() == pytest.approx(3.0 + 1.0 + 1.9)


def test_classes_are_asked_for_by_name() -> None:
    heat = Heatmap(classes=["car"])
    play(heat, [standing({1: (99, 99), 2: (300, 300)}, classes=[0, 2])] * 30, at=scene())
    assert heat.total_s() == pytest.approx(3)
    with pytest.raises(OptionError, match="lorry"):
        Heatmap(classes=["lorry"]).start(scene())


def test_it_shows_itself_and_what_was_shown_does_not_change() -> None:
    heat = Heatmap()
    play(heat, [standing({1: (99, 99)})] * 30, at=scene())
    first, again, later = Canvas(), Canvas(), Canvas()
    heat.draw(first)
    heat.draw(again)
    (mark,) = first.marks
    shown = mark.arguments["bgra"]
    assert shown is again.marks[0].arguments["bgra"], "within a second the same picture is shown"
    copy = shown.copy()
    for k in range(30):
        heat.update(Frame(np.zeros((480, 640, 3), np.uint8), 30 + k, 3 + k / 10), standing({1: (400, 300)}))
    heat.draw(later)
    np.testing.assert_array_equal(shown, copy)
    assert not np.array_equal(later.marks[0].arguments["bgra"], shown)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["presence", "standing"])
def test_the_picture_left_has_a_scale_in_seconds(mode: str) -> None:
    heat = Heatmap(mode=mode)
    image = np.full((480, 640, 3), 50, np.uint8)
    play(heat, [standing({1: (200, 200)})] * 1200, at=scene(), image=image)
    ((suffix, picture),) = heat.files().items()
    assert suffix.endswith(".png")
    assert isinstance(picture, Picture)
    assert (picture.background == 50).all()
    assert picture.title.startswith("Where they")
    assert picture.notes[0] == "stage, 0:00 to 1:59 of the recording"
    assert picture.scale is not None
    assert picture.scale.title.startswith("Minutes present" if mode == "presence" else "Seconds standing")
    assert "square-root" in picture.scale.title
    places, labels = zip(*picture.scale.ticks, strict=True)
    assert (places[0], labels[0]) == (0.0, "0")
    assert (places[-1], labels[-1]) == (1.0, "2" if mode == "presence" else "120")
    for place, label in picture.scale.ticks[:-1]:  # a label stands where its colour is
        assert place**2 * (2 if mode == "presence" else 120) == pytest.approx(float(label), rel=0.02)


def test_the_scale_names_its_unit_and_one_only() -> None:
    for most_s, unit, greatest in ((0.04, "Seconds", "0.04"), (119, "Seconds", "119"), (300, "Minutes", "5")):
        made = scale(most_s, "present")
        assert made.title.startswith(unit)
        assert made.ticks[-1][1] == greatest
    assert scale(9000, "present").title.startswith("Hours")


def test_colours_begin_without_an_edge() -> None:
    fading = colored(np.linspace(0, 1, 2000)[None] ** 2)[0, :, 3].astype(int)
    assert np.abs(np.diff(fading)).max() <= 1
    edge = footprint(64.0)
    assert np.sqrt(edge[0]) < 0.05, "and so does a footprint"


def test_nobody_leaves_an_empty_picture() -> None:
    heat = Heatmap()
    play(heat, [Tracks.empty()] * 3, at=scene())
    canvas = Canvas()
    heat.draw(canvas)
    assert (canvas.marks[0].arguments["bgra"][..., 3] == 0).all()
    assert len(heat.files()) == 1
    assert len(heat.summary()) == 1


@given(st.floats(1e-3, 1e7))
def test_the_scale_is_in_order_and_ends_at_the_greatest(most_s: float) -> None:
    got = ticks(most_s)
    assert got == sorted(set(got))
    assert (got[0], got[-1]) == (0, most_s)
    assert 4 <= len(got) <= 12


@given(st.integers(0, 6))
def test_a_footprint_is_one_in_its_middle_and_falls_to_both_sides(octave: int) -> None:
    kernel = footprint(2.0**octave)
    middle = len(kernel) // 2
    assert kernel[middle] == 1
    np.testing.assert_allclose(kernel, kernel[::-1])
    assert (np.diff(kernel[middle:]) < 0).all()


def test_hotter_is_never_more_transparent() -> None:
    alpha = colored(np.linspace(0, 10, 50)[None])[0, :, 3].astype(int)
    assert (np.diff(alpha) >= 0).all()
    assert alpha[0] == 0


def test_a_mode_that_is_unknown_is_refused() -> None:
    with pytest.raises(OptionError, match="presence, standing"):
        Heatmap(mode="walking")
