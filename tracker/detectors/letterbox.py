"""Fit an image into the network's input, and convert boxes back to the image.

The geometry is that of ultralytics (``LetterBox`` and ``scale_boxes``, version 8.4), so that boxes agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bytetrack.types import FloatArray
from tracker.detectors.settings import STRIDE
from tracker.types import Image, Pixels, Planes

GREY = 114  # the padding with which YOLO was trained


@dataclass(frozen=True)
class Letterbox:
    """An image scaled to fit, centred, with grey padding. All sizes are (height, width) in pixels."""

    picture: tuple[int, int]
    shape: tuple[int, int]  # of the network's input
    inner: tuple[int, int]  # of the scaled image in it
    top: int
    left: int

    @classmethod
    def fit(cls, picture: tuple[int, int], target: tuple[int, int], *, rectangular: bool = True) -> Letterbox:
        """Fit an image into ``target``; ``rectangular`` reduces the padding to less than a stride.

        >>> Letterbox.fit((576, 768), (640, 640)).shape
        (480, 640)
        """
        gain = min(target[0] / picture[0], target[1] / picture[1])
        inner = max(round(picture[0] * gain), 1), max(round(picture[1] * gain), 1)
        pad = target[0] - inner[0], target[1] - inner[1]
        if rectangular:
            pad = pad[0] % STRIDE, pad[1] % STRIDE
        shape = inner[0] + pad[0], inner[1] + pad[1]
        # By the 0.1 an odd pixel of padding goes to the bottom and the right.
        return cls(picture, shape, inner, round(pad[0] / 2 - 0.1), round(pad[1] / 2 - 0.1))

    def blank(self, count: int = 1) -> Image:
        """Return ``count`` grey network inputs, (count, H, W, 3)."""
        return np.full((count, *self.shape, 3), GREY, np.uint8)

    def fill(self, image: Pixels, out: Image) -> None:
        """Scale ``image`` into ``out``, one input of ``blank``; the padding is not written."""
        height, width = self.inner
        window = out[self.top : self.top + height, self.left : self.left + width]
        if isinstance(image, Planes):
            image.scaled(self.inner, window)
        elif self.inner == self.picture:
            window[:] = image
        else:
            cv2.resize(image, (width, height), dst=window, interpolation=cv2.INTER_LINEAR)

    @classmethod
    def of_input(cls, shape: tuple[int, int]) -> Letterbox:
        """Return that of an input which is its own picture: boxes stay in pixels of the input."""
        return cls(shape, shape, shape, 0, 0)

    def to_input(self, xyxy: FloatArray) -> FloatArray:
        """Return (N, 4) boxes of the image as boxes of the network's input."""
        boxes: FloatArray = xyxy * np.tile(self._gain, 2) + np.tile(self._start, 2)
        return boxes

    def to_picture(self, xyxy: FloatArray) -> FloatArray:
        """Return (N, 4) boxes of the network's input as boxes of the image, clipped at its edges."""
        gain = np.array([self.inner[1] / self.picture[1], self.inner[0] / self.picture[0]] * 2)
        boxes = (xyxy - np.array([self.left, self.top] * 2)) / gain
        limit = np.array([self.picture[1], self.picture[0]] * 2, boxes.dtype)
        clipped: FloatArray = np.clip(boxes, 0, limit).astype(np.float32)
        return clipped

    def points_to_picture(self, xy: FloatArray) -> FloatArray:
        """Return points (..., 2) of the network's input as points of the picture, within its edges."""
        limit = np.array([self.picture[1], self.picture[0]], np.float64)
        points: FloatArray = np.clip((xy - self._start) / self._gain, 0, limit)
        return points

    def rotated_to_picture(self, rotated: FloatArray) -> FloatArray:
        """Return (N, 5) rotated boxes of the network's input as those of the picture, not clipped."""
        moved = np.array(rotated, np.float32)
        moved[:, :2] = (rotated[:, :2] - self._start) / self._gain
        moved[:, 2:4] = rotated[:, 2:4] / self._gain
        return moved

    @property
    def _gain(self) -> FloatArray:
        return np.array([self.inner[1] / self.picture[1], self.inner[0] / self.picture[0]])

    @property
    def _start(self) -> FloatArray:
        return np.array([self.left, self.top])


def scaled(image: Pixels, size: tuple[int, int]) -> Image:
    """Return an image scaled to ``size``, (height, width), as `Letterbox.fill` does; it may be itself."""
    if isinstance(image, Planes):
        return image.scaled(size)
    if image.shape[:2] == size:
        return image
    made = np.empty((*size, 3), np.uint8)
    cv2.resize(image, size[::-1], dst=made, interpolation=cv2.INTER_LINEAR)
    return made
