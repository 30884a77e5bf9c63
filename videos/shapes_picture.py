"""Make the picture of shapes in the manual again: ``python -m videos.shapes_picture``.

It needs no network: silhouettes are those of which the sample clip is made, rotated boxes are the smallest
around them, and keypoints stand where those of a walking body are, by proportion.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections, Tracks
from bytetrack.masks import Crop, Masks
from bytetrack.types import FloatArray
from tracker.drawing.annotate import DrawOptions, draw
from tracker.types import Frame, Image, Result
from videos.street import VISITS, Walk, frames

PLACE = Path(__file__).parent.parent / "docs" / "pictures" / "shapes.jpg"
MOMENT = 9  # the frame that is shown
PART = slice(150, 530), slice(20, 390)  # rows and columns of it
QUALITY = 85
# Of a body: x in parts of its width, y of its height; nose, eyes, ears, then pairs from shoulders to ankles.
BODY = (
    *((0.5, 0.08), (0.47, 0.06), (0.53, 0.06), (0.43, 0.08), (0.57, 0.08)),
    *((0.3, 0.2), (0.7, 0.2), (0.22, 0.34), (0.78, 0.34), (0.24, 0.48), (0.76, 0.48)),
    *((0.38, 0.52), (0.62, 0.52), (0.36, 0.74), (0.64, 0.74), (0.32, 0.95), (0.68, 0.95)),
)


def silhouettes(frame: int, shape: tuple[int, int]) -> tuple[list[int], list[Crop]]:
    """Return who is in a frame, and of each the part of the picture that shows it, nearer ones in front."""
    owner = np.zeros(shape, np.int64)
    things = [(visit.visit, Walk(visit).at(frame)) for visit in VISITS]
    there = [(number, thing) for number, thing in things if thing is not None]
    for number, thing in sorted(there, key=lambda one: one[1].ground):
        height, width = thing.bgra.shape[:2]
        top, left = max(thing.top, 0), max(thing.left, 0)
        where = owner[top : thing.top + height, left : thing.left + width]
        solid = (
            thing.bgra[top - thing.top :, left - thing.left :, 3][: where.shape[0], : where.shape[1]] > 0.5
        )
        where[solid] = number
    numbers = [number for number in np.unique(owner).tolist() if number]
    return numbers, [_crop(owner == number) for number in numbers]


def _crop(inside: NDArray[np.bool_]) -> Crop:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    y, x = int(rows[0]), int(columns[0])
    return Crop(x, y, inside[y : rows[-1] + 1, x : columns[-1] + 1])


def turned(mask: Crop) -> FloatArray:
    """Return the smallest rotated box around a silhouette, (5,)."""
    ys, xs = np.nonzero(mask.inside)
    points = np.column_stack([xs + mask.x, ys + mask.y]).astype(np.float32)
    (x, y), (w, h), degrees = cv2.minAreaRect(points)
    return np.array([x, y, w, h, np.radians(degrees)])


def main() -> None:
    """Draw the same moment three times, side by side."""
    picture, _ = next(islice(frames(), MOMENT, None))
    image: Image = np.ascontiguousarray(picture)
    numbers, crops = silhouettes(MOMENT, image.shape[:2])
    masks = Masks.of(crops, image.shape[:2])
    boxes, count = masks.xyxy, len(numbers)
    low, size = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None]
    keypoints = np.concatenate([low + size * np.array(BODY), np.full((count, len(BODY), 1), 0.9)], axis=2)
    rows = np.arange(count)
    tracks = [
        Tracks(np.array(numbers), boxes, np.full(count, 0.9), rows * 0, rows, **shapes)
        for shapes in (
            {"masks": masks},
            {"keypoints": keypoints},
            {"rotated": np.array([turned(crop) for crop in crops])},
        )
    ]
    frame = Frame(image, MOMENT, 0.0)
    drawn = [
        draw(Result(frame, Detections.empty(), one), {0: "person"}, options=DrawOptions(confidences=False))[
            PART
        ]
        for one in tracks
    ]
    jpeg = cv2.imencode(".jpg", np.hstack(drawn), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    PLACE.write_bytes(jpeg.tobytes())
    print(PLACE)


if __name__ == "__main__":
    main()
