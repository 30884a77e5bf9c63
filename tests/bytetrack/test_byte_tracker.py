from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import BYTETracker, Detections, Tracks
from bytetrack.boxes import iou
from bytetrack.table import TRACK_ID
from tests.bytetrack.crowd import crowd, random_boxes
from tests.quick import examples

seeds = st.integers(0, 2**32 - 1)


def box(x: float, *, score: float = 0.9, kind: int = 0, y: float = 0.0) -> Detections:
    return Detections([[x, y, x + 50, y + 100]], [score], [kind])


def same(a: Tracks, b: Tracks) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("track_id", "xyxy", "score", "class_id", "source")
    )


# Laws


@examples(15)
@given(seeds)
def test_order_of_detections_changes_source_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    straight, shuffled = BYTETracker(), BYTETracker()
    for detections in crowd(seed, 25):
        order = rng.permutation(len(detections))
        a, b = straight.update(detections), shuffled.update(detections[order])
        np.testing.assert_array_equal(a.source, order[b.source])
        for name in ("track_id", "xyxy", "score", "class_id"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_of_two_that_begin_together_the_first_number_does_not_depend_on_their_order() -> None:
    pair = Detections([[300, 100, 340, 200], [100, 100, 140, 200]], [0.9, 0.8], [0, 0])
    one, other = BYTETracker().update(pair), BYTETracker().update(pair[np.array([1, 0])])
    np.testing.assert_array_equal(one.xyxy, other.xyxy)


def test_a_picture_every_two_seconds_is_a_frame_rate() -> None:
    tracker = BYTETracker(frame_rate=0.5)
    person = Detections([[300, 100, 340, 200]], [0.9], [0])
    assert [tracker.update(person).track_id.tolist() for _ in range(3)] == [[1]] * 3


@examples(10)
@given(seeds)
def test_trackers_share_nothing(seed: int) -> None:
    alone, first, second = BYTETracker(), BYTETracker(), BYTETracker()
    for detections in crowd(seed, 15):
        a, b, c = alone.update(detections), first.update(detections), second.update(detections)
        assert same(a, b) and same(a, c)


@examples(10)
@given(seeds)
def test_what_comes_out_is_consistent(seed: int) -> None:
    tracker, known = BYTETracker(), 0
    for detections in crowd(seed, 30):
        tracks = tracker.update(detections)
        assert (np.diff(tracks.track_id) > 0).all()
        fresh = tracks.track_id[tracks.track_id > known]
        assert fresh.tolist() == list(range(known + 1, known + 1 + len(fresh))), "no holes"
        known += len(fresh)
        np.testing.assert_array_equal(tracks.score, detections.score[tracks.source])
        assert len(set(tracks.source)) == len(tracks)
        assert (iou(tracks.xyxy, detections.xyxy[tracks.source]).diagonal() > 0.1).all()


@examples(10)
@given(seeds, st.integers(1, 20))
def test_a_restored_tracker_goes_on_as_if_nothing_had_been(seed: int, cut: int) -> None:
    tracker, restored = BYTETracker(track_buffer=9), None
    for index, detections in enumerate(crowd(seed, 25)):
        if index == cut:
            restored = BYTETracker.from_state(json.loads(json.dumps(tracker.state())))
        expected = tracker.update(detections)
        if restored is not None:
            assert same(restored.update(detections), expected)
    assert same(pickle.loads(pickle.dumps(tracker)).update(detections), tracker.update(detections))


def test_reset_begins_again() -> None:
    tracker = BYTETracker()
    runs = []
    for _ in range(2):
        runs.append([tracker.update(detections) for detections in crowd(5, 20)])
        tracker.reset()
    assert all(same(a, b) for a, b in zip(*runs, strict=True))


def test_input_is_never_written() -> None:
    tracker = BYTETracker()
    for detections in crowd(1, 10):
        for array in (detections.xyxy, detections.score, detections.class_id):
            array.flags.writeable = False
        tracker.update(detections)


def test_output_is_the_callers_own() -> None:
    first, second = BYTETracker(), BYTETracker()
    for detections in crowd(2, 10):
        spoiled = first.update(detections)
        assert same(spoiled, second.update(detections))
        for array in (spoiled.track_id, spoiled.xyxy, spoiled.score, spoiled.class_id, spoiled.source):
            array[:] = 7


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_float_types_and_strides(kind: type) -> None:
    plain, odd = BYTETracker(), BYTETracker()
    for detections in crowd(3, 15):
        xyxy, score = detections.xyxy.astype(kind), detections.score.astype(kind)
        spread = np.zeros((2 * len(xyxy), 8), kind)
        spread[::2, ::2] = xyxy
        strided = Detections(
            spread[::2, ::2], np.repeat(score, 2)[::2], np.repeat(detections.class_id, 3)[::3]
        )
        assert same(plain.update(Detections(xyxy, score, detections.class_id)), odd.update(strided))


def test_a_thousand_boxes() -> None:
    rng = np.random.default_rng(0)
    xyxy = random_boxes(rng, 1000, extent=4000)
    tracker = BYTETracker()
    for step in range(3):
        tracks = tracker.update(Detections(xyxy + step * 0.2, np.full(1000, 0.9), np.zeros(1000, int)))
    assert len(tracks) == 1000 and tracks.track_id.max() == 1000


# The method


def test_empty_frames_before_between_and_after() -> None:
    tracker = BYTETracker()
    assert len(tracker.update(Detections.empty())) == 0
    tracker.update(box(0))
    assert tracker.update(box(1)).track_id.tolist() == [1]
    for _ in range(30):
        assert len(tracker.update(Detections.empty())) == 0
    assert tracker.update(box(2)).track_id.tolist() == [1]


def test_a_track_is_kept_for_the_buffer_and_not_longer() -> None:
    for frames, known in ((9, [1]), (10, [])):
        tracker = BYTETracker(track_buffer=9)
        tracker.update(box(0))
        for _ in range(frames):
            tracker.update(Detections.empty())
        assert tracker.update(box(0)).track_id.tolist() == known
        assert len(tracker.state()["table"]["labels"][0]) == 1


def test_the_buffer_is_in_seconds() -> None:
    # 30 frames at 30 a second are one second: 10 frames at 10 a second
    tracker = BYTETracker(frame_rate=10)
    tracker.update(box(0))
    for _ in range(10):
        tracker.update(Detections.empty())
    assert len(tracker.state()["table"]["labels"][0]) == 1
    tracker.update(Detections.empty())
    assert len(tracker.state()["table"]["labels"][0]) == 0


def test_new_tracks_are_shown_from_their_second_box_on() -> None:
    tracker = BYTETracker()
    assert tracker.update(box(0)).track_id.tolist() == [1], "the first frame is trusted"
    two = Detections([[0, 0, 50, 100], [300, 0, 350, 100]], [0.9, 0.9], [0, 0])
    assert tracker.update(two).track_id.tolist() == [1]
    assert tracker.update(two).track_id.tolist() == [1, 2]


def test_ids_of_tracks_never_confirmed_are_not_spent() -> None:
    tracker = BYTETracker()
    tracker.update(box(0))
    for index in range(10):  # clutter, elsewhere each time
        tracker.update(
            Detections([[0, 0, 50, 100], [200 * index, 500, 200 * index + 20, 540]], [0.9, 0.9], [0, 0])
        )
    two = Detections([[0, 0, 50, 100], [300, 0, 350, 100]], [0.9, 0.9], [0, 0])
    tracker.update(two)
    assert tracker.update(two).track_id.tolist() == [1, 2]


def test_unsure_boxes_keep_a_track_but_begin_none_and_find_none_again() -> None:
    tracker = BYTETracker()
    tracker.update(box(0))
    assert tracker.update(box(1, score=0.2)).track_id.tolist() == [1]
    tracker.update(Detections.empty())
    assert len(tracker.update(box(1, score=0.2))) == 0, "lost tracks are found by sure boxes alone"
    assert tracker.update(box(1)).track_id.tolist() == [1]
    assert len(BYTETracker().update(box(0, score=0.2))) == 0


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("thresh", [0.6, 0.3])
def test_a_score_at_the_threshold_is_high(kind: type, thresh: float) -> None:
    tracker = BYTETracker(track_thresh=thresh, new_track_thresh=thresh)
    at = Detections([[0, 0, 50, 100]], np.array([thresh], kind), [0])
    assert len(tracker.update(at)) == 1
    tracker.update(Detections.empty())
    assert len(tracker.update(at)) == 1, "only the high set finds lost tracks"


def test_births_at_the_default_threshold() -> None:
    assert len(BYTETracker(track_thresh=0.2).update(box(0, score=0.3))) == 1
    assert len(BYTETracker(track_thresh=0.2).update(box(0, score=0.29))) == 0


def test_a_threshold_below_the_floor_still_admits_its_boxes() -> None:
    tracker = BYTETracker(track_thresh=0.05, new_track_thresh=0.05)
    assert len(tracker.update(box(0, score=0.06))) == 1


def test_only_the_high_set_begins_tracks() -> None:
    assert len(BYTETracker(track_thresh=0.6, new_track_thresh=0.3).update(box(0, score=0.5))) == 0


def test_of_two_boxes_alike_the_surer_is_taken() -> None:
    tracker = BYTETracker()
    tracker.update(box(0))
    tracks = tracker.update(Detections([[0, 0, 50, 98], [0, 0, 50, 102]], [0.6, 0.95], [0, 0]))
    assert tracks.source[tracks.track_id == 1].tolist() == [1]


def test_the_class_is_voted_by_score() -> None:
    tracker = BYTETracker()
    classes = [
        tracker.update(box(0, score=score, kind=kind)).class_id.tolist()
        for kind, score in ((2, 0.9), (7, 0.6), (7, 0.6), (2, 0.2), (-1, 0.9), (2, 0.9))
    ]
    assert classes == [[2], [2], [7], [7], [7], [2]]


def test_a_lost_box_stops_growing_but_not_moving() -> None:
    tracker = BYTETracker()
    for step in range(10):
        tracker.update(Detections([[3 * step, 0, 3 * step + 50, 100 + 4 * step]], [0.9], [0]))
    tracker.update(Detections.empty())
    before = np.array(tracker.state()["table"]["belief"])[0, :, 0]
    tracker.update(Detections.empty())
    after = np.array(tracker.state()["table"]["belief"])[0, :, 0]
    assert after[3] == before[3]
    assert after[0] > before[0] + 2


@pytest.mark.parametrize(
    ("age_of_first", "duplicate_iou", "known"),
    [
        (3, 0.85, [2]),  # the second is older by the time they meet: the first is given up
        (30, 0.85, [1]),  # the first is older: the second is given up, and the first found again
        (30, None, [1, 2]),  # nobody looks
    ],
)
def test_of_duplicates_the_older_survives(
    age_of_first: int, duplicate_iou: float | None, known: list[int]
) -> None:
    tracker = BYTETracker(duplicate_iou=duplicate_iou, match_thresh=0.9)
    for _ in range(age_of_first):
        tracker.update(box(0))
    # Where the first is lost another drifts in, from too far away to be matched with it.
    for x in (60, 60, 48, 36, 24, 12, 4, 1):
        tracker.update(box(x))
    tracker.update(box(0))
    assert tracker.state()["table"]["labels"][TRACK_ID] == known


# Time


def test_two_frames_at_once_move_a_box_twice_as_far() -> None:
    once, twice = BYTETracker(), BYTETracker()
    for step in range(10):
        once.update(box(4 * step))
        twice.update(box(4 * step))
    once.predict()
    a, b = once.predict(), twice.predict(dt=2)
    np.testing.assert_allclose(a.xyxy, b.xyxy, atol=1e-9)


def test_the_buffer_counts_time_not_calls() -> None:
    for dt, known in ((30.0, [1]), (30.5, [])):
        tracker = BYTETracker()
        tracker.update(box(0))
        tracker.update(Detections.empty(), dt=dt)
        assert tracker.update(box(0), dt=0.001).track_id.tolist() == known
    tracker = BYTETracker()
    tracker.update(box(0))
    for _ in range(300):  # 30 frames in tenths
        tracker.update(Detections.empty(), dt=0.1)
    assert tracker.update(box(0), dt=1e-9).track_id.tolist() == [1]


def test_coasting_moves_tracks_and_loses_none() -> None:
    tracker = BYTETracker()
    for step in range(10):
        tracks = tracker.update(box(4 * step))
    coasted = tracker.predict()
    assert coasted.track_id.tolist() == [1] and coasted.source.tolist() == [-1]
    assert coasted.xyxy[0, 0] > tracks.xyxy[0, 0] + 2
    tracks = tracker.update(box(44, score=0.2))
    assert tracks.track_id.tolist() == [1], "still tracked: an unsure box is enough"


def test_coasting_leaves_tentative_and_lost_tracks_to_themselves() -> None:
    tracker = BYTETracker(track_buffer=3)
    tracker.update(box(0))
    tracker.update(box(400))  # 1 is lost, another waits for its second box
    assert len(tracker.predict()) == 0
    assert tracker.update(box(400)).track_id.tolist() == [2]
    tracker.predict()
    assert len(tracker.state()["table"]["labels"][0]) == 1, "the lost one expired while coasting"


# What is refused


@pytest.mark.parametrize("dt", [0, -1, float("nan"), float("inf")])
def test_time_must_pass(dt: float) -> None:
    with pytest.raises(ValueError, match="dt must be a time above 0"):
        BYTETracker().update(Detections.empty(), dt=dt)


@pytest.mark.parametrize("options", [{"frame_rate": 0}, {"frame_rate": float("nan")}, {"track_buffer": -1}])
def test_absurd_options(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        BYTETracker(**options)


def test_boxes_without_area_are_ignored() -> None:
    tracker = BYTETracker()
    flat = Detections([[5, 5, 5, 9], [5, 5, 9, 5], [9, 9, 5, 5], [0, 0, 50, 100]], [0.9] * 4, [0] * 4)
    for _ in range(3):
        assert tracker.update(flat).source.tolist() == [3]


def test_boxes_outside_the_picture_are_followed() -> None:
    tracker = BYTETracker()
    for step in range(5):
        assert tracker.update(box(-500 + step, y=-900)).track_id.tolist() == [1]


def test_plain_arrays() -> None:
    tracker = BYTETracker()
    assert tracker.update(np.array([[0, 0, 50, 100, 0.9]])).class_id.tolist() == [0]
    assert tracker.update([[1, 0, 51, 100, 0.9, 3]]).track_id.tolist() == [1]
    assert len(tracker.update(np.empty((0, 6)))) == 0
    with pytest.raises(ValueError, match=r"\(N, 5\) or \(N, 6\), got \(1, 4\)"):
        tracker.update([[0, 0, 50, 100]])


def test_what_is_forgotten_begins_anew_and_ids_go_on() -> None:
    tracker = BYTETracker()
    two = Detections([[0, 0, 10, 20], [100, 0, 110, 20]], [0.9, 0.9], [0, 0])
    assert tracker.update(two).track_id.tolist() == [1, 2]
    tracker.forget([1])
    assert tracker.update(two).track_id.tolist() == [2]
    assert tracker.update(two).track_id.tolist() == [2, 3]
    tracker.forget()
    assert tracker.update(two).track_id.tolist() == []
    assert tracker.update(two).track_id.tolist() == [4, 5]


def test_boxes_without_area_are_warned_about_once(caplog: pytest.LogCaptureFixture) -> None:
    tracker = BYTETracker()
    for _ in range(3):
        tracker.update(Detections([[10, 10, 5, 9], [0, 0, 50, 100]], [0.9] * 2, [0] * 2))
    assert [record.getMessage() for record in caplog.records] == [
        "boxes without area are ignored, such as [10.0, 10.0, 5.0, 9.0]; boxes are left, top, right, bottom"
    ]
