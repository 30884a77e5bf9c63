"""Masks, keypoints and rotated boxes of detections as columns of a Parquet file, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bytetrack import Detections
from bytetrack.masks import Masks, packed, unpacked
from bytetrack.types import RADIANS, FloatArray
from tracker.sinks.shape_text import COLUMNS


def shape_columns(kind: str, frames: Sequence[Detections], polars: Any) -> dict[str, Any]:
    """Return the columns of a kind, by name, with one row per box, and one of a frame without boxes.

    Masks are COCO's run lengths as text (the picture's size is that of the file), keypoints lists of
    x, y, confidence, x and so on.
    """
    if kind == "segment":
        texts: list[str | None] = []
        for found in frames:
            masks = found.masks
            texts += [None if masks is None else packed(masks.runs(row)) for row in range(len(found))]
            texts += [None] * (not len(found))
        return {"segmentation": polars.Series(texts, dtype=polars.String)}
    if kind == "pose":
        lists: list[list[float] | None] = []
        for found in frames:
            points = found.keypoints
            lists += [None] * len(found) if points is None else points.reshape(len(found), -1).tolist()
            lists += [None] * (not len(found))
        return {"keypoints": polars.Series(lists, dtype=polars.List(polars.Float32))}
    if kind == "obb":
        rows: list[FloatArray] = []
        for found in frames:
            nothing = np.full((max(len(found), 1), 5), np.nan, np.float32)
            rows.append(nothing if found.rotated is None or not len(found) else found.rotated)
        numbers = np.concatenate(rows).astype(np.float32) if rows else np.empty((0, 5), np.float32)
        return {
            name: polars.Series(np.ascontiguousarray(numbers[:, column])).fill_nan(None)
            for column, name in enumerate(COLUMNS["obb"])
        }
    return {}


def shapes_read(kind: str, table: Any, size: tuple[int, int]) -> dict[str, Any]:
    """Return the fields of ``Detections`` that the rows of a table have; ``size`` is width and height.

    Raises ``ValueError`` for what is damaged, for angles in degrees and for keypoints of several skeletons.
    """
    if kind == "segment":
        runs = [unpacked(text) for text in table["segmentation"].fill_null("").to_list()]
        return {"masks": Masks.from_counts(runs, (size[1], size[0]))}
    if kind == "pose":
        lists = table["keypoints"].to_list()
        lengths = {len(one or ()) for one in lists}
        if len(lengths) != 1 or (length := lengths.pop()) % 3 or not length:
            raise ValueError("keypoints of one skeleton are expected, each x, y and confidence")
        return {"keypoints": np.array(lists, np.float32).reshape(len(lists), -1, 3)}
    if kind == "obb":
        columns = [table[name].fill_null(float("nan")).to_numpy() for name in COLUMNS["obb"]]
        rotated = np.stack(columns, axis=1)
        angle = np.nanmax(np.abs(rotated[:, 4]), initial=0)
        if angle > RADIANS:
            raise ValueError(f"the angle {angle:g} seems to be in degrees; radians are expected")
        return {"rotated": rotated}
    return {}
