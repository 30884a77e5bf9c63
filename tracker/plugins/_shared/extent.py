"""The height each object has had, and with it where its feet are while something hides them.

The lower edge is the least sure of a box's four: somebody passes in front, or the box swallows whoever stands
behind, and it jumps by half a body within a frame, over a line and back, while the upper edge goes on as
before. An object's height changes slowly. So where the height jumps, the top goes on and there is a cause
(an occluder over the part in question, a falling score, a fall faster than any body's), the feet are the top
plus the height it has had. Where the height truly changes (somebody comes towards the camera, sits down) it
is followed: at once without a cause, after `HOLD_S` with one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray, IntArray
from tracker.plugins._shared.anchors import CUT_PX, cut_by_edge

Mask = NDArray[np.bool_]

# Chosen with `python -m benchmarks.lines`; what is near each counts within noise unless said.
TOLERANCE = 0.08  # logarithm of the ratio of two heights: less is the detector's noise ...
UNREST = 3.0  # ... or less than so many standard deviations of this object's own
TOP_PART = 0.5  # the top moved less than this part of what the foot did
SWALLOWED = 0.6  # logarithm of the ratio: who grows by more at once is somebody else
STEADY_S = 0.5  # a height is known after so long without a doubt
HOLD_S = 1.5  # who has the new height for so long has it (somebody sits down); 1 s counts 4 % more false
COVERED = 0.3  # of the part in question lies under another box: a cause
LEAP_PER_S = 1.5  # a height (logarithm) falling faster, head in place: a cause; nobody sits down so
FALLING = 0.75  # a score below this part of the usual one: a cause
CHANGED_GAP_S, CHANGED = 0.2, 0.5  # unseen for so long, then so much (logarithm) higher or lower: another
MISSED_STEPS = 1.5  # who is seen again after more than so many of its steps from frame to frame was unseen
MEMORY_S, NOISE_MEMORY_S, TOP_MEMORY_S = 0.3, 1.0, 0.2  # time constants: height, its noise, the top's speed
MEMORIES_S = np.array([MEMORY_S, TOP_MEMORY_S, NOISE_MEMORY_S])
MOST_S = 5.0  # for no longer is a growth extrapolated
NOISE = 0.03  # standard deviation of the logarithm of a height before anything is known

FEET_PART = 0.15  # of the height, below the box: where feet would be that something hides

# What is known of each object: logarithm of its height, the change of that per second, the variance of what
# it was off by, the velocity of its top (pixels per second), for how long it is known, since when the box
# does not fit (NaN: it fits), its usual score, and the time between two frames in which it was seen, none
# of them missed (0: seen once).
HEIGHT, GROWTH, VARIANCE, RISE, STEADY, DOUBT, USUAL, STEP = range(8)
COLUMN = ("extent", np.float64, (8,))
ZERO, MOST = np.float64(0.0), np.float64(MOST_S)
NO_PLACES: IntArray = np.empty(0, np.int64)


class Change(NamedTuple):
    """How M objects have changed since each was last seen."""

    was: FloatArray  # (8, M) what was known of them, by `COLUMN`
    passed: FloatArray | np.float64  # seconds since; one number where it is the same for all: half the work
    height: FloatArray  # (M,) logarithms: measured, ...
    expected: FloatArray  # ... what it should be, ...
    off: FloatArray  # ... and the difference
    top_moved: FloatArray  # (M,) pixels downwards, more than expected
    score: FloatArray  # (M,)


def whole_boxes(
    rows: NDArray[np.void],
    found: IntArray,
    now: float,
    fresh: Mask,
    xyxy: FloatArray,
    score: FloatArray,
    size: tuple[int, int],
) -> tuple[FloatArray, Mask, Mask]:
    """Return boxes (M, 4) down to the feet, which of them are in doubt (M,), and who is somebody else (M,).

    ``rows`` are those of a `TrackHistory`; their boxes and times are still those of the frame before. Of
    them ``found`` (M,) belong to the boxes ``xyxy`` (M, 4) of this frame; ``fresh`` (M,) were never seen
    before. `COLUMN` is brought up to ``now``.
    """
    none = np.zeros(len(xyxy), np.bool_)
    was = rows["extent"].take(found, axis=0).T
    any_fresh = bool(np.count_nonzero(fresh))
    passed = now - rows["seen_s"][found]
    if not any_fresh and np.count_nonzero(passed == passed[0]) == len(passed):
        passed = longest = min(max(passed[0], ZERO), MOST)  # clocks may run backwards
    else:
        passed = np.minimum(np.maximum(passed, 0.0), MOST_S)
        if any_fresh:
            passed = np.where(fresh, 0.0, passed)
        longest = passed.max()
    top = xyxy[:, 1]
    height = np.log(np.maximum(xyxy[:, 3] - top, 1.0))
    expected = was[HEIGHT] + was[GROWTH] * passed
    off = height - expected
    top_moved = top - rows["xyxy"][:, 1][found] - was[RISE] * passed
    change = Change(was, passed, height, expected, off, top_moved, score)

    cut = anew = _cut(xyxy, size)  # of such a height nothing is known
    first, other, unseen = fresh, none, None
    if longest > CHANGED_GAP_S:
        unseen = (passed > CHANGED_GAP_S) & (passed > MISSED_STEPS * was[STEP])
        other = unseen & ~fresh & (np.abs(off) > CHANGED) & ~cut & ~_cut(rows["xyxy"][found], size)
        first = fresh | other
    hidden, feet, jump = NO_PLACES, xyxy[:0, 3], np.abs(off) > TOLERANCE
    if np.count_nonzero(jump):
        hidden = np.flatnonzero(jump & (was[STEADY] >= STEADY_S) & ~(cut | first))
        if len(hidden):
            hidden, feet = _hidden(change, hidden, now, xyxy, rows["xyxy"][found], size)
        believed = ~np.isnan(was[DOUBT]) & jump
        believed[hidden] = False
        anew = cut | believed
    if any_fresh or first is not fresh:
        anew = anew | first
    rows["extent"][found] = _learned(change, unseen, hidden, anew, first).T
    if not len(hidden):
        return xyxy, none, other
    whole, doubt = xyxy.copy(), np.zeros(len(xyxy), np.bool_)
    whole[hidden, 3], doubt[hidden] = feet, True
    return whole, doubt, other


def _hidden(
    change: Change, places: IntArray, now: float, xyxy: FloatArray, old: FloatArray, size: tuple[int, int]
) -> tuple[IntArray, FloatArray]:
    """Return whose feet are hidden, of those at ``places`` whose height jumps, and where these are (K,).

    Since when they are is written into ``change.was``, that of who only changes is taken out.
    """
    was = change.was
    places = places[_misfits(was[:, places], xyxy[places], change.off[places], change.top_moved[places])]
    if not len(places):
        return places, xyxy[:0, 3]
    feet = xyxy[places, 1] + np.exp(change.expected[places])
    since = np.where(np.isnan(was[DOUBT, places]), now, was[DOUBT, places])
    cause = (change.score[places] < FALLING * was[USUAL, places]) | (since < now)
    cause |= cut_by_edge(xyxy[places], size)
    shrunk = np.log(np.maximum(old[places, 3] - old[places, 1], 1.0)) - change.height[places]
    cause |= shrunk > LEAP_PER_S * _each(change.passed, places)
    cause |= covered(xyxy, places, xyxy[places, 3], feet) > COVERED
    was[DOUBT, places] = np.where(cause, since, np.nan)
    held = cause & (now - since < HOLD_S)
    return places[held], feet[held]


def _learned(change: Change, unseen: Mask | None, hidden: IntArray, anew: Mask, first: Mask) -> FloatArray:
    """Return what is known now, (8, M) by `COLUMN`.

    What is ``hidden`` teaches nothing; a height is learned ``anew`` where the old one tells nothing, all else
    where somebody is there for the ``first`` time.
    """
    was, passed, height, expected, off, top_moved, score = change
    # Height and top: alpha-beta filters, beta = alpha² / (2 - alpha) (Benedict and Bordner 1962).
    gain, top_gain, noise_gain = 1 - np.exp(-np.divide.outer(passed, MEMORIES_S).T)
    per_s = 1 / np.maximum(passed, 1e-3)
    new = np.empty(was.shape)
    np.add(expected, gain * off, out=new[HEIGHT])
    growth = was[GROWTH] + gain * gain / (2 - gain) * off * per_s
    np.minimum(np.maximum(growth, -1.0, out=growth), 1.0, out=new[GROWTH])
    np.add(was[VARIANCE], noise_gain * (off * off - was[VARIANCE]), out=new[VARIANCE])
    np.add(was[RISE], top_gain * top_gain / (2 - top_gain) * top_moved * per_s, out=new[RISE])
    np.add(was[STEADY], passed, out=new[STEADY])
    new[DOUBT] = np.nan
    np.add(was[USUAL], gain * (score - was[USUAL]), out=new[USUAL])
    new[STEP] = passed
    if unseen is not None:
        new[STEP] = np.where(unseen & (was[STEP] > 0), was[STEP], passed)
    if len(hidden):
        for column in (VARIANCE, STEADY, DOUBT, USUAL):
            new[column, hidden] = was[column, hidden]
        new[HEIGHT, hidden] = expected[hidden]
        new[GROWTH, hidden] = was[GROWTH, hidden] * np.exp(-_each(passed, hidden))
    if np.count_nonzero(anew):
        rows = np.flatnonzero(anew)
        new[HEIGHT, rows], new[GROWTH, rows], new[STEADY, rows] = height[rows], 0.0, 0.0
        new[VARIANCE, rows], new[USUAL, rows] = was[VARIANCE, rows], was[USUAL, rows]
        rows = np.flatnonzero(first)
        if len(rows):
            new[VARIANCE, rows], new[RISE, rows], new[STEP, rows] = NOISE**2, 0.0, 0.0
            new[USUAL, rows] = score[rows]
    return new


def _each(passed: FloatArray | np.float64, places: IntArray) -> FloatArray | np.float64:
    return passed[places] if isinstance(passed, np.ndarray) else passed


def _misfits(was: FloatArray, xyxy: FloatArray, off: FloatArray, top_moved: FloatArray) -> Mask:
    """Return whose height (K,) jumps more than it does on its own, while the top goes on as before."""
    expected_foot = xyxy[:, 1] - top_moved + np.exp(np.log(np.maximum(xyxy[:, 3] - xyxy[:, 1], 1.0)) - off)
    foot_moved = np.abs(xyxy[:, 3] - expected_foot)
    misfit: Mask = (np.abs(off) > UNREST * np.sqrt(was[VARIANCE])) & (off < SWALLOWED)
    misfit &= np.abs(top_moved) < TOP_PART * foot_moved
    return misfit


def _cut(xyxy: FloatArray, size: tuple[int, int]) -> Mask:
    """Return which boxes (M, 4) end at the picture's upper or lower edge: they are cut in their height."""
    cut: Mask = (xyxy[:, 3] >= size[1] - CUT_PX) | (xyxy[:, 1] <= CUT_PX)
    return cut


def hidden_feet(xyxy: FloatArray, place: int) -> float:
    """Return the part of what lies just below the box at ``place`` that a nearer one of ``xyxy`` covers."""
    x1, top, x2, bottom = xyxy[place].tolist()
    strip = bottom + FEET_PART * (bottom - top)
    nearer = (xyxy[:, 3] > bottom) & (xyxy[:, 1] < strip) & (xyxy[:, 0] < x2) & (xyxy[:, 2] > x1)
    nearer[place] = False
    if not np.count_nonzero(nearer):
        return 0.0
    nearer[place] = True
    at = np.array([np.count_nonzero(nearer[:place])])
    return float(covered(xyxy[nearer], at, np.array([bottom]), np.array([strip]))[0])


def covered(xyxy: FloatArray, places: IntArray, begin: FloatArray, end: FloatArray) -> FloatArray:
    """Return the greatest part (K,) of a stretch of some boxes, between two heights, that another box covers.

    ``places`` (K,) are rows of ``xyxy`` (M, 4), ``begin`` and ``end`` (K,) pixels from the top. Only a box
    whose own feet are lower than ``begin`` hides them: it stands nearer to the camera.
    """
    x1, _, x2, _ = xyxy[places].T[:, :, None]
    upper, lower = np.minimum(begin, end)[:, None], np.maximum(begin, end)[:, None]
    wide = np.minimum(x2, xyxy[:, 2]) - np.maximum(x1, xyxy[:, 0])
    high = np.minimum(lower, xyxy[:, 3]) - np.maximum(upper, xyxy[:, 1])
    common = np.maximum(wide, 0.0) * np.maximum(high, 0.0)
    common[np.arange(len(places)), places] = 0.0
    common[xyxy[None, :, 3] <= begin[:, None]] = 0.0
    area = (x2 - x1)[:, 0] * (lower - upper)[:, 0]
    part: FloatArray = common.max(axis=1) / np.maximum(area, 1e-9)
    return part
