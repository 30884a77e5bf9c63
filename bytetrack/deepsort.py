"""DeepSORT: SORT that also knows what its objects look like (Wojke et al. 2017, arXiv:1703.07402)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from bytetrack.association import HIGH, LOST, TENTATIVE, TRACKED
from bytetrack.cascade import GATE, cascade, cheapest, mahalanobis
from bytetrack.life import ROUNDING, UsableDetections
from bytetrack.looks import LooksTracker
from bytetrack.memory import Gallery
from bytetrack.probation import ProbationTracker
from bytetrack.types import FloatArray, IntArray, Tracks


@dataclass(eq=False)
class DeepSORT(ProbationTracker, LooksTracker):  # in this order: the later gives way in its defaults
    """Match by looks what the Kalman filter thinks possible, the tracks seen last first; the rest by overlap.

    1. Confirmed tracks and boxes: the cost is the least cosine distance of a box to the last ``gallery_size``
       looks of the track; pairs beyond the Mahalanobis gate are forbidden. Tracks that were seen in the last
       frame are matched first, then those lost for one, and so on (the matching cascade).
    2. Tracks on probation, and confirmed ones seen in the last frame, by IoU. So are lost ones of whose looks
       nothing can be told yet (where that is learnt); the official code knows no such tracks.
    3. Every box left begins a track, confirmed after ``min_hits`` detections one after the other.

    In every frame it decides as the official code (nwojke/deep_sort), whose accident it does not have: that
    puts out a track for one more frame after it was lost, at its predicted place (``coast=1`` does so).
    ``match_thresh`` is the greatest cost 1 - IoU of step 2.

    Measured beside the others in docs/trackers.md: with colours IDF1 81.3 on vtest.avi, where
    SORT has 70.0.

    The gallery takes 4 bytes for each of ``gallery_size`` · F numbers of a track, a third more in ``state``.
    """

    NEEDS_LOOKS: ClassVar[bool] = True

    track_thresh: float = 0.3
    match_thresh: float = 0.7
    max_cosine_distance: float = 0.2  # greatest cost of step 1
    gallery_size: int = 100
    coast: float = 0  # frames that a confirmed track is still put out, where it is expected, when it is lost

    def _remember(self, gallery: Gallery, look: FloatArray) -> None:
        gallery.add(look, self.gallery_size)

    def _associate(self, usable: UsableDetections) -> tuple[IntArray, IntArray]:
        """Return the rows of the tracks and of the detections that belong together, (K,) each."""
        table, high = self._table, (usable.level == HIGH).nonzero()[0]
        confirmed = np.isin(table.state, (TRACKED, LOST)).nonzero()[0]
        rows, columns = self._by_looks(confirmed, high, usable)
        left = np.isin(table.state, (TENTATIVE, TRACKED))
        tells = [table.galleries[row].tells(self.comparable) for row in confirmed.tolist()]
        left[confirmed] |= ~np.array(tells, bool)
        left[rows] = False
        free = np.setdiff1d(high, columns)
        others, boxes = self._by_overlap(left.nonzero()[0], free, usable)
        return np.concatenate((rows, others)), np.concatenate((columns, boxes))

    def _by_looks(
        self, tracks: IntArray, boxes: IntArray, usable: UsableDetections
    ) -> tuple[IntArray, IntArray]:
        """Return the confirmed tracks and the boxes that belong together by their looks, (K,) each."""
        tracks, age = self._rounds(tracks)
        row, column = cascade(self._cost(tracks, boxes, usable), age, self.max_cosine_distance)
        return tracks[row], boxes[column]

    def _rounds(self, tracks: IntArray) -> tuple[IntArray, FloatArray]:
        """Return the confirmed tracks to match by looks, and the age by which they have their turn."""
        age = self._time - self._table.last_seen[tracks]
        in_time = age <= self._longest()
        return tracks[in_time], age[in_time]

    def _cost(self, tracks: IntArray, boxes: IntArray, usable: UsableDetections) -> FloatArray:
        """Return the cost of tracks and boxes (T, D), infinite where the Kalman filter forbids the pair."""
        belief = self._table.belief.take(tracks, 2)
        distance = mahalanobis(self.motion, belief, usable.measured.take(boxes, 1))
        cost = np.full(distance.shape, np.inf)
        for row, possible in enumerate(distance <= GATE):
            if possible.any():
                looks = self._compared[boxes[possible]]
                cost[row, possible] = self._table.galleries[tracks[row]].distance(looks, self.comparable)
        return self._with_motion(cost, distance)

    def _with_motion(self, cost: FloatArray, distance: FloatArray) -> FloatArray:
        """Return the cost of a pair, given that of its looks and its squared Mahalanobis distance."""
        return cost

    def _by_overlap(
        self, tracks: IntArray, boxes: IntArray, usable: UsableDetections
    ) -> tuple[IntArray, IntArray]:
        """Return the tracks and the boxes that belong together by their IoU, (K,) each."""
        _, pairs = self._candidates(usable)
        cost = np.ones((len(self._table), len(usable.score)))
        cost[pairs.row, pairs.column] -= pairs.iou
        row, column = cheapest(cost[np.ix_(tracks, boxes)], self.match_thresh)
        return tracks[row], boxes[column]

    def _confirmed(self) -> Tracks:
        """Return the confirmed tracks that were seen, and those lost that ``coast`` lets go on."""
        tracks, table = super()._confirmed(), self._table
        recent = table.last_seen >= self._time - self.coast - ROUNDING
        rows = ((table.state == LOST) & recent).nonzero()[0]
        if self.coast == 0 or len(rows) == 0:
            return tracks
        xyxy = self.motion.to_xyxy(table.belief[0].take(rows, 1)).T
        both = replace(
            tracks,
            track_id=np.append(tracks.track_id, table.track_id[rows]),
            xyxy=np.concatenate((tracks.xyxy, xyxy)),
            score=np.append(tracks.score, table.score[rows]),
            class_id=np.append(tracks.class_id, table.class_id(rows)),
            source=np.append(tracks.source, table.source[rows]),
        )
        return both[np.argsort(both.track_id)]
