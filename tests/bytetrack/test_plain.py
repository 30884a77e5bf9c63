"""Each named tracker decides in every frame as its plain definition does, on scenes nobody has looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bytetrack import SORT, BoTSORT, DeepSORT, Detections, StrongSORT, Tracks
from tests.bytetrack import plain
from tests.bytetrack.crowd import crowd
from tests.quick import examples

seeds = st.integers(0, 2**32 - 1)
FRAMES, EXTENT = 30, 150.0  # so narrow that they meet


def looks_of(detections: Detections, seed: int) -> NDArray[np.float64]:
    """Return looks that go with the size of a box, and are quite off now and then."""
    rng = np.random.default_rng(seed)
    size = detections.xyxy[:, 2:] - detections.xyxy[:, :2]
    looks = np.column_stack((np.sin(size / 25), np.cos(size / 25)))
    looks += rng.normal(0, 0.1, looks.shape) * (1 + 8 * (rng.random((len(looks), 1)) < 0.4))
    kept = looks.astype(np.float32).astype(np.float64)
    return kept / np.linalg.norm(kept, axis=1, keepdims=True)


class Same:
    """Compares frame by frame; numbers may differ, one to one."""

    def __init__(self) -> None:
        self.theirs: dict[int, int] = {}
        self.boxes = 0

    def check(self, ours: Tracks, expected: plain.Found, frame: int) -> None:
        assert len(ours) == len(expected), f"frame {frame}"
        self.boxes += len(ours)
        for number, box in expected:
            distance = np.abs(ours.xyxy - box).max(1)
            mine = int(ours.track_id[distance.argmin()])
            assert distance.min() < 1e-4, f"frame {frame}"
            assert self.theirs.setdefault(mine, number) == number, f"frame {frame}"
        assert len({*self.theirs.values()}) == len(self.theirs)


def scenes(seed: int) -> list[tuple[Detections, NDArray[np.float64]]]:
    found = crowd(seed, FRAMES, 5, extent=EXTENT)
    return [(one, looks_of(one, seed + k)) for k, one in enumerate(found)]


@examples(20)
@given(seeds, st.sampled_from([(0.3, 1), (0.3, 5), (0.1, 2)]))
def test_sort(seed: int, setting: tuple[float, int]) -> None:
    least, max_age = setting
    ours = SORT(track_thresh=0.3, match_thresh=1 - least, track_buffer=max_age, whole_streaks=True)
    theirs, same = plain.PlainSORT(1 - (1 - least), max_age), Same()
    for frame, (found, _) in enumerate(scenes(seed)):
        expected = theirs.update(list(found.xyxy[found.score >= 0.3]))
        same.check(ours.update(found), expected, frame)
    assert same.boxes


@pytest.mark.slow
@examples(20)
@given(
    seeds,
    st.sampled_from([0.05, 0.2]),
    st.sampled_from([3, 30]),
    st.sampled_from([2, 100]),
)
def test_deepsort(seed: int, max_cosine: float, max_age: int, budget: int) -> None:
    ours = DeepSORT(
        track_thresh=0.3, max_cosine_distance=max_cosine, track_buffer=max_age, gallery_size=budget, coast=1
    )
    compare(ours, plain.PlainDeepSORT(max_cosine, 0.7, max_age, budget=budget), seed)


@pytest.mark.slow
@examples(20)
@given(seeds, st.sampled_from([0.9, None]), st.booleans(), st.sampled_from([0.98, 1.0]), st.booleans())
def test_strongsort(seed: int, share: float | None, nsa: bool, looks: float, rounds: bool) -> None:
    ours = StrongSORT(
        track_thresh=0.3,
        track_buffer=5,
        mean_share=share,
        noise_by_score=nsa,
        looks_share=looks,
        cascade=rounds,
        coast=1,
    )
    compare(ours, plain.PlainDeepSORT(0.45, 0.7, 5, share, nsa, looks, rounds), seed)


def compare(ours: DeepSORT, theirs: plain.PlainDeepSORT, seed: int) -> None:
    same = Same()
    for frame, (found, looks) in enumerate(scenes(seed)):
        strong = found.score >= 0.3
        tracks = ours.update(found, embed=looks.__getitem__)
        boxes, scores = list(found.xyxy[strong]), found.score[strong].tolist()
        same.check(tracks, theirs.update(boxes, scores, list(looks[strong])), frame)


@pytest.mark.slow
@examples(20)
@given(seeds, st.booleans(), st.booleans(), st.sampled_from([2, 30]))
def test_botsort(seed: int, fuse: bool, with_looks: bool, max_age: int) -> None:
    ours = BoTSORT(track_thresh=0.5, new_track_thresh=0.6, track_buffer=max_age, fuse_score=fuse)
    theirs, same = plain.PlainBoTSORT(0.5, 0.1, 0.6, 0.8, max_age, fuse, with_looks), Same()
    for frame, (found, looks) in enumerate(scenes(seed)):
        tracks = ours.update(found, embed=looks.__getitem__ if with_looks else None)
        expected = theirs.update(list(found.xyxy), found.score.tolist(), list(looks))
        same.check(tracks, expected, frame)
    assert same.boxes


def test_sort_asks_for_no_assignment_where_nobody_has_a_rival() -> None:
    """A greatest total could take two pairs that are too far apart, and drop both."""
    at = {"a": 300.0, "b": 407.6, "near a": 352.6, "beyond a": 245.0}
    box = {name: [x, 0.0, x + 100, 100.0, 0.9] for name, x in at.items()}
    tracker = SORT()  # from an overlap of 0.3: "near a" has 0.31 with a, and both others 0.29
    first = tracker.update([box["a"], box["b"]])
    tracks = tracker.update([box["near a"], box["beyond a"]])
    kept = int(first.track_id[np.abs(first.xyxy[:, 0] - 300).argmin()])
    assert tracks.source[tracks.track_id == kept].tolist() == [0]
