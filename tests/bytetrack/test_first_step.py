"""Cars that go half their length and more between two frames are followed from their second or third box."""

from __future__ import annotations

import numpy as np
import pytest

from bytetrack import Detections, MotionTracker

LONG, WIDE, END = 48.0, 20.0, 900.0
Car = tuple[float, float, float]  # across, where its front is in the first frame, pixels a frame


def followed(cars: list[Car], fps: float = 5.0) -> tuple[float, list[set[int]]]:
    """Return the part of all boxes that is followed, and the numbers of each car."""
    tracker = MotionTracker(track_thresh=0.3, new_track_thresh=0.37, match_thresh=0.88, frame_rate=fps)
    tracker.update(Detections.empty())
    noise = np.random.default_rng(1)
    numbers: list[set[int]] = [set() for _ in cars]
    boxes = got = 0
    for frame in range(60):
        rows, own = [], []
        for n, (x, front, step) in enumerate(cars):
            ends = np.sort([front + step * frame, front + step * frame - np.sign(step) * LONG]).clip(0, END)
            if np.ptp(ends) > 15:
                rows.append([x, ends[0], x + WIDE, ends[1]])
                own.append(n)
        table = np.array(rows).reshape(-1, 4)
        table += noise.normal(0, 0.01, table.shape) * np.array([WIDE, LONG, WIDE, LONG])
        found = Detections(table, np.full(len(table), 0.85), np.full(len(table), 2))
        tracks = tracker.update(found)
        boxes, got = boxes + len(rows), got + len(tracks)
        for number, source in zip(tracks.track_id.tolist(), tracks.source.tolist(), strict=True):
            numbers[own[source]].add(number)
    return got / boxes, numbers


@pytest.mark.parametrize("step", [30.0, 34.0, 48.0, 60.0])
@pytest.mark.parametrize("gap", [130.0, 400.0])
def test_a_lane_of_fast_cars_is_followed(step: float, gap: float) -> None:
    part, numbers = followed([(100, -gap * n, step) for n in range(4)])
    assert part > (0.85 if gap < 200 else 0.82)  # who is alone is shown from the third sight
    assert all(len(each) == 1 for each in numbers) and len(set().union(*numbers)) == 4


@pytest.mark.parametrize("step", [34.0, 40.0, 60.0])
def test_three_lanes_one_way_and_one_back_are_followed(step: float) -> None:
    there = [(100 + 40.0 * lane, -13.0 * lane - 250 * n, step) for lane in range(3) for n in range(3)]
    part, numbers = followed([*there, (300, END - 20, -step), (300, END + 300, -step)])
    assert part > 0.85
    assert sum(len(each) for each in numbers) <= len(numbers) + 1
    assert len(set().union(*numbers)) == len(numbers)


def third(
    new: list[float],
    class_id: int = 2,
    more: tuple[list[float], ...] = (),
    on: float = 1.0,
    score: float = 0.9,
) -> list[int]:
    """Return the numbers when somebody seen once is followed by a ``new`` box, and ``more`` boxes.

    The third sight lies as far from the new box as that from the first, times ``on``.
    """
    tracker = MotionTracker(track_thresh=0.3, new_track_thresh=0.37, match_thresh=0.88, frame_rate=5.0)
    tracker.update(Detections.empty())
    first = np.array([[100.0, 100, 120, 148]])
    tracker.update(Detections(first, np.full(1, 0.9), np.array([2])))
    boxes = np.array([new, *more])
    tracker.update(Detections(boxes, np.full(len(boxes), score), np.full(len(boxes), class_id)))
    last = boxes[:1] + on * (boxes[:1] - first)
    return tracker.update(Detections(last, np.full(1, score), np.full(1, class_id))).track_id.tolist()


def test_who_may_be_another_is_not_taken_for_the_same() -> None:
    near = [100.0, 140, 120, 188]
    assert third(near) == [1]
    assert third(near, class_id=7) == []
    assert third([100.0, 100 + 3 * 31, 120, 148 + 3 * 31]) == []  # nobody goes so far
    assert third([80.0, 140, 120, 236]) == []  # twice as large
    assert third(near, more=([100.0, 60, 120, 108],)) == []  # either may be it
    assert third([100.0, 112, 120, 160], score=0.38) == []  # no step: it was unsure where it overlapped


@pytest.mark.parametrize("on", [-1.0, 2.5])
def test_boxes_that_flicker_alone_are_nobody(on: float) -> None:
    """Two of them may lie as if one thing had gone far; a third does not lie where it would be."""
    assert third([100.0, 160, 120, 208], on=on) == []


def test_who_was_lost_and_comes_back_fast_keeps_its_number() -> None:
    """Its speed is known from the two new boxes, and with it where it must have come from."""
    tracker = MotionTracker(track_thresh=0.3, new_track_thresh=0.37, match_thresh=0.88)
    numbers = []
    for frame in range(50):
        way = frame * 14.0 % 600
        x = 600 - way if way > 300 else way
        there = int(frame not in (30, 31))
        boxes = np.array([[x - 10, 90, x + 10, 110]] * there).reshape(-1, 4)
        found = Detections(boxes, np.full(there, 0.8), np.zeros(there, int))
        numbers.append(tracker.update(found).track_id.tolist())
    assert numbers[29] == numbers[34] == [1]
