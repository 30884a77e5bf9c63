"""Rotated boxes followed as such: matched by rotated overlap, filtered as centre, size and angle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from bytetrack.association import (
    HIGH,
    LOST,
    LOW,
    TENTATIVE,
    TRACKED,
    Stage,
    by_overlap,
    by_overlap_and_score,
)
from bytetrack.boxes import Pairs, overlapping
from bytetrack.kalman import Belief, MotionModel
from bytetrack.life import UsableDetections
from bytetrack.motion_tracker import MotionTracker
from bytetrack.rotated import long_side_first, nearest_form, overlap_pairs, regular, upright
from bytetrack.table import SOURCE, TrackTable
from bytetrack.types import Detections, FloatArray, IntArray, Tracks

# Standard deviations of an angle in radians, per nominal frame where it is the noise of motion. Measured:
# networks tell the angle of a clear box to some three degrees; ships and cars turn slowly.
MEASURED, TURNED, RATE = 0.06, 0.02, 0.004
FIRST_RATE = 0.03


class TurnedTable(TrackTable):
    """A table with one column more for each track: its angle, as the filter of one coordinate."""

    angle: FloatArray  # (5, T) angle, its rate, p, c, v as in `bytetrack.kalman`
    measured: FloatArray  # (N,) the angles of the detections of this frame

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.angle, self.measured = np.empty((5, 0)), np.empty(0)

    def keep(self, rows: IntArray) -> None:
        """Forget all tracks but these."""
        super().keep(rows)
        self.angle = self.angle.take(rows, 1)

    def add(self, belief: Belief, labels: IntArray, numbers: FloatArray) -> None:
        """Append tracks, each with the angle of the detection that it begins with."""
        super().add(belief, labels, numbers)
        new = np.zeros((5, labels.shape[1]))
        new[0] = self.measured[labels[SOURCE]]
        new[2], new[4] = MEASURED**2, FIRST_RATE**2
        self.angle = np.concatenate((self.angle, new), 1)

    def boxes(self) -> FloatArray:
        """Return the (T, 5) rotated boxes that are believed in."""
        return np.concatenate((self.belief[0], self.angle[:1])).T


@dataclass(eq=False)
class RotatedTracker(MotionTracker):
    """`MotionTracker` for detections with ``rotated``: two boxes overlap as much as they do when turned.

    The filter measures centre, width, height and angle. A box is taken in that of its equal forms (half
    turns; quarter turns with the sides swapped) whose angle is nearest to the track's. Tracks come with
    ``rotated``, and ``xyxy`` is the upright box around it.

    >>> found = Detections([[0, 0, 20, 10]], [0.9], [0], rotated=[[10, 5, 20, 10, 0.0]])
    >>> RotatedTracker().update(found).rotated.tolist()
    [[10.0, 5.0, 20.0, 10.0, 0.0]]
    """

    def _motion(self) -> MotionModel:
        # A deviation along x or y is a part of the longer side, whichever way the box is turned.
        return replace(super()._motion(), noise_scale=(2, 2, 2, 3))

    def _stages(self) -> tuple[Stage, ...]:
        return (
            Stage((TRACKED, LOST), HIGH, by_overlap_and_score, self.match_thresh),
            Stage((TRACKED,), LOW, by_overlap, self.second_match_thresh),
            Stage((TENTATIVE,), HIGH, by_overlap_and_score, self.tentative_match_thresh),
        )

    def reset(self) -> None:
        """Forget everything; the next id is 1."""
        super().reset()
        self._table = TurnedTable()
        self._turned: FloatArray = np.empty((0, 5))  # (D, 5) the detections of this frame that take part

    @property
    def _angles(self) -> TurnedTable:
        return cast(TurnedTable, self._table)

    def warp(self, transform: FloatArray) -> None:
        """Move all tracks as the picture moved: a (2, 3) similarity, pixels before to pixels after."""
        super().warp(transform)
        self._angles.angle[0] += np.arctan2(transform[1, 0], transform[0, 0])

    def _predict(self, dt: float) -> None:
        super()._predict(dt)
        step = np.where(self._table.state == TENTATIVE, 0.0, dt)
        x, rate, p, c, v = self._angles.angle
        later = (
            x + step * rate,
            rate,
            p + step * (2 * c + step * v) + step * TURNED**2,
            c + step * v,
            v + step * RATE**2,
        )
        self._angles.angle = np.stack(later)

    def _usable(self, detections: Detections) -> UsableDetections:
        usable = super()._usable(detections)
        rotated = detections.rotated
        if rotated is None:
            rotated = np.full((len(detections), 5), np.nan)
        upright_xywh = self.motion.from_xyxy(detections.xyxy.T).T
        as_upright = np.concatenate((upright_xywh, np.zeros((len(detections), 1))), 1)
        known = np.isfinite(rotated).all(axis=1, keepdims=True)
        turned: FloatArray = long_side_first(np.where(known, rotated, as_upright).astype(np.float64))
        self._angles.measured, self._turned = turned[:, 4], turned[usable.source]
        return usable._replace(measured=self._turned[:, :4].T)

    def _candidates(self, usable: UsableDetections) -> tuple[FloatArray, Pairs]:
        tracks = self._angles.boxes()
        around = upright(tracks).T
        pairs = overlapping(around, usable.xyxy)
        iou = overlap_pairs(tracks[pairs.row], self._turned[pairs.column])
        return around, Pairs(pairs.row, pairs.column, iou)

    def _correct(self, rows: IntArray, matched: IntArray, usable: UsableDetections) -> None:
        angle = self._angles.angle
        boxes: FloatArray = nearest_form(self._turned[matched], angle[0, rows])
        measured = usable.measured.copy()
        measured[:, matched] = boxes[:, :4].T
        if len(rows):
            x, rate, p, c, v = angle[:, rows]
            gain, gain_rate = p / (p + MEASURED**2), c / (p + MEASURED**2)
            off = boxes[:, 4] - x
            later = (
                x + gain * off,
                rate + gain_rate * off,
                p - gain * p,
                c - gain * c,
                v - gain_rate * c,
            )
            angle[:, rows] = np.stack(later)
        super()._correct(rows, matched, usable._replace(measured=measured))

    def _update_states(self, matched_rows: IntArray) -> None:
        super()._update_states(matched_rows)
        self._angles.angle[1, self._table.rows_in(LOST)] = 0.0  # nobody knows whether it goes on turning

    def _confirmed(self) -> Tracks:
        tracks = super()._confirmed()
        boxes = self._angles.boxes()[self._table.rows_in(TRACKED)]
        return replace(tracks, xyxy=upright(boxes), rotated=regular(boxes))

    def state(self) -> dict[str, Any]:
        """Return everything the tracker knows as plain lists and numbers, for pickle or JSON."""
        return super().state() | {"angle": self._angles.angle.tolist()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken, with the options of this tracker."""
        super().restore(state)
        table, plain = TurnedTable(), self._table
        table.belief, table.labels, table.numbers = plain.belief, plain.labels, plain.numbers
        table.classes = plain.classes
        angle = np.array(state["angle"], np.float64).reshape(5, -1)
        if angle.shape[1] != len(plain):
            raise ValueError(f"angles of {len(plain)} tracks are expected, got {angle.shape[1]}")
        table.angle = angle
        self._table = table
