"""ByteTrack with a motion model and a first stage of our own: what `track` uses by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

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
from bytetrack.byte_tracker import NOMINAL_RATE, BYTETracker, UsableDetections
from bytetrack.common_motion import CommonMotion
from bytetrack.kalman import XYWH, MotionModel
from bytetrack.reunion import LONGEST_S, Objects, alone_together, unrivalled
from bytetrack.table import VOTES
from bytetrack.types import FloatArray, IntArray

LEARNT = 0.05  # part of a common shift that becomes velocity: in a pan, who is hidden goes on with the rest


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
    similarity *= context.score.take(pairs.column)
    return similarity


@dataclass(eq=False)
class MotionTracker(BYTETracker):
    """ByteTrack with changes that keep identities longer; the picture is not used.

    The state of the Kalman filter is x, y, width, height (BoT-SORT, Aharon et al. 2022, arXiv:2206.14651),
    and width and height stay as they are while the object is lost. The lower the frame rate, the greater is
    the noise of the velocity. The first association also compares heights. A tracked and a lost track at the
    same place are both kept. What all boxes have in common is the camera's motion, and moves every track
    (`bytetrack.common_motion`). A lost track takes a new box that it does not overlap if neither has a rival
    (`bytetrack.reunion`).

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

    def reset(self) -> None:
        """Forget everything; the next id is 1."""
        super().reset()
        self._common = CommonMotion()

    def _associate(self, usable: UsableDetections) -> tuple[IntArray, IntArray]:
        """Associate; where the boxes tell that the camera moved, move all tracks and associate again.

        Telling it costs little, and most cameras stand still.
        """
        rows, matched = super()._associate(usable)
        shift = self._common.estimate(*self._missed(rows, matched, usable))
        if shift is not None:
            self._table.belief = belief = self._table.belief.copy()
            belief[0, :2] += shift[:, None]
            belief[1, :2] += shift[:, None] * (LEARNT / self._dt)
            rows, matched = super()._associate(usable)
        return self._with_the_lone(rows, matched, usable)

    def _missed(
        self, rows: IntArray, matched: IntArray, usable: UsableDetections
    ) -> tuple[FloatArray, FloatArray]:
        """Return how far (2, K) sure detections are from their tracks, and the variance expected of that."""
        sure = usable.level.take(matched).nonzero()[0]
        own = self._table.belief[::2].take(rows.take(sure), 2)  # positions, and their variance p
        variance = self.motion.measurement_variance(own)[:2]
        variance += own[1, :2]
        missed = usable.measured[:2].take(matched.take(sure), 1)
        missed -= own[0, :2]
        return missed, variance

    def _with_the_lone(
        self, rows: IntArray, matched: IntArray, usable: UsableDetections
    ) -> tuple[IntArray, IntArray]:
        """Return the pairs (K,), and those of a lost track and a new box that have no rivals."""
        table, score = self._table, usable.score
        free = score >= self._birth_thresh
        free[matched] = False
        recent = table.last_seen > self._time - LONGEST_S * self.frame_rate
        recent[rows] = False
        lost, new = recent.nonzero()[0], free.nonzero()[0]
        if len(lost) == 0 or len(new) == 0:
            return rows, matched
        since = self._time - table.last_seen.take(lost)
        position, velocity = table.belief[:2].take(lost, 2)
        position -= since * velocity
        way = since * np.hypot(velocity[0], velocity[1])
        boxes = usable.measured.take(new, 1)
        row, column, reach = alone_together(position, way, since / self.frame_rate, boxes)
        if len(row) == 0:
            return rows, matched
        lost, new = lost[row], new[column]
        theirs = Objects.of(position.take(row, 1), table.class_id(lost))
        box = Objects.of(boxes.take(column, 1), table.classes[usable.vote_row[new] - VOTES])
        seen = Objects.of(table.belief[0].take(rows, 1), table.class_id(rows))
        same = unrivalled(theirs, box, reach, seen) & (table.track_id[lost] > 0)
        return np.append(rows, lost[same]), np.append(matched, new[same])

    def _predict(self, dt: float) -> None:
        super()._predict(dt)
        self._dt = dt

    def state(self) -> dict[str, Any]:
        """Return everything the tracker knows as plain lists and numbers, for pickle or JSON."""
        return super().state() | {"common_motion": self._common.variance.tolist()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken, with the options of this tracker."""
        super().restore(state)
        self._common = CommonMotion(np.array(state.get("common_motion", (0.0, 0.0)), np.float64))
