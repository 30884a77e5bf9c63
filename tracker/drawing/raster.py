"""Tools for painting: line widths and text sizes, fixed-point coordinates, blending within a region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracker.drawing.surface import SHIFT, Bgr, Surface, opened
from tracker.types import Image

FAR = 20_000.0  # pixels: outside any picture, and small enough for cv2's integers after the shift


@dataclass(frozen=True)
class Style:
    """Width of lines and height of text on one picture."""

    line: float  # width of a line in pixels
    text: float  # height of a text in pixels

    @classmethod
    def of(cls, image: Surface, line_width: float | None = None) -> Style:
        """Scale with the picture: 2 px lines and 14 px text at 768x576, 8 px and 37 px at 3840x2160."""
        line = line_width or 0.0025 * (image.shape[0] + image.shape[1]) / 2
        return cls(line, 7 + 4 * line)

    def width(self, times: float = 1.0) -> int:
        """Return a line width in whole pixels."""
        return max(1, round(self.line * times))

    def size(self, times: float = 1.0) -> int:
        """Return a text size in whole pixels, never too small to read."""
        return min(max(9, round(self.text * times)), 400)


def blend(image: Surface, mask: NDArray[np.uint8], x: int, y: int, color: Bgr) -> None:
    """Blend ``color`` into the image at (x, y) with the opacity ``mask`` (0 to 255), clipped at the edges."""
    height, width = image.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + mask.shape[1], width), min(y + mask.shape[0], height)
    if left >= right or top >= bottom:
        return
    cover = cv2.merge([np.ascontiguousarray(mask[top - y : bottom - y, left - x : right - x])] * 3)
    with opened(image, (slice(top, bottom), slice(left, right))) as region:
        kept = cv2.multiply(region, cv2.bitwise_not(cover), scale=1 / 255)
        region[:] = cv2.add(kept, cv2.LUT(cover, _shades(color)))


@lru_cache(maxsize=256)
def _shades(color: Bgr) -> Image:
    """Return ``color`` times 0 to 255 over 255, for ``cv2.LUT``."""
    shades: Image = np.outer(np.arange(256) / 255, color).round().astype(np.uint8).reshape(256, 1, 3)
    return shades


def fixed(points: ArrayLike) -> NDArray[np.int32]:
    """Return (N, 2) points as fixed-point integers for cv2; points that are not finite are left out."""
    array = np.asarray(points, np.float64).reshape(-1, 2)
    array = array[np.isfinite(array).all(axis=1)]
    return np.round(np.clip(array, -FAR, FAR) * (1 << SHIFT)).astype(np.int32)


def region_of(image: Surface, points: NDArray[np.int32], margin: int) -> tuple[slice, slice] | None:
    """Return the part of the picture that shapes through fixed-point ``points`` can cover."""
    if not len(points):
        return None
    low = np.maximum((points.min(axis=0) >> SHIFT) - margin, 0)
    high = np.minimum((points.max(axis=0) >> SHIFT) + margin + 2, image.shape[1::-1])
    (left, top), (right, bottom) = low.tolist(), high.tolist()
    return (slice(top, bottom), slice(left, right)) if (low < high).all() else None


def translucent(
    image: Surface,
    points: NDArray[np.int32],
    margin: int,
    alpha: float,
    stroke: Callable[[Image, NDArray[np.int32]], object],
) -> None:
    """Let ``stroke`` paint on a copy of the covered part, then blend the two by ``alpha``."""
    where = region_of(image, points, margin)
    if where is None or alpha <= 0:
        return
    offset = np.array([where[1].start, where[0].start], np.int32) << SHIFT
    with opened(image, where) as part:
        if alpha >= 1:
            stroke(part, offset)
            return
        copy = part.copy()
        stroke(copy, offset)
        cv2.addWeighted(copy, alpha, part, 1 - alpha, 0, dst=part)


def inside(start: int, length: int, limit: int, least: int = 0) -> int:
    """Return ``start``, moved so that ``length`` pixels end before ``limit`` but begin at ``least`` or later.

    >>> inside(95, 10, 100), inside(-5, 10, 100), inside(50, 200, 100)
    (90, 0, 0)
    """
    return max(min(start, limit - length), least)
