"""``--int8``: the model is made of the user's own pictures, and used if it is good enough."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tracker.detectors import Settings, open_detector
from tracker.detectors.batched import Network
from tracker.detectors.calibration import Calibration, check_nncf, shown
from tracker.detectors.int8_later import Int8Later
from tracker.detectors.int8_models import Kind
from tracker.detectors.int8_search import Chosen, Pictures, Search, Subject, Wanted, search
from tracker.detectors.openvino_model import showing_status
from tracker.detectors.weights import find_weights
from tracker.options import Options
from tracker.run.fingerprint import fingerprint
from tracker.sources import address, open_source
from tracker.types import EndRun, Image, Stopwatch

POLL_S = 0.05
PLACES = 24  # of a long file, from which pictures are taken; each must be decoded from its last key frame
ROUNDS = 20  # how often a camera that sees nothing is given another chance
SHORT_S = 60.0  # a file of so many seconds is decoded from one end to the other


def open_int8(
    options: Options,
    settings: Settings,
    recordings: Sequence[str],
    stopwatch: Stopwatch,
    notes: list[str],
    stop: threading.Event | None,
) -> Network[object]:
    """Return a network, not yet opened, that computes in 8 bits, or will as soon as it can.

    ``recordings`` are all that it will look at. Files are read here, before the run; of what can be read only
    once, the model is made while it runs. What came of it is added to ``notes``, one line. Raises
    ``OptionError`` where a model must be made and NNCF is not installed, and what `open_detector` raises.
    """
    weights = find_weights(options.weights)
    eight = replace(settings, int8=True)
    network = open_detector(weights, eight, stopwatch=stopwatch)  # whether that can be at all
    exact = replace(settings, int8=False, backend="openvino")
    once = [uri for uri in recordings if not again(uri)]
    subject = Subject(
        weights,
        exact,
        kind_of(recordings),
        None if once else known_by(recordings),
        options.conf,
        rounds=ROUNDS if once else 1,
    )
    if once:
        if not subject.models():
            check_nncf()
        first = open_detector(weights, exact, stopwatch=stopwatch)
        assert isinstance(first, Network)

        def open_model(folder: str) -> Network[object]:
            model = open_detector(weights, replace(eight, int8_model=folder), stopwatch=stopwatch)
            assert isinstance(model, Network)
            return model

        return Int8Later(first, search(subject), open_model, notes)
    chosen = _wait(search(subject), recordings, options, exact.imgsz, stop or threading.Event())
    notes.append(chosen.note)
    chosen_settings = exact if chosen.model is None else replace(eight, int8_model=str(chosen.model))
    network = open_detector(weights, chosen_settings, stopwatch=stopwatch)
    assert isinstance(network, Network)
    if chosen.holder is not None:
        weakref.finalize(network, chosen.holder.close)  # the model is in no cache, and read until then
    return network


def again(uri: str) -> bool:
    """Whether a source can be read twice: a file or pictures, no camera, stream or pipe."""
    path = Path(uri.removeprefix("file://"))
    if path.exists():
        return path.is_file() or path.is_dir()
    return not address.scheme(uri) and any(sign in uri for sign in "*?[")


def kind_of(recordings: Sequence[str]) -> Kind:
    """Return what the models of these sources are kept for: their folders, or their cameras."""
    places, names = set(), set()
    for uri in recordings:
        path = Path(uri.removeprefix("file://"))
        if again(uri):
            folder = path if path.is_dir() else path.parent
            places.add(str(folder.absolute()))
            names.add(f"videos in {folder.absolute().name or folder}" if path.is_file() else f"{path.name}")
        else:
            name = address.redact(uri) if address.scheme(uri) else uri
            places.add(name)
            names.add(address.name(uri) if address.scheme(uri) else f"camera {uri}")
    return Kind("\n".join(sorted(places)), ", ".join(sorted(names)))


def known_by(recordings: Sequence[str]) -> str | None:
    """Return by what the recordings will be known again."""
    marks = [fingerprint(uri) for uri in recordings]
    if not all(isinstance(mark, dict) for mark in marks):
        return None
    return " ".join(str(mark["sha256"])[:16] for mark in marks if isinstance(mark, dict))


def _wait(
    steps: Search, recordings: Sequence[str], options: Options, imgsz: int, stop: threading.Event
) -> Chosen:
    """Do what the search asks for, one step after the other; ``EndRun`` where it is stopped."""
    pictures: Pictures | None = None
    try:
        with showing_status(f"Making or comparing an int8 model of {options.weights}"):
            while True:
                step = steps.send(pictures)
                pictures = None
                if isinstance(step, Wanted):
                    pictures = gather(recordings, step, options, imgsz, stop)
                while isinstance(step, Calibration) and step.running:
                    time.sleep(POLL_S)
                    if stop.is_set():
                        raise EndRun
    except StopIteration as end:
        chosen: Chosen = end.value
        return chosen
    finally:
        steps.close()


def gather(
    recordings: Sequence[str], wanted: Wanted, options: Options, imgsz: int, stop: threading.Event
) -> Pictures:
    """Return pictures spread over all recordings, as the network sees them: to learn from, to compare on."""
    groups: list[list[Image]] = []
    each = max(1, (wanted.learn + wanted.check) // len(recordings))
    for uri in recordings:
        groups += spread(uri, each, options, imgsz, stop)
    if not wanted.learn:
        return [], [image for group in groups for image in group][: wanted.check]
    learn = [image for group in groups[::2] for image in group]
    return learn[: wanted.learn], [image for group in groups[1::2] for image in group][: wanted.check]


def spread(uri: str, count: int, options: Options, imgsz: int, stop: threading.Event) -> list[list[Image]]:
    """Return some ``count`` pictures of a recording, those of one place together."""

    def read(start_s: float, stride: int, most: int) -> list[Image]:
        with open_source(
            uri,
            start_s=start_s,
            end_s=options.end,
            stride=stride,
            max_frames=most,
            fps=options.fps,
            stop=stop,
        ) as source:
            taken = [shown(frame.pixels, imgsz) for frame in source]
        if stop.is_set():
            raise EndRun
        return taken

    with open_source(uri, end_s=options.end, fps=options.fps) as source:
        length, fps = source.length, source.fps
    seconds = (length or 0) / fps - options.start
    if length is None or seconds < SHORT_S or Path(uri).is_dir():
        stride = max(1, int(seconds * fps) // count) if length else 1
        return [[image] for image in read(options.start, stride, count)]
    places = min(PLACES, count)
    more = max(1, count // places)
    starts = (options.start + seconds * (place + 0.5) / places for place in range(places))
    return [read(start, max(1, int(fps / 2)), more) for start in starts]
