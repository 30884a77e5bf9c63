"""What becomes of a track: it begins, is confirmed, is lost, is found again or expires."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bytetrack.association import LOST, REMOVED, TENTATIVE, TRACKED
from bytetrack.boxes import Pairs, overlapping
from bytetrack.kalman import MotionModel
from bytetrack.table import BORN, LAST_SEEN, SCORE, SOURCE, STATE, TrackTable
from bytetrack.types import FloatArray, IntArray, Tracks

NOMINAL_RATE = 30.0  # frames per second that ``track_buffer`` is counted at, as in the official code
ROUNDING = 1e-6  # frames; sums of fractional time steps must not make a track expire a frame early
UNMATCHED_BECOMES = np.array([REMOVED, LOST, LOST])  # by state: TENTATIVE, TRACKED, LOST


class UsableDetections(NamedTuple):
    """The D detections of one frame that take part in the association."""

    xyxy: FloatArray  # (4, D)
    score: FloatArray  # (D,)
    level: IntArray  # (D,) HIGH or LOW
    measured: FloatArray  # (4, D) what the Kalman filter measures of them
    vote_row: IntArray  # (D,) row of ``TrackTable.numbers`` that counts their class
    source: IntArray  # (D,) row in what was given to ``update``


class TrackLife:
    """The part of a tracker that knows nothing of how tracks and detections are matched."""

    track_buffer: float
    frame_rate: float
    duplicate_iou: float | None
    motion: MotionModel
    _table: TrackTable
    _time: float  # nominal frames
    _next_id: int
    _begun: bool  # whether there was a frame
    _birth_thresh: float  # score

    def _update_states(self, matched_rows: IntArray) -> None:
        """Give every track its state after matching."""
        table = self._table
        state = UNMATCHED_BECOMES[table.state]
        state[matched_rows] = TRACKED
        table.state[:] = state
        lost = table.rows_in(LOST)
        if len(lost):
            table.belief[1, self.motion.frozen_when_lost, lost] = 0.0
            self._expire(lost)

    def _expire(self, lost: IntArray) -> None:
        """Mark as removed the lost tracks (K,) that were last seen longer than ``track_buffer`` ago."""
        longest = self.track_buffer * self.frame_rate / NOMINAL_RATE + ROUNDING
        expired = self._table.last_seen[lost] < self._time - longest
        self._table.state[lost[expired]] = REMOVED

    def _begin_tracks(self, matched: IntArray, usable: UsableDetections) -> None:
        """Begin a track with every unmatched detection whose score is high enough."""
        births = self._births(matched, usable)
        n = len(births)
        if n == 0:
            return
        if n > 1:  # in an order, hence with ids, that does not depend on the order of the detections
            keys = usable.vote_row[births], *usable.xyxy[:, births], -usable.score[births]
            births = births[np.lexsort(keys)]
        labels = np.zeros((3, n), np.int64)
        labels[STATE] = (
            TENTATIVE if self._begun else TRACKED
        )  # those of the first frame are confirmed at once
        labels[SOURCE] = usable.source[births]
        numbers = np.zeros((len(self._table.numbers), n))
        numbers[BORN] = numbers[LAST_SEEN] = self._time
        numbers[SCORE] = score = usable.score[births]
        numbers[usable.vote_row[births], np.arange(n)] = score
        self._table.add(self.motion.initiate(usable.measured[:, births]), labels, numbers)

    def _births(self, matched: IntArray, usable: UsableDetections) -> IntArray:
        """Return the detections (K,) that begin a track."""
        begins = usable.score >= self._birth_thresh
        begins[matched] = False
        births: IntArray = begins.nonzero()[0]
        return births

    def _remove_duplicates(self) -> None:
        """Of a seen and a lost track at the same place remove the one that was followed for less time."""
        if self.duplicate_iou is None:
            return
        table = self._table
        lost = table.rows_in(LOST)
        if len(lost) == 0:
            return
        seen = (table.source >= 0).nonzero()[0]
        pairs = self._overlaps(seen, lost)
        same = (pairs.iou > self.duplicate_iou).nonzero()[0]
        if len(same):
            seen, lost = seen[pairs.row[same]], lost[pairs.column[same]]
            age = table.last_seen - table.born
            table.state[np.where(age[seen] > age[lost], lost, seen)] = REMOVED

    def _overlaps(self, rows: IntArray, others: IntArray) -> Pairs:
        """Return which tracks of some rows overlap which of others, as indices into both."""
        xyxy = self.motion.to_xyxy(self._table.belief[0])
        return overlapping(xyxy.take(rows, 1), xyxy.take(others, 1))

    def _remove_expired(self) -> None:
        """Forget the tracks that are marked as removed."""
        removed = self._table.state == REMOVED
        if np.count_nonzero(removed):
            self._table.keep((~removed).nonzero()[0])

    def _confirmed(self) -> Tracks:
        """Return the tracks that are followed at present, giving ids to those that have none."""
        table = self._table
        rows = table.rows_in(TRACKED)
        _, track_id, source = table.labels.take(rows, 1)
        new = (track_id == 0).nonzero()[0]
        if len(new):
            track_id[new] = np.arange(self._next_id, self._next_id + len(new))
            self._next_id += len(new)
            table.track_id[rows] = track_id
        xyxy = self.motion.to_xyxy(table.belief[0].take(rows, 1))
        return Tracks(track_id, xyxy.T, table.score.take(rows), table.class_id(rows), source)
