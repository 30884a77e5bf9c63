"""Make the pictures of masks, skeletons, rotated boxes and blur again: ``python -m videos.shapes_picture``.

It needs no network: silhouettes are those of which the sample clip is made, keypoints stand where those of a
walking body are, by proportion, and boats lie where they were drawn.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections, Tracks
from bytetrack.masks import Crop, Masks
from bytetrack.rotated import upright
from bytetrack.types import FloatArray
from tracker.drawing.annotate import DrawOptions, draw
from tracker.drawing.blur import Blurring
from tracker.types import Frame, Image, Result
from videos.harbour import BOATS, harbour
from videos.street import VISITS, Walk, frames

PLACE = Path(__file__).parent.parent / "docs" / "pictures"
MOMENT = 9  # the frame of the street that is shown
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


def pictures() -> dict[str, Image]:
    """Return each picture under its name."""
    street, _ = next(islice(frames(), MOMENT, None))
    image: Image = np.ascontiguousarray(street)
    numbers, crops = silhouettes(MOMENT, image.shape[:2])
    masks = Masks.of(crops, image.shape[:2])
    low, size = masks.xyxy[:, None, :2], (masks.xyxy[:, 2:] - masks.xyxy[:, :2])[:, None]
    keypoints = np.concatenate(
        [low + size * np.array(BODY), np.full((len(numbers), len(BODY), 1), 0.9)], axis=2
    )
    boats = np.array([boat.rotated for boat in BOATS])
    everybody = Blurring(frozenset({0}))
    plain = DrawOptions(confidences=False)
    return {
        "masks": _drawn(image, "person", numbers, masks.xyxy, plain, masks=masks)[PART],
        "skeletons": _drawn(image, "person", numbers, masks.xyxy, plain, keypoints=keypoints)[PART],
        "rotated": _drawn(
            harbour(), "ship", [*range(1, len(boats) + 1)], upright(boats), plain, rotated=boats
        ),
        "blurred": _drawn(
            image, "person", numbers, masks.xyxy, replace(plain, blurring=everybody, boxes=False), masks=masks
        )[PART],
    }


def _drawn(
    image: Image, name: str, numbers: list[int], boxes: FloatArray, options: DrawOptions, **shapes: Any
) -> Image:
    rows = np.arange(len(numbers))
    tracks = Tracks(np.array(numbers), boxes, np.full(len(rows), 0.9), rows * 0, rows, **shapes)
    result = Result(Frame(image, MOMENT, 0.0), Detections.empty(), tracks)
    return draw(result, {0: name}, options=options)


def main() -> None:
    """Write the pictures."""
    argparse.ArgumentParser(prog="python -m videos.shapes_picture", description=__doc__).parse_args()
    for name, picture in pictures().items():
        place = PLACE / f"{name}.jpg"
        place.write_bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
        print(place)


if __name__ == "__main__":
    main()
