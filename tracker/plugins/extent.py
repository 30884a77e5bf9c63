"""The height each object has had, and with it where its feet are while something hides them.

The lower edge is the least sure of a box's four: somebody passes in front, or the box swallows whoever stands
behind, and it jumps by half a body within a frame, over a line and back, while the upper edge goes on as
before. An object's height changes slowly. So where the height jumps, the top goes on and there is a cause
(an occluder over the part in question, a falling score, a fall faster than any body's), the feet are the top
plus the height it has had. Where the height truly changes (somebody comes towards the camera, sits down) it
is followed: at once without a cause, after `HOLD_S` with one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray, IntArray
from tracker.plugins.anchors import CUT_PX, cut_by_edge

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
MOST_S = 5.0  # for no longer is a growth extrapolated
NOISE = 0.03  # standard deviation of the logarithm of a height before anything is known

FEET_PART = 0.15  # of the height, below the box: where feet would be that something hides

COLUMNS = [
    ("height", np.float64),  # logarithm of the height in pixels
    ("growth", np.float64),  # its change per second
    ("unrest", np.float64),  # variance of what the height was off by
    ("rise", np.float64),  # velocity of the top, pixels per second
    ("steady_s", np.float64),  # for how long the height is known
    ("doubt_s", np.float64),  # since when the box does not fit the object; NaN: it fits
    ("usual_score", np.float64),
    ("step_s", np.float64),  # between two sightings with no frame missed; 0: seen once
]


def whole_boxes(
    rows: NDArray[Any],
    found: IntArray,
    now: float,
    xyxy: FloatArray,
    score: FloatArray,
    size: tuple[int, int],
) -> tuple[FloatArray, Mask, Mask]:
    """Return boxes (M, 4) down to the feet, which of them are in doubt (M,), and who is somebody else (M,).

    ``rows`` are those of a `Sighting` (their boxes and times are still those of the frame before), of which
    ``found`` (M,) belong to the boxes ``xyxy`` (M, 4) of this frame; `COLUMNS` are brought up to ``now``.
    """
    was = rows.take(found)
    height = np.log(np.maximum(xyxy[:, 3] - xyxy[:, 1], 1.0))
    fresh = np.isnan(was["anchor"][:, 0])
    passed = np.where(fresh, 0.0, np.clip(now - was["seen_s"], 0.0, MOST_S))  # clocks may run backwards
    expected = was["height"] + was["growth"] * passed
    off = height - expected
    unseen = (passed > CHANGED_GAP_S) & (passed > MISSED_STEPS * was["step_s"])
    cut = _cut(xyxy, size)  # of such a height nothing is known
    other = ~fresh & unseen & (np.abs(off) > CHANGED) & ~cut & ~_cut(was["xyxy"], size)

    top = was["xyxy"][:, 1] + was["rise"] * passed
    top_moved, tall = xyxy[:, 1] - top, np.exp(expected)
    foot_moved = np.abs(xyxy[:, 3] - top - tall)
    misfit = np.abs(off) > np.maximum(TOLERANCE, UNREST * np.sqrt(was["unrest"]))
    misfit &= (np.abs(top_moved) < TOP_PART * foot_moved) & (off < SWALLOWED)
    misfit &= (was["steady_s"] >= STEADY_S) & ~cut & ~other & ~fresh

    doubt = np.zeros(len(xyxy), np.bool_)
    since = was["doubt_s"]
    whole = xyxy
    places = np.flatnonzero(misfit)
    if len(places):
        feet = xyxy[places, 1] + tall[places]
        cause = (score[places] < FALLING * was["usual_score"][places]) | ~np.isnan(since[places])
        cause |= cut_by_edge(xyxy[places], size)
        lower, upper = was["xyxy"][places, 3], was["xyxy"][places, 1]
        shrunk = np.log(np.maximum(lower - upper, 1.0)) - height[places]
        cause |= shrunk > LEAP_PER_S * passed[places]
        cause |= covered(xyxy, places, xyxy[places, 3], feet) > COVERED
        places, feet = places[cause], feet[cause]
        since[places] = np.where(np.isnan(since[places]), now, since[places])
        held = now - since[places] < HOLD_S
        places, feet = places[held], feet[held]
        doubt[places] = True
        whole = xyxy.copy()
        whole[places, 3] = feet

    believed = ~doubt & ~np.isnan(since) & (np.abs(off) > TOLERANCE)
    anew = fresh | other | cut | believed
    gain = 1 - np.exp(-passed / MEMORY_S)
    noise_gain = 1 - np.exp(-passed / NOISE_MEMORY_S)
    top_gain = 1 - np.exp(-passed / TOP_MEMORY_S)
    per_s = 1 / np.maximum(passed, 1e-3)
    learn = ~doubt & ~anew
    gain, noise_gain = np.where(learn, gain, 0.0), np.where(learn, noise_gain, 0.0)
    # Height and top: alpha-beta filters, beta = alpha² / (2 - alpha) (Benedict and Bordner 1962).
    was["height"] = np.where(anew, height, expected + gain * off)
    growth = was["growth"] + gain * gain / (2 - gain) * off * per_s
    was["growth"] = np.where(anew, 0.0, np.clip(np.where(doubt, growth * np.exp(-passed), growth), -1, 1))
    unrest = was["unrest"] + noise_gain * (off * off - was["unrest"])
    was["unrest"] = np.where(fresh | other, NOISE**2, unrest)
    rise = was["rise"] + top_gain * top_gain / (2 - top_gain) * top_moved * per_s
    was["rise"] = np.where(fresh | other, 0.0, rise)
    was["steady_s"] = np.where(anew, 0.0, was["steady_s"] + np.where(learn, passed, 0.0))
    was["doubt_s"] = np.where(doubt, since, np.nan)
    usual = was["usual_score"] + gain * (score - was["usual_score"])
    was["usual_score"] = np.where(fresh | other, score, usual)
    step = np.where(unseen & (was["step_s"] > 0), was["step_s"], passed)
    was["step_s"] = np.where(fresh | other, 0.0, step)
    for name, _ in COLUMNS:
        rows[name][found] = was[name]
    return whole, doubt, other


def _cut(xyxy: FloatArray, size: tuple[int, int]) -> Mask:
    """Return which boxes (M, 4) end at the picture's upper or lower edge: they are cut in their height."""
    cut: Mask = (xyxy[:, 3] >= size[1] - CUT_PX) | (xyxy[:, 1] <= CUT_PX)
    return cut


def hidden_feet(xyxy: FloatArray, place: int) -> float:
    """Return the part of what lies just below the box at ``place`` that a nearer one of ``xyxy`` covers."""
    bottom = xyxy[place, 3]
    strip = bottom + FEET_PART * (bottom - xyxy[place, 1])
    return float(covered(xyxy, np.array([place]), np.array([bottom]), np.array([strip]))[0])


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
