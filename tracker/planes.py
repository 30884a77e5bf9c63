"""Pictures in the colours of video codecs: a plane of luminance, and two of colour at half its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tracker.canvas import Image

Plane: TypeAlias = NDArray[np.uint8]  # (H, W)
Where: TypeAlias = tuple[slice, slice]  # rows and columns of a picture
BT709, BT601 = 1, 6  # codes of ITU-T H.273
MUCH_SMALLER = 0.5  # of the size: then each pixel is taken from more than one of colour
# By how much swscale's BGR is too dark on average, because it rounds down: `Planes.scaled` does the same, so
# that the network sees one kind of colours, whether a source has planes or not.
SWSCALE_BGR = (-0.95, -1.45, -0.87)
# Parts of red and blue in luminance, by those standards.
_KR_KB = {BT709: (0.2126, 0.0722), BT601: (0.299, 0.114)}


@dataclass(frozen=True, eq=False)
class Planes:
    """A picture of even size as codecs have it: 8 bits, 4:2:0, limited range (luminance 16 to 235).

    The planes may be views of a decoder's memory: nobody writes to them, but to those of `copy`.
    """

    y: Plane  # (H, W)
    u: Plane  # (H/2, W/2)
    v: Plane
    matrix: int = BT601  # BT601 or BT709
    make: Callable[[], Image] | None = field(default=None, repr=False)  # the same picture as (H, W, 3) BGR
    _made: list[Image] = field(default_factory=list, init=False, repr=False)  # what it returned, once asked

    @classmethod
    def of(cls, image: Image, matrix: int = BT601) -> Planes:
        """Return the planes of a BGR picture of even size."""
        height, width = image.shape[:2]
        y, u, v = np.empty((height, width), np.uint8), *np.empty((2, height // 2, width // 2), np.uint8)
        planes = cls(y, u, v, matrix)
        planes.put((slice(0, height), slice(0, width)), image)
        return planes

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and 3, as an ``Image`` has it."""
        return (*self.y.shape, 3)

    def bgr(self) -> Image:
        """Return the picture as (H, W, 3) BGR, read-only; the same one whenever it is asked for."""
        if not self._made:
            whole = slice(0, self.shape[0]), slice(0, self.shape[1])
            image = self.part(whole) if self.make is None else self.make()
            image.flags.writeable = False
            self._made.append(image)
        return self._made[0]

    def copy(self) -> Planes:
        """Return planes that may be painted on."""
        return Planes(self.y.copy(), self.u.copy(), self.v.copy(), self.matrix)

    def scaled(self, size: tuple[int, int], out: Image | None = None) -> Image:
        """Return the picture as BGR of ``size`` (height, width), in ``out`` where it is given.

        Where it becomes much smaller, only as many pixels are converted as it will have. That costs half as
        much, and the colours differ from those of the whole picture by one level of 255 (standard deviation
        0.7); where it does not, edges of colour would differ by much more.
        """
        import cv2  # here, so that importing the contracts stays light

        way = cv2.INTER_LINEAR
        made = np.empty((*size, 3), np.uint8) if out is None else out
        if max(size[0] / self.shape[0], size[1] / self.shape[1]) > MUCH_SMALLER:
            cv2.resize(self.bgr(), size[::-1], dst=made, interpolation=way)
            return made
        planes = [cv2.resize(plane, size[::-1], interpolation=way) for plane in (self.y, self.u, self.v)]
        cv2.transform(cv2.merge(planes), _as_swscale(self.matrix), dst=made)
        return made

    def part(self, where: Where) -> Image:
        """Return a part of the picture as BGR; rows and columns begin and end at even numbers."""
        import cv2

        y = self.y[where]
        half = _half(where)
        colors = [
            cv2.resize(plane[half], y.shape[::-1], interpolation=cv2.INTER_NEAREST)
            for plane in (self.u, self.v)
        ]
        return np.asarray(cv2.transform(cv2.merge([y, *colors]), to_bgr(self.matrix)), np.uint8)

    def put(self, where: Where, image: Image) -> None:
        """Replace a part by a BGR picture of its size."""
        import cv2

        half = _half(where)
        y, *colors = cv2.split(cv2.transform(image, to_yuv(self.matrix)))
        self.y[where] = y
        for plane, color in zip((self.u, self.v), colors, strict=True):
            part = plane[half]
            part[:] = cv2.resize(color, part.shape[::-1], interpolation=cv2.INTER_AREA)


Pixels: TypeAlias = Image | Planes  # a picture as it came


def as_bgr(pixels: Pixels) -> Image:
    """Return a picture as (H, W, 3) BGR."""
    return pixels.bgr() if isinstance(pixels, Planes) else pixels


def _half(where: Where) -> Where:
    rows, columns = where
    return slice(rows.start // 2, rows.stop // 2), slice(columns.start // 2, columns.stop // 2)


@lru_cache(maxsize=4)
def to_yuv(matrix: int) -> NDArray[np.float32]:
    """Return the (3, 4) matrix that makes limited-range Y, U, V of B, G, R, 1 (ITU-R BT.601, BT.709)."""
    kr, kb = _KR_KB[matrix]
    luma = np.array([kb, 1 - kb - kr, kr])
    blue = (np.array([1, 0, 0]) - luma) / (2 * (1 - kb))
    red = (np.array([0, 0, 1]) - luma) / (2 * (1 - kr))
    rows = np.array([219 * luma, 224 * blue, 224 * red]) / 255
    return np.column_stack([rows, [16, 128, 128]]).astype(np.float32)


@lru_cache(maxsize=4)
def to_bgr(matrix: int) -> NDArray[np.float32]:
    """Return the (3, 4) matrix that makes B, G, R of limited-range Y, U, V, 1."""
    there = to_yuv(matrix).astype(np.float64)
    back = np.linalg.inv(there[:, :3])
    return np.column_stack([back, -back @ there[:, 3]]).astype(np.float32)


@lru_cache(maxsize=4)
def _as_swscale(matrix: int) -> NDArray[np.float32]:
    made = to_bgr(matrix).copy()
    made[:, 3] += SWSCALE_BGR
    return made
