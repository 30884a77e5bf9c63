"""The empty scene: bounded, evenly spread, and without what passes through."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.plugins.background import LONGEST_SIDE, MOST_FRAMES, EmptyScene


@pytest.mark.parametrize("count", [1, 5, MOST_FRAMES, 700])
def test_what_passes_is_gone_and_what_stands_stays(count: int) -> None:
    scene = np.random.default_rng(1).integers(0, 255, (50, 80, 3), dtype=np.uint8)
    empty = EmptyScene((80, 50), 2)
    for i in range(count):
        image = scene.copy()
        if count > 1:
            left = 80 * i // count
            image[10:40, left : left + 8] = 255  # in each place for a tenth of the run
        empty.look(image)
    np.testing.assert_array_equal(empty.picture(), scene)


@pytest.mark.parametrize("count", [0, 1, 23, 24, 25, 1000])
def test_frames_kept_are_few_and_evenly_spread(count: int) -> None:
    empty = EmptyScene((1, 1), 2)
    for i in range(count):
        empty.look(np.array([[[i % 256, i // 256, 0]]], np.uint8))
    kept = [int(p[0, 0, 0]) + 256 * int(p[0, 0, 1]) for p in empty._kept]
    assert min(count, MOST_FRAMES // 2) <= len(kept) <= MOST_FRAMES
    assert len(set(np.diff(kept).tolist())) <= 1
    assert not kept or kept[-1] + (kept[1] if len(kept) > 1 else 1) >= count


def test_a_large_picture_is_kept_small() -> None:
    empty = EmptyScene((3840, 2160), 60)
    empty.look(np.zeros((2160, 3840, 3), np.uint8))
    assert empty.picture().shape == (LONGEST_SIDE * 9 // 16, LONGEST_SIDE, 3)


def test_no_frame_gives_grey() -> None:
    assert (EmptyScene((4, 3), 25).picture() == 127).all()


def test_a_fast_camera_is_not_looked_at_more_often() -> None:
    fast = EmptyScene((1, 1), 60)
    for _ in range(301):
        fast.look(np.zeros((1, 1, 3), np.uint8))
    assert len(fast._kept) == 11
