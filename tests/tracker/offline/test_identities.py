"""Identities of a whole file: who is split, who is joined, and what is left alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from bytetrack import Detections, Tracks
from tracker.contracts import PictureTracker
from tracker.offline.identities import Joining, join
from tracker.offline.looks import Looks, LookSampler
from tracker.types import Frame

FPS = 10.0
SIZE = (1000, 500)
CROWD = 6  # people who stand apart all the time: what different people look like


def person(number: int) -> NDArray[np.float64]:
    """Return what somebody looks like; all have something in common."""
    look = np.random.default_rng(number).normal(0, 1, 32)
    return look / np.linalg.norm(look) + 0.1


@dataclass
class Scene:
    """Made people; ``add`` notes where somebody was under which id."""

    frames: int = 200

    def __post_init__(self) -> None:
        self.rows: list[list[tuple[int, float, float, int]]] = [[] for _ in range(self.frames)]
        self.seen: dict[int, list[tuple[int, NDArray[np.float64]]]] = {}
        for number in range(CROWD):
            self.add(number + 1, number, range(self.frames), 100 + 120 * number, 0, y=300)

    def add(
        self, track_id: int, look: int, when: range, x: float, speed: float, y: float = 100, kind: int = 0
    ) -> None:
        rng = np.random.default_rng((track_id, look, when.start))
        for frame in when:
            self.rows[frame].append((track_id, x + speed * frame, y, kind))
            if frame % 3 == 0:
                vector = person(look) + rng.normal(0, 0.05, 32)
                self.seen.setdefault(track_id, []).append((frame, vector / np.linalg.norm(vector)))

    def joined(self, rules: Joining | None = None) -> list[Tracks]:
        looks = {
            track_id: Looks(
                np.array([at for at, _ in own], int), np.array([vector for _, vector in own]).reshape(-1, 32)
            )
            for track_id, own in self.seen.items()
        }
        return join(self.tracks(), np.arange(self.frames) / FPS, looks, SIZE, rules or Joining())

    def tracks(self) -> list[Tracks]:
        return [
            Tracks(
                np.array([row[0] for row in sorted(rows)], int),
                np.array([(x, y, x + 30, y + 80) for _, x, y, _ in sorted(rows)], float).reshape(-1, 4),
                np.full(len(rows), 0.9),
                np.array([row[3] for row in sorted(rows)], int),
                np.arange(len(rows)),
            )
            for rows in self.rows
        ]


def ids_at(film: list[Tracks], frame: int, y: float = 100) -> list[int]:
    """Return the ids of those who walk at this height, from left to right."""
    tracks = film[frame]
    there = tracks.xyxy[:, 1] == y
    return [int(i) for i in tracks.track_id[there][np.argsort(tracks.xyxy[there, 0])]]


def test_somebody_hidden_for_long_keeps_the_id() -> None:
    scene = Scene()
    scene.add(7, 20, range(60), 100, 2)
    scene.add(8, 20, range(160, 200), 100, 2)
    film = scene.joined()
    assert ids_at(film, 30) == ids_at(film, 180) == [7]
    assert sorted({int(i) for one in film for i in one.track_id}) == list(range(1, 8))


@pytest.mark.parametrize(
    ("look", "x", "kind"),
    [(21, 100, 0), (20, 700, 0), (20, 100, 1)],
    ids=["looks different", "too far away", "another class"],
)
def test_somebody_else_does_not(look: int, x: float, kind: int) -> None:
    scene = Scene()
    scene.add(7, 20, range(150), 100, 0)
    scene.add(8, look, range(160, 200), x, 0, kind=kind)
    assert ids_at(scene.joined(), 180) == [8]


@pytest.mark.parametrize(("returning", "later"), [(False, 8), (True, 7)])
def test_who_left_the_picture_is_continued_only_if_asked(returning: bool, later: int) -> None:
    scene = Scene()
    scene.add(7, 20, range(60), 120, -2)  # leaves on the left
    scene.add(8, 20, range(100, 200), 0, 1)
    assert ids_at(scene.joined(Joining(returning=returning)), 150) == [later]


def test_nobody_is_joined_after_the_longest_time() -> None:
    scene = Scene()
    scene.add(7, 20, range(60), 100, 0)
    scene.add(8, 20, range(160, 200), 100, 0)
    assert ids_at(scene.joined(Joining(longest_s=9)), 180) == [8]


def test_two_who_swapped_ids_when_they_met_get_them_back() -> None:
    scene = Scene()
    scene.add(7, 20, range(100), 0, 4)  # to the right; they meet at frame 100, and the ids change sides
    scene.add(8, 21, range(100), 800, -4)
    scene.add(8, 20, range(100, 200), 0, 4)
    scene.add(7, 21, range(100, 200), 800, -4)
    film = scene.joined()
    assert ids_at(film, 50) == [7, 8]
    assert ids_at(film, 150) == [8, 7]
    assert ids_at(film, 99) == [7, 8]
    assert ids_at(film, 101) == [8, 7]


def test_a_change_of_looks_alone_splits_nobody() -> None:
    scene = Scene()
    scene.add(7, 20, range(100), 100, 2)
    scene.add(7, 21, range(100, 200), 100, 2)  # a coat put on
    film = scene.joined()
    assert ids_at(film, 50) == ids_at(film, 150) == [7]


def test_who_has_no_looks_is_neither_split_nor_in_the_way() -> None:
    scene = Scene()
    scene.add(7, 20, range(60), 100, 0)
    scene.add(8, 20, range(160, 200), 100, 0)
    scene.add(9, 21, range(200), 700, 0)
    scene.seen[9] = []  # of a kind of object of which nothing was learnt
    film = scene.joined()
    assert ids_at(film, 30) == ids_at(film, 180) == [7, 8]


def test_without_others_to_compare_with_nothing_is_joined() -> None:
    scene = Scene()
    for track_id in range(3, CROWD + 1):
        del scene.seen[track_id]
    scene.add(7, 20, range(60), 100, 0)
    scene.add(8, 20, range(160, 200), 100, 0)
    before = scene.tracks()
    for was, now in zip(before, scene.joined(), strict=True):
        np.testing.assert_array_equal(was.track_id, now.track_id)


def test_every_box_stays_and_every_id_is_once_in_a_frame() -> None:
    scene = Scene()
    scene.add(7, 20, range(60), 100, 2)
    scene.add(8, 20, range(160, 200), 100, 2)
    for was, now in zip(scene.tracks(), scene.joined(), strict=True):
        assert (np.diff(now.track_id) > 0).all()
        np.testing.assert_array_equal(np.sort(now.xyxy[:, 0]), np.sort(was.xyxy[:, 0]))
        assert sorted(now.source) == sorted(was.source)


class Wardrobe(PictureTracker):
    """Looks that say which frame and row they are of."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def looks(self, frame: Frame, detections: Detections, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        self.asked += rows.tolist()
        return np.stack([np.full(len(rows), frame.index), rows], axis=1).astype(float)


def watch(sampler: LookSampler, frames: int, xyxy: list[list[float]], score: list[float]) -> None:
    found = Detections(xyxy, score, [0] * len(xyxy))
    own = np.arange(len(xyxy))
    tracks = Tracks(own + 1, found.xyxy, found.score, found.class_id, own)
    image = np.zeros((50, 100, 3), np.uint8)
    for index in range(frames):
        sampler.sample(index, Frame(image, index, index / FPS), tracks, found)


def test_a_track_is_looked_at_some_times_a_second() -> None:
    sampler = LookSampler(Wardrobe())
    watch(sampler, 10, [[0, 0, 10, 20]], [0.9])
    assert sampler.looks()[1].position.tolist() == [0, 3, 6, 9]
    assert sampler.size == (100, 50)


def test_weak_and_hidden_boxes_are_not_looked_at() -> None:
    sampler = LookSampler(Wardrobe())
    watch(
        sampler, 1, [[0, 0, 10, 20], [3, 0, 13, 20], [50, 0, 60, 20], [70, 0, 80, 20]], [0.9, 0.9, 0.9, 0.3]
    )
    assert list(sampler.looks()) == [3]


def test_no_more_than_the_budget_is_asked_for_and_who_waited_longest_is_first() -> None:
    wardrobe = Wardrobe()
    watch(LookSampler(wardrobe), 3, [[20.0 * k, 0, 20 * k + 10, 20] for k in range(20)], [0.9] * 20)
    assert wardrobe.asked == list(range(20))


def test_memory_is_bounded_and_the_whole_time_is_kept() -> None:
    sampler = LookSampler(Wardrobe(), most=20)
    watch(sampler, 1000, [[0, 0, 10, 20], [50, 0, 60, 20]], [0.9, 0.9])
    positions = [own.position for own in sampler.looks().values()]
    assert all(5 <= len(own) <= 11 and own[0] == 0 and own[-1] > 800 for own in positions)


def test_a_tracker_without_appearance_is_asked_once_in_vain() -> None:
    sampler = LookSampler(PictureTracker())
    watch(sampler, 3, [[0, 0, 10, 20]], [0.9])
    assert sampler.looks() == {}
