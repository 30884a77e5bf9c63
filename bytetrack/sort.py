"""SORT: a Kalman filter, overlap, and the Hungarian method (Bewley et al. 2016, arXiv:1602.00763)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bytetrack.association import HIGH, LOST, TENTATIVE, TRACKED
from bytetrack.boxes import xywh_to_xyxy, xyxy_to_xywh
from bytetrack.kalman import Belief, MotionModel
from bytetrack.life import UsableDetections
from bytetrack.probation import ProbationTracker
from bytetrack.solver import linear_sum_assignment
from bytetrack.types import FloatArray, IntArray, Tracks
from bytetrack.warp import Transform, scale_of


def xyxy_to_xyar(xyxy: FloatArray) -> FloatArray:
    """Convert (4, N) corners to centre x, y, area and aspect ratio (width / height)."""
    xyar = xyxy_to_xywh(xyxy)
    xyar[2:] = xyar[2] * xyar[3], xyar[2] / xyar[3]
    return xyar


def xyar_to_xyxy(xyar: FloatArray) -> FloatArray:
    """Convert (4, N) centre x, y, area and aspect ratio to corners."""
    xywh = xyar.copy()
    xywh[2] = np.sqrt(xyar[2] * xyar[3])
    xywh[3] = xyar[2] / xywh[2]
    return xywh_to_xyxy(xywh)


class AreaModel(MotionModel):
    """Constant velocity of centre and area, where no area shrinks to nothing."""

    def predict(self, belief: Belief, dt: float | FloatArray = 1.0) -> Belief:
        """Return the belief ``dt`` nominal frames later."""
        belief = belief.copy()
        belief[1, 2, belief[0, 2] + belief[1, 2] * dt <= 0] = 0.0
        return super().predict(belief, dt)


XYAR = AreaModel(
    # The official code (abewley/sort): plain numbers, whatever the size of the box. The aspect ratio has no
    # velocity. Of an object's first velocity nothing is known.
    from_xyxy=xyxy_to_xyar,
    to_xyxy=xyar_to_xyxy,
    noise_scale=(None,) * 4,
    frozen_when_lost=slice(0, 0),
    position=(1.0, 1.0, 1.0, 1.0),
    velocity=(0.1, 0.1, 0.01, 0.0),
    measurement=(1.0, 1.0, 10**0.5, 10**0.5),
    first_position=(10**0.5,) * 4,
    first_velocity=(100.0, 100.0, 100.0, 0.0),
)


@dataclass(eq=False)
class SORT(ProbationTracker):
    """Each box goes to the track whose predicted box it overlaps; nothing else is known of an object.

    The whole method: predict every box by a Kalman filter of centre, area and aspect ratio; find the
    assignment of greatest total IoU, and drop what overlaps by less than 1 - ``match_thresh``; begin a track
    with every box left; confirm it when it was found in ``min_hits`` frames in a row after its first. In the
    first ``min_hits`` frames every track is confirmed at once. Tracks lost are kept for ``track_buffer``.

    It follows the method of the official code (abewley/sort); the tests hold it against a plain definition,
    not against results of that code. There, a track that was lost is put out only when it is found in
    ``min_hits`` frames in a row again (``whole_streaks=True`` does so); here whenever it is seen.

    Measured beside the others in docs/trackers.md: IDF1 70.0 on vtest.avi and 64.4 on the MOT17
    validation half (ByteTrack: 76.4 and 67.0).

    >>> SORT().update([[0, 0, 10, 20, 0.9]]).track_id.tolist()
    [1]
    """

    match_thresh: float = 0.7
    track_buffer: float = 1
    whole_streaks: bool = False  # whether an object must be found ``min_hits`` times in a row to be put out

    def _motion(self) -> MotionModel:
        return XYAR

    def reset(self) -> None:
        """Forget everything; the next id is 1."""
        super().reset()
        self._frames = 0  # that were given, up to ``min_hits`` + 1

    def warp(self, transform: Transform) -> None:
        """Move all tracks as the picture moved: a (2, 3) similarity, pixels before to pixels after."""
        super().warp(transform)
        area = scale_of(transform) ** 2
        self._table.belief[:2, 2] *= area
        self._table.belief[2:, 2] *= area**2

    def state(self) -> dict[str, Any]:
        """Return everything the tracker knows as plain lists and numbers, for pickle or JSON."""
        return {**super().state(), "frames": self._frames}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken, with the options of this tracker."""
        frames = int(state["frames"])
        super().restore(state)
        self._frames = frames

    def _associate(self, usable: UsableDetections) -> tuple[IntArray, IntArray]:
        """Return the rows of the tracks and of the detections that belong together, (K,) each."""
        boxes = (usable.level == HIGH).nonzero()[0]
        _, pairs = self._candidates(usable)
        iou = np.zeros((len(self._table), len(usable.score)))
        iou[pairs.row, pairs.column] = pairs.iou
        iou = iou.take(boxes, 1)
        least = 1.0 - self.match_thresh
        close = iou > least
        if iou.size and close.sum(0).max() == 1 == close.sum(1).max():  # no rivals anywhere
            row, column = close.nonzero()
        else:
            row, column = linear_sum_assignment(iou, maximize=True)
            kept = (iou[row, column] >= least) & (iou[row, column] > 0)
            row, column = row[kept], column[kept]
        return row, boxes[column]

    def _update_states(self, matched_rows: IntArray) -> None:
        """Give every track its state after matching; a miss ends its streak, and no more than that."""
        table = self._table
        self._frames = min(self._frames + 1, self.min_hits + 1)
        seen = np.isin(np.arange(len(table)), matched_rows)
        table.hits[seen] += 1
        table.hits[~seen] = 0
        proven = seen & ((table.hits >= self.min_hits) | (self._frames <= self.min_hits))
        table.state[(table.state == TRACKED) & ~seen] = LOST
        table.state[proven | (seen & (table.state == LOST))] = TRACKED
        self._expire((~seen).nonzero()[0])

    def _begin_tracks(self, matched: IntArray, usable: UsableDetections) -> None:
        """Begin tracks; the streak of each begins with its next detection."""
        before = len(self._table)
        super()._begin_tracks(matched, usable)
        self._table.hits[before:] = 0
        self._table.state[before:] = TRACKED if self._frames <= self.min_hits else TENTATIVE

    def _confirmed(self) -> Tracks:
        """Return the confirmed tracks that were seen."""
        tracks = super()._confirmed()  # in the order of birth
        if self.whole_streaks and self._frames > self.min_hits:
            tracks = tracks[self._table.hits[self._table.rows_in(TRACKED)] >= self.min_hits]
        return tracks[np.argsort(tracks.track_id)]  # one may be confirmed later than a younger one
