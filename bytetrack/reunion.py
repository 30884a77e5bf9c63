"""The last association: a lost object and a new box without rivals are one, wherever the box is.

What is small, fast and jerky, such as a ball or a board, is found again where nobody expected it: after a
bounce its box does not overlap the predicted one. Overlap is needed to tell objects apart, and where there is
only one object nothing must be told apart. So a track that was seen a moment ago takes a new box if

- both have the same class and about the same size (the side of the square of equal area),
- it can have got there: no farther from where it was last seen than the way it would have gone on, in any
  direction, and some sizes more for every second,
- nobody else alike is as near to the box, or to the place of the track: no track, no other new box.

In a crowd somebody else is always near.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray, IntArray

LONGEST_S = 0.7  # since it was last seen
GREATEST_RATIO = 1.6  # of two sizes that are alike
REACH = 1.0  # sizes, at once
REACH_PER_S = 5.0  # sizes
TINY = 1e-12  # pixels²; a predicted box may have shrunk to nothing


@dataclass(frozen=True, eq=False)
class Objects:
    """N tracks or boxes."""

    center: FloatArray  # (2, N) pixels
    size: FloatArray  # (N,) side of the square of equal area
    class_id: IntArray  # (N,)

    @classmethod
    def of(cls, xywh: FloatArray, class_id: IntArray) -> Objects:
        """Take (4, N) centres, widths and heights."""
        return cls(xywh[:2], size_of(xywh), class_id)


def size_of(xywh: FloatArray) -> FloatArray:
    """Return the sides (N,) of the squares of equal area."""
    side: FloatArray = np.sqrt(np.maximum(xywh[2] * xywh[3], TINY))
    return side


def alike(first: Objects, second: Objects) -> NDArray[np.bool_]:
    """Return (N, M) whether class and size are the same, or nearly."""
    ratio = first.size[:, None] / second.size
    same: NDArray[np.bool_] = np.maximum(ratio, 1 / ratio) <= GREATEST_RATIO
    same &= first.class_id[:, None] == second.class_id
    return same


def distance(first: Objects, second: Objects) -> FloatArray:
    """Return (N, M) between centres."""
    apart: FloatArray = np.hypot(*(first.center[:, :, None] - second.center[:, None]))
    return apart


def alone_together(
    lost_xywh: FloatArray, way: FloatArray, since_s: FloatArray, new_xywh: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the indices (K,) of lost tracks and new boxes that may be one, and how far was possible (K,).

    The tracks (4, L) are where they were last seen, ``since_s`` (L,) ago, and would have gone ``way`` (L,)
    pixels since. No other of the lost is as near to the new box, and no other new box to the lost track.
    """
    size, new_size = size_of(lost_xywh), size_of(new_xywh)
    reach: FloatArray = size[:, None] + new_size
    reach *= (REACH / 2 + REACH_PER_S / 2 * since_s)[:, None]
    reach += way[:, None]
    x, y = lost_xywh[:2, :, None] - new_xywh[:2, None]
    row, column = (np.hypot(x, y) <= reach).nonzero()
    if len(row):
        ratio = size[row] / new_size[column]
        comparable = (ratio <= GREATEST_RATIO) & (ratio * GREATEST_RATIO >= 1)
        row, column = row[comparable], column[comparable]
    if len(row) > 1:
        alone = (np.bincount(row)[row] == 1) & (np.bincount(column)[column] == 1)
        row, column = row[alone], column[alone]
    return row, column, reach[row, column]


def unrivalled(lost: Objects, new: Objects, reach: FloatArray, others: Objects) -> NDArray[np.bool_]:
    """Return which (K,) of these pairs are of one class and have none alike within ``reach`` (K,) of either.

    ``others`` are the tracks that have a box in this frame.
    """
    rival = (distance(others, new) <= reach) & alike(others, new)
    rival |= (distance(others, lost) <= reach) & alike(others, lost)
    same: NDArray[np.bool_] = (lost.class_id == new.class_id) & ~rival.any(0)
    return same
