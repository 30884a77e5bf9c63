"""Heatmaps: seconds are conserved, lie where they were spent, and have a scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stage import play, scene, standing

from bytetrack import Tracks
from tracker.plugins.heatmap import Heatmap, colored, footprint, ticks
from tracker.types import Canvas, Frame, OptionError, Picture

feet = st.tuples(st.floats(-50, 700), st.floats(-50, 500))


@settings(max_examples=30, deadline=None)
@given(
    moments=st.lists(st.dictionaries(st.integers(1, 5), feet, max_size=5), min_size=1, max_size=30),
    fps=st.sampled_from([1.0, 10.0, 60.0]),
    width=st.floats(1, 600),
)
def test_every_second_of_every_object_is_counted_once(
    moments: list[dict[int, tuple[float, float]]], fps: float, width: float
) -> None:
    heat = Heatmap()
    play(heat, [standing(m, box=(width, 40)) for m in moments], at=scene(fps=fps, lost_s=1))
    assert heat.total_s() == pytest.approx(sum(map(len, moments)) / fps)
    seconds = heat.seconds()
    assert (seconds >= 0).all()
    assert seconds.max() <= heat.total_s() + 1e-9


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
    for now in (0.0, 0.1, 600.1, 600.2, 5.0):  # the camera was away, then its clock was set back
        heat.update(Frame(np.zeros((480, 640, 3), np.uint8), 0, now), standing({1: (99, 99)}))
    assert heat.total_s() == pytest.approx(0.1 + 0.1 + 1.0 + 0.1)


def test_classes_are_asked_for_by_name() -> None:
    heat = Heatmap(classes=["car"])
    play(heat, [standing({1: (99, 99), 2: (300, 300)}, classes=[0, 2])] * 10, at=scene())
    assert heat.total_s() == pytest.approx(1)
    with pytest.raises(OptionError, match="lorry"):
        Heatmap(classes=["lorry"]).start(scene())


def test_it_shows_itself_and_what_was_shown_does_not_change() -> None:
    heat = Heatmap()
    play(heat, [standing({1: (99, 99)})] * 3, at=scene())
    first, again, later = Canvas(), Canvas(), Canvas()
    heat.draw(first)
    heat.draw(again)
    (mark,) = first.marks
    shown = mark.arguments["bgra"]
    assert shown is again.marks[0].arguments["bgra"], "within a second the same picture is shown"
    copy = shown.copy()
    for k in range(30):
        heat.update(Frame(np.zeros((480, 640, 3), np.uint8), k, 1 + k / 10), standing({1: (400, 300)}))
    heat.draw(later)
    np.testing.assert_array_equal(shown, copy)
    assert not np.array_equal(later.marks[0].arguments["bgra"], shown)


@pytest.mark.parametrize("mode", ["presence", "standing"])
def test_the_picture_left_has_a_scale_in_seconds(mode: str) -> None:
    heat = Heatmap(mode=mode)
    image = np.full((480, 640, 3), 50, np.uint8)
    play(heat, [standing({1: (200, 200)})] * 1200, at=scene(), image=image)
    ((suffix, picture),) = heat.files().items()
    assert suffix.endswith(".png")
    assert isinstance(picture, Picture)
    assert (picture.background == 50).all()
    texts = [m.arguments["text"] for m in picture.marks if m.kind == "text"]
    assert "0 s" in texts
    assert any(text in ("1.99 min", "2 min") for text in texts)
    assert any(mode in text for text in texts)


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
