"""Two boxes on one object: cab and lorry, rider and board, a person and a second box on the same person."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.plugins._shared.anchors import LONGEST_S, SHADOW_OVERLAP, SHADOW_S
from tracker.plugins._shared.geometry import overlap_of_smaller
from tracker.plugins._shared.motion import baseline_s, least_drift, velocity
from tracker.types import Json

PART_AREA = 0.7  # a part has at most this part of the whole's area, where both are of one class
SAME_IOU = 0.65  # two boxes of one class and size are one from here on; a detector drops the weaker from 0.7
LEAST_OVERLAP = min(SHADOW_OVERLAP, SAME_IOU)
# A part moves as the whole does: by how much their velocities differ,
# in longer sides of the larger box per second.
# People one behind the other do not, even in step; boxes of two classes are placed less exactly.
SAME_CLASS_DRIFT, OTHER_CLASS_DRIFT = 0.05, 0.2
PLACE_SIZES, PLACE_PX = (
    0.02,
    1.0,
)  # how exactly a box is placed: it weighs where a velocity is of a short time


def one_object(tracks: Tracks, rows: NDArray[np.void], found: IntArray, place: int) -> list[int]:
    """Return the places of the tracks on one object with the track at ``place``, at this very moment.

    ``rows`` are those of a `TrackHistory`, ``found`` (M,) those of the tracks. A motion that is not known yet
    contradicts nothing. Of two boxes the smaller is the part, and it is part of one whole only: of the larger
    box that holds most of it and moves with it.
    """
    alike = _alike(tracks, rows, found, place)
    if not alike:
        return alike
    sides = tracks.xyxy[:, 2:] - tracks.xyxy[:, :2]
    area = sides[:, 0] * sides[:, 1]
    one = []
    for other in alike:
        part, whole = (place, other) if area[place] < area[other] else (other, place)
        wholes = [each for each in _alike(tracks, rows, found, part) if area[each] >= area[part]]
        held = dict(zip(wholes, overlap_of_smaller(tracks.xyxy[part], tracks.xyxy[wholes]), strict=True))
        if held.get(whole, 0.0) >= max(held.values(), default=0.0):
            one.append(other)
    return one


def whole_of(tracks: Tracks, rows: NDArray[np.void], found: IntArray, place: int) -> int:
    """Return the number of the largest box on the object that the track at ``place`` is on."""
    one = sorted([place, *one_object(tracks, rows, found, place)])
    if len(one) > 1:
        sides = tracks.xyxy[one, 2:] - tracks.xyxy[one, :2]
        place = one[int((sides[:, 0] * sides[:, 1]).argmax())]
    return int(tracks.track_id[place])


def _alike(tracks: Tracks, rows: NDArray[np.void], found: IntArray, place: int) -> list[int]:
    """Return whose boxes lie as two boxes on one object do with the one at ``place``, and move so."""
    overlap = overlap_of_smaller(tracks.xyxy[place], tracks.xyxy)
    overlap[place] = 0.0
    near = np.flatnonzero(overlap > LEAST_OVERLAP)
    if not len(near):
        return []
    both = np.append(near, place)
    sides = tracks.xyxy[both, 2:] - tracks.xyxy[both, :2]
    (area, own), overlap = np.split(sides[:, 0] * sides[:, 1], [len(near)]), overlap[near]
    common = overlap * np.minimum(area, own)
    iou = common / np.maximum(area + own - common, 1e-9)
    same_class = tracks.class_id[near] == tracks.class_id[place]
    nested = np.minimum(area, own) <= PART_AREA * np.maximum(area, own)
    within = (overlap > SHADOW_OVERLAP) & (nested | ~same_class) | (iou > SAME_IOU)
    seen = rows.take(found[both])
    over_s, drift = baseline_s(seen), least_drift(seen[:-1], seen[-1])  # NaN: not known
    longer = sides.max(axis=1)
    size = np.maximum(longer[:-1], longer[-1])
    allowed = np.where(same_class, SAME_CLASS_DRIFT, OTHER_CLASS_DRIFT) * size
    allowed += (PLACE_SIZES * size + PLACE_PX) / np.minimum(over_s[:-1], over_s[-1])
    alike: list[int] = near[within & ~(drift > allowed)].tolist()
    return alike


@dataclass
class Crossed:
    """An object that has crossed a moment ago."""

    time: float
    sign: int
    track_id: int  # of its largest box
    size: float  # area of that box, pixels
    boxes: set[int] = field(default_factory=set)  # track_ids of those that were on it when last seen with it
    until_s: dict[int, float] = field(default_factory=dict)  # it is gone: when each of these has passed, too


class Doubles:
    """Tells a second box on an object that has crossed just now from the next object."""

    def __init__(self) -> None:
        self._recent: deque[Crossed] = deque()
        self._earlier: deque[Crossed] = deque()  # longer ago than `SHADOW_S`
        self._before: tuple[Tracks, NDArray[np.void], IntArray] | None = None  # the last frame

    def update(self, now: float, tracks: Tracks, seen: NDArray[np.void], found: IntArray) -> None:
        """Take a frame: who crossed and has just gone is compared with those of the frame before.

        ``seen`` are the rows of a `TrackHistory`, ``found`` (M,) those of the tracks.
        """
        while self._recent and self._recent[0].time < now - SHADOW_S:
            self._earlier.append(self._recent.popleft())
        while self._earlier and self._earlier[0].time < now - LONGEST_S:
            self._earlier.popleft()
        if self._before is not None and self._before[2] is not found:  # not the tracks of then
            gone = set(self._before[0].track_id.tolist()).difference(tracks.track_id.tolist())
            for crossed in (*self._earlier, *self._recent) if gone else ():
                if crossed.track_id in gone:
                    self._compare(crossed, *self._before)
        self._before = tracks, seen, found

    def _compare(self, crossed: Crossed, tracks: Tracks, seen: NDArray[np.void], found: IntArray) -> None:
        """Note who is on the object that has crossed, at the moment of these tracks: it is seen no longer."""
        ids = tracks.track_id.tolist()
        place = ids.index(crossed.track_id)
        crossed.boxes = _boxes(crossed.boxes, tracks, seen, found, place)
        with_it = [ids.index(box) for box in crossed.boxes.intersection(ids)]
        late = zip(with_it, _passes_later(seen, found[place], found[with_it]), strict=True)
        crossed.until_s = {ids[at]: crossed.time + more for at, more in late if not math.isnan(more)}

    def is_new(
        self, now: float, tracks: Tracks, seen: NDArray[np.void], found: IntArray, place: int, sign: int
    ) -> bool:
        """Return whether the track at ``place`` crosses as an object of its own; it is remembered."""
        ids = tracks.track_id.tolist()
        track_id, (x1, y1, x2, y2) = ids[place], tracks.xyxy[place].tolist()
        size = (x2 - x1) * (y2 - y1)
        known = [*self._earlier_near(now, tracks, seen, found, place), *self._recent]
        others = [each for each in known if each.sign == sign and each.track_id != track_id]
        places = [ids.index(each.track_id) if each.track_id in ids else place for each in others]
        alone = _alone(tracks.xyxy, [place, *places])
        for crossed, at, is_alone in zip(others, places, alone[1:], strict=True):
            if at != place:
                crossed.boxes = _boxes(crossed.boxes, tracks, seen, found, at, is_alone)
            if track_id in crossed.boxes:
                if size > crossed.size:
                    crossed.track_id, crossed.size = track_id, size
                    crossed.boxes = _boxes(crossed.boxes, tracks, seen, found, place)
                    crossed.until_s = {}
                return False
        boxes = _boxes(set(), tracks, seen, found, place, alone[0])
        self._recent.append(Crossed(now, sign, track_id, size, boxes))
        return True

    def _earlier_near(
        self, now: float, tracks: Tracks, seen: NDArray[np.void], found: IntArray, place: int
    ) -> list[Crossed]:
        """Return who crossed earlier and may be on one object with the track at ``place`` all the same."""
        if not self._earlier:
            return []
        ids = tracks.track_id.tolist()
        here, own = set(ids), ids[place]
        self._earlier = deque(
            each
            for each in self._earlier
            if each.track_id in here or max(each.until_s.values(), default=0.0) >= now
        )
        overlap = overlap_of_smaller(tracks.xyxy[place], tracks.xyxy)
        near = {ids[at]: at for at in np.flatnonzero(overlap > LEAST_OVERLAP).tolist()}
        return [
            each
            for each in self._earlier
            if each.until_s.get(own, -math.inf) >= now
            or (
                each.track_id in near
                and now - each.time <= _passes_later(seen, found[near[each.track_id]], found[[place]])[0]
            )
        ]

    def has(self, track_id: int, sign: int) -> bool:
        """Return whether this is a second box on an object that has crossed."""
        return any(c.sign == sign and track_id in c.boxes for c in self._recent)

    def state(self) -> Json:
        """Return who crossed a moment ago."""
        return [
            [c.time, c.sign, c.track_id, c.size, [[box, c.until_s.get(box)] for box in sorted(c.boxes)]]
            for c in (*self._earlier, *self._recent)
        ]

    def restore(self, state: Json) -> None:
        """Go on from there."""
        for time, sign, track_id, size, boxes in state:
            told = [box if isinstance(box, list) else [box, None] for box in boxes]  # older: boxes alone
            until_s = {box: until for box, until in told if until is not None}
            self._recent.append(Crossed(time, sign, track_id, size, {box for box, _ in told}, until_s))


def _passes_later(rows: NDArray[np.void], row: int, others: IntArray) -> list[float]:
    """Return how long after a box others (K,) on one object that keeps its speed pass a line at the latest.

    A slow lorry's cab is over the line long before the middle of the lorry.
    """
    seen = rows.take(np.append(others, row))
    apart = np.hypot(*(seen["anchor"][:-1] - seen["anchor"][-1]).T)
    speed = np.hypot(*velocity(seen).T)
    speed = np.fmax(speed[:-1], speed[-1])  # NaN: not known, or none
    late: list[float] = (SHADOW_S + apart / np.where(speed > 0, speed, np.nan)).tolist()
    return late


def _boxes(
    old: set[int], tracks: Tracks, seen: NDArray[np.void], found: IntArray, place: int, alone: bool = False
) -> set[int]:
    """Return who is on one object with the track at ``place``, and of the ``old`` who is out of sight.

    ``alone`` tells that no other box overlaps with it (`_alone`).
    """
    if old:
        old = old.difference(tracks.track_id.tolist())
    return old if alone else old.union(tracks.track_id[one_object(tracks, seen, found, place)].tolist())


def _alone(xyxy: FloatArray, places: list[int]) -> list[bool]:
    """Return which of the boxes at these places overlap with no other enough to be one object with it."""
    some = xyxy[places][:, None]
    sides = np.minimum(some[..., 2:], xyxy[:, 2:]) - np.maximum(some[..., :2], xyxy[:, :2])
    common = np.maximum(sides[..., 0], 0.0) * np.maximum(sides[..., 1], 0.0)
    area = (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])
    overlapping = common > LEAST_OVERLAP * np.minimum(area, area[places, None])
    alone: list[bool] = (np.count_nonzero(overlapping, axis=1) <= 1).tolist()  # with itself each does
    return alone
