"""Pictures as they are meant to be seen: upright, not mirrored, pixels square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, SupportsFloat

import cv2
import numpy as np
from av.video.frame import VideoFrame

from tracker.types import Image

STRETCH = 4  # beyond it a header lies; the widest in use, anamorphic film, is 2
SQUARE = 0.01  # an aspect this near to 1 is somebody's rounding


@dataclass(frozen=True)
class Upright:
    """How decoded pictures become upright: turned over, mirrored, then scaled to ``size``."""

    size: tuple[int, int]  # width, height
    transpose: bool = False  # x and y changed for one another, before mirroring
    mirror: bool = False  # left for right
    flip: bool = False  # top for bottom

    def bgr(self, frame: VideoFrame) -> Image:
        """Return a decoded frame as (H, W, 3) BGR of ``size``, whatever size it has."""
        image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
        if self.transpose:
            image = np.asarray(cv2.transpose(image), np.uint8)
        if self.mirror or self.flip:
            code = -1 if self.mirror and self.flip else int(self.mirror)
            image = np.asarray(cv2.flip(image, code), np.uint8)
        height, width = image.shape[:2]
        if (width, height) != self.size:
            smaller = self.size[0] < width or self.size[1] < height
            way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            image = np.asarray(cv2.resize(image, self.size, interpolation=way), np.uint8)
        return image


def upright(frame: VideoFrame, aspect: SupportsFloat | None) -> Upright:
    """Return how pictures like this one become upright; ``aspect`` is width by height of a pixel."""
    width, height = frame.width, frame.height
    ratio = float(aspect or 1)  # a Fraction until PyAV 18
    if abs(ratio - 1) > SQUARE and 1 / STRETCH <= ratio <= STRETCH:
        if ratio > 1:  # no line is lost either way
            width = round(width * ratio)
        else:
            height = round(height / ratio)
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Upright((width, height))
    # Rows a b u, c d v, x y w: a point goes to (a x + c y, b x + d y). Angles between go to the nearest.
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Upright((height, width), True, c < 0, b < 0)
    return Upright((width, height), False, a < 0, d < 0)
