"""One box for each object, of what was found in a whole picture and in its tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections
from bytetrack.boxes import iou as box_iou
from bytetrack.types import FloatArray
from tracker.detectors.windows import together

SAME = 0.5  # IoU from which boxes of two views are one object
PART = 0.7  # part of a cut box that must be in another box for it to be a part of that
NEAR = 4.0  # pixels at the tiles' scale: a box so near a cutting edge is cut
SMALL = 96.0  # side of a box at the tiles' scale up to which a tile sees it better than the whole picture
WHOLE = -1


@dataclass(frozen=True)
class View:
    """What a tile shows of the picture: a box in its pixels, and which of its edges cut what is there."""

    xyxy: tuple[float, float, float, float]
    cuts: tuple[bool, bool, bool, bool]  # left, top, right, bottom: not the picture's own
    scale: float  # pixels of the tile per pixel of the picture

    def cut(self, xyxy: FloatArray) -> NDArray[np.bool_]:
        """Return (N, 4): by which edges a box is cut."""
        near = np.abs(xyxy - np.array(self.xyxy)) <= NEAR / self.scale
        cut: NDArray[np.bool_] = near & np.array(self.cuts)
        return cut


def merge(
    whole: Detections,
    parts: Sequence[Detections],
    views: Sequence[View],
    *,
    max_det: int = 300,
    iou: float = 0.7,
) -> Detections:
    """Return the objects of a picture, best first, each once; boxes are in pixels of the picture.

    ``iou`` is from where two boxes are one object whatever their class.

    Boxes that no edge cuts are matched between the views, best first, each with at most one of each other
    view: who was told apart within a view stays apart. Small ones keep the box of a tile, others that of the
    whole picture, both the better score. A cut box is dropped where it is a part of one of these; what is
    left of them is joined across the edges, being too large for a tile and too faint in the whole picture.
    """
    boxes = together([whole, *parts])
    view = np.repeat(np.arange(WHOLE, len(parts)), [len(whole), *map(len, parts)])
    cut = np.concatenate(
        [np.zeros((len(whole), 4), bool), *(v.cut(p.xyxy) for v, p in zip(views, parts, strict=True))]
    )
    is_cut = cut.any(axis=1)
    uncut = np.flatnonzero(~is_cut)
    kept, best = _matched(boxes, view, uncut, views[0].scale, iou)
    xyxy, score, class_id = boxes.xyxy[kept], boxes.score[best], boxes.class_id[best]
    left = np.flatnonzero(is_cut)
    if len(left) and len(kept):
        # A piece of something large is often taken for something else.
        large = (xyxy[:, 2:] - xyxy[:, :2]).max(axis=1) * views[0].scale > SMALL
        part_of = inside(boxes.xyxy[left], xyxy) * (large | (boxes.class_id[left][:, None] == class_id))
        left = left[part_of.max(axis=1) < PART]
    joined = _joined(boxes, view, cut, left)
    chosen = replace(boxes[kept], score=score, class_id=class_id)  # whatever else is known of its own box
    result = together([chosen, joined])
    return result[np.argsort(-result.score, kind="stable")[:max_det]]


def inside(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """Return (N, M): the part of each box that is in each of the others, 0 to 1."""
    top_left = np.maximum(boxes[:, None, :2], others[None, :, :2])
    bottom_right = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    area = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    own = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-9)
    part: FloatArray = area / own[:, None]
    return part


def _matched(
    boxes: Detections, view: NDArray[np.intp], rows: NDArray[np.intp], scale: float, iou: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (K,) the row with the box of each object, and (K,) that with the best score for it."""
    sides = (boxes.xyxy[rows, 2:] - boxes.xyxy[rows, :2]).max(axis=1, initial=0) * scale
    small = sides <= SMALL
    better = small == (view[rows] != WHOLE)  # whose box is the better one
    order = rows[np.lexsort((-boxes.score[rows], ~better))]
    overlap = box_iou(boxes.xyxy[order], boxes.xyxy[order])
    other = boxes.class_id[order][:, None] != boxes.class_id[order]
    overlap[overlap < np.where(other, iou, SAME)] = 0
    overlap[~other & (overlap > 0)] += 1  # those of the same class come first
    where = view[order]
    taken = np.zeros(len(order), bool)
    kept, best = [], []
    for number in range(len(order)):
        if taken[number]:
            continue
        alike = np.flatnonzero((overlap[number] > 0) & ~taken & (where != where[number]))
        alike = alike[np.argsort(-overlap[number, alike], kind="stable")]
        first = np.unique(where[alike], return_index=True)[1]  # the most alike of each view
        taken[alike[first]] = taken[number] = True
        kept.append(order[number])
        seen = np.append(order[alike[first]], order[number])
        best.append(seen[np.argmax(boxes.score[seen])])
    return np.array(kept, np.intp), np.array(best, np.intp)


def _joined(
    boxes: Detections, view: NDArray[np.intp], cut: NDArray[np.bool_], rows: NDArray[np.intp]
) -> Detections:
    """Return one box for all pieces that continue each other, in neighbouring tiles."""
    group = np.arange(len(rows))
    for one in range(len(rows)):
        for other in range(one):
            if _continues(boxes, view, cut, rows[one], rows[other]):
                group[group == group[one]] = group[other]
    found = []
    for number in np.unique(group):
        members = rows[group == number]
        xyxy = boxes.xyxy[members]
        best = members[np.argmax(boxes.score[members])]
        around = np.concatenate([xyxy[:, :2].min(axis=0), xyxy[:, 2:].max(axis=0)])
        found.append(replace(boxes[[int(best)]], xyxy=around[None]))
    return together(found)


def _continues(
    boxes: Detections, view: NDArray[np.intp], cut: NDArray[np.bool_], one: np.intp, other: np.intp
) -> bool:
    """Whether two pieces are of one thing: one is in the other, or they extend alike across the edge."""
    if view[one] == view[other] or boxes.class_id[one] != boxes.class_id[other]:
        return False
    a, b = boxes.xyxy[one], boxes.xyxy[other]
    shared = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if (shared <= 0).any():
        return False
    if shared.prod() >= PART * min((a[2:] - a[:2]).prod(), (b[2:] - b[:2]).prod()):
        return True
    for axis in (0, 1):
        facing = (cut[one, axis + 2] and cut[other, axis]) or (cut[other, axis + 2] and cut[one, axis])
        across = 1 - axis
        longer = max(a[across + 2] - a[across], b[across + 2] - b[across])
        both = (cut[one, across::2] | cut[other, across::2]).any()  # cut that way, too: lengths tell nothing
        if facing and (both or shared[across] >= SAME * longer):
            return True
    return False
