"""What finds objects: one file per backend."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from tracker.detectors.settings import Settings
from tracker.types import Detector, OptionError, Stopwatch, WeightsError

BACKENDS = ("auto", "torch", "openvino")
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
    int8: bool = Settings.int8,
    precision: str = Settings.precision,
    in_flight: int | None = Settings.in_flight,
    threads: int | None = Settings.threads,
    every: int = 1,
    stopwatch: Stopwatch | None = None,
) -> Detector:
    """Return a detector, to be opened by ``with``; what the options mean stands in ``Settings``.

    ``weights`` is a path or a bare name (see ``weights.find_weights``), which may be downloaded here.
    ``backend`` is torch, openvino, or auto: torch on a GPU, else OpenVINO on an x86 CPU, else torch.
    ``every`` above 1 looks at every N-th frame only (see ``EveryNth``). ``stopwatch`` counts the stage
    "detect". Raises ``OptionError`` and ``WeightsError``.
    """
    device = str(device).strip().lower()
    settings = Settings(
        classes, conf, iou, imgsz, max_det, device, half, batch, int8, precision, in_flight, threads
    )
    if backend not in BACKENDS:
        raise OptionError(f"no backend {backend!r}; there are {', '.join(BACKENDS)}")
    if every < 1:
        raise OptionError(f"--detect-every must be at least 1, got {every}")
    from tracker.detectors.weights import find_weights

    detector = _make(find_weights(weights), backend, settings, stopwatch)
    if every == 1:
        return detector
    from tracker.detectors.every_nth import EveryNth

    return EveryNth(detector, every, prompt=in_flight == 1)


def _make(path: Path, backend: str, settings: Settings, stopwatch: Stopwatch | None) -> Detector:
    if backend == "auto":
        backend = choose(path, settings)
    if backend == "torch":
        if settings.int8:
            raise OptionError(
                "--int8 runs on OpenVINO only: leave out --backend torch and --device, or --int8"
            )
        if settings.precision == "bf16":
            raise OptionError("--precision bf16 runs on OpenVINO only; leave it out, or --backend torch")
        from tracker.detectors.torch_yolo import TorchYolo

        return TorchYolo(path, settings, stopwatch)
    if path.suffix != ".pt":
        raise WeightsError(
            f"{path}: --backend openvino starts from .pt weights; use --backend torch for this one"
        )
    if find_spec("openvino") is None:
        raise OptionError("--backend openvino needs a package that is not here: pip install openvino")
    from tracker.detectors.openvino_yolo import OpenVinoYolo

    return OpenVinoYolo(path, settings, stopwatch)


def choose(weights: Path, settings: Settings) -> str:
    """Return the fastest backend that can run these weights on this machine."""
    if settings.int8 or settings.precision == "bf16":
        return "openvino"
    if weights.suffix != ".pt" or settings.half or settings.device not in ("auto", "cpu"):
        return "torch"
    if settings.device == "auto" and _gpu_possible():
        from tracker.detectors.torch_yolo import torch_device

        if torch_device("auto").type != "cpu":
            return "torch"
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    return "openvino" if x86 and find_spec("openvino") is not None else "torch"


def _gpu_possible() -> bool:
    """Say whether asking torch, whose import takes seconds, is worth it."""
    drivers = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg", "C:/Windows/System32/nvcuda.dll")
    return platform.system() == "Darwin" or any(Path(driver).exists() for driver in drivers)


__all__ = ["BACKENDS", "DEFAULT_WEIGHTS", "open_detector"]
