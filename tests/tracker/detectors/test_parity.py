"""Our boxes are those of ultralytics' own ``predict``, and nothing else happens on the side."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bytetrack import Detections
from tracker.detectors import Settings, open_detector
from tracker.types import Image, OptionError

Predict = Callable[[Path, list[Image]], list[Detections]]


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch) -> Predict:
    """Return ultralytics' ``YOLO.predict`` with our floor, overlap and size."""
    from ultralytics import YOLO
    from ultralytics.nn.autobackend import AutoBackend

    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):  # a build that does not fit torch; predict imports it to warm up
        monkeypatch.setattr(AutoBackend, "warmup", lambda *_, **__: None)

    def run(weights: Path, images: list[Image]) -> list[Detections]:
        model = YOLO(weights)
        options: dict[str, Any] = {
            "conf": 0.1,
            "iou": 0.7,
            "imgsz": 640,
            "agnostic_nms": True,
            "device": "cpu",
        }
        answers = [model.predict(np.array(image), verbose=False, **options)[0].boxes for image in images]
        return [
            Detections(
                boxes.xyxy.cpu().numpy(), boxes.conf.cpu().numpy(), boxes.cls.cpu().numpy().astype(np.int64)
            )
            for boxes in answers
        ]

    return run


def assert_agree(ours: Detections, theirs: Detections) -> None:
    """Same boxes within 0.5 px and 0.01 score; one within 0.01 of the floor may be missing on either side."""
    for here, there in ((ours, theirs), (theirs, ours)):
        for xyxy, score, class_id in zip(here.xyxy, here.score, here.class_id, strict=True):
            near = (np.abs(there.xyxy - xyxy) <= 0.5).all(1) & (np.abs(there.score - score) <= 0.01)
            assert (near & (there.class_id == class_id)).any() or score <= 0.11, (xyxy, score, class_id)


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_boxes_equal_predict_on_a_photograph(
    backend: str, weights: Path, bus: Image, predict: Predict
) -> None:
    with open_detector(weights, Settings(backend=backend, device="cpu", precision="fp32")) as detector:
        (ours,) = detector.detect([bus])
    (theirs,) = predict(weights, [bus])
    assert len(ours) >= 5
    assert_agree(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_boxes_equal_predict_on_a_recording(
    backend: str, weights: Path, shared: Path, predict: Predict
) -> None:
    video = cv2.VideoCapture(str(shared / "data/pets09-s2l1/vtest.avi"))
    images = [image for index in range(0, 795) if (image := video.read()[1]) is not None and index % 80 == 0]
    assert len(images) == 10
    with open_detector(
        weights, Settings(backend=backend, device="cpu", batch=4, precision="fp32")
    ) as detector:
        ours = detector.detect(images)
    assert sum(len(found) for found in ours) > 60
    for found, expected in zip(ours, predict(weights, images), strict=True):
        assert_agree(found, expected)


@pytest.mark.slow
def test_openvino_starts_without_torch(untrained: Path, models: Path, tmp_path: Path) -> None:
    from tracker.detectors.openvino_model import converted

    converted(untrained)
    (tmp_path / "cache" / "track").mkdir(parents=True)
    (tmp_path / "cache" / "track" / "openvino").symlink_to(models)
    script = f"""
import sys
import numpy as np
from tracker.detectors import Settings, open_detector
with open_detector({str(untrained)!r}, Settings(backend="openvino")) as detector:
    detector.detect([np.zeros((64, 64, 3), np.uint8)])
print(sorted({{"torch", "ultralytics", "openvino_telemetry"}} & set(sys.modules)))
"""
    environment = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": ""}
    environment["XDG_DATA_HOME"] = str(tmp_path / "data")
    shutil.copytree(models / "key", tmp_path / "data" / "track")  # what sealed the model
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "[]\n", "")


def test_threads_of_torch_are_put_back(untrained: Path) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        with open_detector(untrained, Settings(backend="torch", device="cpu", threads=1)):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 4
        unusable = Settings(backend="torch", device="cpu", half=True)
        with pytest.raises(OptionError), open_detector(untrained, unusable):
            pass
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
def test_ultralytics_is_kept_quiet(untrained: Path, tmp_path: Path) -> None:
    script = f"""
import os, sys
import cv2, numpy as np
cv2.setNumThreads(3)
environment, printing = dict(os.environ), np.get_printoptions()
from tracker.detectors import Settings, open_detector
with open_detector({str(untrained)!r}, Settings(backend="torch", device="cpu")) as detector:
    detector.detect([np.zeros((64, 64, 3), np.uint8)])
from ultralytics.utils import ONLINE, checks
from ultralytics.utils.events import events
assert not ONLINE and not events.enabled and not checks.AUTOINSTALL
assert "torchvision" not in sys.modules
assert np.get_printoptions() == printing and cv2.getNumThreads() == 3
assert dict(os.environ) == environment
"""
    home = tmp_path / "home"
    home.mkdir()
    cache = tmp_path / "cache"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"HOME": str(home), "XDG_CACHE_HOME": str(cache), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert list(home.iterdir()) == []  # no settings, no report
