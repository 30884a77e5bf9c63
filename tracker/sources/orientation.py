"""Rotate pictures upright, undo mirroring, and scale them to square pixels."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, SupportsFloat

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from tracker.planes import BT601, BT709
from tracker.types import Image, Pixels, Planes

STRETCH = 4  # a header that tells more is wrong; anamorphic film, the widest in use, has 2
SQUARE = 0.01  # an aspect that differs from 1 by less is a rounding error


def _plane(frame: VideoFrame, number: int) -> NDArray[np.uint8]:
    plane: Any = frame.planes[number]  # it has a buffer, which only newer releases of PyAV tell
    rows = np.frombuffer(plane, np.uint8)
    return np.ndarray((plane.height, plane.width), np.uint8, rows, strides=(plane.line_size, 1))


def _three(frame: VideoFrame) -> list[NDArray[np.uint8]]:
    return [_plane(frame, number) for number in range(3)]


def _nv12(frame: VideoFrame) -> list[NDArray[np.uint8]]:
    y = _plane(frame, 0)
    both = _plane(frame, 1)  # of width W, or told as W/2 pairs
    height, width = y.shape[0] // 2, y.shape[1] // 2
    rows = np.ndarray((height, width, 2), np.uint8, both.base, strides=(frame.planes[1].line_size, 2, 1))
    return [y, np.ascontiguousarray(rows[..., 0]), np.ascontiguousarray(rows[..., 1])]


PLAIN = {"yuv420p": _three, "nv12": _nv12}  # what decoders give; nv12 is that of graphics chips
# What swscale does with a frame, by which its BGR is made: who tells nothing means BT.601.
MATRICES = {1: BT709, 2: BT601, 5: BT601, 6: BT601}
FULL_RANGE = 2  # as JPEG has it


@dataclass(frozen=True)
class Orientation:
    """The steps that make decoded pictures upright: transpose, mirror or flip, then scale to ``size``."""

    size: tuple[int, int]  # width, height
    transpose: bool = False  # exchange x and y, before mirroring
    mirror: bool = False  # exchange left and right
    flip: bool = False  # exchange top and bottom

    def pixels(self, frame: VideoFrame) -> Pixels:
        """Return a decoded frame as planes, views of its memory, where it has plain ones; else as BGR."""
        width, height = frame.width, frame.height
        matrix = MATRICES.get(frame.colorspace)
        plain = frame.format.name in PLAIN and frame.color_range != FULL_RANGE and matrix is not None
        turned = (height, width) if self.transpose else (width, height)
        if not plain or width % 2 or height % 2 or turned != self.size:
            return self.bgr(frame)
        y, u, v = (self._turned(plane) for plane in PLAIN[frame.format.name](frame))
        for plane in (y, u, v):
            plane.flags.writeable = False
        assert matrix is not None
        return Planes(y, u, v, matrix, functools.partial(self.bgr, frame))

    def _turned(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.transpose:
            picture = np.asarray(cv2.transpose(picture), np.uint8)
        if self.mirror or self.flip:
            code = -1 if self.mirror and self.flip else int(self.mirror)
            picture = np.asarray(cv2.flip(picture, code), np.uint8)
        return picture

    def bgr(self, frame: VideoFrame) -> Image:
        """Return a decoded frame as (H, W, 3) BGR of ``size``, whatever size it has."""
        image = self._turned(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
        height, width = image.shape[:2]
        if (width, height) != self.size:
            smaller = self.size[0] < width or self.size[1] < height
            way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            image = np.asarray(cv2.resize(image, self.size, interpolation=way), np.uint8)
        return image


def orientation_of(frame: VideoFrame, aspect: SupportsFloat | None) -> Orientation:
    """Return the orientation of pictures like this one; ``aspect`` is width by height of a pixel."""
    width, height = frame.width, frame.height
    ratio = float(aspect or 1)  # a Fraction until PyAV 18
    if abs(ratio - 1) > SQUARE and 1 / STRETCH <= ratio <= STRETCH:
        if ratio > 1:  # enlarged in both cases: no row or column is lost
            width = round(width * ratio)
        else:
            height = round(height / ratio)
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation((width, height))
    # Rows a b u, c d v, x y w: a point goes to (a x + c y, b x + d y). Angles are rounded to quarter turns.
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation((height, width), True, c < 0, b < 0)
    return Orientation((width, height), False, a < 0, d < 0)
