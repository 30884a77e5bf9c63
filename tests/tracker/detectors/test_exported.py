from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from tracker.detectors import Settings, open_detector
from tracker.detectors.agreement import agreement
from tracker.detectors.quiet import quiet
from tracker.types import Image, WeightsError


@pytest.mark.slow
def test_what_ultralytics_exports_sees_what_the_weights_see(
    untrained: Path, bus: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.chdir(tmp_path)
    weights = shutil.copyfile(untrained, tmp_path / "model.pt")
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its export traces, which torch calls old
        from ultralytics import YOLO

        folder = Path(str(YOLO(weights, task="detect").export(format="openvino", imgsz=160, verbose=False)))
    square = np.ascontiguousarray(bus[:800, :800])  # so that both networks get the same input
    with open_detector(folder, Settings(backend="torch", imgsz=160, conf=0.05)) as exported:
        (found,) = exported.detect([square])
        assert exported.names == {0: "person", 1: "traffic light", 2: "car"}
    with open_detector(weights, Settings(backend="torch", imgsz=160, conf=0.05)) as original:
        (expected,) = original.detect([square])
    # ultralytics lets OpenVINO choose bf16 where the processor has it, so the boxes are alike, not equal
    for one, other in (([expected], [found]), ([found], [expected])):
        alike = agreement(one, other, iou=0.9, conf=0.06)
        assert alike.boxes > 5 and alike.found == 1 and abs(alike.score_difference) < 0.01


def test_openvino_as_backend_wants_the_weights_themselves(tmp_path: Path) -> None:
    folder = tmp_path / "model_openvino_model"
    folder.mkdir()
    with pytest.raises(WeightsError, match=r"needs \.pt weights; use --backend torch"):
        open_detector(folder, Settings(backend="openvino"))
