"""The images in one file: one image, the pages of a TIFF, the frames of an animation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.sources import limits
from tracker.types import Image

ANIMATED = frozenset((".png", ".webp", ".avif"))
PAGED = frozenset((".tif", ".tiff"))
DEEP = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
DEPTHS = (8, 10, 12, 14, 16)  # bits of cameras and scanners; stored in 16 bits, the others 0
HEAD = 1 << 16  # bytes in which a PNG or WebP tells that it is animated


class Page(NamedTuple):
    """An image as it is stored."""

    pixels: NDArray[Any]  # (H, W, 3) BGR, uint8 or uint16
    duration_s: float | None = None  # of a frame of an animation


def pages(path: Path) -> Iterator[Page]:
    """Yield every image of a file, rotated upright (EXIF); none if it cannot be read or is too large."""
    if limits.problem(path):
        return
    if is_animated(path):
        yield from _animation(path)
        return
    if path.suffix.lower() in PAGED and (count := _pages(path)) > 1:
        for number in range(count):
            try:
                read, found = cv2.imreadmulti(str(path), number, 1, None, DEEP)
            except cv2.error:
                continue
            if read and found:
                yield Page(_bgr(found[0]))
        return
    try:
        data = np.fromfile(path, np.uint8)  # imread cannot open every Windows path
    except OSError:
        return
    image = _decode(data, DEEP)
    if image is not None and image.dtype not in (np.uint8, np.uint16):
        image = _decode(data, cv2.IMREAD_COLOR)  # of floats; OpenCV knows their white
    if image is not None:
        yield Page(image)


def count(path: Path) -> int:
    """Return how many images a file should have; 1 if unknown."""
    if limits.problem(path):
        return 1
    if path.suffix.lower() in PAGED:
        return max(1, _pages(path))
    if is_animated(path):
        from PIL import Image as Pillow

        try:
            with Pillow.open(path) as image:
                return int(getattr(image, "n_frames", 1))  # formats without frames have none
        except (OSError, ValueError, SyntaxError):
            pass
    return 1


def is_animated(path: Path) -> bool:
    """Whether the header of an image tells that it is animated."""
    if path.suffix.lower() not in ANIMATED:
        return False
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return False
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return b"acTL" in head.split(b"IDAT", 1)[0]
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X":
        return bool(head[20] & 2)
    return head[4:12] == b"ftypavis"


class BitDepth:
    """Converts 16-bit images to bytes by the number of bits in use: 12 bits in 16 would be almost black.

    ``bits`` grows with the brightest value so far and never shrinks, so that a series does not flicker.
    """

    def __init__(self) -> None:
        self.bits: int | None = None

    def observe(self, pixels: NDArray[Any]) -> None:
        """Take note of the brightest value of an image."""
        if pixels.dtype == np.uint16:
            used = max(int(pixels.max(initial=0)).bit_length(), self.bits or 0)
            self.bits = next(depth for depth in DEPTHS if depth >= used)

    def image(self, pixels: NDArray[Any]) -> Image:
        """Return an image as bytes."""
        if pixels.dtype != np.uint16:
            return np.asarray(pixels, np.uint8)
        self.observe(pixels)
        assert self.bits is not None
        return np.asarray(pixels >> (self.bits - 8), np.uint8)

    def warnings(self) -> Iterator[str]:
        """Yield a warning if the range was stretched."""
        if self.bits is not None and self.bits < 16:
            yield f"pictures of 16 bits use {self.bits} of them: stretched to the full range"


def _animation(path: Path) -> Iterator[Page]:
    from PIL import Image as Pillow

    try:
        with Pillow.open(path) as image:
            for number in range(int(getattr(image, "n_frames", 1))):  # see `count`
                image.seek(number)
                pixels = np.asarray(image.convert("RGB"))[..., ::-1]
                yield Page(
                    np.ascontiguousarray(pixels), float(image.info.get("duration") or 0) / 1000 or None
                )
    except (OSError, ValueError, SyntaxError, EOFError):
        return


def _pages(path: Path) -> int:
    try:
        return int(cv2.imcount(str(path)))
    except cv2.error:
        return 1


def _decode(data: NDArray[np.uint8], flags: int) -> NDArray[Any] | None:
    if not data.size:
        return None
    try:
        return cv2.imdecode(data, flags)
    except cv2.error:
        return None


def _bgr(pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = np.clip(pixels, 0, 1) * 255
        pixels = pixels.astype(np.uint8)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
