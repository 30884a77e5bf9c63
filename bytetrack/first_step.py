"""The second sight of what goes far between two frames: its first box and its next hardly overlap.

At 5 frames a second a car in town goes more than half its length from frame to frame. Once it is followed it
is found where it is expected, but its first step is not known, and who was seen once is only looked for where
it was: it was never followed. So who was seen once, a frame ago, may be a box that nobody took if both have
the same class and about the same size, and it can have got there. A step is the more likely the more others
go so, too: so many of their own sizes the same way. One that more take than any other that would claim the
same box, or start from the same, is believed; one that nobody else takes if nobody like them is near and a
third box lies where the step leads: two false boxes that flicker look like one thing that goes far.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bytetrack.boxes import iou, xywh_to_xyxy
from bytetrack.reunion import GREATEST_RATIO, REACH, REACH_PER_S
from bytetrack.types import FloatArray, IntArray

Mask: TypeAlias = NDArray[np.bool_]
SIZES_PER_S = 25.0  # nothing goes faster: a ball goes 20, a car of 2.8 m (root of its area) at 150 km/h 15
ALIKE_SIZES = 0.4  # two steps that differ by no more, in their own sizes, are alike
LEAST_STEP = 0.25  # sizes: who goes less far overlaps itself
LITTLE = 0.35  # IoU: a usual score would have let them pair, so boxes that overlap more are no step
MOST = 60  # of either kind: in such a crowd nothing can be told


class Boxes(NamedTuple):
    """N boxes and what they are of."""

    xywh: FloatArray  # (4, N)
    class_id: IntArray  # (N,)

    @property
    def size(self) -> FloatArray:
        """The side of the square of equal area (N,), pixels."""
        size: FloatArray = np.sqrt(np.abs(self.xywh[2] * self.xywh[3]))
        return np.maximum(size, 1e-3)


def first_steps(
    once: Boxes, new: Boxes, seen: Boxes, speed: FloatArray, passed: float, frame_rate: float
) -> list[tuple[int, int, bool]]:
    """Return which of those seen ``once`` and which ``new`` box are one, as indices, and if others go so.

    ``seen`` are the M tracks that have a box in this frame, with their ``speed`` (2, M) in pixels per nominal
    frame, NaN where it is not known; ``passed`` such frames lie between the two sights.
    """
    if max(len(once.class_id), len(new.class_id)) > MOST:
        return []
    passed_s = passed / frame_rate
    step = new.xywh[:2, None, :] - once.xywh[:2, :, None]  # (2, T, N)
    scale = np.sqrt(new.size[None] * once.size[:, None])
    reach = min(REACH + REACH_PER_S * passed_s, SIZES_PER_S * passed_s) * scale
    possible = (np.hypot(step[0], step[1]) <= reach) & (new.class_id[None] == once.class_id[:, None])
    possible &= (
        np.maximum(new.size[None] / once.size[:, None], once.size[:, None] / new.size[None]) <= GREATEST_RATIO
    )
    possible &= iou(xywh_to_xyxy(once.xywh).T, xywh_to_xyxy(new.xywh).T) <= LITTLE
    if not np.count_nonzero(possible):
        return []
    t, n = possible.nonzero()
    way = step[:, t, n] / scale[t, n]
    moved = speed * passed / seen.size
    moved = moved[:, np.hypot(*moved) >= LEAST_STEP]
    alike = np.hypot(*(way[:, :, None] - way[:, None, :])) <= ALIKE_SIZES
    also = np.array([min(len(set(t[row])), len(set(n[row]))) for row in alike])
    also += (np.hypot(*(way[:, :, None] - moved[:, None, :])) <= ALIKE_SIZES).sum(axis=1)
    rival = (t[:, None] == t) | (n[:, None] == n)
    np.fill_diagonal(rival, False)
    sure = also > np.where(rival, also[None], 0).max(axis=1, initial=0)
    far = reach[t, n]
    return [
        (int(t[k]), int(n[k]), bool(also[k] > 1))
        for k in sure.nonzero()[0]
        if also[k] > 1 or not (_near(once, t[k], seen, far[k]) or _near(new, n[k], seen, far[k]))
    ]


def came_from(
    lost: Boxes, place: FloatArray, since: FloatArray, new: Boxes, speed: FloatArray
) -> dict[int, int]:
    """Return which box continues which lost track, as indices: its speed tells where it came from.

    The tracks were last seen at ``place`` (2, L), ``since`` (L,) frames ago; a box goes ``speed`` (2, N).
    """
    came = new.xywh[:2, :, None] - speed[:, :, None] * since  # (2, N, L)
    off = np.hypot(*(came - place[:, None])) / np.sqrt(new.size[:, None] * lost.size)
    ratio = new.size[:, None] / lost.size
    possible = (off <= ALIKE_SIZES) & (new.class_id[:, None] == lost.class_id)
    possible &= np.maximum(ratio, 1 / ratio) <= GREATEST_RATIO
    alone = possible & (possible.sum(axis=1) == 1)[:, None] & (possible.sum(axis=0) == 1)
    return {int(n): int(at) for n, at in zip(*alone.nonzero(), strict=True)}


def _near(some: Boxes, place: int, seen: Boxes, reach: float) -> bool:
    """Return whether a track that was found is like a box and as near to it."""
    x, y = some.xywh[:2, place]
    ratio = seen.size / some.size[place]
    alike = (seen.class_id == some.class_id[place]) & (np.maximum(ratio, 1 / ratio) <= GREATEST_RATIO)
    return bool((alike & (np.hypot(seen.xywh[0] - x, seen.xywh[1] - y) <= reach)).any())
