"""Options become a detector."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from tracker.contracts import Detector
from tracker.detectors import Settings, open_detector
from tracker.detectors.every_nth import EveryNth
from tracker.options import Options
from tracker.types import Stopwatch


def make_detector(
    options: Options,
    stopwatch: Stopwatch,
    *,
    in_flight: int | None = None,
    every: int = 1,
    recordings: Sequence[str] = (),
    notes: list[str] | None = None,
    stop: threading.Event | None = None,
) -> Detector:
    """Return the detector that the options ask for, not yet opened.

    ``recordings`` are all sources that it will look at: with ``--int8`` a model may be made of them, what
    came of it is added to ``notes``, and ``stop`` ends it.
    """
    settings = Settings(
        classes=options.classes or None,
        iou=options.iou,
        imgsz=options.imgsz,
        tiles=options.tiles,
        max_det=options.max_det,
        device=options.device,
        half=options.half,
        batch=options.batch,
        precision=options.precision,
        in_flight=in_flight,
        backend=options.backend,
    )
    if options.int8 and recordings:
        from tracker.run.int8 import open_int8

        network = open_int8(options, settings, recordings, stopwatch, [] if notes is None else notes, stop)
        return network if every == 1 else EveryNth(network, every, prompt=in_flight == 1)
    settings = replace(settings, int8=options.int8, every=every)
    return open_detector(options.weights, settings, stopwatch=stopwatch)
