"""Options become a detector."""

from __future__ import annotations

from tracker.contracts import Detector
from tracker.detectors import Settings, open_detector
from tracker.options import Options
from tracker.types import Stopwatch


def make_detector(
    options: Options, stopwatch: Stopwatch, *, in_flight: int | None = None, every: int = 1
) -> Detector:
    """Return the detector that the options ask for, not yet opened."""
    settings = Settings(
        classes=options.classes or None,
        iou=options.iou,
        imgsz=options.imgsz,
        max_det=options.max_det,
        device=options.device,
        half=options.half,
        batch=options.batch,
        int8=options.int8,
        precision=options.precision,
        in_flight=in_flight,
        backend=options.backend,
        every=every,
    )
    return open_detector(options.weights, settings, stopwatch=stopwatch)
