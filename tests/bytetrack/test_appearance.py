"""Identities by appearance: the embeddings are given, so what must come out is known."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from bytetrack import BYTETracker, Detections, MotionTracker
from bytetrack.appearance import AppearanceTracker
from bytetrack.types import FloatArray, IntArray
from tests.bytetrack.crowd import crowd

RED, BLUE = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])


class Embedder:
    """Knows the embedding of every box of a frame and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, embeddings: Sequence[FloatArray]) -> object:
        def embed(rows: IntArray) -> FloatArray:
            self.asked.append(len(rows))
            return np.array([embeddings[row] for row in rows])

        return embed


def boxes(*left_top: tuple[float, float], size: tuple[float, float] = (20, 50)) -> Detections:
    xyxy = [[x, y, x + size[0], y + size[1]] for x, y in left_top]
    return Detections(xyxy, [0.9] * len(xyxy), [0] * len(xyxy))


def appearance_tracker(**options: object) -> AppearanceTracker:
    return AppearanceTracker(BYTETracker(match_thresh=0.9), size=(640, 480), **options)  # type: ignore[arg-type]


def seconds(count: float) -> int:
    return round(count * 30)


def test_without_embeddings_it_is_the_tracker_it_wraps() -> None:
    plain, wrapped = BYTETracker(), AppearanceTracker(BYTETracker())
    for frame in crowd(seed=3, frames=60, objects=12):
        one, other = plain.update(frame), wrapped.update(frame)
        np.testing.assert_array_equal(one.track_id, other.track_id)
        np.testing.assert_array_equal(one.xyxy, other.xyxy)


@pytest.mark.slow
def test_it_goes_on_from_a_state_as_if_nothing_had_been() -> None:
    dice = np.random.default_rng(4)
    embeddings = dice.normal(size=(200, 16)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    one, other = (AppearanceTracker(BYTETracker(), size=(600, 600), returning=True) for _ in range(2))
    compared = 0
    for detections in crowd(seed=3, frames=90, objects=12):
        shown = embeddings[(detections.xyxy[:, 2] / 40).astype(int) % 200]
        first, second = (each.update(detections, 1.0, lambda rows: shown[rows]) for each in (one, other))  # noqa: B023 - called at once
        np.testing.assert_array_equal(first.track_id, second.track_id)
        np.testing.assert_array_equal(first.xyxy, second.xyxy)
        compared += len(first)
        state = json.loads(json.dumps(other.state()))
        other = AppearanceTracker(BYTETracker(), size=(600, 600), returning=True)
        other.restore(state)
    assert compared > 500
    assert other.state() == one.state()


def test_who_stands_alone_is_looked_at_seldom() -> None:
    embedder, tracker = Embedder(), appearance_tracker()
    for frame in range(90):
        tracker.update(boxes((100 + frame, 100), (400, 200)), 1.0, embedder([RED, BLUE]))  # type: ignore[arg-type]
    assert sum(embedder.asked) <= 2 * (1 + 90 / 20)


def test_two_who_change_places_in_one_moment_are_told_apart() -> None:
    def shirts_at_their_places(compare: bool) -> list[int]:
        tracker, embedder = appearance_tracker(), Embedder()
        for frame in range(30):
            embeddings = [RED, BLUE] if frame < 25 else [BLUE, RED]
            tracks = tracker.update(
                boxes((100, 100), (112, 100)),  # they touch: one beside the other
                1.0,
                embedder(embeddings) if compare else None,  # type: ignore[arg-type]
            )
        return tracks.track_id[np.argsort(tracks.source)].tolist()

    assert shirts_at_their_places(compare=True) == [2, 1]
    assert shirts_at_their_places(compare=False) == [1, 2]


def comes_back(
    again: FloatArray, *, after_s: float = 3, to: tuple[float, float] = (150, 100), **options: object
) -> list[int]:
    """Return the ids shown after somebody in red was away."""
    tracker, embedder = appearance_tracker(**options), Embedder()
    for _ in range(30):
        tracker.update(boxes((100, 100)), 1.0, embedder([RED]))  # type: ignore[arg-type]
    for _ in range(seconds(after_s)):
        tracker.update(Detections.empty(), 1.0, embedder([]))  # type: ignore[arg-type]
    for _ in range(5):
        tracks = tracker.update(boxes(to), 1.0, embedder([again]))  # type: ignore[arg-type]
    return tracks.track_id.tolist()


def test_who_comes_back_looking_the_same_is_the_same() -> None:
    assert comes_back(RED) == [1]
    assert comes_back(BLUE) == [2]


@pytest.mark.parametrize(("cosine", "number"), [(0.59, 2), (0.61, 1)])
def test_who_comes_back_must_look_more_like_it_than_neutral(cosine: float, number: int) -> None:
    assert comes_back(cosine * RED + (1 - cosine**2) ** 0.5 * BLUE) == [number]


@pytest.mark.slow
def test_nobody_comes_back_from_too_far_too_late_or_at_another_size() -> None:
    assert comes_back(RED, to=(600, 100)) == [2]
    assert comes_back(RED, after_s=25) == [2]
    assert comes_back(RED, after_s=25, remember_s=30.0) == [1]


def test_who_appears_at_the_border_is_new_unless_asked_otherwise() -> None:
    assert comes_back(RED, to=(0, 100)) == [2]
    assert comes_back(RED, to=(0, 100), returning=True) == [1]


def test_one_of_two_who_come_back_takes_each_identity() -> None:
    tracker, embedder = appearance_tracker(), Embedder()
    for _ in range(30):
        tracker.update(boxes((100, 100), (300, 100)), 1.0, embedder([RED, BLUE]))  # type: ignore[arg-type]
    for _ in range(seconds(4)):
        tracker.update(Detections.empty())
    for _ in range(5):
        tracks = tracker.update(boxes((210, 90), (170, 110)), 1.0, embedder([RED, RED]))  # type: ignore[arg-type]
    assert sorted(tracks.track_id.tolist()) == [1, 3]


def test_an_identity_taken_up_again_is_never_shown_twice() -> None:
    tracker, embedder = appearance_tracker(), Embedder()
    for _ in range(30):
        tracker.update(boxes((100, 100)), 1.0, embedder([RED]))  # type: ignore[arg-type]
    shown: list[list[int]] = []
    for frame in range(40):  # away to another place while the tracker within still waits at the first
        places = [(125.0, 100.0)] if frame < 10 else [(125.0, 100.0), (100.0, 100.0)]
        tracks = tracker.update(boxes(*places), 1.0, embedder([RED] * len(places)))  # type: ignore[arg-type]
        shown.append(tracks.track_id.tolist())
    assert shown[5] == [1]
    assert shown[-1] == [1, 2]


def test_the_budget_is_spent_and_not_overdrawn() -> None:
    """Twenty in a row touch each other: all compete in every frame, and all galleries are empty at first."""
    embedder, tracker = Embedder(), appearance_tracker(budget=3)
    places = [(15.0 * i, 100.0) for i in range(20)]
    for frame in range(40):
        before = len(embedder.asked)
        tracker.update(boxes(*places), 1.0, embedder([RED] * 20))  # type: ignore[arg-type]
        asked = embedder.asked[before:]
        assert sum(asked) == 3, f"frame {frame}"


def test_nobody_is_embedded_twice_in_a_frame() -> None:
    rows: list[int] = []

    def embed(wanted: IntArray) -> FloatArray:
        rows.extend(wanted.tolist())
        return np.array([RED] * len(wanted))

    tracker = appearance_tracker(budget=50)
    for _ in range(45):
        rows.clear()
        tracker.update(boxes((100, 100), (110, 100), (120, 100)), 1.0, embed)
        assert len(rows) == len(set(rows))


def samples(tracker: AppearanceTracker) -> list[float]:
    """Return when the newest embedding of each identity was taken, in frames."""
    return [known[3] for known in tracker.state()["memory"]["known"]]


def test_an_embedding_is_taken_every_twenty_frames_or_every_ten_where_it_is_known_anyway() -> None:
    for places, every in ([[(100.0, 100.0)], 20], [[(100.0, 100.0), (107.0, 100.0)], 10]):
        tracker, embedder, taken = appearance_tracker(max_occluded_iou=1.0), Embedder(), list[float]()
        for _ in range(70):
            tracker.update(boxes(*places), 1.0, embedder([RED] * len(places)))  # type: ignore[arg-type]
            taken += [time for time in samples(tracker)[:1] if time not in taken]
        assert taken == list(range(1, 71, every))


def test_a_gallery_holds_the_newest() -> None:
    tracker, embedder = appearance_tracker(gallery_size=3, refresh=(1, 1)), Embedder()
    for frame in range(1, 11):
        shade = np.array([np.cos(frame / 10), 0, np.sin(frame / 10)])
        tracker.update(boxes((100, 100)), 1.0, embedder([shade]))  # type: ignore[arg-type]
    gallery = tracker._identities[1].gallery
    assert [round(float(np.arcsin(one[2])) * 10) for one in gallery] == [8, 9, 10]


@pytest.mark.parametrize(
    ("covered", "score", "taken"),
    [(0.0, 0.9, True), (0.29, 0.9, True), (0.31, 0.9, False), (0.0, 0.41, True), (0.0, 0.39, False)],
)
def test_who_is_covered_or_doubtful_enters_no_gallery(covered: float, score: float, taken: bool) -> None:
    """A second box overlaps the first by so much of what both cover; it is too weak to be anybody."""
    tracker, embedder = appearance_tracker(), Embedder()
    off = 20 - 40 * covered / (1 + covered)
    xyxy = [[100, 100, 120, 150], [100 + off, 100, 120 + off, 150]]
    for frame in range(3):
        found = Detections(xyxy, [0.9 if frame == 0 else score, 0.05], [0, 0])
        tracker.update(found, 1.0, None if frame == 0 else embedder([RED, BLUE]))  # type: ignore[arg-type]
    assert bool(tracker._identities[1].gallery) == taken


def known_side_by_side(*left: float) -> tuple[AppearanceTracker, Embedder]:
    """Return a tracker that knows somebody in red, and in blue where there are two places."""
    tracker, embedder = appearance_tracker(), Embedder()
    colours = [RED, BLUE][: len(left)]
    for _ in range(30):
        tracker.update(boxes(*((x, 100.0) for x in left)), 1.0, embedder(colours))  # type: ignore[arg-type]
    return tracker, embedder


@pytest.mark.parametrize(("colour", "number"), [(RED, 1), (BLUE, 2)])
@pytest.mark.parametrize("x", [104.0, 110.0])
def test_for_one_box_between_two_tracks_it_is_the_colour_that_counts(
    x: float, colour: FloatArray, number: int
) -> None:
    """Each track has one candidate only; the box has two."""
    tracker, embedder = known_side_by_side(100.0, 114.0)
    tracks = tracker.update(boxes((x, 100)), 1.0, embedder([colour]))  # type: ignore[arg-type]
    assert tracks.track_id.tolist() == [number]


@pytest.mark.parametrize("colours", [[RED, BLUE], [BLUE, RED]])
def test_for_one_track_between_two_boxes_it_is_the_colour_that_counts(colours: list[FloatArray]) -> None:
    """Each box has one candidate only; the track has two."""
    tracker, embedder = known_side_by_side(100.0)
    tracks = tracker.update(boxes((97, 100), (108, 100)), 1.0, embedder(colours))  # type: ignore[arg-type]
    (row,) = tracks.source[tracks.track_id == 1].tolist()
    assert colours[row] is RED


@pytest.mark.parametrize(("colour", "numbers"), [(RED, [1]), (BLUE, [2])])
def test_who_appears_where_somebody_was_lost_is_compared_too(colour: FloatArray, numbers: list[int]) -> None:
    tracker, embedder = known_side_by_side(100.0)
    for _ in range(5):
        tracker.update(Detections.empty(), 1.0, embedder([]))  # type: ignore[arg-type]
    for _ in range(3):
        tracks = tracker.update(boxes((106, 100)), 1.0, embedder([colour]))  # type: ignore[arg-type]
    assert tracks.track_id.tolist() == numbers


def test_who_is_alone_and_was_never_lost_is_not_compared() -> None:
    tracker, embedder = known_side_by_side(100.0)
    tracks = tracker.update(boxes((106, 100)), 1.0, embedder([BLUE]))  # type: ignore[arg-type]
    assert tracks.track_id.tolist() == [1]


@pytest.mark.slow
def test_memory_is_bounded_by_who_is_remembered() -> None:
    tracker, embedder = appearance_tracker(remember_s=2.0), Embedder()
    for wave in range(20):
        for _ in range(5):
            tracker.update(boxes((30.0 * wave, 50), (30.0 * wave, 300)), 1.0, embedder([RED, BLUE]))  # type: ignore[arg-type]
        for _ in range(seconds(3)):
            tracker.update(Detections.empty(), 1.0, embedder([]))  # type: ignore[arg-type]
    assert len(tracker._identities) == len(tracker._our_id) == 0
    assert tracker._next_id == 41


def test_a_fresh_run_after_reset() -> None:
    tracker = appearance_tracker()
    first = [tracker.update(boxes((100, 100))).track_id.tolist() for _ in range(3)]
    tracker.reset()
    assert [tracker.update(boxes((300, 100))).track_id.tolist() for _ in range(3)] == first


def test_no_boxes_no_embeddings() -> None:
    def refuse(rows: NDArray[np.intp]) -> FloatArray:
        raise AssertionError("nothing to embed")

    assert len(appearance_tracker().update(Detections.empty(), 1.0, refuse)) == 0


@pytest.mark.slow
def test_looks_find_the_same_people_again_however_the_camera_swings() -> None:
    """Some walk, one is hidden for seconds while the camera swings away: boxes tell how far, or a picture."""
    rng = np.random.default_rng(2)
    start, speed = (
        np.column_stack((150 + 160 * np.arange(8), rng.uniform(200, 700, 8))),
        rng.normal(0, 1, (8, 2)),
    )
    embeddings = np.eye(8)

    def numbers(swing: float) -> list[list[int]]:
        tracker = AppearanceTracker(MotionTracker(track_thresh=0.5), size=(2000, 1000))
        told = []
        for frame in range(150):
            camera = (swing * np.sin(frame / 20), 0.3 * swing * np.sin(frame / 12))
            seen = [who for who in range(8) if who != 3 or not 40 <= frame < 110]
            at = start + speed * frame + camera
            xyxy = np.hstack((at, at))[seen] + (-20, -50, 20, 50)
            found = Detections(xyxy, [0.9] * len(seen), [0] * len(seen))
            tracks = tracker.update(found, 1.0, lambda rows, seen=seen: embeddings[seen][rows])
            told.append(tracks.track_id[np.argsort(tracks.source)].tolist())
        return told

    still = numbers(0)
    assert set(still[-1]) == set(range(1, 9))
    assert numbers(400) == still
