"""Draw what there is beside boxes: translucent masks with clean outlines, skeletons, rotated boxes."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.masks import Crop, Masks
from bytetrack.rotated import corners
from bytetrack.types import FloatArray
from tracker.drawing.raster import Style, blend, fixed
from tracker.drawing.surface import Bgr, Surface, polylines

OPACITY = 0.4  # of a mask
SURE = 0.5  # confidence from which a keypoint is drawn, as ultralytics draws them
SMOOTH_PX = 0.7  # an outline may be so far from the pixels of its mask
ROOM = 1.5  # of a line around what it connects
Outline = NDArray[np.int32]

# The skeleton of COCO: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles; left before right.
LIMBS = (
    *((0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6)),  # head
    *((5, 7), (7, 9)),  # left arm
    *((6, 8), (8, 10)),  # right arm
    *((5, 6), (5, 11), (6, 12), (11, 12)),  # trunk
    *((11, 13), (13, 15)),  # left leg
    *((12, 14), (14, 16)),  # right leg
)
JOINTS = 17
_HEAD, _LEFT_ARM, _RIGHT_ARM = (80, 220, 90), (255, 170, 40), (60, 110, 255)  # BGR, far from each other
_TRUNK, _LEFT_LEG, _RIGHT_LEG = (230, 90, 220), (255, 240, 70), (40, 210, 255)
COLORS: tuple[Bgr, ...] = (
    *(_HEAD,) * 7,
    *(_LEFT_ARM,) * 2,
    *(_RIGHT_ARM,) * 2,
    *(_TRUNK,) * 4,
    *(_LEFT_LEG,) * 2,
    *(_RIGHT_LEG,) * 2,
)
JOINT: Bgr = (255, 255, 255)


def outlines(mask: Crop) -> list[Outline]:
    """Return the outlines of a mask, outer and inner ones, (n, 2) pixels of the picture each.

    Points lie on the middles of its pixels at the edge; what is smaller than three points is left out.
    """
    if not mask.inside.size:
        return []
    found, _ = cv2.findContours(
        mask.inside.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(mask.x, mask.y)
    )
    smooth = (cv2.approxPolyDP(points, SMOOTH_PX, True).reshape(-1, 2) for points in found)
    return [np.asarray(points, np.int32) for points in smooth if len(points) > 2]


def paint_mask(image: Surface, mask: Crop, color: Bgr, style: Style) -> None:
    """Fill a mask, translucent, and draw its outlines."""
    if not mask.inside.size:
        return
    blend(image, mask.inside.astype(np.uint8) * round(255 * OPACITY), mask.x, mask.y, color)
    for points in outlines(mask):
        middles = fixed(points.astype(np.float64)).reshape(1, -1, 2)
        polylines(image, middles, color, style.width(0.75), closed=True)


def paint_skeleton(image: Surface, keypoints: FloatArray, style: Style) -> None:
    """Draw the sure keypoints (J, 3) of one object, and between those of COCO's skeleton its limbs."""
    drawn = (keypoints[:, 2] >= SURE) & np.isfinite(keypoints).all(axis=1)
    if len(keypoints) == JOINTS:
        strokes: dict[Bgr, list[tuple[int, int]]] = {}
        for limb, color in zip(LIMBS, COLORS, strict=True):
            if drawn[limb[0]] and drawn[limb[1]]:
                strokes.setdefault(color, []).append(limb)
        for color, limbs in strokes.items():
            ends = fixed(keypoints[np.array(limbs).ravel(), :2])
            polylines(image, ends.reshape(-1, 2, 2), color, style.width())
    dots = fixed(keypoints[drawn, :2])
    if len(dots):  # lines of no length with round ends
        polylines(image, np.repeat(dots, 2, axis=0).reshape(-1, 2, 2), JOINT, style.width(2))


def paint_rotated(image: Surface, rotated: FloatArray, color: Bgr, style: Style) -> None:
    """Draw the edges of one rotated box, (5,)."""
    points = fixed(corners(rotated[None])[0]).reshape(1, 4, 2)
    polylines(image, points, color, style.width(), closed=True)


def masks_of(tracks: Tracks) -> Iterator[Crop | None]:
    """Yield the mask of each track that was seen just now; None for the others."""
    for row, source in enumerate(tracks.source.tolist()):
        yield tracks.masks.crop(row) if tracks.masks is not None and source >= 0 else None


def masked_share(masks: Masks | None, picture: tuple[int, ...]) -> float:
    """Return the part of a picture that the boxes of masks cover, 0 to 1 and more where they overlap."""
    if masks is None or not len(masks):
        return 0.0
    sides = masks.xyxy[:, 2:] - masks.xyxy[:, :2]
    return float(sides.prod(axis=1).sum() / (picture[0] * picture[1]))
