"""Looks that are learnt: what tells people apart is found among what changes from moment to moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from bytetrack import Detections, Tracks
from bytetrack.types import FloatArray
from tracker.trackers.detector_looks import GROUPS, DetectorLooks
from tracker.trackers.discriminant import NEUTRAL, Discriminant
from tracker.trackers.make import make_tracker
from tracker.trackers.settings import TrackerSettings
from tracker.types import Frame, OptionError

F = 48
PEOPLE, NUISANCES = 5, 6


class Crowd:
    """People whose features differ in a few directions, and change much more in some others."""

    def __init__(self, seed: int = 0, people: int = PEOPLE) -> None:
        self.random = np.random.default_rng(seed)
        turn = np.linalg.qr(self.random.normal(size=(F, F)))[0]
        self.own = self.random.normal(size=(people, 4)) @ turn[:4]
        self.nuisance = turn[4 : 4 + NUISANCES]
        self.base = 3 * turn[-1]

    def seen(self) -> FloatArray:
        """Return the features of everybody at some moment, (people, F) of length 1."""
        light = 6 * self.random.normal(size=(len(self.own), NUISANCES)) @ self.nuisance
        made = self.base + self.own + light + 0.1 * self.random.normal(size=self.own.shape)
        unit: FloatArray = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
        return unit


def taught(moments: int = 150, seed: int = 0) -> tuple[Discriminant, Crowd]:
    crowd, learnt = Crowd(seed), Discriminant(F, directions=4)
    means = np.zeros((PEOPLE, F), np.float32)
    for count in range(moments):
        samples = crowd.seen()
        learnt.add(samples, means, np.full(PEOPLE, float(count)))
        means = (means * count + samples) / (count + 1)
    return learnt, crowd


def separation(one: FloatArray, other: FloatArray) -> float:
    """Return the part of pairs of different people that are less alike than a pair of the same one."""
    cosines = one @ other.T
    same = np.eye(len(one), dtype=bool)
    return float((cosines[same][:, None] > cosines[~same]).mean())


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_tells_people_apart(seed: int) -> None:
    learnt, crowd = taught(seed=seed)
    before = np.mean([separation(crowd.seen(), crowd.seen()) for _ in range(20)])
    after = np.mean([separation(*(learnt.directions_of(crowd.seen()) for _ in range(2))) for _ in range(20)])
    assert before < 0.7 and after > 0.95


def test_nothing_is_compared_before_enough_was_seen() -> None:
    crowd, learnt = Crowd(), Discriminant(F, directions=4)
    assert np.isnan(learnt.directions_of(crowd.seen())).all() and not learnt.ready
    learnt.add(crowd.seen(), np.zeros((PEOPLE, F)), np.zeros(PEOPLE))
    assert not learnt.ready
    assert taught()[0].ready


def test_neutral_is_what_most_strangers_stay_below() -> None:
    learnt, crowd = taught(400)
    share = learnt.share
    cosines = np.concatenate(
        [
            (learnt.directions_of(crowd.seen()) @ learnt.directions_of(crowd.seen()).T)[
                ~np.eye(PEOPLE, dtype=bool)
            ]
            for _ in range(40)
        ]
    )
    below = (1 - share + share * cosines < NEUTRAL).mean()
    assert 0.75 <= below <= 1.0


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("alike", [True, False])
def test_looks_that_do_not_know_anybody_again_are_not_used(alike: bool) -> None:
    """Where all people look the same, what is learnt is chance: an object is no more like itself later."""
    crowd, looks = Crowd(people=4), DetectorLooks()
    if alike:
        crowd.own[:] = 0.0
    xyxy = np.array([[0.0, 0, 9, 20], [20, 0, 29, 20], [40, 0, 49, 20], [60, 0, 69, 20]])
    ids, class_id = np.arange(1, 5), np.zeros(4, int)
    for moment in range(150):
        found = Detections(xyxy, np.full(4, 0.9), class_id, crowd.seen())
        looks.learn(moment * 0.3, Tracks(ids, xyxy, found.score, class_id, np.arange(4)), found)
    learnt = looks._learnt[0]
    assert learnt.ready != alike
    assert abs(learnt.auc - 0.5) < 0.2 if alike else learnt.auc > 0.9
    again = DetectorLooks()
    again.restore(json.loads(json.dumps(looks.state())))
    assert again._learnt[0].auc == learnt.auc and again._learnt[0].ready == learnt.ready


def test_memory_is_bounded_and_what_is_old_counts_less() -> None:
    crowd, learnt = Crowd(), Discriminant(F, directions=4, most=500)
    means = np.zeros((PEOPLE, F), np.float32)
    for count in range(300):
        samples = crowd.seen()
        learnt.add(samples, means, np.full(PEOPLE, float(count)))
        means = (means * count + samples) / (count + 1)
    assert 250 <= learnt._counts[0] <= 500 and learnt.ready


def frames(count: int, seed: int = 0) -> Iterator[tuple[Frame, Detections]]:
    """Yield two pairs of people who walk through one another, again and again."""
    crowd, picture = Crowd(seed, 4), np.zeros((200, 400, 3), np.uint8)
    for index in range(count):
        way = 100 + 80 * np.sin(index / 15)
        x = np.array([way, 200 - way, way + 200, 400 - way])
        y = np.array([10.0, 10, 20, 20])
        xyxy = np.stack([x - 15, y, x + 15, y + 90], axis=1)
        yield (
            Frame(picture, index, index / 25),
            Detections(xyxy, np.full(4, 0.9), np.zeros(4, int), crowd.seen()),
        )


def followed(looks: str, count: int = 900, cut: int | None = None) -> tuple[list[list[int]], str]:
    """Return the id of each person in each frame, and the state at the end; ``cut``: go on from a state."""
    settings = TrackerSettings(appearance=looks)
    tracker = make_tracker("motion", settings, 25.0, (400, 200))
    found = []
    for frame, detections in frames(count):
        if frame.index == cut:
            state = json.loads(json.dumps(tracker.state()))
            tracker = make_tracker("motion", settings, 25.0, (400, 200))
            tracker.restore(state)
        if looks == "self":
            tracker.observe(frame)  # type: ignore[attr-defined]
        tracks = tracker.update(detections)  # type: ignore[attr-defined]
        ids = np.zeros(4, int)
        ids[tracks.source] = tracks.track_id
        found.append(ids.tolist())
    return found, json.dumps(tracker.state())


def swaps(found: list[list[int]]) -> int:
    """Return how often a person has another id than when it was seen before."""
    return sum(a != b for before, now in pairwise(found) for a, b in zip(before, now, strict=True) if a and b)


@pytest.mark.slow
def test_who_walks_through_another_keeps_its_number() -> None:
    with_looks, without = followed("self")[0], followed("none")[0]
    learnt = 450  # frames until the discriminant is sure
    assert swaps(without[learnt:]) > 3 * max(swaps(with_looks[learnt:]), 1)


@pytest.mark.slow
def test_it_goes_on_from_a_state_as_if_nothing_had_been() -> None:
    assert followed("self", 300) == followed("self", 300, cut=217)


@pytest.mark.slow
def test_the_same_twice() -> None:
    assert followed("self", 120) == followed("self", 120)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["botsort", "deepsort", "strongsort"])
def test_trackers_with_a_gallery_take_it(kind: str) -> None:
    """What a gallery holds is compared by what is known now: those who walk alone keep one number."""
    tracker = make_tracker(kind, TrackerSettings(appearance="self"), 25.0, (400, 200))
    ids = set()
    for frame, detections in frames(300):
        tracker.observe(frame)  # type: ignore[attr-defined]
        ids |= set(tracker.update(detections).track_id.tolist())  # type: ignore[attr-defined]
    assert 4 <= len(ids) <= 12


@pytest.mark.parametrize("kind", ["deepsort", "strongsort"])
def test_who_is_lost_before_anything_is_learnt_is_found_by_the_box(kind: str) -> None:
    tracker = make_tracker(kind, TrackerSettings(appearance="self"), 25.0, (400, 200))
    crowd, picture = Crowd(people=1), np.zeros((200, 400, 3), np.uint8)
    ids = set()
    for index in range(30):
        box = np.array([[100.0 + index, 50, 130 + index, 140]])
        seen = 0 if index in (12, 13, 14) else 1
        found = Detections(box[:seen], np.full(seen, 0.9), np.zeros(seen, int), crowd.seen()[:seen])
        tracker.observe(Frame(picture, index, index / 25))  # type: ignore[attr-defined]
        ids |= set(tracker.update(found).track_id.tolist())  # type: ignore[attr-defined]
    assert ids == {1}


@pytest.mark.slow
def test_each_group_learns_by_itself_and_none_is_like_another() -> None:
    looks, crowd = DetectorLooks(), Crowd(people=4)
    picture = Frame(np.zeros((9, 9, 3), np.uint8), 0, 0.0)
    xyxy = np.array([[0.0, 0, 9, 20], [20, 0, 29, 20], [40, 0, 49, 20], [60, 0, 69, 20]])
    class_id = np.array([0, 0, 2, 7])
    ids = np.arange(1, 5)
    for moment in range(260):
        found = Detections(xyxy, np.full(4, 0.9), class_id, crowd.seen())
        looks.learn(moment * 0.3, Tracks(ids, xyxy, found.score, class_id, np.arange(4)), found)
    vectors = looks.comparable(looks.looks(picture, found, np.arange(4)))
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors[:2] @ vectors[2:].T <= NEUTRAL).all()
    assert vectors.shape[1] == GROUPS * Discriminant.directions + 1


def test_detections_without_features_are_refused_in_one_line() -> None:
    found = Detections([[0, 0, 9, 20]], [0.9], [0])
    picture = Frame(np.zeros((9, 9, 3), np.uint8), 0, 0.0)
    with pytest.raises(OptionError, match="have none; use --appearance color"):
        DetectorLooks().looks(picture, found, np.array([0]))
    nothing = replace(found[[]], features=np.empty((0, F)))
    assert len(DetectorLooks().looks(picture, nothing, np.array([], int))) == 0
