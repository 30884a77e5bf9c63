"""Things that are unsure and do not move: one look is not enough to let them stand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections
from bytetrack.boxes import iou

# Scores around that from which the tracker begins a track. A lamp post scores 0.2 to 0.4; let stand as it
# scored just when somebody had passed it, it is a false track, or none, for as long as nothing changes there.
LEAST, SURE = 0.3, 0.5
SAME = 0.6  # IoU above which two boxes are of one thing
FIRST_S = 0.1  # after the next picture; then twice as long each time


def unsure(boxes: Detections) -> NDArray[np.int64]:
    """Return which rows are unsure."""
    return np.flatnonzero((boxes.score >= LEAST) & (boxes.score < SURE))


def wait_s(before: Detections, now: Detections, waited_s: float, *, again: bool) -> float:
    """Return for how long what is unsure stands: no longer than to the next picture, if any of it is new.

    ``again`` says that it was looked at because it was, after ``waited_s`` seconds.
    """
    old, new = before.xyxy[unsure(before)], now.xyxy[unsure(now)]
    if not (iou(new, old) > SAME).any(axis=1).all():
        return 0.0
    return max(2 * waited_s, FIRST_S) if again else waited_s
