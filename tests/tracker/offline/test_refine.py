"""The laws of the second look: what it may change, what it never does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bytetrack import Detections, Tracks
from tests.quick import examples
from tracker.offline.refine import FILLED, Refinement, measured, refine, smooth

FPS = 30.0


def tracks(*rows: tuple[int, float, float]) -> Tracks:
    """Make (track_id, left, score) rows into boxes of 10 x 20 that were seen."""
    left = np.array([row[1] for row in rows], float)
    return Tracks(
        np.array([row[0] for row in rows], int),
        np.stack([left, 0 * left, left + 10, 0 * left + 20], axis=1),
        np.array([row[2] for row in rows], float),
        np.array([row[0] % 3 for row in rows], int),
        np.arange(len(rows)),
    )


def times(frames: int, fps: float = FPS) -> NDArray[np.float64]:
    return np.arange(frames) / fps


@st.composite
def films(draw: st.DrawFn) -> list[Tracks]:
    frames = draw(st.integers(1, 40))
    number = st.floats(-1e3, 1e3)
    film = []
    for _ in range(frames):
        ids = draw(st.lists(st.integers(1, 4), unique=True, max_size=4))
        film.append(tracks(*((i, draw(number), draw(st.floats(0.1, 1))) for i in ids)))
    return film


@pytest.mark.slow
@given(films())
def test_what_was_seen_stays_and_what_was_not_is_marked(film: list[Tracks]) -> None:
    before = [one.xyxy.copy() for one in film]
    after = refine(film, times(len(film)))
    assert len(after) == len(film)
    for was, now, boxes in zip(film, after, before, strict=True):
        np.testing.assert_array_equal(was.xyxy, boxes)  # inputs are never written
        seen = now[now.source != FILLED]
        order = np.argsort(was.track_id)
        for field in ("track_id", "score", "class_id", "source"):
            np.testing.assert_array_equal(getattr(seen, field), getattr(was, field)[order])
        filled = now[now.source == FILLED]
        assert not set(filled.track_id) & set(was.track_id)
        assert (filled.score == 0).all()
        assert (np.diff(now.track_id) > 0).all()


@pytest.mark.slow
@given(films())
def test_the_order_of_rows_does_not_matter(film: list[Tracks]) -> None:
    shuffled = [one[::-1] for one in film]
    for one, other in zip(refine(film, times(len(film))), refine(shuffled, times(len(film))), strict=True):
        np.testing.assert_array_equal(one.track_id, other.track_id)
        np.testing.assert_allclose(one.xyxy, other.xyxy, atol=1e-9)


@pytest.mark.slow
@given(films())
def test_tracks_far_apart_do_not_know_of_each_other(film: list[Tracks]) -> None:
    apart = [
        replace(one, xyxy=one.xyxy + np.outer(one.track_id, [0, 1e4, 0, 1e4])) for one in film
    ]  # none hides another
    together = refine(apart, times(len(film)))
    alone = refine([one[one.track_id == 1] for one in apart], times(len(film)))
    for all_of_them, single in zip(together, alone, strict=True):
        np.testing.assert_allclose(all_of_them.xyxy[all_of_them.track_id == 1], single.xyxy, atol=1e-6)


@examples(40)
@given(st.floats(-50, 50), st.floats(-50, 50), st.sets(st.integers(1, 8)))
def test_a_straight_way_stays_straight_and_its_gaps_are_filled(
    start: float, speed: float, holes: set[int]
) -> None:
    holes = {24 + hole for hole in holes}
    film = [Tracks.empty() if i in holes else tracks((1, start + speed * i, 0.9)) for i in range(57)]
    after = refine(film, times(57))
    assert [len(one) for one in after] == [1] * 57
    np.testing.assert_allclose([one.xyxy[0, 0] for one in after], start + speed * np.arange(57), atol=1e-6)
    assert [i for i, one in enumerate(after) if one.source[0] == FILLED] == sorted(holes)


def interrupted(seen: int, missing: int) -> list[Tracks]:
    """Make one track that stands still and is seen for ``seen`` frames on both sides of a gap."""
    one = tracks((1, 0, 0.9))
    return [one] * seen + [Tracks.empty()] * missing + [one] * seen


@pytest.mark.parametrize(
    ("missing", "fps", "filled"), [(19, 30.0, True), (20, 30.0, False), (6, 10.0, True), (7, 10.0, False)]
)
def test_gaps_are_measured_in_seconds(missing: int, fps: float, filled: bool) -> None:
    after = refine(interrupted(60, missing), times(120 + missing, fps))
    assert (len(after[60]) == 1) is filled


@pytest.mark.parametrize(
    ("seen", "missing", "fps", "filled"),
    [(6, 1, 30.0, True), (5, 1, 30.0, False), (12, 4, 30.0, True), (11, 4, 30.0, False), (3, 1, 7.0, True)],
)
def test_without_support_a_gap_is_filled_only_in_a_track_seen_for_long(
    seen: int, missing: int, fps: float, filled: bool
) -> None:
    after = refine(interrupted(seen, missing), times(2 * seen + missing, fps))
    assert (len(after[seen]) == 1) is filled


NOTHING = Detections.empty()
WEAK = Detections([[1, 0, 11, 20]], [0.15], [0])


@pytest.mark.parametrize(
    ("in_gap", "filled"),
    [
        ([WEAK] * 6, True),
        ([WEAK, NOTHING] * 3, True),
        ([WEAK, None, None] * 2, True),  # nobody looked at two of three frames
        ([WEAK, NOTHING, NOTHING] * 2, False),
        ([Detections([[7, 0, 17, 20]], [0.9], [0])] * 6, False),  # beside it
        ([NOTHING] * 6, False),
    ],
)
def test_weak_boxes_that_no_track_took_support_a_gap(in_gap: list[Detections | None], filled: bool) -> None:
    film = interrupted(6, 6)
    seen = Detections(film[0].xyxy, [0.9], [0])
    after = refine(film, times(18), detections=[*[seen] * 6, *in_gap, *[seen] * 6])
    assert [len(one) for one in after[6:12]] == [int(filled)] * 6


def test_a_box_that_a_track_took_supports_no_other() -> None:
    other = replace(tracks((2, 1, 0.9)), xyxy=np.array([[1.0, 0, 11, 19]]))  # not in front: it ends higher
    film = [*interrupted(6, 6)[:6], *[other] * 6, *[tracks((1, 0, 0.9))] * 6]
    taken = [Detections(one.xyxy, one.score, [0]) for one in film]
    assert [one.track_id.tolist() for one in refine(film, times(18), detections=taken)[6:12]] == [[2]] * 6


@pytest.mark.parametrize(
    ("xyxy", "filled"),
    [
        ((5, 2, 30, 25), False),  # hides less than half
        ((2, 2, 30, 25), True),
        ((2, -5, 30, 19), False),  # stands behind
    ],
)
def test_whoever_stands_in_front_supports_a_gap(xyxy: tuple[int, ...], filled: bool) -> None:
    front = replace(tracks((2, 0, 0.9)), xyxy=np.array([xyxy], float))
    film = [*interrupted(6, 6)[:6], *[front] * 6, *[tracks((1, 0, 0.9))] * 6]
    after = refine(film, times(18))
    assert [len(one) for one in after[6:12]] == [1 + filled] * 6


def test_detections_must_be_one_per_frame() -> None:
    with pytest.raises(ValueError, match="one per frame, 2, got 1"):
        refine([tracks((1, 0, 0.9))] * 2, times(2), detections=[NOTHING])


def test_a_long_gap_parts_the_pieces() -> None:
    film = [tracks((1, 7.0 * (i % 2), 0.9)) for i in range(5)]
    both = refine([*film, *[Tracks.empty()] * 60, tracks((1, 1e6, 0.9))], times(66))
    for alone, before_the_gap in zip(refine(film, times(5)), both[:5], strict=True):
        np.testing.assert_allclose(alone.xyxy, before_the_gap.xyxy, atol=1e-6)


def test_trembling_is_smoothed_and_the_way_kept() -> None:
    noise = np.random.default_rng(3).normal(0, 2, 200)
    way = 100 * np.sin(np.arange(200) / 30)
    after = refine([tracks((1, x, 0.9)) for x in way + noise], times(200))
    left = np.array([one.xyxy[0, 0] for one in after])
    assert np.abs(left - way).mean() < np.abs(noise).mean() / 2


def dense(values: NDArray[np.float64], weight: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    d = np.diff(np.eye(len(values)), 2, axis=0) if len(values) > 2 else np.zeros((0, len(values)))
    return np.linalg.solve(np.diag(weight) + penalty * d.T @ d, weight[:, None] * values)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.floats(0, 1e3), st.integers(0, 99))
def test_the_band_solver_equals_the_textbook_piece_by_piece(
    lengths: list[int], penalty: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    n = sum(lengths)
    values, weight = random.normal(0, 100, (n, 4)), random.uniform(0.1, 1, n)
    starts = np.cumsum([0, *lengths[:-1]])
    first = np.zeros(n, bool)
    first[starts] = True
    expected = [
        dense(values[a : a + k], weight[a : a + k], penalty) for a, k in zip(starts, lengths, strict=True)
    ]
    np.testing.assert_allclose(smooth(values, weight, first, penalty), np.concatenate(expected), atol=1e-6)


def test_boxes_as_measured_replace_the_filters() -> None:
    detections = Detections([[1, 2, 3, 4], [5, 6, 7, 8]], [0.9, 0.8], [0, 0])
    believed = tracks((1, 0, 0.8), (2, 50, 0.9))
    believed = Tracks(
        believed.track_id, believed.xyxy, believed.score, believed.class_id, np.array([1, FILLED])
    )
    assert measured(believed, detections).xyxy.tolist() == [[5, 6, 7, 8], [50, 0, 60, 20]]


def test_nothing_stays_nothing_and_times_must_fit() -> None:
    assert [len(one) for one in refine([Tracks.empty()] * 3, times(3))] == [0, 0, 0]
    assert refine([], []) == []
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        refine([Tracks.empty()] * 2, times(3))


def test_a_single_picture_is_left_as_it_is() -> None:
    (after,) = refine([tracks((1, 5, 0.9))], [0.0], Refinement())
    assert after.xyxy.tolist() == [[5, 0, 15, 20]]
