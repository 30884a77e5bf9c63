"""Masks, keypoints and rotated boxes of tracks as text, in the forms that others read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from bytetrack import Tracks
from bytetrack.types import FloatArray
from tracker.types import Json

COLUMNS: Mapping[str, Sequence[str]] = {  # by `Detector.kind`
    "detect": (),
    "segment": ("segmentation",),  # {"size": [height, width], "counts": ...}, COCO's run lengths, as JSON
    "pose": ("keypoints",),  # [x, y, confidence, x, y, ...], as JSON
    "obb": ("x", "y", "w", "h", "angle"),  # centre and sides in pixels, angle in radians
}


def keypoint_list(keypoints: FloatArray) -> list[float]:
    """Return keypoints (J, 3) as COCO's flat list: x, y and confidence, and three times 0 where not known.

    >>> keypoint_list(np.array([[10.123, 20, 0.98761], [np.nan, np.nan, np.nan]]))
    [10.12, 20.0, 0.9876, 0.0, 0.0, 0.0]
    """
    known = np.where(np.isfinite(keypoints).all(axis=1, keepdims=True), keypoints, 0.0)
    rounded = np.concatenate([known[:, :2].round(2), known[:, 2:].round(4)], axis=1, dtype=np.float64)
    return [round(value, 4) for value in rounded.ravel().tolist()]


def cells(tracks: Tracks, row: int, kind: str) -> list[str]:
    """Return the cells of `COLUMNS` of one track; empty ones where its shape in this frame is not known."""
    found = as_json(tracks, row)
    if kind == "obb":
        rotated = found.get("rotated", [""] * 5)
        return [f"{value:.6f}" if isinstance(value, float) else value for value in rotated]
    return [json.dumps(found[name], separators=(",", ":")) if name in found else "" for name in COLUMNS[kind]]


def as_json(tracks: Tracks, row: int) -> dict[str, Json]:
    """Return what is known of the shape of one track in this frame, by name.

    Where a track is only supposed to be, that is its rotated box alone.
    """
    found: dict[str, Json] = {}
    seen = tracks.source[row] >= 0
    if seen and tracks.masks is not None:
        found["segmentation"] = tracks.masks.to_coco(row)
    if seen and tracks.keypoints is not None and not np.isnan(tracks.keypoints[row]).all():
        found["keypoints"] = keypoint_list(tracks.keypoints[row])
    if tracks.rotated is not None and np.isfinite(tracks.rotated[row]).all():
        found["rotated"] = [round(value, 6) for value in tracks.rotated[row].astype(np.float64).tolist()]
    return found
