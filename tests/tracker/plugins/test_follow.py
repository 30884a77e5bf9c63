"""Following one object: the right one, through losses and changes of number, and nobody else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage import play, scene, standing

from bytetrack import Tracks
from tests.quick import examples
from tracker.plugins.follow import Follow
from tracker.types import Canvas, Event, Frame, OptionError, Scene

NOBODY = Tracks.empty()


def told(events: list[Event]) -> list[tuple[str, int | None]]:
    return [(e.kind.removeprefix("follow."), e.track_id) for e in events]


@examples(40)
@given(
    x=st.floats(30, 600),
    y=st.floats(60, 470),
    at_s=st.sampled_from([0.0, 1.0, 2.5]),
    others=st.lists(st.tuples(st.floats(0, 639), st.floats(0, 479)), max_size=4),
)
def test_a_click_finds_an_object_that_covers_the_point(
    x: float, y: float, at_s: float, others: list[tuple[float, float]]
) -> None:
    people = {1: (x, y), **{i + 2: feet for i, feet in enumerate(others)}}
    follow = Follow(f"{x:.2f},{y - 10:.2f}@{at_s}")
    ((first, *rest),) = [play(follow, [standing(people)] * 30, at=scene())]
    assert first.kind == "follow.found"
    assert first.time == pytest.approx(at_s)
    assert not rest
    left, bottom = people[first.track_id or 0]
    assert abs(left - x) <= 10.1
    assert abs(bottom - 20 - (y - 10)) <= 20.1


@pytest.mark.parametrize(("live", "frame"), [(False, 20), (True, 70)])
def test_the_second_is_the_files_wherever_the_run_begins(live: bool, frame: int) -> None:
    """A run from second 5 on, at 10 frames a second: 7 is its 20th frame, as in every table."""
    follow = Follow("100,190@7")
    follow.start(Scene("stage", (640, 480), 10.0, live, {0: "person"}))
    image = np.zeros((480, 640, 3), np.uint8)
    found = [
        event.frame
        for k in range(100)
        for event in follow.update(Frame(image, k, 5 + k / 10), standing({1: (100, 200)}))
    ]
    assert found == [frame]


def test_of_two_the_smaller_is_meant() -> None:
    lorry = standing({1: (300, 300)}, box=(200, 150))
    man = standing({2: (300, 290)}, box=(30, 60))
    both = Tracks(
        *(
            np.concatenate([getattr(lorry, n), getattr(man, n)])
            for n, one in vars(lorry).items()
            if one is not None
        )
    )
    assert told(play(Follow("300,260"), [both] * 3, at=scene())) == [("found", 2)]


def test_who_comes_to_the_point_later_is_waited_for() -> None:
    moments = [standing({5: (20 + 10 * k, 200)}) for k in range(50)]
    ((event),) = play(Follow("300,190@1"), moments, at=scene())
    assert (event.track_id, event.frame) == (5, 27)


def test_a_change_of_number_on_the_way_is_followed() -> None:
    moments = [standing({1 if k < 20 else 9: (100 + 5 * k, 200), 2: (500, 400)}) for k in range(40)]
    follow = Follow("1")
    events = play(follow, moments, at=scene())
    assert told(events) == [("found", 1), ("found", 9)]
    assert events[1].data["was"] == 1
    assert "person 9, seen 3.9 s of 3.9 s" in dict(follow.summary())["followed"]


def test_who_is_gone_is_given_up_and_a_bystander_is_not_taken_for_him() -> None:
    moments = [standing({1: (100, 200), 2: (500, 400)})] * 10 + [standing({2: (500, 400)})] * 40
    assert told(play(Follow("100,190"), moments, at=scene())) == [("found", 1), ("lost", 1)]
    later = [*moments, *[standing({3: (100, 200)})] * 10]
    assert told(play(Follow("100,190"), later, at=scene())) == [("found", 1), ("lost", 1)]


def test_a_number_that_comes_back_is_found_again() -> None:
    moments = [standing({1: (100, 200)})] * 5 + [NOBODY] * 40 + [standing({1: (400, 200)})] * 5
    follow = Follow(1)
    assert told(play(follow, moments, at=scene())) == [("found", 1), ("lost", 1), ("found", 1)]


def test_the_rest_is_dimmed_only_while_somebody_is_followed() -> None:
    follow = Follow("7", dim=0.6)
    follow.start(scene())
    image = np.zeros((480, 640, 3), np.uint8)

    def shown(tracks: Tracks, now: float) -> Canvas:
        follow.update(Frame(image, round(now * 10), now), tracks)
        canvas = Canvas()
        follow.draw(canvas)
        return canvas

    assert shown(standing({1: (100, 200)}), 0.0).marks == []
    marks = shown(standing({1: (100, 200), 7: (300, 300)}), 0.1).marks
    (dim,) = [m.arguments for m in marks if m.kind == "dim"]
    assert dim["amount"] == 0.6
    (x1, y1, x2, y2) = dim["keep_xyxy"][0]
    assert x1 < 290
    assert x2 > 310
    assert y1 < 260
    assert y2 > 300
    assert shown(NOBODY, 0.2).marks, "no flicker while it is hidden for a moment"
    assert shown(NOBODY, 5.0).marks == []


def test_nobody_is_said_so() -> None:
    follow = Follow("12")
    assert play(follow, [standing({1: (100, 200)})] * 3, at=scene()) == []
    assert dict(follow.summary())["followed"] == "nobody: no object was 12"


@pytest.mark.parametrize("wrong", ["", "him", "0", "-3", "1,2,3", "1,2@", "1.2.3,4@5", "a,b@1"])
def test_targets_that_mean_nothing_are_refused(wrong: str) -> None:
    with pytest.raises(OptionError, match="follow"):
        Follow(wrong)


def test_points_outside_and_amounts_out_of_range_are_refused() -> None:
    with pytest.raises(OptionError, match="outside"):
        Follow("700,100@3").start(scene())
    with pytest.raises(OptionError, match="dim"):
        Follow("1", dim=1.5)
