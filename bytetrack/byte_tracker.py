"""ByteTrack associates every detection, those of low score second (Zhang et al. 2022, arXiv:2110.06864)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, SupportsFloat, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytetrack.association import (
    HIGH,
    LOST,
    LOW,
    TENTATIVE,
    TRACKED,
    AssociationContext,
    Stage,
    associate,
    by_overlap,
    by_overlap_and_score,
)
from bytetrack.boxes import Pairs, columns, overlapping
from bytetrack.kalman import XYAH, Belief, MotionModel
from bytetrack.life import TrackLife, UsableDetections
from bytetrack.table import TrackTable
from bytetrack.types import Detections, FloatArray, IntArray, Tracks, as_detections
from bytetrack.warp import warp_belief

LOG = logging.getLogger(__name__)

Self = TypeVar("Self", bound="BYTETracker")


@dataclass(eq=False)
class BYTETracker(TrackLife):
    """Give detections an identity, frame by frame.

    Results are those of the official code (ifzhang/ByteTrack, ``yolox/tracker``) without its bugs: a score
    exactly at the threshold belongs to the high set; every tracker counts its ids from 1 and gives them when
    a track is confirmed, so that no number is left out; inputs are never written to; a track is removed in
    the frame in which it expires, and no list of removed tracks grows. Its decisions stay: tentative tracks
    are not predicted before their second match, the height of a lost box stays as it is, of a tracked and a
    lost track at the same place the one followed for longer survives, and the assignment is the optimum in
    which staying unmatched has a price (see `bytetrack.assignment`).

    Boxes without area overlap nothing; they are ignored with a warning in the log.

    The defaults are those of the official code. The command ``track`` passes its own, chosen for YOLOv8.

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
        self.stages = self._stages()
        self.reset()

    def _motion(self) -> MotionModel:
        return XYAH

    def _stages(self) -> tuple[Stage, ...]:
        return (
            Stage((TRACKED, LOST), HIGH, by_overlap_and_score, self.match_thresh),
            Stage((TRACKED,), LOW, by_overlap, self.second_match_thresh),
            Stage((TENTATIVE,), HIGH, by_overlap_and_score, self.tentative_match_thresh),
        )

    def reset(self) -> None:
        """Forget everything; the next id is 1."""
        self._table = TrackTable()
        self._time = 0.0  # nominal frames
        self._next_id = 1
        self._begun = False  # whether there was a frame
        self._warned = False  # of boxes without area; once is enough

    def update(self, detections: Detections | ArrayLike, dt: float = 1.0) -> Tracks:
        """Match the detections of one frame; return the confirmed tracks seen in it, ordered by id.

        ``detections`` may be an (N, 5) or (N, 6) array: corners, score and, else 0, class. Frames without
        detections must be given too. ``dt`` is the time since the last call in nominal frames (seconds ·
        ``frame_rate``). Raises ``ValueError`` for what cannot be tracked.

        The order is that of Algorithm 1 of the paper: predict, divide the detections by score, associate the
        high ones and then the low ones, remove tracks left unmatched, begin tracks of high detections left.
        """
        detections = as_detections(detections)
        self._predict(dt)
        usable = self._usable(detections)
        rows, matched = self._associate(usable)
        self._correct(rows, matched, usable)
        self._update_states(rows)
        self._begin_tracks(matched, usable)
        self._remove_duplicates()
        self._remove_expired()
        self._begun = True
        return self._confirmed()

    def predict(self, dt: float = 1.0) -> Tracks:
        """Return the tracks that are not lost where the Kalman filter expects them (source -1).

        For frames in which no detector ran. Lost tracks may expire; none becomes lost.
        """
        self._predict(dt)
        self._table.source[:] = -1
        self._expire(self._table.rows_in(LOST))
        self._remove_expired()
        return self._confirmed()

    def warp(self, transform: FloatArray) -> None:
        """Move all tracks as the picture moved: a (2, 3) similarity, pixels before to pixels after."""
        self._table.belief = warp_belief(self._table.belief, transform, self.motion)

    def scene_moved(self) -> FloatArray | None:
        """Return how far (2,) the scene moved in the last update, where the tracker tells that; ask once."""
        return None

    def forget(self, track_id: ArrayLike | None = None) -> None:
        """Drop these tracks, or all. Their objects get new ids when they are detected again."""
        if track_id is None:
            self._table.keep(np.empty(0, np.intp))
        else:
            self._table.keep((~np.isin(self._table.track_id, track_id)).nonzero()[0])

    def _predict(self, dt: float) -> None:
        """Move every track to the time of this frame, but not the tentative ones: they wait for a match."""
        if not isinstance(dt, (float, int, SupportsFloat)) or not 0 < dt < np.inf:  # the last is slow
            raise ValueError(f"dt must be a time above 0 in nominal frames, got {dt}")
        self._time += dt
        tentative = self._table.state == TENTATIVE
        step = np.where(tentative, 0.0, dt) if np.count_nonzero(tentative) else dt
        self._table.belief = self.motion.predict(self._table.belief, step)

    def _usable(self, detections: Detections) -> UsableDetections:
        """Return the detections that take part: with an area and a score above ``low_thresh``."""
        xyxy, score, class_id = columns(detections.xyxy), detections.score, detections.class_id
        # Compared in the score's own precision: a float32 score of 0.6 reaches a threshold of 0.6.
        usable = (
            score > self.low_thresh if self.low_thresh < self.track_thresh else score >= self.track_thresh
        )
        positive = xyxy[2:] > xyxy[:2]
        source = np.arange(len(score))
        if np.count_nonzero(usable) < len(score) or np.count_nonzero(positive) < 2 * len(score):
            source = (usable & positive[0] & positive[1]).nonzero()[0]
            self._warn_of_flat(detections, ~(positive[0] & positive[1]))
            xyxy, score, class_id = xyxy.take(source, 1), score[source], class_id[source]
        level = (score >= self.track_thresh).astype(np.intp)  # False is LOW, True is HIGH
        measured, vote_row = self.motion.from_xyxy(xyxy), self._table.vote_rows(class_id)
        return UsableDetections(xyxy, score, level, measured, vote_row, source)

    def _warn_of_flat(self, detections: Detections, flat: NDArray[np.bool_]) -> None:
        if not self._warned and np.count_nonzero(flat):
            self._warned = True
            LOG.warning(
                "boxes without area are ignored, such as %s; boxes are left, top, right, bottom",
                detections.xyxy[flat][0].tolist(),
            )

    def _associate(self, usable: UsableDetections) -> tuple[IntArray, IntArray]:
        """Return the rows of the tracks and of the detections that belong together, (K,) each."""
        table = self._table
        track_xyxy, pairs = self._candidates(usable)
        context = AssociationContext(
            track_xyxy, table.state, table.track_id, usable.xyxy, usable.score, usable.source
        )
        return associate(self.stages, pairs, context, usable.level)

    def _candidates(self, usable: UsableDetections) -> tuple[FloatArray, Pairs]:
        """Return the boxes (4, T) of the tracks, and the pairs of a track and a detection that overlap."""
        track_xyxy = self.motion.to_xyxy(self._table.belief[0])
        return track_xyxy, overlapping(track_xyxy, usable.xyxy)

    def _correct(self, rows: IntArray, matched: IntArray, usable: UsableDetections) -> None:
        """Update the matched tracks by their detections; of both the indices are given, (K,) each."""
        self._table.source[:] = -1
        if len(rows):
            self._take(rows, matched, usable)

    def _take(self, rows: IntArray, matched: IntArray, usable: UsableDetections) -> None:
        """Give these tracks these detections, (K,) each."""
        table = self._table
        table.belief[:, :, rows] = self._updated(rows, matched, usable)
        score = usable.score[matched]
        table.source[rows] = usable.source[matched]
        table.last_seen[rows] = self._time
        table.score[rows] = score
        table.numbers[usable.vote_row[matched], rows] += score

    def _updated(self, rows: IntArray, matched: IntArray, usable: UsableDetections) -> Belief:
        """Return the beliefs (5, 4, K) of these tracks after these detections."""
        return self.motion.update(self._table.belief.take(rows, 2), self._measured(rows, matched, usable))

    def _measured(self, rows: IntArray, matched: IntArray, usable: UsableDetections) -> FloatArray:
        """Return what the filter measures (4, K) of these detections, each for its track."""
        return usable.measured.take(matched, 1)

    def state(self) -> dict[str, Any]:
        """Return everything the tracker knows as plain lists and numbers, for pickle or JSON."""
        return {
            "options": {field.name: getattr(self, field.name) for field in fields(self)},
            "time": self._time,
            "next_id": self._next_id,
            "begun": self._begun,
            "table": self._table.to_lists(),
        }

    @classmethod
    def from_state(cls: type[Self], state: Mapping[str, Any]) -> Self:
        """Build a tracker that goes on where ``state`` was taken."""
        tracker = cls(**state["options"])
        tracker.restore(state)
        return tracker

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken, with the options of this tracker."""
        table = TrackTable.from_lists(state["table"])
        self._time, self._next_id, self._begun = state["time"], state["next_id"], state["begun"]
        self._table = table
