"""Further trackers on ByteTrack's parts: what they do otherwise is a motion model and a few steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bytetrack.association import (
    HIGH,
    LOST,
    LOW,
    TENTATIVE,
    TRACKED,
    Encounter,
    Step,
    by_overlap,
    by_overlap_and_score,
)
from bytetrack.boxes import Pairs
from bytetrack.byte_tracker import NOMINAL_RATE, BYTETracker
from bytetrack.kalman import XYWH, MotionModel
from bytetrack.types import FloatArray


def by_overlap_height_and_score(pairs: Pairs, encounter: Encounter) -> FloatArray:
    """Return IoU · sqrt(h) · score, h being the shared part of the two boxes' vertical extent.

    Of two people side by side the one as tall is meant: Hybrid-SORT's height-modulated IoU (Yang et al.
    2024, arXiv:2308.00783) at the exponent 1/2.
    """
    mine = encounter.track_xyxy[1::2].take(pairs.row, 1)
    theirs = encounter.detection_xyxy[1::2].take(pairs.column, 1)
    low, high = np.minimum(mine, theirs), np.maximum(mine, theirs)
    shared = low[1] - high[0]
    shared /= high[1] - low[0]
    similarity: FloatArray = pairs.iou * np.sqrt(shared)
    similarity *= encounter.score[pairs.column]
    return similarity


@dataclass(eq=False)
class MotionTracker(BYTETracker):
    """ByteTrack with what makes identities steadier without looking at the picture.

    The filter's state is x, y, width, height (BoT-SORT, Aharon et al. 2022, arXiv:2206.14651), and neither
    size grows while the object is not seen; velocities are the less certain the lower the frame rate; the
    first association heeds height; a tracked and a lost track on the same place both live on.

    >>> tracker = MotionTracker()
    >>> tracker.update([[0, 0, 10, 20, 0.9]]).track_id.tolist()
    [1]
    """

    match_thresh: float = 0.9
    duplicate_iou: float | None = None

    def _motion(self) -> MotionModel:
        # Velocity wanders: its variance per frame is proportional to the time between two frames.
        slower = float(np.sqrt(NOMINAL_RATE / self.frame_rate))
        x, y, w, h = XYWH.velocity
        return replace(XYWH, velocity=(x * slower, y * slower, w * slower, h * slower))

    def _steps(self) -> tuple[Step, ...]:
        return (
            Step((TRACKED, LOST), HIGH, by_overlap_height_and_score, self.match_thresh),
            Step((TRACKED,), LOW, by_overlap, self.second_match_thresh),
            Step((TENTATIVE,), HIGH, by_overlap_and_score, self.tentative_match_thresh),
        )


@dataclass(eq=False)
class SORT(BYTETracker):
    """Kalman filter and IoU alone (Bewley et al. 2016, arXiv:1602.00763): where tracking begins.

    Boxes below ``track_thresh`` are not looked at, scores do not weigh. Filter, births and patience are
    ByteTrack's.

    >>> SORT().update([[0, 0, 10, 20, 0.9]]).track_id.tolist()
    [1]
    """

    duplicate_iou: float | None = None

    def _steps(self) -> tuple[Step, ...]:
        return (
            Step((TRACKED, LOST), HIGH, by_overlap, self.match_thresh),
            Step((TENTATIVE,), HIGH, by_overlap, self.tentative_match_thresh),
        )
