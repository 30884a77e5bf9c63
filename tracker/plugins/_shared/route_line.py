"""One object's way through the picture, kept short while it grows."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from bytetrack.types import FloatArray
from tracker.plugins._shared.trail import smoothed

EDGE_SIZES = 0.5  # a route begins or ends at an edge its box is within this many of its own sizes of
SMOOTH_POINTS = 2  # neighbours to both sides a finished route is averaged over
AT = {"left": "on the left", "right": "on the right", "top": "at the top", "bottom": "at the bottom"}
MOST_RAW = 512  # points of a route that is still growing; it is simplified on reaching them


@dataclass
class RouteLine:
    """A route that is still growing."""

    start_s: float
    entry: str
    points: list[tuple[float, float]] = field(default_factory=list)  # anchors, pixels
    simple: int = 0  # of the points, from the first: smooth and simple already

    def add(self, point: tuple[float, float], tolerance: float) -> None:
        """Go on to a point; however long the way, few are kept."""
        self.points.append(point)
        if len(self.points) >= MOST_RAW:
            self.simplify(tolerance)
            if len(self.points) > MOST_RAW // 2:
                del self.points[1:-1:2]  # a way so long and crooked loses detail, not the run its memory
                self.simple = len(self.points)

    def simplify(self, tolerance: float) -> None:
        """Smooth and simplify what has come since the last time."""
        first = max(self.simple - 1, 0)
        fresh = np.array(self.points[first:])
        corners = simplified(smoothed(fresh, np.array([len(fresh)]), SMOOTH_POINTS), tolerance)
        self.points[first:] = [(x, y) for x, y in corners.tolist()]
        self.simple = len(self.points)


def side(xyxy: FloatArray, size: tuple[int, int]) -> str:
    """Return which edge of the picture a box (4,) is at: left, top, right or bottom, else ``inside``.

    >>> side(np.array([2.0, 200, 42, 300]), (640, 480)), side(np.array([300.0, 200, 340, 300]), (640, 480))
    ('left', 'inside')
    """
    own = float(np.sqrt(max((xyxy[2] - xyxy[0]) * (xyxy[3] - xyxy[1]), 0.0)))
    gaps = {"left": xyxy[0], "top": xyxy[1], "right": size[0] - xyxy[2], "bottom": size[1] - xyxy[3]}
    nearest = min(gaps, key=lambda name: float(gaps[name]))
    return nearest if gaps[nearest] <= EDGE_SIZES * own else "inside"


def way(entry: str, exit: str) -> str:
    """Return in words how something came and went, by the edges `side` tells.

    >>> way("left", "right"), way("right", "inside"), way("inside", "inside")
    ('left to right', 'enters on the right, ends within', 'within the picture')
    """
    if entry == exit:
        return "within the picture" if entry == "inside" else f"{entry} and back"
    if exit == "inside":
        return f"enters {AT[entry]}, ends within"
    return f"begins within, leaves {AT[exit]}" if entry == "inside" else f"{entry} to {exit}"


def simplified(points: FloatArray, tolerance: float) -> FloatArray:
    """Return the corners (K, 2) of a path (Douglas and Peucker 1973), its ends kept."""
    corners = cv2.approxPolyDP(points.astype(np.float32).reshape(-1, 1, 2), tolerance, False)
    return np.asarray(corners, np.float64).reshape(-1, 2)
