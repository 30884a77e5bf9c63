"""ByteTrack with a motion model and a first stage of our own: what `track` uses by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from bytetrack.association import (
    HIGH,
    LOST,
    LOW,
    REMOVED,
    TENTATIVE,
    TRACKED,
    AssociationContext,
    Stage,
    by_overlap,
    by_overlap_and_score,
)
from bytetrack.boxes import Pairs
from bytetrack.byte_tracker import BYTETracker
from bytetrack.common_motion import LEARNT, CommonMotion, Pan, Shared
from bytetrack.first_step import Boxes, came_from, first_steps
from bytetrack.kalman import XYWH, Belief, MotionModel
from bytetrack.life import NOMINAL_RATE, UsableDetections
from bytetrack.reunion import LONGEST_S, Possible, Seen, alone_together, size_of
from bytetrack.table import VOTES
from bytetrack.types import FloatArray, IntArray, Tracks


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


class Innovation(NamedTuple):
    """How far the detections of K tracks are from what was expected; it is needed more than once."""

    rows: IntArray  # (K,)
    belief: Belief  # (5, 4, K) as predicted
    e: FloatArray  # (4, K)
    s: FloatArray  # (4, K) its variance


@dataclass(eq=False)
class MotionTracker(BYTETracker):
    """ByteTrack with changes that keep identities longer; the picture is not used.

    The state of the Kalman filter is x, y, width, height (BoT-SORT, Aharon et al. 2022, arXiv:2206.14651),
    and width and height stay as they are while the object is lost. The lower the frame rate, the greater is
    the noise of the velocity. The first association also compares heights. A tracked and a lost track at the
    same place are both kept. What all boxes have in common is the camera's motion, and moves every track
    (`bytetrack.common_motion`). A lost track takes a new box that it does not overlap if neither has a rival
    (`bytetrack.reunion`). What was seen once and goes so far that its boxes do not overlap is found by its
    likely step (`bytetrack.first_step`).

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
        self._common, self._pan = CommonMotion(), Pan()
        self._unlooked = 0.0  # nominal frames since the last update, in which no detector ran
        self._shared: Shared | None = None  # in the last update

    def _associate(self, usable: UsableDetections) -> tuple[IntArray, IntArray]:
        """Associate; where the boxes tell that the camera moved, move all tracks and associate again.

        Telling it costs little, and most cameras stand still.
        """
        self._unlooked = 0.0
        rows, matched = super()._associate(usable)
        self._missed = missed = self._innovation(rows, matched, usable)
        self._shared = shared = self._common.estimate(
            missed.e[:2], missed.s[:2], usable.level.take(matched), missed.belief[0, :2]
        )
        if shared is not None:
            self._table.belief = belief = self._table.belief.copy()
            moved = shared.of(belief[0, :2])
            belief[0, :2] += moved
            belief[1, :2] += moved * (LEARNT / self._since_update)
            rows, matched = super()._associate(usable)
            self._missed = self._innovation(rows, matched, usable)
        return rows, matched

    def _innovation(self, rows: IntArray, matched: IntArray, usable: UsableDetections) -> Innovation:
        belief = self._table.belief.take(rows, 2)
        return Innovation(
            rows, belief, *self.motion.innovation(belief, self._measured(rows, matched, usable))
        )

    def _updated(self, rows: IntArray, matched: IntArray, usable: UsableDetections) -> Belief:
        """Return the beliefs (5, 4, K) of these tracks after these detections."""
        missed = self._missed if rows is self._missed.rows else self._innovation(rows, matched, usable)
        return self.motion.corrected(missed.belief, missed.e, missed.s)

    def _births(self, matched: IntArray, usable: UsableDetections) -> IntArray:
        """Return the detections (K,) that begin a track; before, lost tracks take what is lone."""
        births = super()._births(matched, usable)
        if len(births):
            births = self._stepped(births, usable)
        if len(births) == 0:
            return births
        table = self._table
        since = self._time - table.last_seen
        recent = since < LONGEST_S * self.frame_rate
        recent &= table.source < 0
        lost = recent.nonzero()[0]
        if len(lost) == 0:
            return births
        boxes = usable.measured[:4].take(births, 1)
        belief = table.belief[:2, :4].take(lost, 2)
        possible = alone_together(belief, since.take(lost), boxes, self.frame_rate)
        if not possible:
            return births
        lone = [one for one in possible if self._unrivalled(one, lost, births, boxes, usable)]
        if not lone:
            return births
        rows, taken = lost[[one.lost for one in lone]], births[[one.new for one in lone]]
        self._take(rows, taken, usable)
        table.state[rows] = TRACKED
        return np.delete(births, [one.new for one in lone])

    def _stepped(self, births: IntArray, usable: UsableDetections) -> IntArray:
        """Give boxes to who was seen once, a frame ago and too far away to overlap; return the others."""
        table = self._table
        once = (table.track_id == 0) & (table.state == REMOVED)
        if not np.count_nonzero(once):
            return births
        rows, seen = once.nonzero()[0], (table.source >= 0).nonzero()[0]
        passed = self._time - float(table.last_seen[rows[0]])
        known = table.last_seen.take(seen) - table.born.take(seen) > 1.5 * passed
        old, new = self._boxes(rows), self._new_boxes(births, usable)
        speed = np.where(known, table.belief[1, :2].take(seen, 1), np.nan)
        pairs = first_steps(old, new, self._boxes(seen), speed, passed, self.frame_rate)
        if not pairs:
            return births
        rows, taken = rows[[row for row, _, _ in pairs]], births[[place for _, place, _ in pairs]]
        shown = np.array([others for _, _, others in pairs])
        began = table.belief.take(rows, 2)
        moved = usable.measured[:2].take(taken, 1) - began[0, :2]
        began[4, :2] += np.square(moved / passed)
        own, rows = rows, self._came_from(rows, taken, moved / passed, usable)
        table.belief[:, :, rows] = self.motion.predict(began, passed)
        self._take(rows, taken, usable)
        table.state[rows] = np.where(shown | (rows != own), TRACKED, TENTATIVE)
        return np.delete(births, [place for _, place, _ in pairs])

    def _came_from(
        self, rows: IntArray, taken: IntArray, speed: FloatArray, usable: UsableDetections
    ) -> IntArray:
        """Return the rows (K,) of the lost tracks that come back with these boxes, else their own."""
        table = self._table
        since = self._time - table.last_seen
        lost = ((table.state == LOST) & (since < LONGEST_S * self.frame_rate)).nonzero()[0]
        if not len(lost):
            return rows
        belief, since = table.belief.take(lost, 2), since.take(lost)
        place = belief[0, :2] - since * belief[1, :2]
        chosen = came_from(self._boxes(lost), place, since, self._new_boxes(taken, usable), speed)
        rows = rows.copy()
        rows[list(chosen)] = lost[list(chosen.values())]
        return rows

    def _boxes(self, rows: IntArray) -> Boxes:
        return Boxes(self._table.belief[0, :4].take(rows, 1), self._table.class_id(rows))

    def _new_boxes(self, places: IntArray, usable: UsableDetections) -> Boxes:
        class_id = self._table.classes[usable.vote_row[places] - VOTES]
        return Boxes(usable.measured[:4].take(places, 1), class_id)

    def _unrivalled(
        self, one: Possible, lost: IntArray, births: IntArray, boxes: FloatArray, usable: UsableDetections
    ) -> bool:
        """Return whether both are of one class, and no track that was found is like them and as near."""
        table, row = self._table, lost[one.lost]
        class_id = table.classes[usable.vote_row[births[one.new]] - VOTES]
        if table.state[row] != LOST or class_id != table.class_id(row[None])[0]:
            return False
        seen = Seen(self._missed.belief[0, :4], table.class_id(self._missed.rows))
        x, y, w, h = boxes[:, one.new].tolist()
        mine, theirs = size_of(w, h), size_of(*table.belief[0, 2:4, row].tolist())
        return not (
            seen.rival((x, y), mine, class_id, one.reach)
            or seen.rival(one.place, theirs, class_id, one.reach)
        )

    def scene_moved(self) -> FloatArray:
        """Return how far (2,) the scene moved in the last update; to be asked once after each."""
        table = self._table
        seen = table.belief[:2, :2].take((table.source >= 0).nonzero()[0], 2)
        middle = np.median(seen[0], 1)[:, None] if seen.shape[2] else np.zeros((2, 1))
        shift = np.zeros(2) if self._shared is None else self._shared.of(middle)[:, 0]
        return self._pan.move(shift, seen[1], self._since_update)

    def predict(self, dt: float = 1.0) -> Tracks:
        """Return the tracks that are not lost where they are expected; see `BYTETracker.predict`."""
        tracks = super().predict(dt)
        self._unlooked += dt
        return tracks

    def _predict(self, dt: float) -> None:
        super()._predict(dt)
        table = self._table
        stepped = (table.state == TENTATIVE) & (table.last_seen > table.born)
        if np.count_nonzero(stepped):  # who has made a step alone is looked for where it leads
            rows = stepped.nonzero()[0]
            table.belief[:, :, rows] = self.motion.predict(table.belief.take(rows, 2), dt)
        self._since_update = self._unlooked + dt  # a common shift of now is that of all this time

    def state(self) -> dict[str, Any]:
        """Return everything the tracker knows as plain lists and numbers, for pickle or JSON."""
        common, pan = self._common.state(), self._pan.velocity.tolist()
        return super().state() | {"common_motion": common, "pan": pan, "unlooked": self._unlooked}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken, with the options of this tracker."""
        super().restore(state)
        self._common = CommonMotion.from_state(state.get("common_motion", [0.0, 0.0]))
        self._pan = Pan(np.array(state.get("pan", (0.0, 0.0)), np.float64))
        self._unlooked = state.get("unlooked", 0.0)  # older states know of none
