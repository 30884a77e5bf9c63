"""Features of detections as a column of a Parquet file, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bytetrack import Detections
from bytetrack.types import FloatArray

COLUMN = "features"
STORED = np.dtype("<f2")  # what detectors give is rounded to it already
FEWER = 32  # a row with features is some 30 times as long: so many times fewer are in memory at once


def feature_column(frames: Sequence[Detections], polars: Any) -> dict[str, Any]:
    """Return the column with one row per box, and one of a frame without boxes; empty where nothing is known.

    A cell is F numbers of two bytes.
    """
    cells: list[bytes | None] = []
    for found in frames:
        rows = np.zeros((len(found), 0)) if found.features is None else found.features
        known = np.isfinite(rows).all(axis=1) & (rows.shape[1] > 0)
        pairs = zip(rows.astype(STORED), known.tolist(), strict=True)
        cells += [row.tobytes() if is_known else None for row, is_known in pairs]
        cells += [None] * (not len(found))
    return {COLUMN: polars.Series(cells, dtype=polars.Binary)}


def features_read(table: Any, length: int) -> FloatArray:
    """Return (N, ``length``) float32 features of the rows of a table, NaN where a cell is empty.

    Raises ``ValueError`` where there are more or fewer of them.
    """
    nothing = np.full(length, np.nan, STORED).tobytes()
    cells = [nothing if cell is None else cell for cell in table[COLUMN].to_list()]
    if any(len(cell) != len(nothing) for cell in cells):
        raise ValueError(f"{length} features of each box are expected")
    return np.frombuffer(b"".join(cells), STORED).reshape(len(cells), length).astype(np.float32)
