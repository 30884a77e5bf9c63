"""Features of the detector's network: the same from every backend, each with its own box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bytetrack import Detections
from tests.tracker.detectors.test_detectors import pictures
from tracker.detectors import Settings, open_detector
from tracker.detectors.features import BINS, STEP, TorchMap, pooled, with_features
from tracker.detectors.letterbox import Letterbox
from tracker.types import WeightsError


def test_each_bin_is_the_mean_of_its_part() -> None:
    """A map that rises evenly: the mean of a bin is what the map has in its middle."""
    y, x = np.mgrid[0:20, 0:30].astype(np.float32)
    ramp = np.stack([x, y, 2 * x + 3 * y])
    box = np.array([[4 * STEP, 3 * STEP, 12 * STEP, 15 * STEP]], float)
    features = pooled(ramp, box).reshape(*BINS, 3)
    for row in range(BINS[0]):
        for column in range(BINS[1]):
            middle = 4 + 8 * (column + 0.5) / BINS[1] - 0.5, 3 + 12 * (row + 0.5) / BINS[0] - 0.5
            expected = [*middle, 2 * middle[0] + 3 * middle[1]]
            np.testing.assert_allclose(features[row, column], expected, rtol=1e-5)


def test_boxes_beyond_the_map_and_without_area_have_features() -> None:
    odd = np.array([[-50.0, -50, 10, 10], [150, 100, 900, 900], [30, 30, 30, 30]])
    features = pooled(np.random.default_rng(0).normal(size=(4, 12, 20)).astype(np.float32), odd)
    assert features.shape == (3, 4 * BINS[0] * BINS[1]) and np.isfinite(features).all()


def test_doubtful_boxes_have_none() -> None:
    box = Letterbox.fit((96, 160), (160, 160))
    found = Detections([[0, 0, 40, 60], [80, 0, 120, 60]], [0.5, 0.2], [0, 0])
    maps = np.random.default_rng(0).normal(size=(1, 4, 12, 20)).astype(np.float32)
    (given,) = with_features([found], maps, box, 0.3)
    assert given.features is not None and np.isnan(given.features[1]).all()
    assert np.linalg.norm(given.features[0]) == pytest.approx(1, abs=1e-3)  # of float16
    (none,) = with_features([Detections.empty()], maps, box, 0.3)
    assert none.features is not None and none.features.shape == (0, 48)


@pytest.mark.slow
def test_a_larger_network_gives_no_more_numbers_and_they_tell_as_much() -> None:
    """Of 256 channels 64 are made; boxes that looked alike still do, the others less."""
    box = Letterbox.fit((96, 160), (160, 160))
    made = np.random.default_rng(1).normal(size=(1, 256, 12, 20)).astype(np.float32)
    made[..., 10:] = made[..., :10] + 0.3 * made[..., 10:]  # the right half repeats the left
    found = Detections([[0, 0, 40, 96], [80, 0, 120, 96], [40, 0, 80, 96]], [0.5] * 3, [0] * 3)
    (given,) = with_features([found], made, box, 0.3)
    assert given.features is not None and given.features.shape == (3, 64 * BINS[0] * BINS[1])
    same, other = given.features[0] @ given.features[1], given.features[0] @ given.features[2]
    assert same > 0.9 and abs(other) < 0.3


def test_to_the_input_and_back() -> None:
    box = Letterbox.fit((576, 768), (640, 640), rectangular=False)
    xyxy = np.array([[10.0, 20, 300, 400], [0, 0, 768, 576]])
    np.testing.assert_allclose(box.to_picture(box.to_input(xyxy)), xyxy, rtol=1e-5)


@pytest.mark.parametrize("backend", ["torch", pytest.param("openvino", marks=pytest.mark.slow)])
def test_features_belong_to_their_boxes(backend: str, untrained: Path) -> None:
    """Whoever asks for features gets the same boxes, and in two pictures the features of each."""
    asked = Settings(backend=backend, imgsz=160, conf=0.001, device="cpu", precision="fp32")
    with open_detector(untrained, asked) as detector:
        plain = detector.detect(pictures(2))
    features = Settings(
        backend=backend, imgsz=160, conf=0.001, device="cpu", precision="fp32", features=0.0, batch=2
    )
    with open_detector(untrained, features) as detector:
        both = detector.detect(pictures(2))
        (second,) = detector.detect(pictures(2)[1:])
    assert all(one.features is None for one in plain)
    for one, other in zip(plain, both, strict=True):
        np.testing.assert_allclose(one.xyxy, other.xyxy, atol=0.02)
    assert both[1].features is not None and second.features is not None
    np.testing.assert_allclose(both[1].features, second.features, atol=5e-4)  # they are float16
    assert not np.allclose(both[0].features[: len(both[1])], both[1].features[: len(both[0])])


@pytest.mark.slow
def test_both_backends_see_the_same(untrained: Path) -> None:
    found = []
    for backend in ("torch", "openvino"):
        asked = Settings(backend=backend, imgsz=160, conf=0.001, device="cpu", precision="fp32", features=0.0)
        with open_detector(untrained, asked) as detector:
            found.append(detector.detect(pictures(3)))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one.xyxy, other.xyxy, atol=0.02)
        np.testing.assert_allclose(one.features, other.features, atol=5e-4)


def test_a_network_without_such_a_map_is_refused_in_one_line() -> None:
    import torch

    flat = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.ReLU())
    with pytest.raises(WeightsError, match=r"flat\.pt has no map .*--appearance color"):
        TorchMap(flat, torch.zeros(1, 3, 64, 32), "flat.pt")
