"""The shape of a counting line: what may be one, which way it leads, how far it reaches, its arrow."""

from __future__ import annotations

import numpy as np

from bytetrack.types import FloatArray
from tracker.plugins._shared.anchors import at_edge
from tracker.plugins._shared.geometry import self_intersection
from tracker.types import OptionError

TOWARDS = {"right": (1.0, 0.0), "left": (-1.0, 0.0), "down": (0.0, 1.0), "up": (0.0, -1.0)}
OPPOSITE = {"right": "left", "left": "right", "down": "up", "up": "down"}
TIP_ANCHOR = {
    "right": "lm",
    "left": "rm",
    "down": "mt",
    "up": "mb",
}  # of a text that begins where an arrow ends
ARROW_AT = 0.3  # along the line: lines often cross in the middle
BESIDE = 0.3  # of the arrow's length: room between it and a name
ARROW = 0.07  # length of the arrow as fractions of the picture's shorter side
END_PX = 1e-6  # by so much a line is longer than drawn: its end points belong to it


def too_few(points: FloatArray, wanted: str) -> str:
    """Return what is wrong with points that are no points, or not enough."""
    if points.ndim == 2 and points.shape[1] == 2:
        return f"has {len(points)} point{'s' * (len(points) != 1)}; give {wanted}"
    return f"has no list of points [x, y]; give {wanted}"


def line_problem(points: FloatArray) -> str | None:
    """Return what is wrong with the points of a line, or None."""
    if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 2:
        return too_few(points, "two or more, 'x,y x,y'")
    if not np.isfinite(points).all():
        return "has a point that is not a number"
    alike = np.flatnonzero((points[1:] == points[:-1]).all(axis=1))
    if len(alike):
        return f"has two identical points: {alike[0] + 1} and {alike[0] + 2} are {points[alike[0]].tolist()}"
    if (points[0] == points[-1]).all():
        return "ends where it begins; use a zone"
    meeting = self_intersection(points.tolist(), closed=False)
    return f"crosses itself: part {meeting[0] + 1} meets part {meeting[1] + 1}" if meeting else None


def extended(line: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Return the line (K, 2) with ends at the picture's edge drawn on beyond it.

    Somebody whose feet are cut off by the edge still crosses a line that was drawn up to it.
    """
    path: FloatArray = line.copy()
    for end, inner in ((0, 1), (-1, -2)):
        outward = line[end] - line[inner]
        reach = max(size) if at_edge(path[[end]], size).any() else END_PX
        path[end] = line[end] + outward / np.hypot(*outward) * reach
    return path


def direction_in(line: FloatArray, towards: str | None, name: str) -> int:
    """Return which sign of a crossing (`geometry.signed_crossings`) leads in: 1 or -1.

    ``towards`` is right, left, up or down; None is right or, for lines flatter than 45 degrees, down. Raises
    ``OptionError`` for another word, and where the line itself leads there.
    """
    chord = line[-1] - line[0]
    normal = np.array([-chord[1], chord[0]]) / np.hypot(*chord)  # where +1 leads
    wish = (towards or ("right" if abs(normal[0]) > abs(normal[1]) else "down")).lower()
    if wish not in TOWARDS:
        raise OptionError(f"line {name!r}: towards {towards!r}; use one of {', '.join(TOWARDS)}")
    along = float(normal @ np.array(TOWARDS[wish]))
    if abs(along) < 1e-6:
        raise OptionError(f"line {name!r} runs parallel to {wish!r}; 'in' must lead to one of its sides")
    return 1 if along > 0 else -1


def arrow_of(line: FloatArray, sign: int, size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Return a point on the line (K, 2) and one away from it on the side that ``sign`` leads to."""
    edge = np.diff(line, axis=0)
    lengths = np.hypot(*edge.T)
    along = ARROW_AT * lengths.sum() - np.concatenate(([0.0], np.cumsum(lengths)[:-1]))
    part = int(np.flatnonzero(along >= 0)[-1])
    direction = edge[part] / lengths[part]
    start = line[part] + along[part] * direction
    normal = np.array([-direction[1], direction[0]])
    return start, start + sign * normal * ARROW * min(size)
