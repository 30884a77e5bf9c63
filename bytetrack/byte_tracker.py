"""ByteTrack: associate every box, the unsure ones last (Zhang et al. 2022, arXiv:2110.06864)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, SupportsFloat, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from bytetrack.association import (
    GONE,
    HIGH,
    LOST,
    LOW,
    TENTATIVE,
    TRACKED,
    Encounter,
    Step,
    associate,
    by_overlap,
    by_overlap_and_score,
)
from bytetrack.boxes import columns, overlapping
from bytetrack.kalman import XYAH, MotionModel
from bytetrack.table import BORN, SCORE, SEEN, SOURCE, STATE, TRACK_ID, TrackTable
from bytetrack.types import Detections, FloatArray, IntArray, Tracks, as_detections
from bytetrack.warp import warp_belief

NOMINAL_RATE = 30.0  # frames per second that ``track_buffer`` is counted at, as in the official code
ROUNDING = 1e-6  # frames; sums of fractional time steps must not make a track expire a frame early

LOG = logging.getLogger(__name__)
AFTER_A_MISS = np.array([GONE, LOST, LOST])  # by state

Self = TypeVar("Self", bound="BYTETracker")


@dataclass(eq=False)
class BYTETracker:
    """Give detections an identity, frame by frame.

    Results are those of the official code (ifzhang/ByteTrack, ``yolox/tracker``) with its accidents mended:
    a score exactly at the threshold belongs to the high set; ids are per tracker, from 1, given when a track
    is confirmed, so they have no holes; inputs are never written; a removed track is removed in the frame it
    expires, and no list of removed tracks grows. What is a choice stays: tentative tracks are not predicted
    before their match, a lost box's height stops growing, of a tracked and a lost track on the same place
    the older survives, and the assignment is the optimum with a price for staying unmatched.

    Boxes without area are ignored, with a warning in the log: they overlap nothing.

    >>> tracker = BYTETracker()
    >>> tracker.update(Detections([[0, 0, 10, 20]], [0.9], [0])).track_id.tolist()
    [1]
    """

    track_thresh: float = 0.5  # score from which a box belongs to the high set
    match_thresh: float = 0.8  # greatest cost 1 - IoU · score of the first association
    track_buffer: float = 30  # frames at 30 fps that a lost track is kept; 30 is a second at any frame rate
    frame_rate: float = 30  # nominal frames per second
    low_thresh: float = 0.1  # boxes up to this score are ignored
    new_track_thresh: float | None = None  # score from which a box begins a track; None: track_thresh + 0.1
    second_match_thresh: float = 0.5  # greatest cost 1 - IoU of the association with the low set
    tentative_match_thresh: float = 0.7  # greatest cost 1 - IoU · score of a new track's second box
    duplicate_iou: float | None = 0.85  # a tracked and a lost box above it are one object; None: never

    def __post_init__(self) -> None:
        """Check the options and begin empty; raises ``ValueError``."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not isinstance(value, SupportsFloat):
                raise ValueError(
                    f"{field.name} must be a number, not {type(value).__name__}; write BYTETracker("
                    "track_thresh=0.5, match_thresh=0.8, track_buffer=30, frame_rate=30)"
                )
        if not self.frame_rate > 0:
            raise ValueError(f"frame_rate must be above 0, got {self.frame_rate}")
        if not self.track_buffer >= 0:
            raise ValueError(f"track_buffer must not be negative, got {self.track_buffer}")
        # Rounded: 0.2 + 0.1 is a little above 0.3, and a score of 0.3 is meant to be enough.
        birth = round(self.track_thresh + 0.1, 9) if self.new_track_thresh is None else self.new_track_thresh
        self._birth_thresh = max(birth, self.track_thresh)  # only the high set begins tracks
        self.motion = self._motion()
        self.steps = self._steps()
        self.reset()

    def _motion(self) -> MotionModel:
        return XYAH

    def _steps(self) -> tuple[Step, ...]:
        return (
            Step((TRACKED, LOST), HIGH, by_overlap_and_score, self.match_thresh),
            Step((TRACKED,), LOW, by_overlap, self.second_match_thresh),
            Step((TENTATIVE,), HIGH, by_overlap_and_score, self.tentative_match_thresh),
        )

    def reset(self) -> None:
        """Forget everything; the next id is 1."""
        self._table = TrackTable()
        self._time = 0.0  # nominal frames
        self._next_id = 1
        self._begun = False
        self._warned = False  # of boxes without area, once is enough

    def update(self, detections: Detections | ArrayLike, dt: float = 1.0) -> Tracks:
        """Match the boxes of one frame; returns the confirmed tracks seen in it, ordered by id.

        ``detections`` may be an (N, 5) or (N, 6) array: corners, score and, else 0, class. Frames without
        boxes must be given too. ``dt`` is the time since the last call in nominal frames (seconds ·
        ``frame_rate``). Raises ``ValueError`` for what cannot be tracked.
        """
        detections = as_detections(detections)
        table = self._table
        self._advance(dt)
        usable, xyxy = self._sort_out(detections)
        score = detections.score[usable]
        level = (score >= self.track_thresh).astype(np.intp)  # LOW, HIGH
        encounter = Encounter(self.motion.to_xyxy(table.belief[0]), xyxy, score, table.labels, usable)
        pairs = overlapping(encounter.track_xyxy, xyxy)
        rows, matched = associate(self.steps, pairs, encounter, table.labels[STATE], level)

        measured = self.motion.from_xyxy(xyxy)
        vote_rows = table.vote_rows(detections.class_id[usable])
        table.labels[SOURCE] = -1
        if len(rows):
            table.belief[:, :, rows] = self.motion.update(
                table.belief.take(rows, 2), measured.take(matched, 1)
            )
            weight = score[matched]
            table.labels[SOURCE, rows] = usable[matched]
            table.numbers[SEEN, rows] = self._time
            table.numbers[SCORE, rows] = weight
            table.numbers[vote_rows[matched], rows] += weight
        self._judge(rows)
        births = self._births(xyxy, score, matched, vote_rows)
        if len(births):
            self._begin(births, measured, score, vote_rows, usable)
        self._drop_duplicates()
        self._sweep_out()
        self._begun = True
        return self._confirmed()

    def predict(self, dt: float = 1.0) -> Tracks:
        """Let time pass without looking: the tracks not lost, where the filter expects them (source -1).

        For frames in which no detector ran. Lost tracks may expire; none becomes lost.
        """
        self._advance(dt)
        self._table.labels[SOURCE] = -1
        self._expire((self._table.labels[STATE] == LOST).nonzero()[0])
        self._sweep_out()
        return self._confirmed()

    def warp(self, transform: FloatArray) -> None:
        """Move all tracks as the picture moved: a (2, 3) similarity, pixels before to pixels after."""
        self._table.belief = warp_belief(self._table.belief, transform, self.motion)

    def forget(self, track_id: ArrayLike | None = None) -> None:
        """Drop these tracks, or all; what is seen at their places begins new ones, and ids go on."""
        table = self._table
        if track_id is None:
            table.keep(np.empty(0, np.intp))
        else:
            table.keep((~np.isin(table.labels[TRACK_ID], track_id)).nonzero()[0])

    def _advance(self, dt: float) -> None:
        if not isinstance(dt, SupportsFloat) or not 0 < dt < np.inf:
            raise ValueError(f"dt must be a time above 0 in nominal frames, got {dt}")
        self._time += dt
        table = self._table
        tentative = table.labels[STATE] == TENTATIVE
        # For tentative tracks time stands still.
        step = np.where(tentative, 0.0, dt) if np.count_nonzero(tentative) else dt
        table.belief = self.motion.predict(table.belief, step)

    def _sort_out(self, detections: Detections) -> tuple[IntArray, FloatArray]:
        """Return the rows that take part (D,) and their corners (4, D)."""
        xyxy, score = columns(detections.xyxy), detections.score
        # Compared in the score's own precision: float32 0.6 is 0.6.
        usable = (
            score > self.low_thresh if self.low_thresh < self.track_thresh else score >= self.track_thresh
        )
        positive = xyxy[2:] > xyxy[:2]
        if np.count_nonzero(usable) == len(score) and np.count_nonzero(positive) == 2 * len(score):
            return np.arange(len(score)), xyxy
        rows = (usable & positive[0] & positive[1]).nonzero()[0]
        flat = ~(positive[0] & positive[1])
        if not self._warned and np.count_nonzero(flat):
            self._warned = True
            LOG.warning(
                "boxes without area are ignored, such as %s; boxes are left, top, right, bottom",
                detections.xyxy[flat][0].tolist(),
            )
        return rows, xyxy.take(rows, 1)

    def _judge(self, matched_rows: IntArray) -> None:
        """Give every track its state after matching."""
        table = self._table
        state = AFTER_A_MISS[table.labels[STATE]]
        state[matched_rows] = TRACKED
        table.labels[STATE] = state
        lost = (state == LOST).nonzero()[0]
        if len(lost):
            table.belief[1, self.motion.growth, lost] = 0.0
            self._expire(lost)

    def _expire(self, lost: IntArray) -> None:
        patience = self.track_buffer * self.frame_rate / NOMINAL_RATE + ROUNDING
        expired = self._table.numbers[SEEN, lost] < self._time - patience
        self._table.labels[STATE, lost[expired]] = GONE

    def _births(
        self, xyxy: FloatArray, score: FloatArray, matched: IntArray, vote_rows: IntArray
    ) -> IntArray:
        """Return the detections that begin a track, in an order that does not depend on theirs."""
        begins = score >= self._birth_thresh
        begins[matched] = False
        births: IntArray = begins.nonzero()[0]
        if len(births) > 1:
            births = births[np.lexsort((vote_rows[births], *xyxy[:, births], -score[births]))]
        return births

    def _begin(
        self, births: IntArray, measured: FloatArray, score: FloatArray, vote_rows: IntArray, usable: IntArray
    ) -> None:
        n = len(births)
        labels = np.zeros((3, n), np.int64)
        labels[STATE] = TENTATIVE if self._begun else TRACKED  # the first frame's are trusted at once
        labels[SOURCE] = usable[births]
        numbers = np.zeros((len(self._table.numbers), n))
        numbers[BORN] = numbers[SEEN] = self._time
        numbers[SCORE] = score[births]
        numbers[vote_rows[births], np.arange(n)] = score[births]
        self._table.add(self.motion.initiate(measured[:, births]), labels, numbers)

    def _drop_duplicates(self) -> None:
        """Of a seen and a lost track on the same place give up the younger."""
        table = self._table
        lost = (table.labels[STATE] == LOST).nonzero()[0]
        if self.duplicate_iou is None or len(lost) == 0:
            return
        seen = (table.labels[SOURCE] >= 0).nonzero()[0]
        xyxy = self.motion.to_xyxy(table.belief[0])
        pairs = overlapping(xyxy.take(seen, 1), xyxy.take(lost, 1))
        same = (pairs.iou > self.duplicate_iou).nonzero()[0]
        if len(same):
            seen, lost = seen[pairs.row[same]], lost[pairs.column[same]]
            age = table.numbers[SEEN] - table.numbers[BORN]
            table.labels[STATE, np.where(age[seen] > age[lost], lost, seen)] = GONE

    def _sweep_out(self) -> None:
        """Forget the tracks that are gone."""
        gone = self._table.labels[STATE] == GONE
        if np.count_nonzero(gone):
            self._table.keep((~gone).nonzero()[0])

    def _confirmed(self) -> Tracks:
        """Return the tracks that are followed at present, giving ids to those that have none."""
        table = self._table
        rows = (table.labels[STATE] == TRACKED).nonzero()[0]
        _, track_id, source = table.labels.take(rows, 1)
        new = (track_id == 0).nonzero()[0]
        if len(new):
            track_id[new] = np.arange(self._next_id, self._next_id + len(new))
            self._next_id += len(new)
            table.labels[TRACK_ID, rows] = track_id
        xyxy = self.motion.to_xyxy(table.belief[0].take(rows, 1))
        return Tracks(track_id, xyxy.T, table.numbers[SCORE].take(rows), table.class_id(rows), source)

    def state(self) -> dict[str, Any]:
        """Return everything the tracker knows as plain lists and numbers, for pickle or JSON."""
        return {
            "options": {field.name: getattr(self, field.name) for field in fields(self)},
            "time": self._time,
            "next_id": self._next_id,
            "begun": self._begun,
            "table": self._table.state(),
        }

    @classmethod
    def from_state(cls: type[Self], state: Mapping[str, Any]) -> Self:
        """Build a tracker that goes on where ``state`` was taken."""
        tracker = cls(**state["options"])
        tracker.restore(state)
        return tracker

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken, with the options of this tracker."""
        table = TrackTable.from_state(state["table"])
        self._time, self._next_id, self._begun = state["time"], state["next_id"], state["begun"]
        self._table = table
