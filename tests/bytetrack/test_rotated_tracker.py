"""Rotated boxes are followed as such: half turns, mirrors and neighbours side by side."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from bytetrack import Detections, MotionTracker, RotatedTracker, Tracks
from bytetrack.rotated import overlap_pairs, regular, upright
from bytetrack.types import FloatArray

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


def track(change: Callable[[FloatArray], FloatArray] = lambda boxes: boxes) -> list[Tracks]:
    tracker = RotatedTracker()
    return [tracker.update(found(frame, change)) for frame in range(FRAMES)]


def assert_same(one: list[Tracks], other: list[Tracks], back: Callable[[FloatArray], FloatArray]) -> None:
    for first, second in zip(one, other, strict=True):
        assert first.rotated is not None and second.rotated is not None
        assert len(first) == len(second)
        overlap = overlap_pairs(first.rotated, back(second.rotated))
        np.testing.assert_allclose(overlap, 1, atol=1e-6)


def test_everybody_keeps_the_number_and_is_where_it_is() -> None:
    films = track()
    for frame, tracks in enumerate(films[2:], 2):
        assert tracks.track_id.tolist() == [1, 2, 3, 4, 5, 6, 7]
        assert tracks.rotated is not None
        truth = ships(frame)
        order = [int(np.argmax(overlap_pairs(np.tile(box, (7, 1)), truth))) for box in tracks.rotated]
        assert sorted(order) == list(range(7))
        assert overlap_pairs(tracks.rotated, truth[order]).min() > 0.6
        np.testing.assert_allclose(tracks.xyxy, upright(tracks.rotated))
    first = [int(np.argmax(overlap_pairs(np.tile(b, (7, 1)), ships(2)))) for b in films[2].rotated]
    last = [int(np.argmax(overlap_pairs(np.tile(b, (7, 1)), ships(59)))) for b in films[59].rotated]
    assert first == last


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_form_of_a_box_is_the_same_box(turns: int) -> None:
    def change(boxes: FloatArray) -> FloatArray:
        turned = boxes.copy()
        turned[::2, 4] += turns * np.pi / 2
        if turns % 2:
            turned[::2, 2:4] = boxes[::2, 3:1:-1]
        return regular(turned)

    assert_same(track(), track(change), lambda boxes: boxes)


def test_a_mirrored_scene_gives_mirrored_tracks() -> None:
    def mirror(boxes: FloatArray) -> FloatArray:
        return boxes * [-1, 1, 1, 1, -1] + [WIDTH, 0, 0, 0, 0]

    plain, mirrored = track(), track(mirror)
    for one, other in zip(plain, mirrored, strict=True):
        assert one.rotated is not None and other.rotated is not None
        back = regular(mirror(other.rotated))
        best = np.array([overlap_pairs(np.tile(box, (len(back), 1)), back).max() for box in one.rotated])
        np.testing.assert_allclose(best, 1, atol=1e-6)


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


def test_the_state_goes_on() -> None:
    whole, first = track(), RotatedTracker()
    for frame in range(30):
        first.update(found(frame))
    second = RotatedTracker.from_state(json.loads(json.dumps(first.state())))
    for frame in range(30, FRAMES):
        tracks = second.update(found(frame))
        np.testing.assert_array_equal(tracks.rotated, whole[frame].rotated)
    with pytest.raises(KeyError):
        second.restore(MotionTracker().state())


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
