"""Keypoints and masks tell who is who where boxes compete, and change nothing elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import BYTETracker, Detections, Tracks
from bytetrack.competing import SHAPES, by_shapes
from bytetrack.looks import LooksTracker
from bytetrack.masks import Crop, Masks
from bytetrack.oks import COCO_SIGMAS, oks_pairs, sigmas
from bytetrack.types import FloatArray
from tests.bytetrack.test_every_tracker import same
from tests.quick import examples
from tracker.trackers.make import TRACKERS, make_tracker
from tracker.trackers.settings import TrackerSettings
from tracker.types import OptionError

SIZE = 120, 320  # height, width
both = pytest.mark.parametrize("shapes", SHAPES)
everyone = pytest.mark.parametrize("kind", TRACKERS)


def found(boxes: FloatArray, poses: list[int], *, sure: float = 0.9) -> Detections:
    """Return boxes of people, each of whom leans to the left, 0, or to the right, 1."""
    keypoints, crops = np.full((len(boxes), 17, 3), sure), []
    along = np.linspace(0, 1, 17)
    for row, ((x1, y1, x2, y2), pose) in enumerate(zip(boxes.tolist(), poses, strict=True)):
        keypoints[row, :, 0] = x1 + (x2 - x1) * (along if pose else 1 - along)
        keypoints[row, :, 1] = y1 + (y2 - y1) * along
        inside = np.abs(np.linspace(0, 1, round(y2 - y1))[:, None] - np.linspace(0, 1, round(x2 - x1))) < 0.25
        crops.append(Crop(round(x1), round(y1), inside if pose else inside[:, ::-1]))
    score, class_id = np.full(len(boxes), 0.9), np.zeros(len(boxes), int)
    return Detections(boxes, score, class_id, keypoints=keypoints, masks=Masks.of(crops, SIZE))


def crossing(sure: float = 0.9, *, mirrored: bool = False) -> Iterator[Detections]:
    """Yield two people who come together and go back, each to its side."""
    for frame in range(24):
        way = 3 * abs(frame - 12)
        middle = np.array([[150.0 - way], [154.0 + way]])
        boxes = np.hstack([middle - 20, [[10], [10]], middle + 20, [[100], [100]]])
        if mirrored:
            boxes = boxes[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [SIZE[1], 0, SIZE[1], 0]
        yield found(boxes, [1, 0] if mirrored else [0, 1], sure=sure)


def step(tracker: BYTETracker, detections: Detections) -> Tracks:
    if isinstance(tracker, LooksTracker):
        return tracker.update(detections, 1.0, lambda rows: np.ones((len(rows), 2)))
    return tracker.update(detections)


def make(kind: str, shapes: str) -> BYTETracker:
    return by_shapes(cast(type[BYTETracker], TRACKERS[kind]), shapes)()


@both
@pytest.mark.parametrize("mirrored", [False, True])
def test_who_comes_together_and_turns_back_keeps_its_number(shapes: str, mirrored: bool) -> None:
    told = []
    for tracker in (BYTETracker(), make("bytetrack", shapes)):
        ids = []
        for detections in crossing(mirrored=mirrored):
            tracks = tracker.update(detections)
            ids.append(tracks.track_id[np.argsort(tracks.source)].tolist())
        told.append(ids[0] == ids[-1])
    assert told == [False, True]  # by boxes alone they seem to have passed each other


@pytest.mark.slow_after(3)
@both
@everyone
def test_where_nothing_competes_or_is_known_boxes_decide_alone(kind: str, shapes: str) -> None:
    plain, refined = TRACKERS[kind](), make(kind, shapes)
    for frame in range(8):
        boxes = np.array(
            [[10.0 + 4 * frame, 10, 50 + 4 * frame, 90], [200 - 3 * frame, 10, 240 - 3 * frame, 90]]
        )
        assert same(step(plain, found(boxes, [0, 1])), step(refined, found(boxes, [0, 1])))
    for detections in crossing(sure=0.2):
        unknown = Detections(detections.xyxy, detections.score, detections.class_id)
        told = detections if shapes == "keypoints" else unknown
        assert same(step(plain, unknown), step(refined, told))


@pytest.mark.slow_after(1)
@both
@everyone
def test_a_restored_tracker_goes_on(kind: str, shapes: str) -> None:
    whole, restored = make(kind, shapes), make(kind, shapes)
    for frame, detections in enumerate(crossing()):
        expected = step(whole, detections)
        if frame > 10:
            assert same(step(restored, detections), expected)
        if frame == 10:
            restored.restore(json.loads(json.dumps(whole.state())))


poses = st.lists(st.floats(-50, 50), min_size=34, max_size=34).map(lambda v: np.reshape(v, (1, 17, 2)))


def known(xy: FloatArray) -> FloatArray:
    return np.concatenate((xy, np.full((*xy.shape[:2], 1), 0.9)), axis=2)


@examples(30)
@given(poses, poses, st.floats(0.5, 3), st.floats(0, 6))
def test_similarity_is_cocos(one: FloatArray, other: FloatArray, scale: float, turn: float) -> None:
    """Symmetric, 1 with itself, the same where a scene is turned, moved and scaled; and COCO's formula."""
    area = np.array([900.0])
    value = oks_pairs(known(one), known(other), area)
    apart, variance = ((one - other) ** 2).sum(-1)[0], (np.array(COCO_SIGMAS) * 2) ** 2
    coco = np.exp(-(apart / variance / (area + np.spacing(1)) / 2)).sum() / 17  # as pycocotools writes it
    np.testing.assert_allclose(value, coco, rtol=1e-9)
    np.testing.assert_allclose(value, oks_pairs(known(other), known(one), area))
    assert oks_pairs(known(one), known(one), area) == 1
    way = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = oks_pairs(known(one @ way + 7), known(other @ way + 7), area * scale**2)
    np.testing.assert_allclose(moved, value, rtol=1e-6, atol=1e-12)


def test_too_few_keypoints_tell_nothing_and_others_have_one_sigma() -> None:
    here = np.zeros((1, 5, 3))
    here[0, :2, 2] = 0.9
    assert np.isnan(oks_pairs(here, here, np.ones(1))).all()
    assert sigmas(5).tolist() == [0.2] * 5 and sigmas(17).tolist() == [*COCO_SIGMAS]


def test_what_the_weights_do_not_find_cannot_be_asked_for() -> None:
    for shapes, kind in (("keypoints", "pose"), ("masks", "segment")):
        settings = TrackerSettings(match_by=shapes)
        made = make_tracker("motion", settings, 25.0, found=kind)
        assert type(made).__name__ == f"MotionTrackerBy{shapes.capitalize()}"
        with pytest.raises(OptionError, match=f"--match-by {shapes} needs -"):
            make_tracker("motion", settings, 25.0, found="obb")
