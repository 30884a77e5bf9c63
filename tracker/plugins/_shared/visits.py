"""Whose visit it is: two boxes on one object are one visitor, two people one behind the other are two.

A second box waits in that of its one host, at one and the same moment, and for no longer than `SHADOW_S`
unless it shows itself a part: of another class, or moved along with the host. A part that gets out of step
with its host, or out of its box, is somebody of its own after all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray
from tracker.plugins._shared.anchors import LONGEST_S, SHADOW_OVERLAP, SHADOW_S, box_size
from tracker.plugins._shared.geometry import overlap_of_smaller
from tracker.plugins._shared.motion import baseline_s, velocity
from tracker.plugins._shared.plugin_state import PluginState
from tracker.plugins._shared.track_history import CUT_SIZES, INHERIT_GROWTH, ROUNDING_S

APART_OVERLAP = 0.5  # two boxes taken for one object are two once less than this of the smaller is common
JOINT_SIZES = 0.5  # who went so far with its host, in its own sizes, moves as a part of it
LOOSE_SIZES = 0.25  # who is so far out of step with it does not, at once or in a second
PLACE_PX = 1.0  # how exactly a box is placed
HIDDEN_S = 0.5  # sooner the tracks themselves tell who continues whom (`track_history.TrackHistory`)
WALK_SIZES_PER_S, WALK_SIZES = 2.0, 2.0  # how fast, and how far at most, somebody goes while hidden
BACK_SIZES = 0.25  # so far behind the place where it was lost nobody comes out again ...
SLOW_SIZES_PER_S = 0.25  # ... who walked faster than this
VISIT = ("inside", "since_s", "in_s", "entered_id", "visited", "loitered")  # what a visit consists of
COLUMNS = (
    ("inside", np.bool_),  # a visit is open
    ("since_s", np.float64),  # when it began: the frame, ...
    ("in_s", np.float64),  # ... and the passing of the border itself
    ("entered_id", np.int64),  # who began it: the first number of that object
    ("left_s", np.float64),  # when the last visit ended
    ("visited", np.bool_),  # is counted among the visitors
    ("loitered", np.bool_),  # the alarm of this visit has gone off
    ("waiting", np.bool_),  # shares its place with a visitor, its host, and may be a part of it
    ("host", np.int64),  # the host's track_id
    ("part", np.bool_),  # has shown that it is one
    ("met_s", np.float64),  # when the two were first seen so ...
    ("met", np.float64, (4,)),  # ... the host's box then ...
    ("met_at", np.float64, (2,)),  # ... and the middle of its own
)


def host_of(memory: PluginState, row: int, passed_s: float, *, fresh: bool) -> int | None:
    """Return the row of the visitor of whom this one is a second box: what somebody carries, a lorry's cab.

    The two share their place now, and passed the border together (this one at ``passed_s``), or this one was
    first seen in the larger one's box, or they are of two classes and move as one: a backpack's lower edge
    passes long before or after its owner's feet. Of several the one that shares most is meant.
    """
    own, seen, found = memory.own, memory.seen, memory.found
    common = overlap_of_smaller(seen["xyxy"][row], seen["xyxy"][found])
    common[found == row] = 0.0
    if common.max(initial=0.0) <= SHADOW_OVERLAP:
        return None
    inside = own["inside"][found]
    together_s = SHADOW_S + _lag_s(memory, row)
    chosen = inside & (np.abs(own["since_s"][found] - passed_s) <= together_s)
    chosen |= own["visited"][found] & ~inside & (np.abs(own["left_s"][found] - passed_s) <= SHADOW_S)
    if fresh:
        chosen |= inside & (box_size(seen["xyxy"][found]) >= box_size(seen["xyxy"][row][None]))
    chosen |= inside & _moves_along(memory, row)
    common[~chosen] = 0.0
    best = int(common.argmax())
    return int(found[best]) if common[best] > SHADOW_OVERLAP else None


def _lag_s(memory: PluginState, row: int) -> FloatArray:
    """Return how long after each track of the frame (M,) this row passes a border if both are one object.

    The middle of a slow lorry is over it long after the cab's. 0 where nothing moves or is known.
    """
    seen = memory.seen.take(memory.found)
    apart = np.hypot(*(seen["anchor"] - memory.seen["anchor"][row]).T)
    speed = np.nan_to_num(np.hypot(*velocity(seen).T))
    lag: FloatArray = np.divide(apart, speed, out=np.zeros(len(seen)), where=speed > 0)
    return np.minimum(lag, LONGEST_S)


def _moves_along(memory: PluginState, row: int) -> NDArray[np.bool_]:
    """Return which tracks of the frame (M,) are of another class than this row's and keep step with it."""
    seen, found = memory.seen, memory.found
    along: NDArray[np.bool_] = seen["class_id"][found] != seen["class_id"][row]
    if np.count_nonzero(along):
        rows, own = seen.take(found), seen[[row]]
        smaller = np.minimum(box_size(rows["xyxy"]), box_size(own["xyxy"]))
        placed = PLACE_PX / np.minimum(baseline_s(rows), baseline_s(own))  # NaN, and no step: seen once
        along &= np.hypot(*(velocity(rows) - velocity(own)).T) <= LOOSE_SIZES * smaller + placed
    return along


def meet(memory: PluginState, row: int, host: int, now: float) -> None:
    """Let a row wait in its host's box."""
    own, seen = memory.own, memory.seen
    box = seen["xyxy"][row]
    own["waiting"][row], own["host"][row], own["met_s"][row] = True, seen["track_id"][host], now
    own["part"][row] = seen["class_id"][row] != seen["class_id"][host]
    own["met"][row], own["met_at"][row] = seen["xyxy"][host], (box[:2] + box[2:]) / 2


def waits(memory: PluginState, row: int, now: float) -> bool:
    """Return whether a waiting row still may be a part of its host."""
    own, seen = memory.own, memory.seen
    host = memory.row_of(int(own["host"][row]))
    if host is None:
        return False
    if seen["seen_s"][host] == now:  # where it is hidden nothing can be compared
        box, its = seen["xyxy"][row], seen["xyxy"][host]
        if overlap_of_smaller(box, its[None])[0] <= APART_OVERLAP:
            return False
        size = float(box_size(box[None])[0])
        moved = (box[:2] + box[2:]) / 2 - own["met_at"][row]
        sides = (its - own["met"][row]).reshape(
            2, 2
        )  # how far the host's sides went: a part goes between them
        loose = np.maximum(np.maximum(sides.min(axis=0) - moved, moved - sides.max(axis=0)), 0.0)
        if np.hypot(*loose) > LOOSE_SIZES * size:
            return False
        if np.hypot(*moved) >= JOINT_SIZES * size:
            own["part"][row] = True
    return bool(own["part"][row]) or now - float(own["met_s"][row]) < SHADOW_S - ROUNDING_S


def hidden(memory: PluginState, row: int, now: float, size: tuple[int, int]) -> int | None:
    """Return the row of the visitor whom this newcomer, first seen inside, continues, or None.

    Nobody vanishes in the middle of a zone and nobody comes out of nothing there: who was lost inside and has
    not been seen since is likely to be who appears as near as it can have walked, of its class and size. Not
    who touches the picture's edge, and not who would have turned round: that is the next one, out of the same
    door.
    """
    own, seen = memory.own, memory.seen
    gap = now - seen["seen_s"]
    lost = np.flatnonzero(own["inside"] & (gap >= HIDDEN_S))
    lost = lost[(seen["class_id"][lost] == seen["class_id"][row]) & ~own["unsettled"][lost]]
    if not len(lost):
        return None
    rows = seen[np.append(lost, row)]
    sizes = np.maximum(box_size(rows["xyxy"]), 1.0)
    inner = np.minimum(rows["xyxy"][:, :2], size - rows["xyxy"][:, 2:]).min(axis=1)
    whole = inner > CUT_SIZES * sizes
    if not whole[-1]:
        return None
    way, old = rows["anchor"][-1] - rows["anchor"][:-1], sizes[:-1]
    distance = np.hypot(*way.T) / old
    speed = np.nan_to_num(velocity(rows[:-1]))
    pace = np.maximum(np.hypot(*speed.T), 1e-9)
    back = -(way * speed).sum(axis=1) / pace / old
    near = whole[:-1] & (distance <= np.minimum(WALK_SIZES, WALK_SIZES_PER_S * gap[lost]))
    near &= (back <= BACK_SIZES) | (pace < SLOW_SIZES_PER_S * old)
    near &= np.maximum(sizes[-1] / old, old / sizes[-1]) <= INHERIT_GROWTH
    return int(lost[np.where(near, distance, np.inf).argmin()]) if near.any() else None


def hand_over(memory: PluginState, giver: int, taker: int) -> None:
    """Let ``taker`` go on with the visit of ``giver``, who has been no visitor then."""
    own = memory.own
    for name in VISIT:
        own[name][taker] = own[name][giver]
    for name in ("inside", "visited", "loitered"):
        own[name][giver] = False
