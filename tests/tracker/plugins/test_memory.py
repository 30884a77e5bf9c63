from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from walks import tracks

from bytetrack import Tracks
from tracker.plugins.anchors import anchor_points
from tracker.plugins.memory import Memory, velocity

SIZE = (900, 900)


def see(memory: Memory, now: float, seen: Tracks) -> list[int]:
    anchors = anchor_points(seen.xyxy, "bottom_center", SIZE)
    found = memory.find(now, seen, anchors)
    memory.store(found, now, seen, anchors)
    return found.tolist()


def at(x: float, y: float = 300.0) -> list[float]:
    return [x - 20, y - 90, x + 20, y]


@given(st.lists(st.sets(st.integers(1, 6)), max_size=25), st.integers(0, 3))
def test_an_id_has_one_row_and_no_two_ids_share_one(seen: list[set[int]], keep: int) -> None:
    memory = Memory(keep_s=keep)
    for now, ids in enumerate(seen):
        for row in memory.forget(float(now)):
            assert now - row["seen_s"] > keep
        order = sorted(ids)
        rows = see(memory, float(now), tracks(order, [at(100.0 * i, 700) for i in order]))
        assert len(set(rows)) == len(rows)
        assert memory.rows["track_id"][rows].tolist() == order
        assert (memory.rows["seen_s"][rows] == now).all()
    assert sorted(memory.rows["track_id"][memory.alive()].tolist()) == sorted(memory._row_of)


def test_a_number_that_comes_back_after_it_was_forgotten_is_new() -> None:
    memory = Memory(keep_s=1.0)
    see(memory, 0.0, tracks([1], [at(100)]))
    assert memory.forget(0.9).size == 0
    assert memory.forget(5.0)["track_id"].tolist() == [1]
    anchors = np.array([[100.0, 300.0]])
    (row,) = memory.find(5.0, tracks([1], [at(100)]), anchors)
    assert np.isnan(memory.rows["anchor"][row]).all()
    assert memory.rows["track_id"][row] == 1


@pytest.mark.parametrize("fps", [1, 5, 30, 60])
def test_velocity_is_that_of_the_last_moment(fps: int) -> None:
    memory = Memory()
    rows = []
    for index in range(4 * fps):
        now = index / fps
        x = 100 + 30 * now if now < 1 else 130 + 90 * (now - 1)
        rows = see(memory, now, tracks([7], [at(x)]))
    np.testing.assert_allclose(velocity(memory.rows[rows]), [[90, 0]], atol=1e-6)


def test_who_was_seen_once_has_no_velocity() -> None:
    memory = Memory()
    rows = see(memory, 0.0, tracks([7], [at(100)]))
    assert np.isnan(velocity(memory.rows[rows])).all()


def heir(x: float, *, gap_s: float = 0.5, class_id: int = 0, scale: float = 1.0) -> bool:
    """Whether a new number at x continues one that walked at 60 px/s and was lost at x = 160."""
    memory = Memory(keep_s=3.0)
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


def test_who_is_in_sight_is_continued_by_nobody() -> None:
    memory = Memory()
    see(memory, 0.0, tracks([1], [at(100)]))
    first, second = see(memory, 0.1, tracks([1, 2], [at(100), at(105)]))
    assert first != second


def test_the_nearest_of_two_inherits() -> None:
    memory = Memory()
    old = see(memory, 0.0, tracks([1, 2], [at(100), at(130)]))
    new = see(memory, 0.2, tracks([3, 4], [at(128), at(102)]))
    assert new == old[::-1]
