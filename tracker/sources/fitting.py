"""Pictures of a stream whose size may change: all of the size of the first, none stretched."""

from __future__ import annotations

from typing import SupportsFloat

import cv2
import numpy as np
from av.video.frame import VideoFrame

from tracker.sources.orientation import orientation_of
from tracker.types import Image, Pixels

GREY = 114  # of the bars beside a picture of another shape; the network knows it as "nothing here"
SAME_SHAPE = 0.02  # an aspect ratio that differs by less is a matter of rounding to whole macroblocks


class Fitting:
    """Makes upright pictures of the size of the first one.

    Lines and zones are drawn in that size. A picture of another shape is scaled to fit, with bars beside it.
    """

    def __init__(self, first: VideoFrame, aspect: SupportsFloat | None) -> None:
        self._orientation = orientation_of(first, aspect)
        self.size = self._orientation.size  # width, height
        self._coded = first.width, first.height
        self._note: str | None = None

    def take_note(self) -> str | None:
        """Return what the user should know of the last picture: that its size has changed; once."""
        note, self._note = self._note, None
        return note

    def pixels(self, frame: VideoFrame, aspect: SupportsFloat | None) -> Pixels:
        """Return a frame of ``size``, as it came where it has it; ``aspect`` is width by height of pixels."""
        if self._coded != (frame.width, frame.height):
            self._coded = frame.width, frame.height
            self._orientation = orientation_of(frame, aspect)
            self._note = change(self._orientation.size, self.size)
        if self._orientation.size == self.size:
            return self._orientation.pixels(frame)
        return fitted(self._orientation.bgr(frame), self.size)


def change(now: tuple[int, int], first: tuple[int, int]) -> str:
    """Tell how pictures are shown whose size has changed; sizes are (width, height).

    >>> change((1280, 720), (640, 480))
    'the picture is 1280x720 now; fitted into 640x480 with bars: check lines and zones'
    """
    new, old = (f"{width}x{height}" for width, height in (now, first))
    if now == first:
        return f"the picture is {new} again"
    if same_shape(now, first):
        return f"the picture is {new} now; scaled to {old}, in which lines and zones are"
    how = f"fitted into {old} with bars: check lines and zones"
    return f"the picture is {new} now; {how}"


def same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes (width, height) have the same aspect ratio."""
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) <= SAME_SHAPE


def fitted(image: Image, size: tuple[int, int]) -> Image:
    """Return a picture scaled to fit ``size`` (width, height), with bars where its shape is another."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    gain = min(size[0] / width, size[1] / height)
    inner = size
    if not same_shape((width, height), size):
        inner = max(round(width * gain), 1), max(round(height * gain), 1)
    way = cv2.INTER_AREA if gain < 1 else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(image, inner, interpolation=way), np.uint8)
    if inner == size:
        return scaled
    whole = np.full((size[1], size[0], 3), GREY, np.uint8)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    whole[top : top + inner[1], left : left + inner[0]] = scaled
    return whole
