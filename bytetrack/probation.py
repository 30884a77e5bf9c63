"""Tracks that are on probation until they were seen a few times: SORT's rule, and DeepSORT's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bytetrack.association import LOST, TENTATIVE, TRACKED, Stage
from bytetrack.life import NOMINAL_RATE, ROUNDING, UNMATCHED_BECOMES, UsableDetections
from bytetrack.memory import MemoryTracker
from bytetrack.types import IntArray


@dataclass(eq=False)
class ProbationTracker(MemoryTracker):
    """The frame of SORT's family: every high box begins a track, which is confirmed after ``min_hits``.

    Unlike ByteTrack's, tracks on probation are predicted as all others are, none is confirmed in its first
    frame, and a box keeps growing while it is lost. Boxes below ``track_thresh`` are ignored.
    """

    low_thresh: float = 1.0  # there is no association of weak boxes
    duplicate_iou: float | None = None
    min_hits: int = 3  # detections that confirm a track

    def __post_init__(self) -> None:
        """Check the options and begin empty; raises ``ValueError``."""
        super().__post_init__()
        if self.new_track_thresh is None:  # every box that takes part begins a track
            self._birth_thresh = self.track_thresh

    def _stages(self) -> tuple[Stage, ...]:
        return ()  # the methods made of this associate in ways of their own

    def _predict(self, dt: float) -> None:
        """Move every track to the time of this frame, those on probation too."""
        tentative = self._table.rows_in(TENTATIVE)
        super()._predict(dt)
        belief = self._table.belief
        belief[:, :, tentative] = self.motion.predict(belief.take(tentative, 2), dt)

    def _update_states(self, matched_rows: IntArray) -> None:
        """Give every track its state after matching; what is missed on probation is removed."""
        table = self._table
        table.hits[matched_rows] += 1
        state = UNMATCHED_BECOMES[table.state]
        unproven = (table.state == TENTATIVE) & (table.hits < self.min_hits)
        state[matched_rows] = np.where(unproven[matched_rows], TENTATIVE, TRACKED)
        table.state[:] = state
        self._expire(table.rows_in(LOST))

    def _begin_tracks(self, matched: IntArray, usable: UsableDetections) -> None:
        """Begin a track on probation with every unmatched detection whose score is high enough."""
        before = len(self._table)
        super()._begin_tracks(matched, usable)
        self._table.state[before:] = TENTATIVE

    def _longest(self) -> float:
        """Return how long a lost track is kept, in nominal frames."""
        return self.track_buffer * self.frame_rate / NOMINAL_RATE + ROUNDING
