"""The boxes that stand: those of windows replace what was there before, what was not looked at stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections
from bytetrack.boxes import iou
from bytetrack.types import FloatArray, IntArray
from tracker.detectors.windows import together

SAME = 0.6  # IoU above which a box that stands and a new one are one object
ALIKE = 0.3  # IoU from which a box that was cut may be the object of one that stands
PART = 0.7  # of a cut box inside a box that stands: it is a part of that
OWED = 0.2  # score from which a box that was cut, and was not known, is looked at again


def replaced(
    standing: Detections,
    trusted: FloatArray,
    found: Sequence[Detections],
    touched: Callable[[FloatArray], NDArray[np.bool_]],
) -> tuple[Detections, FloatArray]:
    """Return the boxes that stand once windows were looked at, best first; and boxes that must be seen again.

    ``trusted`` is (W, 4): the part of each window in which no box is cut; ``found`` are the boxes of each
    window; ``touched`` says in which of (N, 4) boxes anything changed. All is in pixels of the picture.

    Where nothing changed, what stood stays: a window shows the network less of what is around than the whole
    picture does, and things that do not move get other scores in it, mostly higher ones. A box that is cut
    replaces nothing: what stood in its place stays or, if nothing did, the box is among the (K, 4) to be
    looked at again, whole.
    """
    found = [boxes[np.flatnonzero(touched(boxes.xyxy))] for boxes in found]
    whole = [
        boxes[np.flatnonzero(inside(boxes.xyxy, part))] for boxes, part in zip(found, trusted, strict=True)
    ]
    cut = together(
        [boxes[np.flatnonzero(~inside(boxes.xyxy, part))] for boxes, part in zip(found, trusted, strict=True)]
    )
    new = distinct(together(whole))
    cut = cut[np.flatnonzero(~(iou(cut.xyxy, new.xyxy) > SAME).any(axis=1))]
    seen = np.zeros(len(standing), bool)
    for part in trusted:
        seen |= inside(standing.xyxy, part)
    seen &= touched(standing.xyxy)
    stays = ~seen | (iou(standing.xyxy, cut.xyxy) > ALIKE).any(axis=1)
    stays &= ~(iou(standing.xyxy, new.xyxy) > SAME).any(axis=1)
    kept = standing[np.flatnonzero(stays)]
    known = (iou(cut.xyxy, kept.xyxy) > ALIKE).any(axis=1) | (contained(cut.xyxy, kept.xyxy) > PART).any(
        axis=1
    )
    again = cut.xyxy[~known & (cut.score >= OWED)]
    return best_first(together([kept, new])), again


def inside(xyxy: FloatArray, part: FloatArray) -> NDArray[np.bool_]:
    """Return (N,): which boxes lie in the rectangle ``part``."""
    return np.asarray(
        (xyxy[:, :2] >= part[:2] - 0.5).all(axis=1) & (xyxy[:, 2:] <= part[2:] + 0.5).all(axis=1)
    )


def distinct(boxes: Detections) -> Detections:
    """Return boxes without those that were found in two windows, the less sure ones."""
    if len(boxes) < 2:
        return boxes
    ordered = best_first(boxes)
    twice = np.triu(iou(ordered.xyxy, ordered.xyxy) > SAME, 1).any(axis=0)
    return ordered[np.flatnonzero(~twice)]


def best_first(boxes: Detections) -> Detections:
    """Return boxes in order of score."""
    order: IntArray = np.argsort(-boxes.score, kind="stable")
    return boxes[order]


def contained(xyxy: FloatArray, others: FloatArray) -> FloatArray:
    """Return (N, M): the part of each box that lies in each other box."""
    low = np.maximum(xyxy[:, None, :2], others[None, :, :2])
    high = np.minimum(xyxy[:, None, 2:], others[None, :, 2:])
    area = np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1)[:, None]
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=2) / np.maximum(area, 1e-9))


def agree(one: Detections, other: Detections, score: float) -> bool:
    """Say whether two sets of boxes tell of the same objects; those below ``score`` count for nothing."""
    if not len(one) and not len(other):
        return True
    overlap = iou(one.xyxy, other.xyxy) > 0.5
    sure, surely = one.score >= score, other.score >= score
    return bool((overlap.any(axis=1) | ~sure).all() and (overlap.any(axis=0) | ~surely).all())
