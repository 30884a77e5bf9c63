"""Windows of a picture: what the network is shown, and where its boxes are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import Detections
from tests.tracker.detectors.test_detectors import pictures, same
from tracker.detectors import Settings, open_detector
from tracker.detectors.batched import Network
from tracker.detectors.letterbox import GREY, Letterbox, scaled
from tracker.detectors.standing import replaced
from tracker.detectors.windows import Layout, Window, together

BACKENDS = ("torch", pytest.param("openvino", marks=pytest.mark.slow))


@given(st.integers(1, 700), st.integers(1, 700))
def test_the_whole_picture_as_a_window_is_what_the_network_is_shown_anyhow(height: int, width: int) -> None:
    image = np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)
    box = Letterbox.fit((height, width), (64, 64))
    plain, layout = box.blank(), Layout.whole(box)
    windowed = np.zeros((1, *layout.shape, 3), np.uint8)
    box.fill(image, plain[0])
    layout.fill(scaled(image, box.inner), windowed)
    np.testing.assert_array_equal(plain, windowed)


def test_a_box_is_of_the_window_that_its_centre_is_in_and_stands_where_the_window_was_taken() -> None:
    layout = Layout(
        (400, 800), (200, 400), (64, 128), (Window(100, 50, 64, 64), Window(300, 20, 62, 60, 64, 2))
    )
    found = Detections([[10, 10, 30, 40], [50, 0, 74, 20], [70, 12, 90, 40]], [0.9, 0.8, 0.7], [0, 1, 2])
    first, second = layout.split([found])
    assert first.xyxy.tolist() == [[220, 120, 260, 180], [300, 100, 328, 140]]  # clipped at its edge
    assert first.class_id.tolist() == [0, 1]
    assert second.xyxy.tolist() == [[612, 60, 652, 116]]


def test_around_windows_it_is_grey() -> None:
    pixels = np.zeros((2, 32, 64, 3), np.uint8)
    Layout((40, 80), (40, 80), (32, 64), (Window(2, 4, 16, 8, 32, 16, 1),), 2).fill(
        np.full((40, 80, 3), 7, np.uint8), pixels
    )
    assert (pixels[0] == GREY).all()
    assert (pixels[1, 16:24, 32:48] == 7).all()
    assert (pixels[1] == 7).sum() == 16 * 8 * 3


def test_no_rows_and_some_are_put_together() -> None:
    one = Detections([[0, 0, 9, 9]], [0.5], [3])
    assert together([Detections.empty(), one, one]).class_id.tolist() == [3, 3]


def test_features_go_with_their_boxes_into_windows_and_together() -> None:
    layout = Layout((64, 128), (64, 128), (64, 128), (Window(64, 0, 64, 64, 64), Window(0, 0, 64, 64)))
    found = Detections(
        [[0, 0, 9, 9], [70, 0, 90, 9], [20, 0, 30, 9]], [0.9, 0.8, 0.7], [0, 0, 0], [[1], [2], [3]]
    )
    right, left = layout.split([found])
    bare = Detections([[0, 0, 9, 9]], [0.5], [0])
    all_rows = together([right, bare, left]).features
    assert all_rows is not None
    np.testing.assert_array_equal(all_rows, [[2], [np.nan], [1], [3]])
    assert together([bare, bare]).features is None


def test_features_stay_with_boxes_that_stand() -> None:
    """What was not looked at keeps what was known of it; what was seen anew has the new features."""
    standing = Detections([[0, 0, 9, 9], [70, 0, 90, 30]], [0.6, 0.8], [0, 0], [[1], [2]])
    found = Detections([[71, 0, 91, 30]], [0.9], [0], [[3]])
    right = np.array([[60, 0, 128, 64]])
    now, again = replaced(standing, right, [found], lambda xyxy: np.ones(len(xyxy), bool))
    assert now.features is not None and now.features.tolist() == [[3], [1]] and len(again) == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_windows_find_what_whole_pictures_find(backend: str, untrained: Path) -> None:
    """Pictures side by side in one, each a window: the boxes of each alone, where it stands."""
    images = pictures(2, (64, 96))
    settings = Settings(backend=backend, imgsz=96, conf=0.001, device="cpu", precision="fp32")
    side_by_side = np.concatenate(images, axis=1)
    layout = Layout(
        (64, 192), (64, 192), (64, 96), (Window(0, 0, 96, 64), Window(96, 0, 96, 64, row=1)), rows=2
    )
    with open_detector(untrained, settings) as detector:
        assert isinstance(detector, Network)
        alone = detector.detect(images)
        first, second = detector.finish(detector.start_windows(side_by_side, layout))
    same(first, alone[0])
    same(second, Detections(alone[1].xyxy + np.array([96, 0, 96, 0]), alone[1].score, alone[1].class_id))
