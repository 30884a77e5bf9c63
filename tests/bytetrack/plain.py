"""The trackers as their papers define them, one track and one matrix at a time: slow, and easy to check.

Nothing of `bytetrack` is used. Assignments are found by trying all of them, filters have full covariances,
and everything is done in the order in which the papers tell it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.bytetrack.plain_parts import Array, Filter, Track, cheapest, dearest, overlap

Found = list[tuple[int, Array]]  # number of a track and its corners


class PlainSORT:
    def __init__(self, least: float, max_age: int, min_hits: int = 3) -> None:
        self.least, self.max_age, self.min_hits = least, max_age, min_hits
        self.filter, self.tracks, self.frame, self.next = Filter("xyar"), list[Track](), 0, 0

    def update(self, boxes: Sequence[Array]) -> Found:
        self.frame += 1
        for track in self.tracks:
            self.filter.predict(track)
            track.hits = 0 if track.missed > 0 else track.hits  # detections in a row, without the first
            track.missed += 1
        iou = np.array([[overlap(b, self.filter.box(t.mean)) for t in self.tracks] for b in boxes])
        pairs: list[tuple[int, int]] = []
        if iou.size:
            close = iou > self.least
            alone = close.sum(0).max() == 1 and close.sum(1).max() == 1
            pairs = list(zip(*close.nonzero(), strict=True)) if alone else dearest(iou, complete=True)
        pairs = [(b, t) for b, t in pairs if iou[b, t] >= self.least]
        for b, t in pairs:
            self.filter.update(self.tracks[t], boxes[b])
            self.tracks[t].hits += 1
            self.tracks[t].missed = 0
        for b in set(range(len(boxes))) - {b for b, _ in pairs}:
            self.tracks.append(Track(self.next, *self.filter.begin(boxes[b]), hits=0))
            self.next += 1
        shown = [
            t
            for t in self.tracks
            if t.missed == 0 and (t.hits >= self.min_hits or self.frame <= self.min_hits)
        ]
        self.tracks = [t for t in self.tracks if t.missed <= self.max_age]
        return [(t.number, self.filter.box(t.mean)) for t in shown]


@dataclass
class PlainDeepSORT:
    """And StrongSORT: ``mean_share``, ``nsa``, ``looks_share`` and ``rounds`` say what is different."""

    max_cosine: float
    max_cost: float
    max_age: int
    mean_share: float | None = None
    nsa: bool = False
    looks_share: float = 1.0
    rounds: bool = True
    budget: int = 100

    def __post_init__(self) -> None:
        self.filter, self.tracks, self.next = Filter("xyah"), list[Track](), 0

    def cost(self, track: Track, box: Array, look: Array) -> float:
        distance = self.filter.distance(track, box)
        if distance > 9.4877:
            return 1e5
        cosine = min(1 - float(mine @ look) for mine in track.looks)
        return self.looks_share * cosine + (1 - self.looks_share) * distance

    def update(self, boxes: Sequence[Array], scores: Sequence[float], looks: Sequence[Array]) -> Found:
        for track in self.tracks:
            self.filter.predict(track)
            track.missed += 1
        free, pairs = list(range(len(boxes))), list[tuple[Track, int]]()

        def match(tracks: list[Track], cost: Array, limit: float) -> None:
            new = [(tracks[r], free[c]) for r, c in cheapest(cost, limit)]
            pairs.extend(new)
            for _, b in new:
                free.remove(b)

        confirmed = [t for t in self.tracks if t.confirmed]
        turns = [[t for t in confirmed if t.missed == age] for age in range(1, self.max_age + 1)]
        for turn in turns if self.rounds else [confirmed]:
            match(
                turn,
                np.array([[self.cost(t, boxes[b], looks[b]) for b in free] for t in turn]),
                self.max_cosine,
            )
        taken = {id(t) for t, _ in pairs}
        rest = [t for t in self.tracks if not t.confirmed or (t.missed == 1 and id(t) not in taken)]
        predicted = [self.filter.box(t.mean) for t in rest]
        match(
            rest, np.array([[1 - overlap(box, boxes[b]) for b in free] for box in predicted]), self.max_cost
        )
        for track, b in pairs:
            self.filter.update(track, boxes[b], 1 - scores[b] if self.nsa else 1.0)
            track.hits, track.missed = track.hits + 1, 0
            track.confirmed = track.confirmed or track.hits >= 3
            if self.mean_share is None:
                track.looks = [*track.looks, looks[b]][-self.budget :]
            else:
                mean = self.mean_share * track.looks[0] + (1 - self.mean_share) * looks[b]
                track.looks = [mean / np.linalg.norm(mean)]
        self.tracks = [t for t in self.tracks if t.missed == 0 or (t.confirmed and t.missed <= self.max_age)]
        for b in free:
            self.tracks.append(Track(self.next, *self.filter.begin(boxes[b]), looks=[looks[b]]))
            self.next += 1
        return [(t.number, self.filter.box(t.mean)) for t in self.tracks if t.confirmed and t.missed <= 1]


@dataclass
class PlainBoTSORT:
    high: float
    low: float
    new: float
    limit: float
    max_age: int
    fuse: bool = True
    with_looks: bool = True

    def __post_init__(self) -> None:
        self.filter, self.tracks, self.frame, self.next = Filter("xywh"), list[Track](), 0, 0
        self.born: dict[int, int] = {}

    def cost(self, track: Track, box: Array, score: float, look: Array) -> float:
        iou = overlap(self.filter.box(track.mean), box)
        by_box = 1 - iou * (score if self.fuse else 1.0)
        if not self.with_looks:
            return by_box
        mine = track.looks[0]
        half = max(0.0, 1 - float(mine @ look / np.linalg.norm(mine) / np.linalg.norm(look))) / 2
        return min(by_box, 1.0 if half > 0.25 or 1 - iou > 0.5 else half)

    def update(self, boxes: Sequence[Array], scores: Sequence[float], looks: Sequence[Array]) -> Found:
        self.frame += 1
        for track in self.tracks:
            track.missed += 1
            if track.confirmed:
                if track.missed > 1:
                    track.mean[6:] = 0.0
                self.filter.predict(track)
        strong = [b for b in range(len(boxes)) if scores[b] >= self.high]
        weak = [b for b in range(len(boxes)) if self.low < scores[b] < self.high]
        left, pairs = list(self.tracks), list[tuple[Track, int]]()

        def match(tracks: list[Track], free: list[int], cost: Array, limit: float) -> None:
            gain = limit - cost.reshape(len(tracks), len(free))
            new = [(tracks[r], free[c]) for r, c in dearest(gain) if gain[r, c] > 0]
            pairs.extend(new)
            for track, b in new:
                free.remove(b)
                left.remove(track)

        def by_all(tracks: list[Track]) -> Array:
            return np.array([[self.cost(t, boxes[b], scores[b], looks[b]) for b in strong] for t in tracks])

        confirmed = [t for t in left if t.confirmed]
        match(confirmed, strong, by_all(confirmed), self.limit)
        seen = [t for t in left if t.confirmed and t.missed == 1]
        iou = [[1 - overlap(self.filter.box(t.mean), boxes[b]) for b in weak] for t in seen]
        match(seen, weak, np.array(iou), 0.5)
        tentative = [t for t in left if not t.confirmed]
        match(tentative, strong, by_all(tentative), 0.7)
        for track, b in pairs:
            self.filter.update(track, boxes[b])
            track.missed, track.confirmed = 0, True
            if scores[b] >= self.high:
                mean = 0.9 * track.looks[0] + 0.1 * looks[b]
                track.looks = [mean / np.linalg.norm(mean)]
        self.tracks = [t for t in self.tracks if t.missed == 0 or t.confirmed]
        for b in strong:
            if scores[b] >= self.new:
                track = Track(
                    self.next, *self.filter.begin(boxes[b]), confirmed=self.frame == 1, looks=[looks[b]]
                )
                self.tracks.append(track)
                self.born[track.number] = self.frame
                self.next += 1
        self.tracks = [t for t in self.tracks if t.missed <= self.max_age]
        gone = set()
        for one in [t for t in self.tracks if t.missed == 0 or not t.confirmed]:
            for other in [t for t in self.tracks if t.missed > 0 and t.confirmed]:
                if overlap(self.filter.box(one.mean), self.filter.box(other.mean)) > 0.85:
                    age = [self.frame - t.missed - self.born[t.number] for t in (one, other)]
                    gone.add((other if age[0] > age[1] else one).number)
        self.tracks = [t for t in self.tracks if t.number not in gone]
        return [(t.number, self.filter.box(t.mean)) for t in self.tracks if t.confirmed and t.missed == 0]
