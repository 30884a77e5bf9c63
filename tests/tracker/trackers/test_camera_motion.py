"""What the camera did, told from pictures that were moved by known amounts."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bytetrack import BYTETracker, Detections
from bytetrack.appearance import AppearanceTracker
from tests.tracker.fakes import ListDetector
from tracker import pipeline
from tracker.trackers.camera_motion import CameraMotion
from tracker.trackers.make import make_tracker
from tracker.trackers.settings import TrackerSettings
from tracker.trackers.visual import VisualTracker
from tracker.types import Frame, Image

SIZE = (640, 480)
NOBODY = np.empty((0, 4))
CENTER = np.array([320.0, 240.0])


def scene(seed: int = 0) -> Image:
    """Return a large picture of random blocks: something to hold on to everywhere."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 255, (30, 40, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(blocks, (960, 720), interpolation=cv2.INTER_CUBIC), np.uint8)


def view(picture: Image, transform: NDArray[np.float64]) -> Image:
    middle = np.array([[1.0, 0, -160], [0, 1, -120]])
    combined = transform @ np.vstack((middle, [0, 0, 1]))
    return np.asarray(cv2.warpAffine(picture, combined, SIZE, borderMode=cv2.BORDER_REFLECT), np.uint8)


def similarity(scale: float, angle: float, x: float, y: float) -> NDArray[np.float64]:
    """Return scaling and turning about the middle of the picture, then a shift."""
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[a, -b], [b, a]])
    return np.hstack((linear, (CENTER - linear @ CENTER + [x, y])[:, None]))


STILL = similarity(1, 0, 0, 0)


@pytest.mark.parametrize(
    "truth",
    [
        STILL,
        similarity(1, 0, 12, -7),
        similarity(1, 0, -40, 20),
        similarity(1.05, 0, 3, 0),
        similarity(1, 0.03, 0, 5),
    ],
)
def test_known_motion_is_found(truth: NDArray[np.float64]) -> None:
    camera, picture = CameraMotion(), scene()
    assert camera.step(view(picture, STILL), NOBODY).transform is None  # the first has nothing before it
    found = camera.step(view(picture, truth), NOBODY).transform
    assert found is not None
    corners = np.array([[0, 0], [640, 0], [0, 480], [640, 480.0]])
    there = corners @ truth[:, :2].T + truth[:, 2]
    np.testing.assert_allclose(corners @ found[:, :2].T + found[:, 2], there, atol=1.5)


def test_what_moves_in_boxes_is_not_taken_for_the_camera() -> None:
    picture = view(scene(), STILL)
    bus = view(scene(5), STILL)[:, :400]  # more than half of the picture
    before, after = picture.copy(), picture.copy()
    before[100:400, 20:420], after[100:400, 50:450] = bus[100:400], bus[100:400]
    camera = CameraMotion()
    camera.step(before, np.array([[20.0, 100, 420, 400]]))
    found = camera.step(after, np.array([[50.0, 100, 450, 400]])).transform
    assert found is not None
    np.testing.assert_allclose(found, [[1, 0, 0], [0, 1, 0]], atol=0.3)


def test_a_cut_is_told_and_no_motion_made_up() -> None:
    camera = CameraMotion()
    camera.step(view(scene(1), STILL), NOBODY)
    move = camera.step(view(scene(2), STILL), NOBODY)
    assert move.cut
    assert move.transform is None


def test_plain_pictures_and_darkness_are_neither_motion_nor_cut() -> None:
    camera = CameraMotion()
    dark = np.zeros((480, 640, 3), np.uint8)
    for image in (dark, dark, view(scene(), STILL), dark):
        move = camera.step(image, NOBODY)
        assert move.transform is None
        assert not move.cut


def test_a_wild_swing_is_rejected() -> None:
    camera, picture = CameraMotion(), scene()
    camera.step(view(picture, STILL), NOBODY)
    assert camera.step(view(picture, similarity(1, 0, 110, 0)), NOBODY).transform is None


@pytest.mark.slow
def test_auto_sleeps_while_the_camera_rests_and_wakes_when_it_moves() -> None:
    camera, picture = CameraMotion(auto=True), scene()
    seen = []
    for i in range(120):
        x = 4.0 * max(0, i - 60)
        seen.append(camera.step(view(picture, similarity(1, 0, x / 4, 0)), NOBODY).transform is not None)
    assert not any(seen[:60])
    assert all(seen[60 + camera.sample + 1 :])
    assert camera._count == 120


def test_auto_looks_at_one_frame_in_ten_while_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    camera, picture = CameraMotion(auto=True), view(scene(), STILL)
    looked = []
    between = camera._between
    monkeypatch.setattr(camera, "_between", lambda *given: looked.append(1) or between(*given))
    for _ in range(101):
        camera.step(picture, NOBODY)
    assert 1 <= len(looked) <= 11


@pytest.mark.slow
@pytest.mark.parametrize("auto", [False, True])
def test_it_goes_on_from_a_state(auto: bool) -> None:
    one, other, picture = CameraMotion(auto), CameraMotion(auto), scene()
    for i in range(70):
        image = view(picture, similarity(1, 0, 3.0 * max(0, i - 45), 0))
        box = np.array([[100.0 + i, 100, 140 + i, 200]])
        first, second = one.step(image, box).transform, other.step(image, box).transform
        assert (first is None) == (second is None)
        assert first is None or second is None or np.array_equal(first, second)
        state = json.loads(json.dumps(other.state()))
        other = CameraMotion(auto)
        other.restore(state)
    assert first is not None


def test_the_picture_is_never_changed_and_a_new_size_begins_anew() -> None:
    camera, picture = CameraMotion(), view(scene(), STILL)
    picture.setflags(write=False)
    camera.step(picture, NOBODY)
    camera.step(picture, NOBODY)
    assert camera.step(np.zeros((240, 320, 3), np.uint8), NOBODY).transform is None


def shaken(seed: int, frames: int = 40) -> tuple[list[Frame], list[Detections]]:
    """Return somebody who walks slowly before a camera that trembles by some 20 px."""
    rng, picture = np.random.default_rng(seed), scene()
    film, found = [], []
    for i in range(frames):
        x, y = np.clip(rng.normal(0, 14, 2), -22, 22)
        image = view(picture, similarity(1, 0, x, y))
        left, top = 200 + 2 * i + x, 200 + y
        film.append(Frame(image, i, i / 30))
        found.append(Detections([[left, top, left + 25, top + 60]], [0.9], [0]))
    return film, found


@pytest.mark.slow
def test_a_trembling_camera_is_seen_through() -> None:
    film, found = shaken(3)
    ids = {}
    for kind in ("off", "on", "auto"):
        tracker = make_tracker("bytetrack", TrackerSettings(camera_motion=kind), 30.0, SIZE)
        results = list(pipeline.run(film, ListDetector(found), tracker))
        ids[kind] = [one.tracks.track_id.tolist() for one in results]
    assert ids["on"] == [[1]] * len(film)
    assert ids["off"] != ids["on"]
    assert ids["auto"][12:] == [ids["auto"][-1]] * (len(film) - 12)


def test_a_cut_ends_all_tracks() -> None:
    film = [Frame(view(scene(1 if i < 10 else 2), STILL), i, i / 30) for i in range(20)]
    found = [Detections([[200, 200, 225, 260]], [0.9], [0])] * 20
    tracker = VisualTracker(BYTETracker(), None, CameraMotion())
    results = list(pipeline.run(film, ListDetector(found), tracker))
    assert results[9].tracks.track_id.tolist() == [1]
    assert results[-1].tracks.track_id.tolist() == [2]


def test_the_camera_is_followed_through_frames_without_detections() -> None:
    picture, boxes = scene(), Detections([[200, 200, 225, 260]], [0.9], [0])
    tracker = VisualTracker(BYTETracker(), None, CameraMotion())
    for i in range(10):
        tracker.observe(Frame(view(picture, STILL), i, i / 30))
        tracker.update(boxes)
    tracker.observe(Frame(view(picture, similarity(1, 0, 30, 0)), 10, 10 / 30))
    np.testing.assert_allclose(tracker.predict().xyxy, [[230, 200, 255, 260]], atol=1.5)
    with pytest.raises(ValueError, match="detections in every frame"):
        VisualTracker(AppearanceTracker(BYTETracker())).predict()
