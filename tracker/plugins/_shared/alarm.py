"""An alarm as a person sees it: whoever has stayed too long in a zone stands in red, with the time."""

from __future__ import annotations

import numpy as np

from tracker.plugins._shared.plugin_state import PluginState
from tracker.plugins._shared.when import duration
from tracker.types import Canvas

RED = (40, 40, 235)  # BGR
AROUND = 0.06  # of its longer side: the red frame stands off the box, whose own colour stays


def draw_loiterers(canvas: Canvas, memory: PluginState, zone: str, now: float) -> None:
    """Mark those seen in this frame whose visit has raised its alarm; ``memory`` holds the zone's visits."""
    found = memory.found
    if not len(memory.anchors):
        return
    late = found[memory.own["loitered"][found] & memory.own["inside"][found]]
    if not len(late):
        return
    seen, texts = memory.seen, {}
    for track_id, (x1, y1, x2, y2), since_s in zip(
        seen["track_id"][late].tolist(),
        seen["xyxy"][late].tolist(),
        memory.own["since_s"][late].tolist(),
        strict=True,
    ):
        more = AROUND * max(x2 - x1, y2 - y1)
        x1, y1, x2, y2 = x1 - more, y1 - more, x2 + more, y2 + more
        corners = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
        canvas.polygon(corners, RED, alpha=0.3)
        canvas.polyline(corners, RED, width=2, closed=True)
        texts[track_id] = f"{zone} {duration(float(round(now - since_s)))}"
    canvas.labels(texts)
