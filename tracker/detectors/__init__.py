"""Detectors: one file per backend."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker.detectors.settings import DEFAULT_WEIGHTS, Settings
from tracker.errors import OptionError, WeightsError

if TYPE_CHECKING:  # `track --help` reads the settings and needs no numpy
    from tracker.contracts import Detector
    from tracker.detectors.batched import BatchedDetector
    from tracker.types import Stopwatch

DEFAULTS = Settings()


def open_detector(
    weights: str | Path = DEFAULT_WEIGHTS,
    settings: Settings = DEFAULTS,
    *,
    stopwatch: Stopwatch | None = None,
) -> Detector:
    """Return a detector, to be opened by ``with``.

    ``weights`` is a path or a bare name (see ``weights.find_weights``), which may be downloaded here.
    ``stopwatch`` counts the stage "detect". Raises ``OptionError`` and ``WeightsError``.
    """
    from tracker.detectors.weights import find_weights

    network = _make(find_weights(weights), settings, stopwatch)
    detector: Detector = network
    if settings.tiles != DEFAULTS.tiles:
        from tracker.detectors.tiles import Tiled

        detector = Tiled(network, settings, stopwatch)
    if settings.every == 1:
        return detector
    from tracker.detectors.every_nth import EveryNth

    return EveryNth(detector, settings.every, prompt=settings.in_flight == 1)


def _make(path: Path, settings: Settings, stopwatch: Stopwatch | None) -> BatchedDetector[Any]:
    backend = choose(path, settings) if settings.backend == "auto" else settings.backend
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
        raise WeightsError(f"{path}: --backend openvino needs .pt weights; use --backend torch for this file")
    if find_spec("openvino") is None:
        raise OptionError("--backend openvino needs a package that is not installed: pip install openvino")
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
    """Whether there may be a GPU; importing torch to ask it takes seconds."""
    drivers = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg", "C:/Windows/System32/nvcuda.dll")
    return platform.system() == "Darwin" or any(Path(driver).exists() for driver in drivers)


__all__ = ["DEFAULT_WEIGHTS", "Settings", "open_detector"]
