"""How well one detector agrees with another: whose boxes are found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bytetrack import Detections
from bytetrack.boxes import iou as box_iou


@dataclass(frozen=True)
class Agreement:
    """How many boxes of one detector another one finds."""

    boxes: int  # that were looked for
    found: float  # share of them that are found at the required overlap, 0 to 1
    score_difference: float  # mean of second less first, over those found


def agreement(
    first: Sequence[Detections], second: Sequence[Detections], *, iou: float = 0.9, conf: float = 0.0
) -> Agreement:
    """Find the boxes of ``first`` with a score of at least ``conf`` in ``second``, image by image.

    >>> one = Detections([[0, 0, 10, 10], [50, 50, 60, 60]], [0.8, 0.6], [0, 0])
    >>> other = Detections([[0, 0, 10, 10.5]], [0.7], [0])
    >>> agreement([one], [other])
    Agreement(boxes=2, found=0.5, score_difference=-0.1)
    """
    boxes, differences = _found_again(first, second, iou, conf)
    return _told(boxes, differences)


def mutual_agreement(
    first: Sequence[Detections], second: Sequence[Detections], *, iou: float = 0.8, conf: float = 0.3
) -> Agreement:
    """Find the boxes of either detector that score ``conf`` or more among all boxes of the other.

    A box that one sees at 0.31 and the other at 0.29 is no disagreement; one that only one of them sees is.

    >>> one = Detections([[0, 0, 10, 10], [50, 50, 60, 60]], [0.8, 0.2], [0, 0])
    >>> other = Detections([[0, 0, 10, 10.5], [50, 50, 60, 60], [70, 0, 80, 10]], [0.7, 0.3, 0.5], [0, 0, 0])
    >>> mutual_agreement([one], [other])
    Agreement(boxes=4, found=0.75, score_difference=-0.0333)
    """
    here, differences = _found_again(first, second, iou, conf)
    there, opposite = _found_again(second, first, iou, conf)
    return _told(here + there, differences + [-one for one in opposite])


def _found_again(
    first: Sequence[Detections], second: Sequence[Detections], iou: float, conf: float
) -> tuple[int, list[float]]:
    """Return how many boxes there are to find, and the difference in score of each that is found."""
    boxes, differences = 0, []
    for here, there in zip(first, second, strict=True):
        here = here[here.score >= conf]
        boxes += len(here)
        if len(here) and len(there):
            overlap = box_iou(here.xyxy, there.xyxy) * (here.class_id[:, None] == there.class_id)
            best = overlap.argmax(axis=1)
            found = overlap.max(axis=1) >= iou
            differences += (there.score[best] - here.score)[found].tolist()
    return boxes, differences


def _told(boxes: int, differences: list[float]) -> Agreement:
    mean = round(float(np.mean(differences)), 4) if differences else 0.0
    return Agreement(boxes, len(differences) / boxes if boxes else 1.0, mean + 0.0)
