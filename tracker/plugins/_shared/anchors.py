"""The point of a box that stands for the object: its feet or wheels unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray
from tracker.parse import near_miss
from tracker.types import OptionError

ANCHORS: Mapping[str, tuple[float, float]] = {  # part of the width from the left, of the height from the top
    "bottom_center": (0.5, 1.0),
    "center": (0.5, 0.5),
    "top_center": (0.5, 0.0),
    "center_left": (0.0, 0.5),
    "center_right": (1.0, 0.5),
    "bottom_left": (0.0, 1.0),
    "bottom_right": (1.0, 1.0),
    "top_left": (0.0, 0.0),
    "top_right": (1.0, 0.0),
    "shape": (
        0.5,
        1.0,
    ),  # where a mask, skeleton or rotated box says (`shape_anchors`); else as bottom_center
}
SHAPE = "shape"
EDGE_PX = 1.0  # an anchor this near the picture's edge lies on it: the box is cut there
CUT_PX = 2.0  # a box this near the picture's edge is cut by it
EDGE_PART = (
    0.01  # a shape's end this near the picture's edge, in parts of its longer side, is meant to reach it
)
HYSTERESIS = 0.05  # margin beyond a border, in the box's longer side; 4 to 7 % count alike
LEAST_MARGIN_PX = 1.5  # no detector places a box's edge better than to a pixel
SHADOW_OVERLAP = 0.75  # two boxes of which this part of the smaller is common, doing the same ...
SHADOW_S = 1.0  # ... within this time are one object: cab and lorry, car and truck
LONGEST_S = (
    10.0  # ... or as long after one another as a slow one of their size takes, but no longer than this
)


def check_anchor(anchor: str, more: Sequence[str] = ()) -> str:
    """Return ``anchor`` in our spelling ("bottom-center", "BOTTOM_CENTER" are taken too).

    ``more`` are those that only this analysis knows. Raises ``OptionError`` with the names that exist.
    """
    name = anchor.strip().lower().replace("-", "_").replace(" ", "_").replace("centre", "center")
    known = (*ANCHORS, *more)
    if name not in known:
        raise OptionError(f"unknown anchor {anchor!r}{near_miss(name, known)}: use one of {', '.join(known)}")
    return name


def anchor_points(xyxy: FloatArray, anchor: str) -> FloatArray:
    """Return one point (M, 2) per box (M, 4); where a box reaches over the picture's edge, so may the point.

    >>> anchor_points(np.array([[0.0, 0.0, 10.0, 20.0]]), "bottom_center").tolist()
    [[5.0, 20.0]]
    """
    near, far = _parts(anchor)
    points: FloatArray = xyxy[:, :2] * near + xyxy[:, 2:] * far
    return points


@cache  # there are ten
def _parts(anchor: str) -> tuple[FloatArray, FloatArray]:
    """Return how much of a box's first and of its second corner lies in the anchor, each (2,)."""
    far = np.array(ANCHORS[anchor])
    return 1 - far, far


def beyond_edge(point: Sequence[float], box: Sequence[float], size: tuple[int, int]) -> tuple[float, float]:
    """Return where an anchor (x, y) is at the least: on the picture's edge, the object goes on beyond it.

    The box was cut there, so the true foot is further out, by nobody knows how much; it is taken to be clear
    of whatever ends at or before the edge.

    >>> beyond_edge((50.0, 480.0), (40.0, 380.0, 60.0, 480.0), (640, 480))
    (50.0, 486.0)
    """
    more = hysteresis(box) + EDGE_PX
    x, y = point
    x = x + more if x >= size[0] - EDGE_PX else x - more if x <= EDGE_PX else x
    y = y + more if y >= size[1] - EDGE_PX else y - more if y <= EDGE_PX else y
    return x, y


def box_size(xyxy: FloatArray) -> FloatArray:
    """Return each object's own size (M,) in pixels: the root of its box's area."""
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)
    root: FloatArray = np.sqrt(sides[:, 0] * sides[:, 1])
    return root


def hysteresis(box: Sequence[float], part: float = HYSTERESIS) -> float:
    """Return how far beyond a border, in pixels, the object in a box (x1, y1, x2, y2) must be.

    ``part`` is a part of the box's longer side.
    """
    x1, y1, x2, y2 = box
    return max(part * max(x2 - x1, y2 - y1), LEAST_MARGIN_PX)


def cut_by_edge(xyxy: FloatArray, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which boxes (..., 4) touch the picture's edge, or reach beyond it: they are cut there."""
    far = np.asarray(size, np.float64) - CUT_PX
    return np.asarray(((xyxy[..., :2] <= CUT_PX) | (xyxy[..., 2:] >= far)).any(axis=-1))


def at_edge(points: FloatArray, size: tuple[int, int], part: float = EDGE_PART) -> NDArray[np.bool_]:
    """Return which points (K, 2) touch the picture's left, top, right and bottom edge: (K, 4)."""
    reach = part * max(size)
    to_edge = np.hstack([points, np.asarray(size, np.float64) - points])
    touching: NDArray[np.bool_] = to_edge <= reach
    return touching
