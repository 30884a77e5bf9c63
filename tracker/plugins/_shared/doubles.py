"""Two boxes on one object: cab and lorry, rider and board, a person and a second box on the same person."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.plugins._shared.anchors import SHADOW_OVERLAP, SHADOW_S
from tracker.plugins._shared.geometry import overlap_of_smaller
from tracker.plugins._shared.sighting import baseline_s, velocity
from tracker.types import Json

PART_AREA = 0.7  # a part has at most this part of the whole's area, where both are of one class
SAME_IOU = 0.65  # two boxes of one class and size are one from here on; a detector drops the weaker from 0.7
# A part moves as the whole does: by how much their velocities differ,
# in longer sides of the larger box per second.
# People one behind the other do not, even in step; boxes of two classes are placed less exactly.
SAME_CLASS_DRIFT, OTHER_CLASS_DRIFT = 0.05, 0.2
PLACE_SIZES, PLACE_PX = (
    0.02,
    1.0,
)  # how exactly a box is placed: it weighs where a velocity is of a short time


@dataclass(frozen=True)
class Motion:
    """How tracks have moved of late."""

    speed: FloatArray  # (M, 2) pixels per second; NaN: not known
    over_s: FloatArray  # (M,) in how long a time that was measured; NaN: not known

    @classmethod
    def of(cls, rows: NDArray[Any]) -> Motion:
        """Return the motion of rows of a `Sighting`."""
        return cls(velocity(rows), baseline_s(rows))


def one_object(tracks: Tracks, motion: Motion, place: int) -> NDArray[np.bool_]:
    """Return which tracks (M,) are on one object with the track at ``place``, at this very moment.

    A motion that is not known yet contradicts nothing. Of two boxes the smaller is the part, and it is part
    of one whole only: of the larger box that holds most of it and moves with it.
    """
    near = _alike(tracks, motion, place)
    near[place] = False
    if not np.count_nonzero(near):
        return near
    area = (tracks.xyxy[:, 2:] - tracks.xyxy[:, :2]).prod(axis=1)
    for other in np.flatnonzero(near).tolist():
        part = place if area[place] < area[other] else other
        whole = other if part == place else place
        wholes = _alike(tracks, motion, part) & (area >= area[part])
        wholes[part] = False
        held = np.where(wholes, overlap_of_smaller(tracks.xyxy[part], tracks.xyxy), 0.0)
        near[other] = held[whole] >= held.max()
    return near


def whole_of(tracks: Tracks, motion: Motion, place: int) -> int:
    """Return the number of the largest box on the object that the track at ``place`` is on."""
    one = one_object(tracks, motion, place)
    one[place] = True
    sides = tracks.xyxy[:, 2:] - tracks.xyxy[:, :2]
    return int(tracks.track_id[np.where(one, sides.prod(axis=1), -1.0).argmax()])


def _alike(tracks: Tracks, motion: Motion, place: int) -> NDArray[np.bool_]:
    """Return which tracks (M,) lie as two boxes on one object do with the one at ``place``, and move so."""
    xyxy = tracks.xyxy
    sides = xyxy[:, 2:] - xyxy[:, :2]
    area, own = sides.prod(axis=1), float(sides[place].prod())
    overlap = overlap_of_smaller(xyxy[place], xyxy)
    common = overlap * np.minimum(area, own)
    iou = common / np.maximum(area + own - common, 1e-9)
    same_class = tracks.class_id == tracks.class_id[place]
    nested = np.minimum(area, own) <= PART_AREA * np.maximum(area, own)
    within = (overlap > SHADOW_OVERLAP) & (nested | ~same_class) | (iou > SAME_IOU)
    drift = np.hypot(*(motion.speed - motion.speed[place]).T)
    size = np.maximum(sides.max(axis=1), sides[place].max())
    allowed = np.where(same_class, SAME_CLASS_DRIFT, OTHER_CLASS_DRIFT) * size
    allowed += (PLACE_SIZES * size + PLACE_PX) / np.minimum(motion.over_s, motion.over_s[place])
    apart = drift > allowed
    return np.asarray(within & ~apart)


@dataclass
class Crossed:
    """An object that has crossed a moment ago."""

    time: float
    sign: int
    track_id: int  # of its largest box
    size: float  # area of that box, pixels
    boxes: dict[int, bool] = field(default_factory=dict)  # track_id: was on it when both were last seen


class Doubles:
    """Tells a second box on an object that has crossed just now from the next object."""

    def __init__(self) -> None:
        self._recent: deque[Crossed] = deque()
        self._before: tuple[Tracks, NDArray[Any], IntArray] | None = None  # the last frame

    def look(self, now: float, tracks: Tracks, seen: NDArray[Any], found: IntArray) -> None:
        """Take a frame: who crossed and has just gone is compared with those of the frame before.

        ``seen`` are the rows of a `Sighting`, ``found`` (M,) those of the tracks.
        """
        while self._recent and self._recent[0].time < now - SHADOW_S:
            self._recent.popleft()
        if self._recent and self._before is not None:
            here = set(tracks.track_id.tolist())
            for crossed in self._recent:
                if crossed.track_id not in here:
                    self._compare(crossed, *self._before)
        self._before = tracks, seen, found

    def _compare(self, crossed: Crossed, tracks: Tracks, seen: NDArray[Any], found: IntArray) -> None:
        """Note who is on the object that has crossed, at the moment of these tracks, if it is among them."""
        places = np.flatnonzero(tracks.track_id == crossed.track_id)
        if len(places):
            one = one_object(tracks, Motion.of(seen.take(found)), int(places[0]))
            crossed.boxes.update(zip(tracks.track_id.tolist(), one.tolist(), strict=True))

    def is_new(
        self, now: float, tracks: Tracks, seen: NDArray[Any], found: IntArray, place: int, sign: int
    ) -> bool:
        """Return whether the track at ``place`` crosses as an object of its own; it is remembered."""
        track_id, box = int(tracks.track_id[place]), tracks.xyxy[place]
        size = float((box[2:] - box[:2]).prod())
        one = one_object(tracks, Motion.of(seen.take(found)), place)
        boxes = dict(zip(tracks.track_id.tolist(), one.tolist(), strict=True))
        for crossed in self._recent:
            if crossed.sign != sign or crossed.track_id == track_id:
                continue
            self._compare(crossed, tracks, seen, found)
            if crossed.boxes.get(track_id):
                if size > crossed.size:
                    crossed.track_id, crossed.size = track_id, size
                    crossed.boxes.update(boxes)
                return False
        self._recent.append(Crossed(now, sign, track_id, size, boxes))
        return True

    def has(self, track_id: int, sign: int) -> bool:
        """Return whether this is a second box on an object that has crossed."""
        return any(c.sign == sign and c.boxes.get(track_id, False) for c in self._recent)

    def state(self) -> Json:
        """Return who crossed a moment ago."""
        return [
            [c.time, c.sign, c.track_id, c.size, [[key, value] for key, value in c.boxes.items()]]
            for c in self._recent
        ]

    def restore(self, state: Json) -> None:
        """Go on from there."""
        for time, sign, track_id, size, boxes in state:
            self._recent.append(Crossed(time, sign, track_id, size, dict(boxes)))
