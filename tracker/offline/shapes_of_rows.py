"""The cells of a table of tracks become masks and keypoints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.masks import Crop, Masks
from tracker.types import InputError

OUTLINED = ("segment", "pose")  # kinds of files, as of `Detector.kind`, with a cell for each shape


def with_shapes(tracks: Tracks, kind: str, cells: NDArray[np.object_], path: Path) -> Tracks:
    """Return tracks with the masks or keypoints of ``cells``, one each; raises ``InputError``."""
    try:
        read = [json.loads(cell) if cell else None for cell in cells.tolist()]
        known = [one for one in read if one is not None]
        if kind == "segment":
            if not known:
                return tracks
            size = int(known[0]["size"][0]), int(known[0]["size"][1])
            none = Masks.of([Crop(0, 0, np.zeros((0, 0), bool))], size)
            parts = [none if one is None else Masks.from_coco([one], size) for one in read]
            return replace(tracks, masks=Masks.concatenate(parts))
        if not known:
            return tracks
        joints = len(known[0]) // 3
        unknown = [float("nan")] * (3 * joints)
        rows = [unknown if one is None else one for one in read]
        return replace(tracks, keypoints=np.array(rows, np.float64).reshape(-1, joints, 3))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        ids = ", ".join(map(str, tracks.track_id[:3].tolist()))
        what = "a mask" if kind == "segment" else "keypoints"
        raise InputError(
            f"{path}: {what} of one of the ids {ids}, ... cannot be read ({error}); expected what "
            "--save-csv wrote"
        ) from error
