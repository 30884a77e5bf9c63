"""Rotated boxes are followed as such: half turns, mirrors and neighbours side by side."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from bytetrack import BYTETracker, Detections, RotatedTracker, Tracks
from bytetrack.looks import LooksTracker
from bytetrack.rotated import overlap_pairs, regular, upright
from bytetrack.types import FloatArray
from tracker.trackers.make import ROTATED, TRACKERS

FRAMES = 60
WIDTH = 800.0


def ships(frame: int) -> FloatArray:
    """Return ships (N, 5): two turn in circles, five lie side by side at 45 degrees and move along."""
    turn = frame * 0.05
    rows = [[200 + 80 * np.cos(turn), 200 + 80 * np.sin(turn), 60, 18, turn + np.pi / 2]]
    rows += [[600 + 60 * np.sin(turn), 200 + 60 * np.cos(turn), 50, 20, -turn]]
    rows += [[100 + 16 * n + 5 * frame, 500 - 16 * n + 5 * frame, 90, 14, np.pi / 4] for n in range(5)]
    return np.array(rows)


def found(frame: int, change: Callable[[FloatArray], FloatArray] = lambda boxes: boxes) -> Detections:
    noise = np.random.default_rng(frame).normal(0, 1, (7, 5)) * [0.7, 0.7, 0.7, 0.5, 0.02]
    boxes = change(ships(frame) + noise)
    return Detections(upright(boxes), np.full(len(boxes), 0.9), np.zeros(len(boxes), int), rotated=boxes)


def step(tracker: BYTETracker, detections: Detections) -> Tracks:
    """Give a tracker one frame; who compares looks sees seven colours."""
    if isinstance(tracker, LooksTracker):
        return tracker.update(detections, 1.0, lambda rows: np.eye(7)[rows])
    return tracker.update(detections)


def track(
    change: Callable[[FloatArray], FloatArray] = lambda boxes: boxes,
    kind: str = "motion",
    until: int = FRAMES,
) -> list[Tracks]:
    tracker = ROTATED[kind]()
    return [step(tracker, found(frame, change)) for frame in range(until)]


def assert_same(one: list[Tracks], other: list[Tracks], back: Callable[[FloatArray], FloatArray]) -> None:
    for first, second in zip(one, other, strict=True):
        assert first.rotated is not None and second.rotated is not None
        assert len(first) == len(second)
        overlap = overlap_pairs(first.rotated, back(second.rotated))
        np.testing.assert_allclose(overlap, 1, atol=1e-6)


everyone = pytest.mark.parametrize("kind", ROTATED)


def near(one: FloatArray, other: FloatArray) -> list[int]:
    """Return the row of the nearest of other boxes, by their centres."""
    return [int(np.hypot(*(other[:, :2] - box[:2]).T).argmin()) for box in one]


@pytest.mark.slow_after(2)
@everyone
def test_everybody_keeps_the_number_and_is_where_it_is(kind: str) -> None:
    whose: list[int] | None = None
    for frame, tracks in enumerate(track(kind=kind)):
        if frame < 8:
            continue
        assert sorted(tracks.track_id.tolist()) == [1, 2, 3, 4, 5, 6, 7]
        assert tracks.rotated is not None
        truth = near(tracks.rotated, ships(frame))
        whose = whose or truth
        assert truth == whose and sorted(truth) == list(range(7))
        np.testing.assert_allclose(tracks.xyxy, upright(tracks.rotated))
    assert overlap_pairs(tracks.rotated, ships(frame)[truth]).min() > 0.6


@pytest.mark.slow_after(2)
@everyone
@pytest.mark.parametrize("turns", [1, 2])
def test_a_turned_form_of_a_box_is_the_same_box(kind: str, turns: int) -> None:
    def change(boxes: FloatArray) -> FloatArray:
        turned = boxes.copy()
        turned[::2, 4] += turns * np.pi / 2
        if turns % 2:
            turned[::2, 2:4] = boxes[::2, 3:1:-1]
        return regular(turned)

    assert_same(track(kind=kind, until=20), track(change, kind, 20), lambda boxes: boxes)


def moved(turn: float, mirror: int) -> Callable[[FloatArray], FloatArray]:
    """Return what turns a scene around a point, and mirrors it where ``mirror`` is -1."""
    way = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag([mirror, 1])
    return lambda boxes: np.column_stack(
        [boxes[:, :2] @ way.T + WIDTH, boxes[:, 2:4], mirror * boxes[:, 4] + turn]
    )


@pytest.mark.slow_after(2)
@everyone
@pytest.mark.parametrize(("turn", "mirror"), [(0.0, -1), (0.7, 1), (2.9, -1)])
def test_a_turned_or_mirrored_scene_gives_the_same_tracks(kind: str, turn: float, mirror: int) -> None:
    change = moved(turn, mirror)
    theirs: dict[int, int] = {}  # by our number
    for one, other in zip(
        track(kind=kind, until=20), track(lambda b: regular(change(b)), kind, 20), strict=True
    ):
        assert one.rotated is not None and other.rotated is not None and len(one) == len(other)
        order = near(change(one.rotated), other.rotated)
        np.testing.assert_allclose(overlap_pairs(change(one.rotated), other.rotated[order]), 1, atol=1e-6)
        for ours, number in zip(one.track_id.tolist(), other.track_id[order].tolist(), strict=True):
            assert theirs.setdefault(ours, number) == number


def test_who_is_hidden_goes_on_and_comes_back_with_its_number() -> None:
    tracker = RotatedTracker()
    for frame in range(FRAMES):
        detections = found(frame)
        if 20 <= frame < 26:
            detections = detections[np.arange(7) != 1]
        tracks = tracker.update(detections)
    assert tracks.track_id.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert len(tracker.update(Detections.empty())) == 0
    assert len(tracker.predict()) == 0


@pytest.mark.slow_after(1)
@everyone
def test_the_state_goes_on(kind: str) -> None:
    whole, first = track(kind=kind, until=20), ROTATED[kind]()
    for frame in range(10):
        step(first, found(frame))
    second = ROTATED[kind]()
    second.restore(json.loads(json.dumps(first.state())))
    for frame in range(10, 20):
        tracks = step(second, found(frame))
        np.testing.assert_array_equal(tracks.rotated, whole[frame].rotated)
    with pytest.raises(ValueError, match="the state of rotated boxes is expected"):
        second.restore(TRACKERS[kind]().state())


def test_the_camera_turns() -> None:
    tracker = RotatedTracker()
    box = np.array([[100.0, 100, 60, 20, 0.2]])
    tracker.update(Detections(upright(box), [0.9], [0], rotated=box))
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    tracker.warp(turn)
    rotated = tracker.predict().rotated
    assert rotated is not None
    np.testing.assert_allclose(rotated[0, 4], 0.5)


def test_upright_boxes_are_rotated_ones_that_are_not_turned() -> None:
    plain, turned = RotatedTracker(), RotatedTracker()
    for frame in range(10):
        boxes = np.array([[20.0 + 3 * frame, 50, 60, 20, 0], [200, 50 + 2 * frame, 20, 50, 0]])
        around = upright(boxes)
        one = plain.update(Detections(around, [0.9, 0.8], [0, 0]))
        other = turned.update(Detections(around, [0.9, 0.8], [0, 0], rotated=boxes))
        np.testing.assert_allclose(one.xyxy, other.xyxy)
        np.testing.assert_allclose(one.xyxy, around, atol=6)
