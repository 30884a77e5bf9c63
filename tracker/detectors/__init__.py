"""What finds objects: one file per backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tracker.detectors.settings import Settings
from tracker.types import Detector, OptionError, Stopwatch

BACKENDS = ("auto", "torch")
DEFAULT_WEIGHTS = "yolov8n.pt"


def open_detector(
    weights: str | Path = DEFAULT_WEIGHTS,
    *,
    backend: str = "auto",
    classes: Sequence[str | int] | None = Settings.classes,
    conf: float = Settings.conf,
    iou: float = Settings.iou,
    imgsz: int = Settings.imgsz,
    max_det: int = Settings.max_det,
    device: str = Settings.device,
    half: bool = Settings.half,
    batch: int = Settings.batch,
    stopwatch: Stopwatch | None = None,
) -> Detector:
    """Return a detector, to be opened by ``with``; what the options mean stands in ``Settings``.

    ``weights`` is a path or a bare name (see ``weights.find_weights``), which may be downloaded here.
    ``stopwatch`` counts the stage "detect". Raises ``OptionError`` and ``WeightsError``.
    """
    settings = Settings(classes, conf, iou, imgsz, max_det, str(device), half, batch)
    if backend not in BACKENDS:
        raise OptionError(f"no backend {backend!r}; there are {', '.join(BACKENDS)}")

    from tracker.detectors.torch_yolo import TorchYolo
    from tracker.detectors.weights import find_weights

    return TorchYolo(find_weights(weights), settings, stopwatch)


__all__ = ["BACKENDS", "DEFAULT_WEIGHTS", "open_detector"]
