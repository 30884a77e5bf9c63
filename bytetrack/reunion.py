"""The last association: a lost object and a new box without rivals are one, wherever the box is.

What is small, fast and jerky, such as a ball or a board, is found again where nobody expected it: after a
bounce its box does not overlap the predicted one. Overlap is needed to tell objects apart, and where there is
only one object nothing must be told apart. So a track that was seen a moment ago takes a new box if

- both have the same class and about the same size (the side of the square of equal area),
- it can have got there: no farther from where it was last seen than the way it would have gone on, in any
  direction, and some sizes more for every second,
- nobody else alike is as near to the box, or to the place of the track: no track, no other new box.

In a crowd somebody else is always near.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import hypot, sqrt
from typing import NamedTuple

import numpy as np

from bytetrack.types import FloatArray, IntArray

LONGEST_S = 0.7  # since it was last seen
GREATEST_RATIO = 1.6  # of two sizes that are alike
REACH = 1.0  # sizes, at once
REACH_PER_S = 5.0  # sizes


def size_of(width: float, height: float) -> float:
    """Return the side of the square of equal area; a predicted box may have shrunk beyond nothing."""
    return sqrt(abs(width * height))


class Possible(NamedTuple):
    """A lost track and a new box that may be one, without a third that may be either."""

    lost: int  # indices
    new: int
    place: tuple[float, float]  # where the track was last seen
    reach: float  # how far from there was possible


def alone_together(
    belief: FloatArray, since: FloatArray, new_xywh: FloatArray, frame_rate: float
) -> list[Possible]:
    """Return which lost tracks and new boxes (4, N) may be one, nobody else of them being as near to either.

    The tracks have positions and velocities (2, 4, L) and were last seen ``since`` (L,) frames ago. Both are
    few: plain numbers take less time than arrays would.
    """
    rows = zip(*belief[0].tolist(), *belief[1, :2].tolist(), since.tolist(), strict=True)
    tracks = [
        (
            x - unseen * x_speed,
            y - unseen * y_speed,
            size := sqrt(abs(w * h)),
            growth := (REACH + REACH_PER_S * unseen / frame_rate) / 2,
            size * growth + unseen * hypot(x_speed, y_speed),
        )
        for x, y, w, h, x_speed, y_speed, unseen in rows
    ]
    found = []
    for new, (new_x, new_y, w, h) in enumerate(new_xywh.T.tolist()):
        new_size = size_of(w, h)
        for lost, (x, y, size, growth, own_reach) in enumerate(tracks):
            reach = own_reach + new_size * growth
            if (
                -reach <= x - new_x <= reach  # which tells most of them
                and hypot(x - new_x, y - new_y) <= reach
                and 1 <= GREATEST_RATIO * size / new_size <= GREATEST_RATIO**2
            ):
                found.append(Possible(lost, new, (x, y), reach))
    if len(found) < 2:
        return found
    of_lost, of_new = Counter(one.lost for one in found), Counter(one.new for one in found)
    return [one for one in found if of_lost[one.lost] == of_new[one.new] == 1]


@dataclass(frozen=True, eq=False)
class Seen:
    """The M tracks that have a box in this frame."""

    xywh: FloatArray  # (4, M)
    class_id: IntArray  # (M,)

    def rival(self, place: tuple[float, float], size: float, class_id: int, reach: float) -> bool:
        """Return whether one of them is alike and within ``reach`` of a place."""
        apart = np.hypot(self.xywh[0] - place[0], self.xywh[1] - place[1])
        for near in (apart <= reach).nonzero()[0].tolist():
            ratio = size_of(*self.xywh[2:, near].tolist()) / size
            if self.class_id[near] == class_id and 1 / GREATEST_RATIO <= ratio <= GREATEST_RATIO:
                return True
        return False
