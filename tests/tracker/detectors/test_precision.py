"""fp32 is exact, bf16 is chosen where the processor multiplies it itself, and the user is told which."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tracker.detectors import Settings, open_detector, openvino_yolo
from tracker.detectors.agreement import agreement
from tracker.detectors.quiet import quiet_openvino
from tracker.types import OptionError


def native() -> bool:
    return openvino_yolo.multiplies_bf16(quiet_openvino().Core())


@pytest.mark.parametrize("has_bf16, precision, told", [
    (False, "auto", "fp32"), (True, "auto", "bf16"), (True, "fp32", "fp32"), (True, "bf16", "bf16"),
])  # fmt: skip
def test_auto_takes_what_the_processor_has(
    has_bf16: bool, precision: str, told: str, untrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_yolo, "multiplies_bf16", lambda _: has_bf16)
    with open_detector(untrained, Settings(backend="openvino", precision=precision)) as detector:
        assert detector.description == f"{untrained.stem} on OpenVINO, {told}"


def test_bf16_is_refused_where_it_would_only_be_imitated(
    untrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_yolo, "multiplies_bf16", lambda _: False)
    with pytest.raises(OptionError, match="bf16 is not supported by this processor; use fp32"):
        open_detector(untrained, Settings(backend="openvino", precision="bf16")).__enter__()


def test_bf16_is_openvinos(untrained: Path) -> None:
    with pytest.raises(OptionError, match="--precision bf16 runs on OpenVINO only"):
        open_detector(untrained, Settings(backend="torch", precision="bf16"))
    with pytest.raises(OptionError, match="no precision 'fp8'; there are auto, fp32, bf16"):
        open_detector(untrained, Settings(precision="fp8"))


@pytest.mark.slow
def test_bf16_finds_the_same_objects(weights: Path, shared: Path) -> None:
    if not native():
        pytest.skip("is not supported by this processor")
    video = cv2.VideoCapture(str(shared / "data/pets09-s2l1/vtest.avi"))
    images = [image for index in range(400) if (image := video.read()[1]) is not None and index % 40 == 0]
    assert len(images) == 10
    found = []
    for precision in ("fp32", "bf16"):
        with open_detector(weights, Settings(backend="openvino", precision=precision)) as detector:
            found.append(detector.detect(images))
    sure = agreement(*found, iou=0.9, conf=0.3)
    assert sure.boxes > 50
    assert sure.found > 0.98 and abs(sure.score_difference) < 0.005
