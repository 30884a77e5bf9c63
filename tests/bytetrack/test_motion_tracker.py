"""What the default tracker does otherwise than ByteTrack."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bytetrack import BYTETracker, MotionTracker
from bytetrack.association import AssociationContext
from bytetrack.boxes import columns, overlapping, xyxy_to_xywh
from bytetrack.motion_tracker import by_overlap_height_and_score
from tests.bytetrack.crowd import random_boxes
from tests.quick import examples

seeds = st.integers(0, 2**32 - 1)
Make = Callable[..., BYTETracker]


def textbook(measured: NDArray[np.float64]) -> KalmanFilter:
    """BoT-SORT's filter as its code writes it: x and w by the width, y and h by the height."""
    kf = KalmanFilter(dim_x=8, dim_z=4)
    kf.x = np.r_[measured, np.zeros(4)][:, None]
    kf.P = std(2, 10, measured) ** 2
    kf.H = np.eye(4, 8)
    return kf


def std(position: float, velocity: float, xywh: NDArray[np.float64]) -> NDArray[np.float64]:
    w, h = xywh[2:4]
    unit = np.array([w, h, w, h])
    return np.diag(np.r_[position / 20 * unit, velocity / 160 * unit])


@examples(30)
@given(
    seeds,
    st.sampled_from([30.0, 10.0, 59.94]),
    st.lists(st.tuples(st.sampled_from([1.0, 2.0, 0.4]), st.booleans()), max_size=8),
)
def test_the_filter_equals_filterpy_at_any_frame_rate(
    seed: int, fps: float, steps: list[tuple[float, bool]]
) -> None:
    rng = np.random.default_rng(seed)
    motion = MotionTracker(frame_rate=fps).motion
    measured = xyxy_to_xywh(columns(random_boxes(rng, 3)))
    belief, filters = motion.initiate(measured), [textbook(z) for z in measured.T]
    for dt, seen in steps:
        belief = motion.predict(belief, dt)
        for kf in filters:
            f = np.eye(8)
            f[:4, 4:] = dt * np.eye(4)
            kf.predict(F=f, Q=dt * std(1, (30 / fps) ** 0.5, kf.x[:4, 0]) ** 2)
        if seen:
            measured = measured + rng.normal(0, 0.01, measured.shape) * measured[2:].max()
            belief = motion.update(belief, measured)
            for kf, z in zip(filters, measured.T, strict=True):
                kf.update(z, R=std(1, 1, kf.x[:4, 0])[:4, :4] ** 2)
        for track, kf in enumerate(filters):
            x, velocity, p, c, v = belief[:, :, track]
            np.testing.assert_allclose(np.r_[x, velocity], kf.x.ravel(), rtol=1e-9, atol=1e-9)
            covariance = np.block([[np.diag(p), np.diag(c)], [np.diag(c), np.diag(v)]])
            np.testing.assert_allclose(covariance, kf.P, rtol=1e-9, atol=1e-9)


@given(seeds)
def test_height_modulated_overlap_equals_its_formula(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tracks, boxes = random_boxes(rng, 5, extent=300), random_boxes(rng, 7, extent=300)
    score = rng.uniform(0, 1, 7)
    context = AssociationContext(
        columns(tracks), np.ones(5, np.int64), np.arange(5), columns(boxes), score, np.arange(7)
    )
    pairs = overlapping(columns(tracks), columns(boxes))
    found = by_overlap_height_and_score(pairs, context)
    for row, column, iou, value in zip(pairs.row, pairs.column, pairs.iou, found, strict=True):
        (_, top, _, bottom), (_, other_top, _, other_bottom) = tracks[row], boxes[column]
        shared = min(bottom, other_bottom) - max(top, other_top)
        whole = max(bottom, other_bottom) - min(top, other_top)
        assert value == pytest.approx(iou * (shared / whole) ** 0.5 * score[column])


@pytest.mark.parametrize("make", [BYTETracker, MotionTracker])
def test_which_trackers_heed_height(make: Make) -> None:
    """Two boxes overlap a track alike, one as wide and half as tall, one as tall and half as wide."""
    tracker = make(track_thresh=0.5, match_thresh=0.9)
    first = tracker.update([[100, 100, 140, 180, 0.9]]).track_id[0]
    tracks = tracker.update([[100, 100, 140, 140, 0.9], [100, 100, 120, 180, 0.89]])
    (source,) = tracks.source[tracks.track_id == first]
    assert source == (0 if make is BYTETracker else 1)


def test_neither_width_nor_height_of_a_lost_box_grows() -> None:
    tracker = MotionTracker()
    for k in range(8):  # grows by 4 px a frame in both directions and walks
        seen = tracker.update([[10 * k, 0, 10 * k + 50 + 4 * k, 100 + 4 * k, 0.9]])
    tracker.update(np.empty((0, 5)))  # lost; this frame's prediction is still made at full speed
    xywh = [tracker._table.belief[0, :, 0].copy()]
    for _ in range(3):
        tracker.update(np.empty((0, 5)))
        xywh.append(tracker._table.belief[0, :, 0].copy())
    assert len(seen) == 1
    x, _, w, h = np.diff(xywh, axis=0).T
    assert (x > 5).all() and (w == 0).all() and (h == 0).all()


def test_of_coinciding_tracks_both_survive() -> None:
    box = [[100, 100, 150, 200, 0.9]]
    survivors = []
    for make in (BYTETracker, MotionTracker):
        tracker = make(match_thresh=0.9)
        tracker.update([*box, [103, 100, 153, 200, 0.9]])
        tracker.update(box)
        survivors.append(len(tracker._table.labels[0]))
    assert survivors == [1, 2]
