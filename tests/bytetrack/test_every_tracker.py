"""The laws of trackers, for every one that can be asked for by name."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import BYTETracker, Detections, Tracks
from bytetrack.looks import LooksTracker
from bytetrack.types import FloatArray, IntArray
from tests.bytetrack.crowd import crowd
from tests.quick import examples
from tracker.options import Options
from tracker.trackers.make import TRACKERS, make_tracker
from tracker.trackers.settings import NEED_LOOKS, TRACKER_KINDS, WITH_GALLERY, TrackerSettings
from tracker.types import OptionError

seeds = st.integers(0, 2**32 - 1)
NOTHING = Detections.empty()


def looks_of(detections: Detections) -> FloatArray:
    """Made-up looks: what is wide, and what is tall, look alike; one in twenty has none."""
    size = detections.xyxy[:, 2:] - detections.xyxy[:, :2]
    looks = np.column_stack((np.sin(size / 20), np.cos(size / 20), detections.class_id))
    looks[(size[:, 0] * 7 % 20).astype(int) == 0] = np.nan
    return looks


def step(tracker: BYTETracker, detections: Detections, dt: float = 1.0) -> Tracks:
    """Give a tracker one frame, with looks where it takes them."""
    if isinstance(tracker, LooksTracker):
        looks = looks_of(detections)

        def embed(rows: IntArray) -> FloatArray:
            return looks[rows]

        return tracker.update(detections, dt, embed)
    return tracker.update(detections, dt)


def same(a: Tracks, b: Tracks) -> bool:
    names = ("track_id", "xyxy", "score", "class_id", "source")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


def walk(score: float = 0.9) -> Iterator[Detections]:
    for x in range(0, 4000, 4):
        yield Detections([[x, 0, x + 50, 100]], [score], [0])


def test_every_tracker_can_be_asked_for() -> None:
    assert tuple(TRACKERS) == TRACKER_KINDS and Options().tracker == TRACKER_KINDS[0]
    for kind, cls in TRACKERS.items():
        settings = TrackerSettings(track_thresh=0.3, match_thresh=0.7, lost_s=2.0, appearance="none")
        if kind in NEED_LOOKS:
            with pytest.raises(OptionError, match=f"--tracker {kind} .*--appearance"):
                make_tracker(kind, settings, 25.0)
            continue
        made = make_tracker(kind, settings, 25.0)
        assert type(made) is cls
        assert isinstance(made, BYTETracker)
        assert (made.track_thresh, made.match_thresh, made.track_buffer) == (0.3, 0.7, 60.0)


def test_which_trackers_have_looks_of_their_own() -> None:
    own = {kind: make for kind, make in TRACKERS.items() if isinstance(make(), LooksTracker)}
    assert {*own} == {*WITH_GALLERY} and {kind for kind, make in own.items() if make().NEEDS_LOOKS} == {
        *NEED_LOOKS
    }  # type: ignore[attr-defined]
    for kind in NEED_LOOKS:
        with pytest.raises(ValueError, match=r"give update\(detections, embed="):
            TRACKERS[kind]().update(NOTHING)


@pytest.mark.parametrize("kind", TRACKERS)
class TestEveryTracker:
    @examples(8)
    @given(seed=seeds)
    def test_order_of_detections_changes_source_alone(self, kind: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        straight, shuffled = TRACKERS[kind](match_thresh=0.9), TRACKERS[kind](match_thresh=0.9)
        for detections in crowd(seed, 20):
            order = rng.permutation(len(detections))
            a, b = step(straight, detections), step(shuffled, detections[order])
            np.testing.assert_array_equal(a.source, order[b.source])
            for name in ("track_id", "xyxy", "score", "class_id"):
                np.testing.assert_array_equal(getattr(a, name), getattr(b, name))

    @examples(8)
    @given(seed=seeds, cut=st.integers(1, 20))
    def test_a_restored_tracker_goes_on_as_if_nothing_had_been(self, kind: str, seed: int, cut: int) -> None:
        tracker, restored = TRACKERS[kind](frame_rate=12), None
        for index, detections in enumerate(crowd(seed, 25)):
            if index == cut:
                restored = TRACKERS[kind].from_state(json.loads(json.dumps(tracker.state())))  # type: ignore[attr-defined]
            expected = step(tracker, detections)
            if restored is not None:
                assert same(step(restored, detections), expected)
        assert tracker.state() == pickle.loads(pickle.dumps(restored)).state()

    @examples(8)
    @given(seed=seeds)
    def test_ids_count_from_one_and_what_comes_out_was_seen(self, kind: str, seed: int) -> None:
        tracker, known = TRACKERS[kind](), 0
        for detections in crowd(seed, 25):
            tracks = step(tracker, detections)
            assert (np.diff(tracks.track_id) > 0).all()
            fresh = tracks.track_id[tracks.track_id > known]
            assert fresh.tolist() == list(range(known + 1, known + 1 + len(fresh))), "no holes"
            known += len(fresh)
            assert len({*tracks.source.tolist()}) == len(tracks)
            np.testing.assert_array_equal(tracks.score, detections.score[tracks.source])
        tracker.reset()
        assert [step(tracker, one).track_id.tolist() for one, _ in zip(walk(), range(4), strict=False)][
            -1
        ] == [1]

    def test_inputs_are_never_written_to(self, kind: str) -> None:
        tracker = TRACKERS[kind]()
        for detections in crowd(3, 12):
            for array in (detections.xyxy, detections.score, detections.class_id):
                array.flags.writeable = False
            tracks = step(tracker, detections)
            kept = [tracks.xyxy.copy(), tracks.track_id.copy()]
            step(tracker, detections)
            np.testing.assert_array_equal(tracks.xyxy, kept[0], "what was put out changed afterwards")
            np.testing.assert_array_equal(tracks.track_id, kept[1])

    def test_frames_without_anything_are_frames(self, kind: str) -> None:
        tracker = TRACKERS[kind](track_buffer=5)
        assert len(step(tracker, NOTHING)) == 0
        for detections, _ in zip(walk(), range(6), strict=False):
            seen = step(tracker, detections)
        assert seen.track_id.tolist() == [1]
        for _ in range(7):
            assert len(step(tracker, NOTHING)) == 0
        assert len(tracker._table) == 0, "it expired"

    @pytest.mark.slow
    def test_memory_does_not_grow(self, kind: str) -> None:
        """However long somebody walks and others come and go."""
        sizes = []
        for rounds in (40, 120):
            tracker = TRACKERS[kind](track_buffer=5)
            for _ in range(rounds // 40):
                for detections in crowd(7, 40):
                    step(tracker, detections)
            for _ in range(10):
                step(tracker, NOTHING)
            sizes.append(len(json.dumps(tracker.state())))
        assert sizes[1] - sizes[0] < 60  # the time, the next id and the camera are longer by some digits

    def test_time_that_passes_at_once_is_as_long_as_time_that_passes_frame_by_frame(self, kind: str) -> None:
        """Half the frames at dt 2, of somebody who walks twice as far in each."""
        tracker = TRACKERS[kind]()
        ids = [
            step(tracker, detections, 2.0).track_id.tolist()
            for number, detections in enumerate(walk())
            if number % 2 == 0 and number < 40
        ]
        assert ids[4:] == [[1]] * 16

    def test_in_frames_without_a_detector_tracks_are_where_they_are_expected(self, kind: str) -> None:
        tracker = TRACKERS[kind]()
        for number, detections in enumerate(walk()):
            if number >= 30:
                break
            if number < 8 or number % 2 == 0:
                tracks = step(tracker, detections)
            else:
                tracks = tracker.predict()
                assert tracks.source.tolist() == [-1]
                np.testing.assert_allclose(tracks.xyxy, detections.xyxy, atol=3)
        assert tracks.track_id.tolist() == [1]

    def test_a_camera_that_pans_takes_tracks_along(self, kind: str) -> None:
        tracker = TRACKERS[kind]()
        for number, detections in enumerate(walk()):
            if number >= 20:
                break
            if number == 10:
                tracker.warp(np.array([[1.1, 0, 400], [0, 1.1, -30]]))
            if number >= 10:
                xyxy = detections.xyxy * 1.1 + np.tile([400, -30], 2)
                detections = Detections(xyxy, detections.score, detections.class_id)
            tracks = step(tracker, detections)
        assert tracks.track_id.tolist() == [1]

    def test_of_several_classes_the_one_seen_most_counts(self, kind: str) -> None:
        tracker = TRACKERS[kind]()
        for number, detections in enumerate(walk()):
            if number >= 9:
                break
            tracks = step(tracker, Detections(detections.xyxy, detections.score, [2 if number % 3 else 5]))
        assert tracks.class_id.tolist() == [2]

    def test_a_walker_keeps_one_number(self, kind: str) -> None:
        tracker = TRACKERS[kind](track_thresh=0.5, track_buffer=30)
        for number, detections in enumerate(walk()):
            if number >= 20:
                break
            if number in (7, 8):  # behind a tree
                assert len(step(tracker, NOTHING)) == 0
            else:
                tracks = step(tracker, detections)
                assert tracks.track_id.tolist() == ([1] if number >= 2 or kind not in NEED_LOOKS else [])

    @pytest.mark.parametrize("dt", [0, -1, np.nan, "soon"])
    def test_time_that_does_not_pass_is_refused(self, kind: str, dt: Any) -> None:
        with pytest.raises(ValueError, match="dt must be a time above 0"):
            step(TRACKERS[kind](), NOTHING, dt)
