"""Render text in any script as masks of coverage; equal texts are rendered once.

The wheel of OpenCV 5 contains TrueType fonts for Latin, Cyrillic, Greek, Arabic and CJK. ``putText`` of
OpenCV 4 has only ASCII; with it Pillow renders the text in DejaVu Sans, which comes with matplotlib.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LINE_HEIGHT = 1.25  # in sizes of the font: ascent 1, descent 0.25, as in OpenCV's fonts
WEIGHT = 550  # between regular (400) and bold (700): light text on a filled tag looks thin
_one_at_a_time = threading.Lock()  # a font face has state while it renders a text


@lru_cache(maxsize=8192)  # enough for the names and tables of a thousand zones
def glyphs(text: str, size: int) -> NDArray[np.uint8]:
    """Return the (h, w) coverage, 0 to 255 and read-only, of a text of ``size`` pixels; lines end in ``\\n``.

    >>> glyphs("7 person 0.83", 14).shape[0], glyphs("two\\nlines", 14).shape[0]
    (18, 36)
    """
    lines = [_set_line(_printable(line), size) for line in text.split("\n")]
    width = max(line.shape[1] for line in lines)
    mask = np.zeros((sum(line.shape[0] for line in lines), width), np.uint8)
    for row, line in enumerate(lines):
        mask[row * line.shape[0] :][: line.shape[0], : line.shape[1]] = line
    mask.flags.writeable = False
    return mask


def _printable(line: str) -> str:
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in line)


def _set_line(line: str, size: int) -> NDArray[np.uint8]:
    height = round(LINE_HEIGHT * size)
    if not line.strip():
        return np.zeros((height, max(1, len(line) * size // 3)), np.uint8)
    with _one_at_a_time:
        return (
            _set_with_opencv(line, size, height) if hasattr(cv2, "FontFace") else _set_with_pillow(line, size)
        )


def _set_with_opencv(line: str, size: int, height: int) -> NDArray[np.uint8]:
    face = _opencv_face()
    left, _, width, _ = cv2.getTextSize((1, 1), line, (0, 0), face, size, WEIGHT)
    mask = np.zeros((height, width + 2), np.uint8)
    cv2.putText(mask, line, (1 - left, size), (255, 255, 255), face, size, WEIGHT)
    return mask


def _set_with_pillow(line: str, size: int) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw

    font = _pillow_font(size)
    picture = Image.new("L", (int(font.getlength(line)) + 3, round(LINE_HEIGHT * size)))
    ImageDraw.Draw(picture).text((1, size), line, fill=255, font=font, anchor="ls")
    return np.array(picture)


@lru_cache(maxsize=1)
def _opencv_face() -> Any:
    return cv2.FontFace("sans")


@lru_cache(maxsize=16)
def _pillow_font(size: int) -> Any:
    from PIL import ImageFont

    spec = find_spec("matplotlib")  # found without an import, which would take a second
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder, "mpl-data/fonts/ttf/DejaVuSans.ttf")
        if path.is_file():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)
