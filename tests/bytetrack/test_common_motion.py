"""The camera told from the boxes: what moves alike is the camera, what goes its own way is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from bytetrack import Detections, MotionTracker
from bytetrack.common_motion import CommonMotion, Shared

Boxes = NDArray[np.float64]
SCENE_SEEDS = range(3)


def walkers(seed: int, frames: int, n: int = 8, speed: float = 1.5) -> list[Boxes]:
    """People who walk about: (N, 4) corners per frame, boxes off by 1 % of their size."""
    rng = np.random.default_rng(seed)
    tall = rng.uniform(80, 160, n)
    size = np.stack((0.4 * tall, tall), 1)
    center, velocity = rng.uniform(0, 1200, (n, 2)), rng.normal(0, speed, (n, 2))
    found = []
    for _ in range(frames):
        center = center + velocity
        box = np.hstack((center - size / 2, center + size / 2))
        found.append(box + rng.normal(0, 0.01, box.shape) * np.hstack((size, size)))
    return found


def follow(
    frames: Sequence[Boxes], tracker: MotionTracker | None = None, missed: float = 0.0, seed: int = 0
) -> tuple[dict[int, set[int]], MotionTracker]:
    """Return the numbers that each row of the boxes was given; some detections may be missed."""
    rng = np.random.default_rng(seed)
    tracker = tracker or MotionTracker(track_thresh=0.5, track_buffer=60)
    numbers: dict[int, set[int]] = {}
    for box in frames:
        seen = np.flatnonzero(rng.random(len(box)) >= missed)
        tracks = tracker.update(Detections(box[seen], np.full(len(seen), 0.9), np.zeros(len(seen), int)))
        for track_id, source in zip(tracks.track_id.tolist(), tracks.source.tolist(), strict=True):
            numbers.setdefault(int(seen[source]), set()).add(track_id)
    return numbers, tracker


def moved(frames: Sequence[Boxes], camera: Boxes) -> list[Boxes]:
    return [box + np.tile(by, 2) for box, by in zip(frames, camera, strict=True)]


def kept(numbers: dict[int, set[int]]) -> float:
    """Return the share of objects that had one number only."""
    return float(np.mean([len(given) == 1 for given in numbers.values()]))


def tremble(frames: int) -> Boxes:
    return np.random.default_rng(4).normal(0, 9, (frames, 2))


def pan(frames: int, speed: float = 25.0) -> Boxes:
    """Still, then so many pixels a frame, then still."""
    there = np.clip(np.arange(frames) - frames // 3, 0, frames // 3) * speed
    return np.stack((there, 0 * there), 1)


def swing(frames: int) -> Boxes:
    return np.stack((180 * np.sin(np.arange(frames) / 7), 60 * np.sin(np.arange(frames) / 5)), 1)


def blind() -> MotionTracker:
    """Return a tracker that knows of no camera."""
    tracker = MotionTracker(track_thresh=0.5, track_buffer=60)
    tracker._common.estimate = lambda *_: None  # type: ignore[method-assign]
    return tracker


@pytest.mark.slow
@pytest.mark.parametrize("camera", [tremble, pan, swing])
def test_numbers_last_under_a_moving_camera(camera: Callable[[int], Boxes]) -> None:
    """As long as under one that stands still, though every third box is missed."""
    scenes = [(moved(walkers(seed, 60), camera(60)), seed) for seed in range(6)]
    with_it = [kept(follow(frames, None, 0.3, seed)[0]) for frames, seed in scenes]
    without = [kept(follow(frames, blind(), 0.3, seed)[0]) for frames, seed in scenes]
    assert np.mean(with_it) >= 0.97
    assert np.mean(with_it) > np.mean(without)


def test_a_swinging_camera_takes_no_number() -> None:
    assert kept(follow(moved(walkers(0, 40), swing(40)))[0]) == 1.0


@pytest.mark.parametrize("seed", SCENE_SEEDS)
def test_of_a_camera_that_stands_still_hardly_anything_is_said(seed: int) -> None:
    tracker, told = MotionTracker(track_thresh=0.5), []
    estimate = tracker._common.estimate

    def noted(*given: object) -> Shared | None:
        shared = estimate(*given)  # type: ignore[arg-type]
        told.append(np.zeros(2) if shared is None else shared.shift)
        return shared

    tracker._common.estimate = noted  # type: ignore[method-assign]
    follow(walkers(seed, 100, n=20), tracker, missed=0.1)
    assert len(told) == 100
    assert np.abs(np.sum(told[10:], 0)).max() < 3.0  # pixels, over 90 frames
    assert np.abs(told[10:]).max() < 2.0


@pytest.mark.parametrize("both_ways", [False, True])
def test_traffic_is_not_a_camera(both_ways: bool) -> None:
    """Cars stream past some that are parked; every one keeps its number, also while it is not detected."""
    rng = np.random.default_rng(0)
    way = np.where(np.arange(30) % 2 == 0, 1, -1) if both_ways else np.ones(30)
    velocity = np.where(np.arange(30) < 24, 14.0 * way, 0.0)
    left = np.arange(30) * 260.0 % 2600 + rng.uniform(0, 30, 30)
    top = np.arange(30) // 10 * 200.0 + np.where(way > 0, 0, 100) + np.where(velocity == 0, 300, 0)
    frames = []
    for _ in range(80):
        left = left + velocity
        box = np.stack((left, top, left + 100, top + 60), 1)
        frames.append(box + rng.normal(0, 0.7, box.shape))
    numbers, tracker = follow(frames, missed=0.1)
    assert kept(numbers) == 1.0
    lost = tracker.update(np.empty((0, 6)))
    assert len(lost) == 0
    belief = tracker._table.belief
    own = belief[1, 0, np.argsort(belief[0, 0])]  # velocities settle, those of the parked too
    assert np.sort(np.abs(own))[:5].max() < 2.0


def test_a_marathon_is_followed_from_its_start() -> None:
    """All set off together, past a few who watch."""
    frames = walkers(5, 60, n=20, speed=0.2)
    for index, box in enumerate(frames):
        box[:16, ::2] += 6.0 * max(0, index - 10)
    numbers, _ = follow(frames, missed=0.1)
    assert kept(numbers) == 1.0


def test_zoom_and_a_single_box_do_no_harm() -> None:
    for seed in SCENE_SEEDS:
        zoom = [(box - 600) * (1 + 0.01 * k) + 600 for k, box in enumerate(walkers(seed, 50, n=10))]
        assert kept(follow(zoom, missed=0.1)[0]) >= kept(follow(zoom, blind(), missed=0.1)[0])
    alone = moved(walkers(3, 50, n=1), np.cumsum(np.full((50, 2), 3.0), 0))
    assert kept(follow(alone)[0]) == 1.0


def test_it_does_not_move_twice_what_the_picture_moved() -> None:
    """``--camera-motion`` moves the tracks before; nothing is left to see then."""
    frames, camera = walkers(1, 60, n=10), tremble(60)
    still, _ = follow(frames)
    tracker, told = MotionTracker(track_thresh=0.5, track_buffer=60), []
    numbers: dict[int, set[int]] = {}
    for index, box in enumerate(moved(frames, camera)):
        by = camera[index] - camera[max(index - 1, 0)]
        tracker.warp(np.hstack((np.eye(2), by[:, None])))
        tracks = tracker.update(Detections(box, np.full(10, 0.9), np.zeros(10, int)))
        for track_id, source in zip(tracks.track_id.tolist(), tracks.source.tolist(), strict=True):
            numbers.setdefault(source, set()).add(track_id)
        told.append(tracker._common.variance.max())
    assert numbers == still
    assert max(told[10:]) < 1.0  # the camera's variance is 162


def test_the_estimate_is_the_shift_and_heeds_no_outlier() -> None:
    rng = np.random.default_rng(0)
    expected = rng.uniform(4, 16, (2, 12))
    missed = np.array([[25.0], [-16]]) + rng.normal(0, 1, (2, 12)) * np.sqrt(expected)
    missed[:, 0] += 40
    place = rng.uniform(0, 1000, (2, 12))
    trembles = np.array([400.0, 400])
    all_sure = np.ones(12, int)
    shared = CommonMotion(trembles.copy()).estimate(missed, expected, all_sure, place)
    assert shared is not None and shared.zoom == 0
    np.testing.assert_allclose(shared.shift, [25, -16], atol=3)
    careful = CommonMotion().estimate(missed, expected, all_sure, place)  # nothing is known of the camera
    assert careful is not None
    assert (np.abs(careful.shift) < np.abs(shared.shift)).all()
    assert CommonMotion(trembles).estimate(missed, expected, np.arange(12) // 11, place) is None


def test_boxes_that_move_apart_are_no_shift() -> None:
    """A camera that drives on: most boxes are on one side, yet not all miss to it."""
    apart = np.array([[-10.0, 12, 9, -8, 20], [0, 0, 0, 0, 0]])
    expected = np.full((2, 5), 4.0)
    trembles, every = np.array([400.0, 400]), np.ones(5, int)
    assert CommonMotion(trembles.copy()).estimate(apart, expected, every, apart) is None
    assert CommonMotion(trembles.copy()).estimate(np.abs(apart), expected, every, apart) is not None


def test_what_is_known_of_the_camera_goes_through_a_saved_state() -> None:
    frames = moved(walkers(6, 40), tremble(40))
    _, whole = follow(frames)
    _, first = follow(frames[:20])
    second = MotionTracker.from_state(json.loads(json.dumps(first.state())))
    follow(frames[20:], second)
    assert second._common.variance.min() > 1.0
    np.testing.assert_array_equal(second._common.variance, whole._common.variance)
    np.testing.assert_array_equal(second._table.belief, whole._table.belief)
    assert second.state() == whole.state()


def test_time_steps_that_differ_and_frames_without_a_detector_change_nothing() -> None:
    frames = moved(walkers(7, 90, n=10), pan(90, 12.0))
    tracker, numbers = MotionTracker(track_thresh=0.5, track_buffer=60), {}
    for index, box in enumerate(frames):
        if index % 3 == 1:
            tracker.predict(1.0)
            continue
        tracks = tracker.update(Detections(box, np.full(10, 0.9), np.zeros(10, int)), dt=1.0)
        for track_id, source in zip(tracks.track_id.tolist(), tracks.source.tolist(), strict=True):
            numbers.setdefault(source, set()).add(track_id)
    assert all(len(given) == 1 for given in numbers.values())


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(("camera", "at_most"), [(pan, 0.3), (swing, 0.3), (tremble, 2.0)])
def test_what_is_remembered_moves_with_the_scene(camera: Callable[[int], Boxes], at_most: float) -> None:
    """Within two seconds, compared with leaving it where it was: a trembling camera goes nowhere."""
    away, tracker, true = [np.zeros(2)], MotionTracker(track_thresh=0.5), camera(180)
    for box in moved(walkers(2, 180), true):
        tracker.update(Detections(box, np.full(8, 0.9), np.zeros(8, int)))
        away.append(away[-1] + tracker.scene_moved())
    off = np.array(away[1:]) - true
    left, wrong = (np.hypot(*(way[60:] - way[:-60]).T).mean() for way in (true, off))
    assert wrong < at_most * left


@pytest.mark.parametrize(("speed", "every"), [(12.0, 2), (8.0, 3)])
def test_it_moves_as_far_where_a_detector_looks_now_and_then(speed: float, every: int) -> None:
    """What boxes tell at once is the motion of all the frames in which nobody looked."""
    tracker, true, moved_by = MotionTracker(track_thresh=0.5), pan(180, speed), np.zeros(2)
    for index, box in enumerate(moved(walkers(2, 180), true)):
        if index % every:
            tracker.predict(1.0)
            continue
        tracker.update(Detections(box, np.full(8, 0.9), np.zeros(8, int)))
        moved_by += tracker.scene_moved()
    np.testing.assert_allclose(moved_by, true[-1], atol=0.2 * true[-1].max())


def drive(seed: int, frames: int = 80, n: int = 40) -> list[Boxes]:
    """People beside a street through which the camera drives, a metre a frame, seen through a pinhole."""
    rng = np.random.default_rng(seed)
    side, ahead = rng.choice([-1, 1], n) * rng.uniform(3, 9, n), rng.uniform(8, 100, n)
    sway = np.cumsum(rng.normal(0, 4, frames))  # pixels; the car turns a little
    found = []
    for frame in range(frames):
        z = ahead - frame
        seen = (z > 5) & (z < 35)
        at = 700 / np.maximum(z, 1)
        tall = 1.7 * at
        box = np.stack((side * at + sway[frame], 0.4 * at, 0.4 * tall, tall), 1)
        box += rng.normal(0, 0.02, box.shape) * tall[:, None]
        box = np.hstack((box[:, :2] - box[:, 2:] / 2, box[:, :2] + box[:, 2:] / 2))
        found.append(np.where(seen[:, None], box, np.nan))
    return found


def shown(frames: Sequence[Boxes], tracker: MotionTracker, seed: int) -> dict[int, set[int]]:
    """As `follow`, of boxes that come and go."""
    rng = np.random.default_rng(seed)
    numbers: dict[int, set[int]] = {}
    for box in frames:
        rows = np.flatnonzero(np.isfinite(box[:, 0]) & (rng.random(len(box)) >= 0.25))
        tracks = tracker.update(Detections(box[rows], np.full(len(rows), 0.9), np.zeros(len(rows), int)))
        for track_id, source in zip(tracks.track_id.tolist(), tracks.source.tolist(), strict=True):
            numbers.setdefault(int(rows[source]), set()).add(track_id)
    return numbers


@pytest.mark.slow
def test_where_the_camera_drives_on_boxes_move_apart_together() -> None:
    def changes(zoom: bool, seed: int) -> int:
        tracker = MotionTracker(track_thresh=0.5, track_buffer=60, frame_rate=10)
        if not zoom:
            tracker._common._zoom = lambda *_: (0.0, False)  # type: ignore[method-assign]
        return sum(len(given) - 1 for given in shown(drive(seed), tracker, seed).values())

    with_it, without = ([changes(zoom, seed) for seed in range(4)] for zoom in (True, False))
    assert np.mean(with_it) < 0.9 * np.mean(without)
