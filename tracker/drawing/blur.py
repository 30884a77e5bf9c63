"""Blur who must not be recognised: whole objects by their masks or boxes, and faces by keypoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections, Tracks
from bytetrack.types import FloatArray
from tracker.drawing.shapes import JOINTS
from tracker.drawing.surface import Surface
from tracker.types import Image, OptionError, Planes, Result

CELLS = 6  # what is left of the shorter side: nobody is recognised by so few
ROOM = 0.06  # of a box, added at each side: feet and hair stick out of boxes
MASK_ROOM = 0.04  # of the longer side of a mask, by which it grows
FACE = slice(0, 5)  # nose, eyes and ears of COCO's skeleton
FACE_SURE = 0.2  # confidence from which a point of a face counts: rather one too many
FACE_ROOM = 1.6  # the radius of a face is so many times the farthest of its points from their middle
FACE_LEAST = 0.06  # and at least this part of its person's height


@dataclass(frozen=True)
class Blurring:
    """Whom to blur."""

    classes: frozenset[int] | None = None  # whole; None: nobody whole
    faces: bool = False


def blurred(result: Result, blurring: Blurring) -> Image:
    """Return the picture of a result, a copy, with nothing drawn on it but whom to blur blurred."""
    image: Image = result.frame.image.copy()
    blur_on(image, result, blurring)
    return image


def blur_on(image: Surface, result: Result, blurring: Blurring) -> None:
    """Blur, in place, whoever was detected however weakly, and whoever is followed, seen or supposed.

    Raises ``OptionError`` for faces of a skeleton whose face is not known: none would be blurred.
    """
    for things in (result.detections, result.tracks):
        if blurring.classes is not None:
            rows = np.flatnonzero(np.isin(things.class_id, list(blurring.classes)))
            for row in rows.tolist():
                _blur_one(image, things, row)
        if blurring.faces and things.keypoints is not None:
            joints = things.keypoints.shape[1]
            if joints != JOINTS:
                raise OptionError(
                    f"--blur face knows the faces of skeletons with COCO's {JOINTS} keypoints, and these "
                    f"have {joints}; --blur person needs none"
                )
            for row in range(len(things)):
                for cover, left, top in _faces(things.keypoints[row], things.xyxy[row]):
                    _blur(image, left, top, cover)


def _blur_one(image: Surface, things: Detections | Tracks, row: int) -> None:
    seen_now = not isinstance(things, Tracks) or things.source[row] >= 0
    mask = things.masks.crop(row) if things.masks is not None and seen_now else None
    if mask is not None and mask.inside.size:
        grown = max(2, round(MASK_ROOM * max(mask.inside.shape)))
        cover = cv2.copyMakeBorder(
            mask.inside.astype(np.uint8), grown, grown, grown, grown, cv2.BORDER_CONSTANT, value=0
        )
        around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grown + 1,) * 2)
        _blur(image, mask.x - grown, mask.y - grown, np.asarray(cv2.dilate(cover, around), bool))
        return
    box = things.xyxy[row]
    if not np.isfinite(box).all():
        return
    room = ROOM * (box[2:] - box[:2])
    low, high = np.floor(box[:2] - room).astype(int), np.ceil(box[2:] + room).astype(int)
    low, high = np.maximum(low, 0), np.minimum(high, image.shape[1::-1])
    if (high > low).all():
        _blur(image, int(low[0]), int(low[1]), np.ones((high - low)[::-1], bool))


def _faces(keypoints: FloatArray, xyxy: FloatArray) -> Iterator[tuple[NDArray[np.bool_], int, int]]:
    """Yield the round place of a face where any of its points is known, with its left and top."""
    points = keypoints[FACE]
    points = points[points[:, 2] >= FACE_SURE][:, :2]
    if not len(points):
        return
    centre = points.mean(axis=0)
    farthest = float(np.hypot(*(points - centre).T).max())
    radius = max(FACE_ROOM * farthest, FACE_LEAST * float(xyxy[3] - xyxy[1]), 2.0)
    side = int(np.ceil(radius))
    y, x = np.mgrid[-side : side + 1, -side : side + 1]
    yield np.asarray(x**2 + y**2 <= radius**2), round(centre[0]) - side, round(centre[1]) - side


def _blur(image: Surface, left: int, top: int, cover: NDArray[np.bool_]) -> None:
    """Blur where ``cover`` is, whose first pixel is at (left, top), as far as it is in the picture."""
    height, width = image.shape[:2]
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(left + cover.shape[1], width), min(top + cover.shape[0], height)
    if x2 <= x1 or y2 <= y1:
        return
    cover = cover[y1 - top : y2 - top, x1 - left : x2 - left]
    if not isinstance(image, Planes):
        _blur_plane(image[y1:y2, x1:x2], cover)
        return
    _blur_plane(image.y[y1:y2, x1:x2], cover)
    # A pixel of colour belongs to four of luminance: it is blurred where any of them is.
    even = np.zeros(((y2 + 1) // 2 * 2 - y1 // 2 * 2, (x2 + 1) // 2 * 2 - x1 // 2 * 2), bool)
    even[y1 % 2 : y1 % 2 + cover.shape[0], x1 % 2 : x1 % 2 + cover.shape[1]] = cover
    half = even[::2, ::2] | even[1::2, ::2] | even[::2, 1::2] | even[1::2, 1::2]
    for plane in (image.u, image.v):
        part = plane[y1 // 2 : (y2 + 1) // 2, x1 // 2 : (x2 + 1) // 2]
        _blur_plane(part, half[: part.shape[0], : part.shape[1]])


def _blur_plane(part: NDArray[np.uint8], cover: NDArray[np.bool_]) -> None:
    """Blur a part of a picture or plane in place: only `CELLS` along its shorter side stay."""
    height, width = part.shape[:2]
    cell = max(min(height, width) / CELLS, 1.0)
    few = max(round(width / cell), 1), max(round(height / cell), 1)
    coarse = cv2.resize(part, few, interpolation=cv2.INTER_AREA)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    part[cover] = smooth[cover]
