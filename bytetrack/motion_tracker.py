"""ByteTrack with a motion model and a first stage of our own: what `track` uses by default."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bytetrack.association import (
    HIGH,
    LOST,
    LOW,
    TENTATIVE,
    TRACKED,
    AssociationContext,
    Stage,
    by_overlap,
    by_overlap_and_score,
)
from bytetrack.boxes import Pairs
from bytetrack.byte_tracker import NOMINAL_RATE, BYTETracker
from bytetrack.kalman import XYWH, MotionModel
from bytetrack.types import FloatArray


def by_overlap_height_and_score(pairs: Pairs, context: AssociationContext) -> FloatArray:
    """Return IoU · sqrt(h) · score, h being the shared part of the two boxes' vertical extent.

    Of two people side by side the one of equal height is preferred: Hybrid-SORT's height-modulated IoU
    (Yang et al. 2024, arXiv:2308.00783) at the exponent 1/2.
    """
    mine = context.track_xyxy[1::2].take(pairs.row, 1)
    theirs = context.detection_xyxy[1::2].take(pairs.column, 1)
    low, high = np.minimum(mine, theirs), np.maximum(mine, theirs)
    shared = low[1] - high[0]
    shared /= high[1] - low[0]
    similarity: FloatArray = pairs.iou * np.sqrt(shared)
    similarity *= context.score[pairs.column]
    return similarity


@dataclass(eq=False)
class MotionTracker(BYTETracker):
    """ByteTrack with changes that keep identities longer; the picture is not used.

    The state of the Kalman filter is x, y, width, height (BoT-SORT, Aharon et al. 2022, arXiv:2206.14651),
    and width and height stay as they are while the object is lost. The lower the frame rate, the greater is
    the noise of the velocity. The first association also compares heights. A tracked and a lost track at the
    same place are both kept.

    Alone, it has ByteTrack's defaults but for ``match_thresh``; the command ``track`` passes its own.

    >>> tracker = MotionTracker()
    >>> tracker.update([[0, 0, 10, 20, 0.9]]).track_id.tolist()
    [1]
    """

    match_thresh: float = 0.9
    duplicate_iou: float | None = None

    def _motion(self) -> MotionModel:
        # The velocity is a random walk: its variance per frame is proportional to the time between frames.
        slower = float(np.sqrt(NOMINAL_RATE / self.frame_rate))
        x, y, w, h = XYWH.velocity
        return replace(XYWH, velocity=(x * slower, y * slower, w * slower, h * slower))

    def _stages(self) -> tuple[Stage, ...]:
        return (
            Stage((TRACKED, LOST), HIGH, by_overlap_height_and_score, self.match_thresh),
            Stage((TRACKED,), LOW, by_overlap, self.second_match_thresh),
            Stage((TENTATIVE,), HIGH, by_overlap_and_score, self.tentative_match_thresh),
        )
