"""Pictures in a page of limited size: small JPEG as data addresses."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from bytetrack.types import FloatArray
from tracker.plugins._shared.geometry import Polyline
from tracker.report.recording import Entry, Recording
from tracker.text import harmless
from tracker.types import Image

FrameAt = Callable[[float], Image | None]  # the picture at a frame time of the recording
SCENE_FRAMES = 11  # the empty scene is the median of so many
MOST_THUMBNAILS = 24
ON_LINE_PX = 2.0  # a crossing further from the line than this was at another place of it
AROUND = 0.4  # side of a thumbnail as fractions of the picture's shorter one


class Detail(NamedTuple):
    """How much room pictures and charts take."""

    width: int  # of a picture, in pixels
    quality: int  # of JPEG
    thumbnail: int  # side in pixels; 0: none
    by_class: bool = True  # bars are divided by class
    most_shapes: int = 1000  # lines and zones with charts of their own
    most_rows: int = 100  # of a table of intervals
    most_totals: int = 2000  # rows of a table of totals


LADDER = (
    Detail(960, 78, 200),
    Detail(800, 70, 160),
    Detail(640, 60, 130),
    Detail(560, 50, 100, most_rows=50),
    Detail(480, 40, 0, most_rows=30),
    Detail(400, 35, 0, by_class=False, most_shapes=40, most_rows=0),
    Detail(320, 30, 0, by_class=False, most_shapes=10, most_rows=0, most_totals=300),
)
MANY = 5  # the place in it where reports of more lines than SEVERAL begin
SEVERAL = 100


class Thumbnail(NamedTuple):
    """What a doubtful event looked like."""

    entry: Entry
    image: Image


def jpeg(image: Image, width: int, quality: int) -> str:
    """Return a picture no wider than ``width`` as a data address."""
    if image.shape[1] > width:
        height = max(round(image.shape[0] * width / image.shape[1]), 1)
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def left(runs: Sequence[Recording]) -> list[tuple[str, Image]]:
    """Return the pictures that plugins left, with what they show."""
    found = []
    for run in runs:
        for path in run.pictures:
            image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
            if image is not None:
                found.append((_what(path, run), np.asarray(image, np.uint8)))
    return found


def empty_scene(run: Recording, frame_at: FrameAt) -> Image | None:
    """Return the median of some pictures of a recording: without what moved."""
    times = np.linspace(run.first_s, run.last_s, SCENE_FRAMES + 2)[1:-1].tolist()
    frames = [frame for frame in map(frame_at, times) if frame is not None]
    if not frames:
        return None
    median: Image = np.median(np.stack(frames), axis=0).astype(np.uint8)
    return median


def thumbnails(run: Recording, frame_at: FrameAt) -> list[Thumbnail]:
    """Return what was there when something doubtful was counted, of so many events all over the run."""
    doubtful = [one for one in run.entries if one.doubtful and "x" in one.data and "y" in one.data]
    most = min(len(doubtful), MOST_THUMBNAILS)
    chosen = [doubtful[round(at)] for at in np.linspace(0, len(doubtful) - 1, most).tolist()]
    lines = {
        harmless(str(shape["name"])): np.array(shape["points"], np.float64)
        for shape in run.record.get("shapes", ())
    }
    found = []
    for entry in chosen:
        image = frame_at(float(entry.data.get("crossed_s", entry.time_s)))
        if image is not None:
            x, y = float(entry.data["x"]), float(entry.data["y"])
            found.append(Thumbnail(entry, _around(image, x, y, lines.get(harmless(str(entry.name))))))
    return found


def _around(image: Image, x: float, y: float, line: FloatArray | None) -> Image:
    """Return what was around a place, with a dot at it and the line through it, if that is where it was."""
    height, width = image.shape[:2]
    side = max(round(AROUND * min(height, width)), 2)
    left = round(min(max(x - side / 2, 0), width - side))
    top = round(min(max(y - 0.7 * side, 0), height - side))  # the foot is low in the picture, the body above
    part = image[top : top + side, left : left + side].copy()
    if line is not None and Polyline(line).away(x, y) <= ON_LINE_PX:  # it may have been moved since
        places = np.round((line - (left, top)) * 8).astype(np.int32)  # three bits behind the point
        cv2.polylines(part, [places], False, (0, 220, 255), max(side // 120, 1), cv2.LINE_AA, 3)
    at, radius = (round(x) - left, round(y) - top), max(side // 40, 2)
    cv2.circle(part, at, radius + 1, (0, 0, 0), -1, cv2.LINE_AA)
    cv2.circle(part, at, radius, (0, 220, 255), -1, cv2.LINE_AA)
    return part


def _what(path: Path, run: Recording) -> str:
    what = "All routes" if path.stem.endswith("_routes") else "Where they were, and for how long"
    if path.stem.endswith("_heatmap_standing"):
        what = "Where they stood, and for how long"
    return f"{what}: {run.name}"
