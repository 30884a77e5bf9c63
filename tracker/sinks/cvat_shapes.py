"""The shapes of tracks as elements of CVAT's XML, one line each."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bytetrack import Tracks
from bytetrack.types import FloatArray
from tracker.drawing.shapes import JOINTS, SURE, outlines
from tracker.sinks.coco import KEYPOINTS


def shape_of(tracks: Tracks, row: int, frame: int, kind: str) -> str:
    """Return the element of one track; nothing where its mask or skeleton is not known."""
    seen = bool(tracks.source[row] >= 0)
    start = f'frame="{frame}" keyframe="1"'
    state = f'outside="0" occluded="{int(not seen)}"'
    if kind == "segment":
        return _polygon(tracks, row, f"{start} {state}") if seen else ""
    if kind == "pose":
        known = seen and tracks.keypoints is not None and not np.isnan(tracks.keypoints[row]).all()
        return _skeleton(tracks.keypoints[row], start) if known and tracks.keypoints is not None else ""
    turn = ""
    x1, y1, x2, y2 = tracks.xyxy[row].astype(float).tolist()
    if tracks.rotated is not None and np.isfinite(tracks.rotated[row]).all():
        x, y, w, h, angle = tracks.rotated[row].astype(float).tolist()
        x1, y1, x2, y2 = x - w / 2, y - h / 2, x + w / 2, y + h / 2
        turn = f' rotation="{np.degrees(angle) % 360:.2f}"'
    box = f'xtl="{x1:.2f}" ytl="{y1:.2f}" xbr="{x2:.2f}" ybr="{y2:.2f}"{turn} z_order="0"'
    return f"<box {start} {state} {box}></box>"


def _polygon(tracks: Tracks, row: int, state: str) -> str:
    """Return the largest outline of a mask or, where it is empty, the corners of the box."""
    parts = [] if tracks.masks is None else outlines(tracks.masks.crop(row))
    if parts:
        largest = max(parts, key=lambda points: float(cv2.contourArea(points)))
        points = ";".join(f"{x}.5,{y}.5" for x, y in largest.tolist())
    else:
        x1, y1, x2, y2 = tracks.xyxy[row].astype(float).tolist()
        around = ((x1, y1), (x2, y1), (x2, y2), (x1, y2))
        points = ";".join(f"{x:.2f},{y:.2f}" for x, y in around)
    return f'<polygon {state} points="{points}" z_order="0"></polygon>'


def _skeleton(keypoints: FloatArray, start: str) -> str:
    """Return a skeleton, whose points tell themselves whether they are seen."""
    points = "".join(
        f'<points label="{name}" keyframe="1" outside="{int(not sure > 0)}" '
        f'occluded="{int(sure < SURE)}" points="{x:.2f},{y:.2f}"></points>'
        for name, (x, y, sure) in zip(
            point_names(len(keypoints)), np.nan_to_num(keypoints).tolist(), strict=True
        )
    )
    return f'<skeleton {start} z_order="0">{points}</skeleton>'


def point_names(count: int) -> Sequence[str]:
    """Return what the points of a skeleton are called."""
    return KEYPOINTS if count == JOINTS else [str(number) for number in range(1, count + 1)]


def gone(shape: str, frame: int) -> str:
    """Return the element of a frame in which an object is not there any more.

    >>> gone('<box frame="7" keyframe="1" outside="0" occluded="0" xtl="1.00"></box>', 8)
    '<box frame="8" keyframe="1" outside="1" occluded="0" xtl="1.00"></box>'
    """
    start, _, rest = shape.split('"', 2)
    return f'{start}"{frame}"{rest}'.replace(' outside="0"', ' outside="1"')
