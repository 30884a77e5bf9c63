from __future__ import annotations

import gc
from typing import Any
from weakref import ref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from walks import SIZE, scene, tracks

from bytetrack import Tracks
from tracker.plugins._shared.motion import velocity
from tracker.plugins._shared.plugin_state import PluginState
from tracker.plugins._shared.track_history import INHERIT_S
from tracker.types import Scene


def see(memory: PluginState, now: float, seen: Tracks) -> list[int]:
    memory.update(now, seen)
    return memory.found.tolist()


def empty(keep_s: float = 1.0, *columns: tuple[Any, ...]) -> PluginState:
    return PluginState(run(keep_s), columns=columns)


def run(keep_s: float = 1.0) -> Scene:
    return scene(lost_s=keep_s - INHERIT_S)


def at(x: float, y: float = 300.0) -> list[float]:
    return [x - 20, y - 90, x + 20, y]


@given(st.lists(st.sets(st.integers(1, 6)), max_size=25), st.integers(0, 3))
def test_an_id_has_one_row_and_no_two_ids_share_one(seen: list[set[int]], keep: int) -> None:
    memory = empty(float(keep))
    for now, ids in enumerate(seen):
        order = sorted(ids)
        boxes = [at(100.0 * i, 700) for i in order]
        for row in memory.update(float(now), tracks(order, boxes) if order else Tracks.empty()):
            assert now - row["seen_s"] > keep
        rows = memory.found.tolist() if order else []
        assert len(set(rows)) == len(rows)
        assert memory.seen["track_id"][rows].tolist() == order
        assert (memory.seen["seen_s"][rows] == now).all()
    assert len(set(memory.seen["track_id"][memory.alive()].tolist())) == len(memory)


def test_a_number_that_comes_back_after_it_was_forgotten_is_new() -> None:
    memory = empty(1.0, ("mark", np.int64))
    memory.update(0.0, tracks([1], [at(100)]))
    memory.own["mark"][memory.found] = 7
    assert memory.update(0.9, Tracks.empty()) == []
    (gone,) = memory.update(5.0, tracks([1], [at(100)]))
    assert (gone["track_id"], gone["mark"]) == (1, 7)
    assert np.isnan(memory.before).all()
    assert memory.seen["track_id"][memory.found].tolist() == [1]
    assert memory.own["mark"][memory.found].tolist() == [0]


@pytest.mark.parametrize("fps", [1, 5, 30, 60])
def test_velocity_is_that_of_the_last_moment(fps: int) -> None:
    memory = empty()
    rows = []
    for index in range(4 * fps):
        now = index / fps
        x = 100 + 30 * now if now < 1 else 130 + 90 * (now - 1)
        rows = see(memory, now, tracks([7], [at(x)]))
    np.testing.assert_allclose(velocity(memory.seen[rows]), [[90, 0]], atol=1e-6)


def test_who_was_seen_once_has_no_velocity() -> None:
    memory = empty()
    rows = see(memory, 0.0, tracks([7], [at(100)]))
    assert np.isnan(velocity(memory.seen[rows])).all()


def heir(x: float, *, gap_s: float = 0.5, class_id: int = 0, scale: float = 1.0) -> bool:
    """Whether a new number at x continues one that walked at 60 px/s and was lost at x = 160."""
    memory = empty(3.0)
    for index in range(11):
        (old,) = see(memory, index / 10, tracks([1], [at(100 + 6 * index)]))
    box = [x - 20 * scale, 300 - 90 * scale, x + 20 * scale, 300]
    (new,) = see(memory, 1.0 + gap_s, tracks([2], [box], [class_id]))
    return new == old


def test_who_appears_where_another_was_expected_continues_it() -> None:
    assert heir(190) and heir(190 + 40) and heir(190 - 40)
    assert not heir(190 + 60) and not heir(190 - 60)
    assert heir(190, scale=1.5) and not heir(190, scale=3) and not heir(190, scale=0.3)
    assert not heir(190, class_id=2)
    assert heir(160 + 60, gap_s=1.0) and not heir(160 + 90, gap_s=1.5)


@pytest.mark.parametrize("fps", [5, 10, 25, 60])
def test_who_was_seen_beside_the_newcomer_is_not_continued_by_it(fps: int) -> None:
    """Trackers tell of a track at its second sight: two frames after a loss it had been there all along.

    The same box under another number is one, however soon.
    """
    for away, continued in ((0.0, True), (0.1, True), (0.7, False)):
        memory = empty()
        (old,) = see(memory, 1.0, tracks([1], [at(300)]))
        (new,) = see(memory, 1.0 + 2 / fps, tracks([2], [at(300 + 60 * away)]))
        assert (new == old) == continued


@pytest.mark.parametrize("side", ["left", "right", "bottom"])
def test_who_comes_in_over_the_edge_of_the_picture_continues_nobody(side: str) -> None:
    x, y = {"left": (19.0, 300.0), "right": (SIZE[0] - 19.0, 300.0), "bottom": (300.0, SIZE[1] + 1.0)}[side]
    memory = empty()
    (gone,) = see(memory, 0.0, tracks([1], [at(x, y)]))
    (next_one,) = see(memory, 0.5, tracks([2], [at(x, y)]))
    assert next_one != gone


@pytest.mark.slow_after(6)
@pytest.mark.parametrize("fps", [5, 10, 25, 60])
@pytest.mark.parametrize("apart_s", [0.2, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("seen_s", [0.6, 1.5])
def test_nobody_of_a_platoon_through_a_door_is_another(fps: int, apart_s: float, seen_s: float) -> None:
    """Each comes out of a door in the middle of the picture, walks a little and is hidden."""
    memory = empty(3.0, ("number", np.int64))
    for index in range(6 * fps):
        now = index / fps
        since = {n + 1: now - apart_s * n for n in range(20)}
        there = {n: at(300 + 80 * s) for n, s in since.items() if 0 <= s < seen_s}
        memory.update(now, tracks(list(there), list(there.values())))
        if there:
            numbers = memory.own["number"][memory.found]
            assert set(numbers.tolist()) <= {0, *there}
            assert (numbers[numbers > 0] == np.array(list(there))[numbers > 0]).all()
            memory.own["number"][memory.found] = list(there)


def test_who_is_in_sight_is_continued_by_nobody() -> None:
    memory = empty()
    see(memory, 0.0, tracks([1], [at(100)]))
    first, second = see(memory, 0.1, tracks([1, 2], [at(100), at(105)]))
    assert first != second


def test_the_nearest_of_two_inherits() -> None:
    memory = empty()
    old = see(memory, 0.0, tracks([1, 2], [at(100), at(130)]))
    new = see(memory, 0.2, tracks([3, 4], [at(128), at(102)]))
    assert new == old[::-1]


def test_columns_go_with_the_row_to_whoever_continues_the_track() -> None:
    memory = empty(1.0, ("mark", np.int64))
    memory.update(0.0, tracks([1, 2], [at(100), at(500)]))
    memory.own["mark"][memory.found] = [7, 8]
    memory.update(0.2, tracks([2, 3], [at(500), at(102)]))
    assert memory.own["mark"][memory.found].tolist() == [8, 7]


def test_analyses_of_one_run_and_the_same_tracks_share_the_work() -> None:
    one = run()
    first, second, elsewhere = PluginState(one), PluginState(one), PluginState(run())
    for index in range(5):
        seen = tracks([1], [at(100.0 + index)])
        for memory in (first, second, elsewhere):
            memory.update(index / 10, seen)
        assert first.seen is second.seen is not elsewhere.seen


def test_analyses_of_other_tracks_or_times_do_not() -> None:
    run_of_all = run()
    one, other, late = (PluginState(run_of_all) for _ in range(3))
    for index in range(5):
        seen = tracks([1], [at(100.0 + index)])
        one.update(index / 10, seen)
        other.update(index / 10, tracks([2], [at(300.0)]) if index == 2 else seen)
        late.update(index / 5, seen)
    assert one.seen["track_id"][one.alive()].tolist() == [1]
    assert sorted(other.seen["track_id"][other.alive()].tolist()) == [1, 2]
    assert late.seen["seen_s"][late.found] == 0.8


@pytest.mark.slow
def test_what_was_seen_is_not_kept() -> None:
    memory = empty()
    memory.update(0.0, tracks([1], [at(100)]))
    memory.update(0.1, tracks([1], [at(101)]))
    old = ref(memory._history)
    memory.update(0.2, tracks([1], [at(102)]))
    gc.collect()
    assert old() is None


def test_a_memory_restored_goes_on_as_the_one_saved_and_is_shared_again() -> None:
    memory = empty(1.0, ("mark", np.float64))
    for index in range(3):
        memory.update(index / 10, tracks([1, 2], [at(100.0 + index), at(500)]))
    memory.own["mark"][memory.found] = [3.0, np.nan]
    resumed = run(1.0)
    twins = [PluginState(resumed, columns=[("mark", np.float64)]) for _ in range(2)]
    elsewhere = empty(1.0, ("mark", np.float64))
    for twin in (*twins, elsewhere):
        twin.restore(memory.state())
        assert twin.state() == memory.state()
    assert twins[0].seen is twins[1].seen is not elsewhere.seen
    for one in (memory, *twins):
        one.update(0.3, tracks([2, 9], [at(501), at(104)]))
        np.testing.assert_array_equal(one.own["mark"][one.found], [np.nan, 3.0])
