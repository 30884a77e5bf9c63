"""fp32 is exact, bf16 is chosen where the processor multiplies it itself, and the user is told which."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tracker.detectors import Settings, arithmetic, open_detector, openvino_yolo
from tracker.detectors.agreement import agreement
from tracker.detectors.openvino_model import converted
from tracker.detectors.quiet import quiet_openvino
from tracker.types import OptionError


def native() -> bool:
    return openvino_yolo.multiplies_bf16(quiet_openvino().Core())


@pytest.mark.parametrize("has_bf16, is_faster, precision, told", [
    (False, True, "auto", "fp32"), (True, True, "auto", "bf16"), (True, False, "auto", "fp32"),
    (True, True, "fp32", "fp32"), (True, False, "bf16", "bf16"),
])  # fmt: skip
def test_auto_takes_what_is_faster_on_the_processor(
    has_bf16: bool,
    is_faster: bool,
    precision: str,
    told: str,
    untrained: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(openvino_yolo, "multiplies_bf16", lambda _: has_bf16)
    seconds = {"f32": 1.0, "bf16": 0.6 if is_faster else 1.5}
    monkeypatch.setattr(arithmetic, "_seconds", lambda core, xml: seconds)
    monkeypatch.setattr(arithmetic, "cache_folder", lambda: untrained.parent / f"cache-{is_faster}")
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
def test_what_is_faster_is_found_once_and_kept(
    untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arithmetic, "cache_folder", lambda: tmp_path)
    core, xml = quiet_openvino().Core(), converted(untrained).xml
    first = arithmetic.faster(core, xml)
    assert first in ("bf16", "f32")
    kept = tmp_path / "openvino" / "arithmetic.json"
    assert first in kept.read_text("utf-8")
    monkeypatch.setattr(arithmetic, "_seconds", lambda *_: pytest.fail("it was known"))
    assert arithmetic.faster(core, xml) == first
    for damaged in ("", "[]", '{"a": 3}'):
        kept.write_text(damaged, "utf-8")
        monkeypatch.setattr(arithmetic, "_seconds", lambda *_: {"bf16": 1.0, "f32": 1.0})
        assert arithmetic.faster(core, xml) == "f32"  # equal: the exact one
    monkeypatch.setattr(arithmetic, "cache_folder", lambda: Path("/proc/nowhere"))
    assert arithmetic.faster(core, xml) == "f32"


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
