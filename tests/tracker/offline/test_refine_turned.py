"""Rotated boxes are refined as such: in whatever form they are told, turned or not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bytetrack import Tracks
from bytetrack.rotated import nearest_form, overlap_pairs, upright
from bytetrack.types import FloatArray
from tracker.offline.refine import FILLED, refine

FRAMES, HOLES = 60, range(30, 34)
TIME = np.arange(FRAMES) / 30


def ships(frame: int) -> FloatArray:
    """Return two of them: one turns in a circle, the other one comes straight on."""
    turn = frame * 0.06
    return np.array(
        [
            [200 + 80 * np.cos(turn), 200 + 80 * np.sin(turn), 60, 18, turn + 1.6],
            [40 + 5 * frame, 400, 50, 20, 0.6],
        ]
    )


def film(change: Callable[[FloatArray], FloatArray] = lambda boxes: boxes, noise: float = 1) -> list[Tracks]:
    random, ids = np.random.default_rng(5), np.array([1, 2])
    made = []
    for frame in range(FRAMES):
        boxes = change(ships(frame) + noise * random.normal(0, 1, (2, 5)) * [0.7, 0.7, 0.7, 0.5, 0.03])
        here = Tracks(ids, upright(boxes), np.full(2, 0.9), 0 * ids, ids - 1, rotated=boxes)
        made.append(here[[1] if frame in HOLES else [0, 1]])
    return made


def refined(tracks: list[Tracks]) -> FloatArray:
    after = refine(tracks, TIME)
    assert all(len(one) == 2 for one in after)
    assert [int(one.source[0]) == FILLED for one in after] == [frame in HOLES for frame in range(FRAMES)]
    boxes = np.array([one.rotated for one in after])
    for one, turned in zip(after, boxes, strict=True):
        np.testing.assert_allclose(one.xyxy, upright(turned), atol=1e-9)
    return boxes.reshape(-1, 5)


TRUE = np.concatenate([ships(frame) for frame in range(FRAMES)])


def test_the_way_is_kept_a_gap_is_filled_and_trembling_is_smoothed() -> None:
    seen = np.concatenate([one.rotated for one in film() if one.rotated is not None and len(one) == 2])
    true = np.concatenate([ships(frame) for frame in range(FRAMES) if frame not in HOLES])
    before, after = overlap_pairs(seen, true), overlap_pairs(refined(film()), TRUE)
    assert after[60:68:2].min() > 0.7  # in the gap
    straight = slice(1, None, 2)
    assert (1 - after[straight]).mean() < (1 - before[straight]).mean() / 2
    off = nearest_form(refined(film()), TRUE[:, 4])[straight, 4] - TRUE[straight, 4]
    assert np.abs(off).mean() < 0.015


def test_the_form_in_which_a_box_is_told_does_not_matter() -> None:
    random = np.random.default_rng(1)

    def change(boxes: FloatArray) -> FloatArray:
        turns = random.integers(-3, 4, len(boxes))
        told = nearest_form(boxes, boxes[:, 4] + turns * np.pi / 2)
        return np.asarray(told)

    np.testing.assert_allclose(overlap_pairs(refined(film(change)), refined(film())), 1, atol=1e-6)


@pytest.mark.parametrize("mirror", [1, -1])
def test_a_turned_or_mirrored_scene_is_refined_alike(mirror: int) -> None:
    turn = 0.7
    way = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag([mirror, 1])

    def change(boxes: FloatArray) -> FloatArray:
        return np.column_stack([boxes[:, :2] @ way.T, boxes[:, 2:4], mirror * boxes[:, 4] + turn])

    ours, other = refined(film(change)), change(refined(film()))
    np.testing.assert_allclose(overlap_pairs(ours, other), 1, atol=1e-6)


def test_where_no_rotated_box_is_known_the_upright_one_is_refined() -> None:
    tracks = film(noise=0)
    unknown = np.full((2, 5), np.nan)
    tracks[10] = Tracks(
        *(getattr(tracks[10], name) for name in ("track_id", "xyxy", "score", "class_id", "source"))
    )
    tracks[11] = Tracks(
        *(getattr(tracks[11], name) for name in ("track_id", "xyxy", "score", "class_id", "source")),
        rotated=unknown,
    )
    after = refine(tracks, TIME)
    for frame in (10, 11):
        assert after[frame].rotated is not None and np.isnan(after[frame].rotated).all()
        np.testing.assert_allclose(after[frame].xyxy, upright(ships(frame)), atol=4)
