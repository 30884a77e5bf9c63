"""Identities by looks: the features are given, so what must come out is known."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bytetrack import BYTETracker, Detections
from bytetrack.appearance import Recognizer
from bytetrack.types import FloatArray, IntArray
from tests.bytetrack.crowd import crowd

RED, BLUE = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])


class Eyes:
    """Knows what every box of a frame looks like and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, looks: Sequence[FloatArray]) -> object:
        def features(rows: IntArray) -> FloatArray:
            self.asked.append(len(rows))
            return np.array([looks[row] for row in rows])

        return features


def boxes(*left_top: tuple[float, float], size: tuple[float, float] = (20, 50)) -> Detections:
    xyxy = [[x, y, x + size[0], y + size[1]] for x, y in left_top]
    return Detections(xyxy, [0.9] * len(xyxy), [0] * len(xyxy))


def recognizer(**options: object) -> Recognizer:
    return Recognizer(BYTETracker(match_thresh=0.9), size=(640, 480), **options)  # type: ignore[arg-type]


def seconds(count: float) -> int:
    return round(count * 30)


def test_without_features_it_is_the_tracker_it_wraps() -> None:
    plain, wrapped = BYTETracker(), Recognizer(BYTETracker())
    for frame in crowd(seed=3, frames=60, objects=12):
        one, other = plain.update(frame), wrapped.update(frame)
        np.testing.assert_array_equal(one.track_id, other.track_id)
        np.testing.assert_array_equal(one.xyxy, other.xyxy)


def test_it_goes_on_from_a_state_as_if_nothing_had_been() -> None:
    dice = np.random.default_rng(4)
    looks = dice.normal(size=(200, 16)).astype(np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    one, other = (Recognizer(BYTETracker(), size=(600, 600), returning=True) for _ in range(2))
    compared = 0
    for detections in crowd(seed=3, frames=90, objects=12):
        shown = looks[(detections.xyxy[:, 2] / 40).astype(int) % 200]
        first, second = (each.update(detections, 1.0, lambda rows: shown[rows]) for each in (one, other))  # noqa: B023 - called at once
        np.testing.assert_array_equal(first.track_id, second.track_id)
        np.testing.assert_array_equal(first.xyxy, second.xyxy)
        compared += len(first)
        state = json.loads(json.dumps(other.state()))
        other = Recognizer(BYTETracker(), size=(600, 600), returning=True)
        other.restore(state)
    assert compared > 500
    assert other.state() == one.state()


def test_who_stands_alone_is_looked_at_seldom() -> None:
    eyes, tracker = Eyes(), recognizer()
    for frame in range(90):
        tracker.update(boxes((100 + frame, 100), (400, 200)), 1.0, eyes([RED, BLUE]))  # type: ignore[arg-type]
    assert sum(eyes.asked) <= 2 * (1 + 90 / 20)


def test_two_who_change_places_in_one_moment_are_told_apart() -> None:
    def shirts_at_their_places(look: bool) -> list[int]:
        tracker, eyes = recognizer(), Eyes()
        for frame in range(30):
            looks = [RED, BLUE] if frame < 25 else [BLUE, RED]
            tracks = tracker.update(
                boxes((100, 100), (112, 100)),  # they touch: one beside the other
                1.0,
                eyes(looks) if look else None,  # type: ignore[arg-type]
            )
        return tracks.track_id[np.argsort(tracks.source)].tolist()

    assert shirts_at_their_places(look=True) == [2, 1]
    assert shirts_at_their_places(look=False) == [1, 2]


def comes_back(
    again: FloatArray, *, after_s: float = 3, to: tuple[float, float] = (150, 100), **options: object
) -> list[int]:
    """Return the ids shown after somebody in red was away."""
    tracker, eyes = recognizer(**options), Eyes()
    for _ in range(30):
        tracker.update(boxes((100, 100)), 1.0, eyes([RED]))  # type: ignore[arg-type]
    for _ in range(seconds(after_s)):
        tracker.update(Detections.empty(), 1.0, eyes([]))  # type: ignore[arg-type]
    for _ in range(5):
        tracks = tracker.update(boxes(to), 1.0, eyes([again]))  # type: ignore[arg-type]
    return tracks.track_id.tolist()


def test_who_comes_back_looking_the_same_is_the_same() -> None:
    assert comes_back(RED) == [1]
    assert comes_back(BLUE) == [2]


def test_nobody_comes_back_from_too_far_too_late_or_at_another_size() -> None:
    assert comes_back(RED, to=(600, 100)) == [2]
    assert comes_back(RED, after_s=25) == [2]
    assert comes_back(RED, after_s=25, remember_s=30.0) == [1]


def test_who_appears_at_the_border_is_new_unless_asked_otherwise() -> None:
    assert comes_back(RED, to=(0, 100)) == [2]
    assert comes_back(RED, to=(0, 100), returning=True) == [1]


def test_one_of_two_who_come_back_takes_each_identity() -> None:
    tracker, eyes = recognizer(), Eyes()
    for _ in range(30):
        tracker.update(boxes((100, 100), (300, 100)), 1.0, eyes([RED, BLUE]))  # type: ignore[arg-type]
    for _ in range(seconds(4)):
        tracker.update(Detections.empty())
    for _ in range(5):
        tracks = tracker.update(boxes((210, 90), (170, 110)), 1.0, eyes([RED, RED]))  # type: ignore[arg-type]
    assert sorted(tracks.track_id.tolist()) == [1, 3]


def test_an_identity_taken_up_again_is_never_shown_twice() -> None:
    tracker, eyes = recognizer(), Eyes()
    for _ in range(30):
        tracker.update(boxes((100, 100)), 1.0, eyes([RED]))  # type: ignore[arg-type]
    shown: list[list[int]] = []
    for frame in range(40):  # away to another place while the tracker within still waits at the first
        places = [(125.0, 100.0)] if frame < 10 else [(125.0, 100.0), (100.0, 100.0)]
        tracks = tracker.update(boxes(*places), 1.0, eyes([RED] * len(places)))  # type: ignore[arg-type]
        shown.append(tracks.track_id.tolist())
    assert shown[5] == [1]
    assert shown[-1] == [1, 2]


def test_at_most_the_budget_is_looked_at() -> None:
    eyes, tracker = Eyes(), recognizer(budget=3)
    places = [(30.0 * i, 100.0) for i in range(20)]
    for _ in range(40):
        before = len(eyes.asked)
        tracker.update(boxes(*places), 1.0, eyes([RED] * 20))  # type: ignore[arg-type]
        assert sum(eyes.asked[before:]) <= 3


def test_memory_is_bounded_by_who_is_remembered() -> None:
    tracker, eyes = recognizer(remember_s=2.0), Eyes()
    for wave in range(20):
        for _ in range(5):
            tracker.update(boxes((30.0 * wave, 50), (30.0 * wave, 300)), 1.0, eyes([RED, BLUE]))  # type: ignore[arg-type]
        for _ in range(seconds(3)):
            tracker.update(Detections.empty(), 1.0, eyes([]))  # type: ignore[arg-type]
    assert len(tracker._known) == len(tracker._ours) == 0
    assert tracker._next_id == 41


def test_a_fresh_run_after_reset() -> None:
    tracker = recognizer()
    first = [tracker.update(boxes((100, 100))).track_id.tolist() for _ in range(3)]
    tracker.reset()
    assert [tracker.update(boxes((300, 100))).track_id.tolist() for _ in range(3)] == first


def test_no_boxes_no_looks() -> None:
    def refuse(rows: NDArray[np.intp]) -> FloatArray:
        raise AssertionError("nothing to look at")

    assert len(recognizer().update(Detections.empty(), 1.0, refuse)) == 0
