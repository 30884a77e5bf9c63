"""Looks from the detector's own network, compared by what the recording itself teaches.

One network for boxes and looks is FairMOT's idea (Zhang et al. 2021, arXiv:2004.01888). There the looks are
trained; here a map of a network that was trained for boxes alone serves, turned by a `Discriminant` learnt as
the run goes: the boxes of one tracklet are one object, tracklets seen together are different ones.

Measured on vtest.avi with the default tracker: HOTA / IDF1 63.1 / 87.0 without looks, 63.9 / 89.2 with these;
67.2 / 89.2 and 68.3 / 91.8 after the second pass (benchmarks/README.md says what the constants are worth).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

from bytetrack import Detections, Tracks
from bytetrack.boxes import occluded
from bytetrack.types import FloatArray, IntArray
from tracker.trackers.appearance import Appearance
from tracker.trackers.discriminant import NEUTRAL, Discriminant
from tracker.types import Frame, Json, OptionError

PERSON = 0  # what COCO calls class 0; its classes 1 to 8 are vehicles, from bicycle to boat
VEHICLES = range(1, 9)
GROUPS = 3  # persons, vehicles, all other things: in each group other directions tell objects apart


@dataclass
class Tracklet:
    """The samples of one object that is followed without a gap, as their mean."""

    group: int
    total: FloatArray  # (F,) of the samples
    count: int
    seen_s: float
    earlier: FloatArray  # (F,) their mean at
    earlier_s: float

    def take(self, sample: FloatArray, time_s: float, apart_s: float) -> None:
        """Add a sample (F,)."""
        self.total = self.total + sample
        self.count += 1
        self.seen_s = time_s
        if self.count == 1 or time_s - self.earlier_s >= apart_s:
            self.earlier, self.earlier_s = (self.total / self.count).astype(np.float32), time_s


class DetectorLooks(Appearance):
    """Looks are features of `Detections`, and three numbers that tell the group; see `comparable`."""

    learns = True
    neutral = NEUTRAL
    every_s = 0.3  # from one moment that is learnt from to the next
    gap_s = 1.0  # a tracklet that is not seen for longer has ended
    apart_s = 2.0  # after so long it is asked whether an object is known again
    min_score = 0.4  # of what is learnt from,
    max_occluded_iou = 0.3  # and how much any other box may overlap it

    def __init__(self) -> None:
        """Begin without knowledge."""
        self._learnt: dict[int, Discriminant] = {}  # by group
        self._tracklets: dict[int, Tracklet] = {}  # by track id
        self._due_s = -np.inf

    def looks(self, frame: Frame, detections: Detections, rows: IntArray) -> FloatArray:
        """Return (K, F + 3) looks of length 1, NaN where the detector gave none."""
        if detections.features is None:
            if len(detections):
                raise OptionError(
                    "--appearance self needs the features of the detector's network, and these detections "
                    "have none; use --appearance color"
                )
            return np.empty((0, GROUPS), np.float32)
        features = detections.features[rows].astype(np.float32)
        group = np.eye(GROUPS, dtype=np.float32)[groups(detections.class_id[rows])]
        return np.concatenate((features, group), axis=1) * np.float32(0.5**0.5)

    def comparable(self, looks: FloatArray) -> FloatArray:
        """Return (K, D) vectors of length 1 for looks, or means of looks; NaN while too little is known."""
        known = np.isfinite(looks).all(axis=1)
        group = np.where(known, looks[:, -GROUPS:].argmax(axis=1), -1)
        features = looks[:, :-GROUPS] / np.maximum(
            np.linalg.norm(looks[:, :-GROUPS], axis=1, keepdims=True), 1e-12
        )
        size = Discriminant.directions
        vectors = np.full((len(looks), GROUPS * size + 1), np.nan, np.float32)
        for number, discriminant in self._learnt.items():
            rows = (group == number).nonzero()[0]
            if len(rows) and discriminant.ready:
                share = discriminant.share
                vectors[rows] = 0.0
                vectors[rows, number * size : (number + 1) * size] = share**0.5 * discriminant.directions_of(
                    features[rows]
                )
                vectors[rows, -1] = (1 - share) ** 0.5
        return vectors

    def learn(self, time_s: float, tracks: Tracks, detections: Detections) -> bool:
        """Learn from the tracks of a frame, now and then; return whether `comparable` has changed."""
        if time_s < self._due_s - 1e-6 or detections.features is None:
            return False
        self._due_s = time_s + self.every_s
        rows = ((tracks.source >= 0) & (tracks.score >= self.min_score)).nonzero()[0]
        source = tracks.source[rows]
        clear = np.isfinite(detections.features[source]).all(axis=1)
        clear &= ~occluded(detections.xyxy, source, self.max_occluded_iou)
        rows, source = rows[clear], source[clear]
        group = groups(tracks.class_id[rows])
        changed = False
        for number in np.unique(group).tolist():
            mine = group == number
            features = detections.features[source[mine]].astype(np.float32)
            changed |= self._learn(number, time_s, tracks.track_id[rows[mine]].tolist(), features)
        self._tracklets = {
            track_id: one for track_id, one in self._tracklets.items() if time_s - one.seen_s <= self.gap_s
        }
        return changed

    def _learn(self, group: int, time_s: float, track_ids: list[int], samples: FloatArray) -> bool:
        """Learn from the objects of one group that are seen now."""
        discriminant = self._learnt.get(group)
        if discriminant is None or discriminant.length != samples.shape[1]:
            discriminant = self._learnt[group] = Discriminant(samples.shape[1])
        means, counts = np.zeros_like(samples), np.zeros(len(samples))
        earlier = np.full_like(samples, np.nan)
        for number, (track_id, sample) in enumerate(zip(track_ids, samples, strict=True)):
            known = self._tracklets.get(track_id)
            if known is None or known.group != group or len(known.total) != len(sample):
                known = self._tracklets[track_id] = Tracklet(
                    group, np.zeros(len(sample)), 0, time_s, np.zeros_like(sample), time_s
                )
            if known.count:
                means[number], counts[number] = known.total / known.count, known.count
                if time_s - known.earlier_s >= self.apart_s:
                    earlier[number] = known.earlier
            known.take(sample, time_s, self.apart_s)
        return discriminant.add(samples, means, counts, earlier)

    def forget_tracks(self) -> None:
        """Take note that ids begin anew: what was learnt stays."""
        self._tracklets.clear()

    def state(self) -> Json:
        """Return what was learnt, for JSON."""
        return {
            "due_s": None if np.isinf(self._due_s) else self._due_s,
            "learnt": [[group, one.length, one.state()] for group, one in self._learnt.items()],
            "tracklets": [
                [
                    track_id,
                    one.group,
                    one.count,
                    one.seen_s,
                    _text(one.total),
                    _text(one.earlier),
                    one.earlier_s,
                ]
                for track_id, one in self._tracklets.items()
            ],
        }

    def restore(self, state: Any) -> None:
        """Go on where ``state`` was taken."""
        due_s = state["due_s"]
        self._due_s = -np.inf if due_s is None else due_s
        self._learnt = {}
        for group, length, learnt in state["learnt"]:
            self._learnt[group] = Discriminant(length)
            self._learnt[group].restore(learnt)
        self._tracklets = {
            track_id: Tracklet(
                group,
                np.frombuffer(base64.b64decode(total)).copy(),
                count,
                seen_s,
                np.frombuffer(base64.b64decode(earlier), np.float32).copy(),
                earlier_s,
            )
            for track_id, group, count, seen_s, total, earlier, earlier_s in state["tracklets"]
        }


def _text(numbers: FloatArray) -> str:
    return base64.b64encode(numbers.tobytes()).decode()


def groups(class_id: IntArray) -> IntArray:
    """Return the group of each class, (N,).

    >>> groups(np.array([0, 2, 7, 16])).tolist()
    [0, 1, 1, 2]
    """
    vehicle = (class_id >= VEHICLES.start) & (class_id < VEHICLES.stop)
    group: IntArray = np.where(class_id == PERSON, 0, np.where(vehicle, 1, 2))
    return group
