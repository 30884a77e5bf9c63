"""What is painted on: a BGR picture, or the planes of one, of which only the painted parts are converted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.planes import to_yuv
from tracker.types import Image, Plane, Planes

SHIFT = 4  # cv2 draws with 1/16 pixel
Bgr: TypeAlias = tuple[int, int, int]
Surface: TypeAlias = Image | Planes  # that may be painted on
Where: TypeAlias = tuple[slice, slice]  # rows and columns


@contextmanager
def opened(surface: Surface, where: Where) -> Iterator[Image]:
    """Give a part of a surface as BGR to be painted on; where it is one of planes, it is put back."""
    if not isinstance(surface, Planes):
        yield surface[where]
        return
    rows, columns = where
    height, width = surface.shape[:2]
    top, bottom, left, right = rows.start, min(rows.stop, height), columns.start, min(columns.stop, width)
    even = slice(top // 2 * 2, -(-bottom // 2) * 2), slice(left // 2 * 2, -(-right // 2) * 2)
    part = surface.part(even)
    inner = part[top - even[0].start : bottom - even[0].start, left - even[1].start : right - even[1].start]
    yield inner
    surface.put(even, part)


def whole(surface: Surface) -> Where:
    """Return the rows and columns of all of it."""
    return slice(0, surface.shape[0]), slice(0, surface.shape[1])


def polylines(
    surface: Surface, strokes: NDArray[np.int32], color: Bgr, width: int, *, closed: bool = False
) -> None:
    """Draw smooth lines through fixed-point points, (n, k, 2)."""
    if not isinstance(surface, Planes):
        cv2.polylines(surface, list(strokes), closed, color, width, cv2.LINE_AA, SHIFT)
        return
    luma, *tints = yuv(color, surface.matrix)
    cv2.polylines(surface.y, list(strokes), closed, luma, width, cv2.LINE_AA, SHIFT)
    half = (strokes - (1 << SHIFT) // 2) >> 1  # a pixel of colour lies between those of luminance
    for plane, tint in zip((surface.u, surface.v), tints, strict=True):
        cv2.polylines(plane, list(half), closed, tint, max(1, round(width / 2)), cv2.LINE_AA, SHIFT)


def rectangle(surface: Surface, box: list[int], color: Bgr, width: int) -> None:
    """Draw the edges of a box, fixed-point x1, y1, x2, y2."""
    if not isinstance(surface, Planes):
        cv2.rectangle(surface, box[:2], box[2:], color, width, cv2.LINE_AA, SHIFT)
        return
    luma, *tints = yuv(color, surface.matrix)
    cv2.rectangle(surface.y, box[:2], box[2:], luma, width, cv2.LINE_AA, SHIFT)
    half = [(value - (1 << SHIFT) // 2) >> 1 for value in box]
    for plane, tint in zip((surface.u, surface.v), tints, strict=True):
        cv2.rectangle(plane, half[:2], half[2:], tint, max(1, round(width / 2)), cv2.LINE_AA, SHIFT)


def paste(surface: Surface, tag: Tag, x: int, y: int) -> None:
    """Copy a tag to (x, y) of the surface; what is beyond the right or lower edge is left out."""
    if not isinstance(surface, Planes):
        _copy(tag.image, surface, x, y)
        return
    luma, *tints = tag.planes(x % 2, y % 2, surface.matrix)
    _copy(luma, surface.y, x, y)
    for plane, tint in zip((surface.u, surface.v), tints, strict=True):
        _copy(tint, plane, x // 2, y // 2)


class Tag:
    """A small picture that is pasted onto many; read-only, with its planes once they were needed."""

    def __init__(self, image: Image) -> None:
        image.flags.writeable = False
        self.image = image
        self.size = image.shape[1], image.shape[0]
        self._planes: dict[tuple[int, int, int], tuple[Plane, Plane, Plane]] = {}

    def planes(self, odd_x: int, odd_y: int, matrix: int) -> tuple[Plane, Plane, Plane]:
        """Return its planes for a place whose x or y is ``odd`` (1), so that colours lie right."""
        key = odd_x, odd_y, matrix
        if key not in self._planes:
            width, height = self.size
            right, bottom = (width + odd_x) % 2, (height + odd_y) % 2
            padded = cv2.copyMakeBorder(self.image, odd_y, bottom, odd_x, right, cv2.BORDER_REPLICATE)
            luma, *tints = cv2.split(cv2.transform(padded, to_yuv(matrix)))
            luma = luma[odd_y : odd_y + height, odd_x : odd_x + width]
            half = padded.shape[1] // 2, padded.shape[0] // 2
            u, v = (np.asarray(cv2.resize(t, half, interpolation=cv2.INTER_AREA), np.uint8) for t in tints)
            self._planes[key] = np.asarray(luma, np.uint8), u, v
        return self._planes[key]


@lru_cache(maxsize=1024)
def yuv(color: Bgr, matrix: int) -> tuple[int, int, int]:
    """Return a BGR colour as Y, U, V."""
    y, u, v = np.round(to_yuv(matrix) @ (*color, 1)).astype(int).tolist()
    return y, u, v


def _copy(part: NDArray[np.uint8], onto: NDArray[np.uint8], x: int, y: int) -> None:
    where = onto[y : y + part.shape[0], x : x + part.shape[1]]
    where[:] = part[: where.shape[0], : where.shape[1]]
