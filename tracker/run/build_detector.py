"""Options become a detector."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tracker.contracts import Detector
from tracker.detectors import Settings, open_detector
from tracker.detectors.batched import Network
from tracker.detectors.every_nth import EveryNth
from tracker.detectors.look import Looking
from tracker.detectors.shared import SharedDetector
from tracker.detectors.tiles import Tiled
from tracker.detectors.tiles_resting import RestingTiles
from tracker.options import Options
from tracker.types import OptionError, Stopwatch


def make_detector(
    options: Options,
    stopwatch: Stopwatch,
    *,
    in_flight: int | None = None,
    every: int = 1,
    look: str = "all",
    recordings: Sequence[str] = (),
    notes: list[str] | None = None,
    stop: threading.Event | None = None,
) -> Detector:
    """Return the detector that the options ask for, not yet opened.

    ``recordings`` are all sources that it will look at: with ``--int8`` a model may be made of them, what
    came of it is added to ``notes``, and ``stop`` ends it.
    """
    settings = settings_of(options, in_flight)
    if options.int8 and recordings:
        from tracker.run.int8 import open_int8

        detector: Detector = open_int8(
            options, settings, recordings, stopwatch, [] if notes is None else notes, stop
        )
    else:
        settings = replace(settings, int8=options.int8)
        detector = open_detector(options.weights, settings, stopwatch=stopwatch)
    live = in_flight == 1
    return wrapped(detector, options, stopwatch, look=look, every=every, live=live, prompt=live)


def settings_of(options: Options, in_flight: int | None = None) -> Settings:
    """Return what the options say of the network and of what it is shown."""
    return Settings(
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
        features=options.features_from,
    )


def wrapped(
    detector: Detector,
    options: Options,
    stopwatch: Stopwatch,
    *,
    look: str,
    every: int,
    live: bool,
    prompt: bool,
) -> Detector:
    """Return a detector that is asked only about what ``look`` and ``every`` leave.

    ``live`` waits for nothing that is compiled, ``prompt`` for each answer before the next frame is taken.
    """
    if look == "changed" and isinstance(detector, Tiled):
        detector = RestingTiles(detector, stopwatch)
    elif look != "all" and isinstance(detector, Network):
        unasked = look == "auto"
        detector = Looking(detector, stopwatch, imgsz=options.imgsz, live=live, only_if_it_pays=unasked)
    return detector if every == 1 else EveryNth(detector, every, prompt=prompt)


def shared_detector(
    options: Options,
    recordings: Sequence[str] = (),
    notes: list[str] | None = None,
    stop: threading.Event | None = None,
) -> SharedDetector:
    """Return one network for several sources, each of which looks at it by `of_shared`."""
    plain = replace(options, tiles=Settings.tiles)  # each source has tiles of its own
    return SharedDetector(
        lambda stopwatch: make_detector(plain, stopwatch, recordings=recordings, notes=notes, stop=stop)
    )


def of_shared(
    shared: SharedDetector, options: Options, stopwatch: Stopwatch, *, live: bool, alone: bool = False
) -> Detector:
    """Return the detector of one of several sources; ``alone``: no other runs at the same time."""
    handle: Network[Any] = shared.handle(stopwatch, alone=alone)
    if options.tiles != Settings.tiles:
        handle = Tiled(handle, settings_of(options), stopwatch)
    look = look_of(options, live=live)
    return wrapped(
        handle, options, stopwatch, look=look, every=options.detect_every, live=live, prompt=not alone
    )


def look_of(options: Options, *, live: bool) -> str:
    """Return where the detector looks: "changed", "all", or "auto": "changed" if the network gains by it.

    By itself a file is looked at so only one picture at a time and without tiles, for which it is measured.
    Raises ``OptionError`` where "changed" cannot be: for tiles that are looked at by batches; and where a
    file may be resumed and what had been looked at before the cut is not known then, since a resumed run must
    find what an uncut one does.
    """
    tiles, batches, resumes = options.tiles != Settings.tiles, options.batch > 1, options.state and not live
    hindered = (
        ("--tiles with --batch", tiles and batches),
        ("--tiles with --state", tiles and resumes),
        ("--batch with --state", batches and resumes),
    )
    reason = next((name for name, is_so in hindered if is_so), None)
    if options.look == "changed" and reason is not None:
        raise OptionError(f"--look changed cannot be combined with {reason}; leave one out")
    if options.look == "auto":
        if live:
            return "all" if reason else "changed"
        return "all" if tiles or batches else "auto"
    return options.look
