"""Convert the raw output of a network to detections: threshold, classes, non-maximum suppression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from bytetrack import Detections
from bytetrack.types import FloatArray, IntArray
from tracker.detectors.letterbox import Letterbox
from tracker.detectors.settings import Settings

MOST = 30_000  # candidates for suppression, best first (ultralytics' max_nms)


def read_boxes(
    output: FloatArray, box: Letterbox, settings: Settings, classes: Sequence[int] | None, count: int
) -> Detections:
    """Return the detections in one raw output, in pixels of the image.

    ``output`` is (4 + count + extra, A): centre x, y, width, height and a score per class for each of A
    anchors; ``count`` is the number of classes. A box has the class of its best score; classes are
    filtered before suppression, which ignores classes (both as ultralytics does with ``agnostic_nms``).
    """
    scores = output[4 : 4 + count]
    best = scores.max(axis=0)
    anchors = np.flatnonzero(best > settings.conf)
    class_id = scores[:, anchors].argmax(axis=0)
    if classes is not None:
        wanted = np.isin(class_id, classes)
        anchors, class_id = anchors[wanted], class_id[wanted]
    score = best[anchors]
    if len(score) > MOST:
        top = np.argsort(-score, kind="stable")[:MOST]
        anchors, class_id, score = anchors[top], class_id[top], score[top]
    x, y, width, height = output[:4, anchors].astype(np.float64)
    ltwh = np.stack([x - width / 2, y - height / 2, width, height], axis=1)
    kept = suppress(ltwh, score, settings.iou)[: settings.max_det]
    xyxy = np.concatenate([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]], axis=1)
    return boxes_in_image(xyxy[kept], score[kept], class_id[kept], box)


def read_final_boxes(
    output: FloatArray, box: Letterbox, settings: Settings, classes: Sequence[int] | None
) -> Detections:
    """Return the detections of a network that suppresses itself: ``output`` is (A, 6) xyxy, score, class."""
    rows = output[output[:, 4] > settings.conf]
    class_id = rows[:, 5].astype(np.int64)
    if classes is not None:
        wanted = np.isin(class_id, classes)
        rows, class_id = rows[wanted], class_id[wanted]
    ltwh = np.concatenate([rows[:, :2], rows[:, 2:4] - rows[:, :2]], axis=1).astype(np.float64)
    kept = suppress(ltwh, rows[:, 4], settings.iou)[: settings.max_det]  # one object may have two classes
    return boxes_in_image(rows[kept, :4], rows[kept, 4], class_id[kept], box)


def suppress(ltwh: FloatArray, score: FloatArray, iou: float) -> IntArray:
    """Return the rows that are kept, best first: greedy suppression of overlaps above ``iou``.

    >>> suppress(np.array([[0, 0, 9, 9], [0, 0, 9, 8], [20, 0, 9, 9]]), np.array([0.5, 0.9, 0.3]), 0.7)
    array([1, 2])
    """
    if len(score) == 0:
        return np.empty(0, np.int64)
    boxes: Any = ltwh.astype(np.float64)  # arrays are accepted, although OpenCV's type stubs do not say so
    scores: Any = score.astype(np.float32)
    return np.asarray(cv2.dnn.NMSBoxes(boxes, scores, 0.0, iou), np.int64).reshape(-1)


def boxes_in_image(xyxy: FloatArray, score: FloatArray, class_id: IntArray, box: Letterbox) -> Detections:
    """Return boxes of the network's input as ``Detections`` of the image, without those in the padding."""
    inside = box.to_picture(xyxy)
    seen = (inside[:, 2] > inside[:, 0]) & (inside[:, 3] > inside[:, 1])
    return Detections(inside, score.astype(np.float32), class_id.astype(np.int64))[seen]
