"""An alarm as a person sees it: whoever has stayed too long in a zone stands in red, with the time."""

from __future__ import annotations

import numpy as np

from tracker.plugins._shared.memory import Memory
from tracker.plugins._shared.when import duration
from tracker.types import Canvas

RED = (40, 40, 235)  # BGR
CORNERS = np.array([[0, 1], [2, 1], [2, 3], [0, 3]])  # of a box, one after the other
AROUND = 0.06  # of its longer side: the red frame stands off the box, whose own colour stays


def draw_loiterers(canvas: Canvas, memory: Memory, zone: str, now: float) -> None:
    """Mark those seen in this frame whose visit has raised its alarm; ``memory`` holds the zone's visits."""
    found = memory.found
    if not len(memory.anchors):
        return
    late = found[memory.own["loitered"][found] & memory.own["inside"][found]]
    boxes, since_s = memory.seen["xyxy"][late], memory.own["since_s"][late].tolist()
    more = AROUND * np.maximum(boxes[:, 2:] - boxes[:, :2], 0).max(axis=1, initial=0.0, keepdims=True)
    framed = np.hstack([boxes[:, :2] - more, boxes[:, 2:] + more])
    texts = {}
    for track_id, corners, since in zip(
        memory.seen["track_id"][late].tolist(), framed[:, CORNERS], since_s, strict=True
    ):
        canvas.polygon(corners, RED, alpha=0.3)
        canvas.polyline(corners, RED, width=2, closed=True)
        texts[track_id] = f"{zone} {duration(float(round(now - since)))}"
    if texts:
        canvas.labels(texts)
