"""What networks find beside upright boxes: masks, keypoints, rotated boxes; read from their raw output.

The steps are those of ultralytics (8.4), in numpy: neither torch nor torchvision is needed for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bytetrack import Detections
from bytetrack.masks import Crop, Masks
from bytetrack.rotated import alike, regular, upright
from bytetrack.types import FloatArray, IntArray
from tracker.detectors.letterbox import Letterbox
from tracker.detectors.settings import Settings
from tracker.detectors.suppress import MOST, boxes_in_image, suppress

KINDS = ("detect", "segment", "pose", "obb")  # the tasks of ultralytics whose weights give boxes
BLOCK = 256  # rotated boxes that are compared at a time


@dataclass(frozen=True)
class Head:
    """What a network gives, and how its output is laid out.

    The raw output is (4 + classes + extra, A), or (A, 6 + extra) of a ``final`` one; ``extra`` are the
    coefficients of a mask, the numbers of the keypoints or an angle.
    """

    kind: str = "detect"
    classes: int = 80
    keypoints: tuple[int, int] = (0, 0)  # how many, and numbers of each: x, y and mostly a confidence
    final: bool = False  # whether the network suppresses itself


def read_shapes(
    output: FloatArray,
    protos: FloatArray | None,
    box: Letterbox,
    settings: Settings,
    classes: Sequence[int] | None,
    head: Head,
) -> Detections:
    """Return the detections in one raw output with their shapes, in pixels of the picture.

    ``protos``, (32, h, w), are what the masks of a ``segment`` network are made of.
    """
    boxes, score, class_id, extra = _candidates(np.asarray(output, np.float32), settings.conf, classes, head)
    if head.kind == "obb":
        rotated = np.concatenate([boxes, extra[:, -1:]], axis=1)
        return _rotated(rotated, score, class_id, box, settings, head)
    kept = np.arange(len(score)) if head.final else suppress(_ltwh(boxes), score, settings.iou)
    kept = kept[: settings.max_det]
    xywh, extra = boxes[kept].astype(np.float64), extra[kept]
    xyxy = np.concatenate([xywh[:, :2] - xywh[:, 2:] / 2, xywh[:, :2] + xywh[:, 2:] / 2], axis=1)
    found = boxes_in_image(xyxy, score[kept], class_id[kept], box)
    inside = box.to_picture(xyxy)
    extra = extra[(inside[:, 2] > inside[:, 0]) & (inside[:, 3] > inside[:, 1])]
    if head.kind == "pose":
        return replace(found, keypoints=_keypoints(extra, head.keypoints, box))
    assert protos is not None
    masks = assembled(extra, np.asarray(protos, np.float32), found.xyxy, box)
    return replace(found, masks=masks)[masks.area > 0]  # as ultralytics: an empty mask is no object


def _candidates(
    output: FloatArray, conf: float, classes: Sequence[int] | None, head: Head
) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
    """Return xywh (N, 4), score, class and extra numbers of what scores above ``conf``, the best `MOST`."""
    if head.final:
        rows = output[output[:, 4] > conf]
        boxes, score, class_id, extra = rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64), rows[:, 6:]
        if head.kind != "obb":  # those of obb are centre and size already
            boxes = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
    else:
        scores = output[4 : 4 + head.classes]
        anchors = np.flatnonzero(scores.max(axis=0) > conf)
        chosen = output[:, anchors].T
        class_id = chosen[:, 4 : 4 + head.classes].argmax(axis=1)
        score = chosen[np.arange(len(chosen)), 4 + class_id]
        boxes, extra = chosen[:, :4], chosen[:, 4 + head.classes :]
    if classes is not None:
        wanted = np.isin(class_id, classes)
        boxes, score, class_id, extra = boxes[wanted], score[wanted], class_id[wanted], extra[wanted]
    order = np.argsort(-score, kind="stable")[:MOST]
    return boxes[order], score[order], class_id[order], extra[order]


def _ltwh(xywh: FloatArray) -> FloatArray:
    ltwh: FloatArray = xywh.astype(np.float64)
    ltwh[:, :2] -= ltwh[:, 2:] / 2
    return ltwh


def _keypoints(extra: FloatArray, shape: tuple[int, int], box: Letterbox) -> FloatArray:
    """Return (N, J, 3) keypoints of the picture; a network without confidences is sure of all."""
    points = extra.reshape(-1, *shape)
    xy = box.points_to_picture(points[..., :2])
    sure = points[..., 2:3] if shape[1] > 2 else np.ones_like(points[..., :1])
    return np.concatenate([xy, sure], axis=2).astype(np.float32)


def _rotated(
    rotated: FloatArray,
    score: FloatArray,
    class_id: IntArray,
    box: Letterbox,
    settings: Settings,
    head: Head,
) -> Detections:
    """Return rotated boxes of the picture; ``xyxy`` are the upright boxes around them, not clipped."""
    if not head.final:
        kept = suppress_rotated(rotated, settings.iou, settings.max_det)
        rotated, score, class_id = rotated[kept], score[kept], class_id[kept]
    rotated = regular(box.rotated_to_picture(rotated[: settings.max_det]))
    rotated[:, 2:4] = np.abs(rotated[:, 2:4])  # what networks without training give; the box is the same
    n = len(rotated)
    xyxy = upright(rotated).astype(np.float32)
    found = Detections(xyxy, score[:n].astype(np.float32), class_id[:n].astype(np.int64), rotated=rotated)
    return found[np.flatnonzero((rotated[:, 2:4] > 0).all(axis=1))]


def suppress_rotated(rotated: FloatArray, limit: float, most: int) -> IntArray:
    """Return the rows that are kept, ``most`` of them, of (N, 5) boxes in order of score.

    A box goes where a better one is more alike than ``limit``, even if that one goes too: ultralytics' fast
    suppression, and its measure (`bytetrack.rotated.alike`).
    """
    kept: list[int] = []
    for start in range(0, len(rotated), BLOCK):
        block = rotated[start : start + BLOCK]
        above = np.zeros(len(block), bool)
        for other in range(0, start + 1, BLOCK):
            near = alike(rotated[other : other + BLOCK], block) > limit
            above |= (np.triu(near, 1) if other == start else near).any(axis=0)
        kept += (start + np.flatnonzero(~above)).tolist()
        if len(kept) >= most:
            break
    return np.array(kept[:most], np.int64)


def assembled(coefficients: FloatArray, protos: FloatArray, xyxy: FloatArray, box: Letterbox) -> Masks:
    """Return the masks of (N, 4) boxes of the picture, one at a time and each within its box only.

    A mask is where the sum of the ``protos`` (C, h, w) by (N, C) ``coefficients``, scaled linearly to the
    picture, is above 0.
    """
    height, width = box.picture
    # ultralytics scales up by 1, 2 or 4 before it takes off the padding, so that whole cells go.
    fine = next((f for f in (1, 2, 4) if all(side * f % 4 == 0 for side in (box.top, box.left))), 4)
    across = Side(box.inner[1] / width, box.left, box.inner[1], box.shape[1] / protos.shape[2], fine)
    down = Side(box.inner[0] / height, box.top, box.inner[0], box.shape[0] / protos.shape[1], fine)
    crops = []
    for weights, corners in zip(coefficients, np.ceil(xyxy).astype(np.int64), strict=True):
        x1, x2 = np.clip(corners[0::2], 0, width).tolist()
        y1, y2 = np.clip(corners[1::2], 0, height).tolist()
        columns, right = across.cells(x1, x2)
        rows, lower = down.cells(y1, y2)
        if not len(columns) or not len(rows):
            crops.append(Crop(0, 0, np.zeros((0, 0), bool)))
            continue
        part = protos[:, rows[0] : rows[-1] + 2, columns[0] : columns[-1] + 2]
        sums = np.tensordot(weights, part, 1)
        rows, columns = rows - rows[0], columns - columns[0]
        after = np.minimum(rows + 1, sums.shape[0] - 1)
        tall = sums[rows] + (sums[after] - sums[rows]) * lower[:, None]
        after = np.minimum(columns + 1, sums.shape[1] - 1)
        left = tall[:, columns]
        crops.append(Crop(x1, y1, left + (tall[:, after] - left) * right > 0))
    return Masks.of(crops, box.picture)


class Side(NamedTuple):
    """How one side of the picture lies in the protos."""

    gain: float  # pixels of the input per pixel of the picture
    padding: int  # pixels of the input before the picture
    inner: int  # and of the picture in it
    cell: float  # pixels of the input per cell of the protos
    fine: int  # parts of a cell at which the picture begins and ends

    def cells(self, start: int, end: int) -> tuple[IntArray, FloatArray]:
        """Return of each pixel the cell before its middle, and how far, 0 to 1, it is to the next."""
        middle = ((np.arange(start, end) + 0.5) * self.gain + self.padding) / self.cell - 0.5
        first, edge = self.padding / self.cell, (0.5 / self.fine) - 0.5
        middle = np.clip(middle, first + edge, first + self.inner / self.cell - 1 - edge)
        cell = np.maximum(np.floor(middle), 0).astype(np.int64)
        return cell, np.maximum(middle - cell, 0).astype(np.float32)
