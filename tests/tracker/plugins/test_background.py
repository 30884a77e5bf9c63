"""The empty scene: bounded, evenly spread, and without what passes through."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from tracker.plugins.background import LONGEST_SIDE, MOST_FRAMES, EmptyScene
from tracker.types import Frame, Scene


@pytest.mark.parametrize("count", [1, 5, MOST_FRAMES, 700])
def test_what_passes_is_gone_and_what_stands_stays(count: int) -> None:
    scene = np.random.default_rng(1).integers(0, 255, (50, 80, 3), dtype=np.uint8)
    empty = EmptyScene((80, 50), 2)
    for i in range(count):
        image = scene.copy()
        if count > 1:
            left = 80 * i // count
            image[10:40, left : left + 8] = 255  # in each place for a tenth of the run
        empty.look(Frame(image, i, i / 2))
    np.testing.assert_array_equal(empty.picture(), scene)


@pytest.mark.parametrize("count", [0, 1, 23, 24, 25, 1000])
def test_frames_kept_are_few_and_evenly_spread(count: int) -> None:
    empty = EmptyScene((1, 1), 2)
    for i in range(count):
        empty.look(Frame(np.array([[[i % 256, i // 256, 0]]], np.uint8), i, i / 2))
    kept = [int(p[0, 0, 0]) + 256 * int(p[0, 0, 1]) for p in empty._kept]
    assert min(count, MOST_FRAMES // 2) <= len(kept) <= MOST_FRAMES
    assert len(set(np.diff(kept).tolist())) <= 1
    assert not kept or kept[-1] + (kept[1] if len(kept) > 1 else 1) >= count


def test_a_large_picture_is_kept_small() -> None:
    empty = EmptyScene((3840, 2160), 60)
    empty.look(Frame(np.zeros((2160, 3840, 3), np.uint8), 0, 0.0))
    assert empty.picture().shape == (LONGEST_SIDE * 9 // 16, LONGEST_SIDE, 3)


def test_no_frame_gives_grey() -> None:
    assert (EmptyScene((4, 3), 25).picture() == 127).all()


def test_a_fast_camera_is_not_looked_at_more_often() -> None:
    fast = EmptyScene((1, 1), 60)
    for i in range(301):
        fast.look(Frame(np.zeros((1, 1, 3), np.uint8), i, i / 60))
    assert len(fast._kept) == 11


def test_the_plugins_of_a_run_share_one() -> None:
    run, other = (Scene("clip", (8, 6), 2.0, False, {}) for _ in range(2))
    first, second = EmptyScene.of(run), EmptyScene.of(run)
    assert first is second is not EmptyScene.of(other)
    for index in range(3):
        frame = Frame(np.full((6, 8, 3), index, np.uint8), index, index / 2)
        first.look(frame)
        second.look(frame)
    assert [int(image[0, 0, 0]) for image in first._kept] == [0, 1, 2]


def test_nothing_outlives_the_run() -> None:
    empty = EmptyScene.of(Scene("clip", (8, 6), 2.0, False, {}))
    empty.look(Frame(np.zeros((6, 8, 3), np.uint8), 0, 0.0))
    gone = weakref.ref(empty)
    del empty
    assert gone() is None
