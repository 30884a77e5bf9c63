"""Parts of an archive without a network: what a worker would have left."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from bytetrack import Detections, Tracks
from tests.tracker.videos import picture
from tracker.archive import pieces
from tracker.archive.pieces import Probed
from tracker.sinks.detections import DetectionsSink
from tracker.sources.video_piece import Seams
from tracker.types import Frame, Result, Scene

SIZE, FPS = (64, 48), 10.0
SCENE = Scene("clip", SIZE, FPS, False, {0: "person"})
ABOUT = {
    "source": "clip", "live": False, "size": [64, 48], "fps": 10.0, "start_wall": None, "utc_offset_s": None,
    "length": None, "selection": {}, "names": {"0": "person"}, "classes": None, "network": "net, fp32",
    "weights": "w.pt", "weights_sha256": "0" * 64, "versions": {"numpy": "2"},
}  # fmt: skip
PROBED = Probed("k", (), 4.0, FPS, SIZE)


def write_part(
    path: Path,
    frames: Iterable[tuple[float, Detections]],
    seams: Seams,
    processor: str = "x86",
    **about: object,
) -> None:
    """Write the detections of frames at these times."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with DetectionsSink(path, SCENE, {**ABOUT, **about}, overwrite=True) as sink:
        start_s = None
        for index, (time, found) in enumerate(frames):
            start_s = time if start_s is None else start_s
            sink.write(Result(Frame(picture(0), index, time), found, Tracks.empty(), ()))
        told = {"seams": pieces.seams_to_json(seams), "notes": [], "start_s": start_s or 0}
        sink.about[pieces.ABOUT] = {**told, "processor": processor}


def person(left: float) -> Detections:
    """Return one person, 10 pixels wide."""
    return Detections(np.array([[left, 10, left + 10, 40]]), np.array([0.9]), np.array([0]))
