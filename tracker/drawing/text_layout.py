"""Texts and tables over a picture: laid out before they are painted, so that labels can avoid them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracker.drawing.fonts import glyphs
from tracker.drawing.occupied import CoveredArea, Rectangle
from tracker.drawing.palette import bgr
from tracker.drawing.raster import Style, blend, inside
from tracker.drawing.surface import Bgr, Surface
from tracker.types import Color, Mark

DARK = 70  # luma below which a text is surrounded by white instead of black
TABLE_TEXT = 0.85  # of the size of texts: tables are always visible and should cover little
TABLE_SHADE = 110  # 0 to 255: opacity of the ground of a table
ONE_LINE = 0.4  # of the picture's width: a table that is not wider is written in one line
NAME, VALUE = (220, 220, 220), (255, 255, 255)
SHIFTS = (0, 1, -1, 2, -2)  # by which a text may move, in heights of it
CACHED = 4096  # texts and tables kept from picture to picture: enough for a thousand zones
Size = tuple[int, int]  # height, width


class PlacedText(NamedTuple):
    """One text, and the pixel of its top left corner."""

    text: str
    left: int
    top: int
    size: int
    color: Bgr


class PlacedTable(NamedTuple):
    """One table, laid out."""

    rectangle: Rectangle
    texts: list[PlacedText]


class Captions(NamedTuple):
    """The texts and tables that will be painted over a picture."""

    texts: list[PlacedText]
    tables: list[PlacedTable]

    def rectangles(self) -> list[Rectangle]:
        """Return the rectangles that they will cover."""
        return [rectangle_of(text) for text in self.texts] + [table.rectangle for table in self.tables]

    def paint(self, image: Surface) -> None:
        """Paint the texts, then the tables."""
        for text in self.texts:
            write(image, text)
        for (left, top, right, bottom), texts in self.tables:
            shade = np.full((bottom - top, right - left), TABLE_SHADE, np.uint8)
            blend(image, shade, left, top, (20, 20, 20))
            for text in texts:
                write(image, text)


def captions_of(size: Size, style: Style, marks: Sequence[Mark]) -> Captions:
    """Return the texts and tables among the marks, laid out on a picture of this size."""
    tables = [*tables_of(size, style, marks)]
    return Captions(texts_of(size, style, marks, tables), tables)


def texts_of(
    size: Size, style: Style, marks: Sequence[Mark], tables: Iterable[PlacedTable]
) -> list[PlacedText]:
    """Return the texts among the marks; one that would overlap another or a table moves up or down.

    If there is no room nearby it stays.
    """
    area = CoveredArea(table.rectangle for table in tables)
    texts = []
    for mark in marks:
        text = text_of(size, style, **mark.arguments) if mark.kind == "text" else None
        if text is None:
            continue
        rectangle = rectangle_of(text)
        height = rectangle.bottom - rectangle.top
        for step in SHIFTS:
            top = inside(text.top + step * height, height, size[0])
            moved = rectangle._replace(top=top, bottom=top + height)
            if not area.overlaps(moved):
                text, rectangle = text._replace(top=top), moved
                break
        area.add(rectangle)
        texts.append(text)
    return texts


def rectangle_of(text: PlacedText) -> Rectangle:
    """Return the rectangle that a text covers."""
    height, width = glyphs(text.text, text.size).shape
    return Rectangle(text.left, text.top, text.left + width, text.top + height)


def write(image: Surface, text: PlacedText) -> None:
    """Paint a text with an outline, so that it can be read on any ground."""
    blue, green, red = text.color
    rim = (0, 0, 0) if 0.114 * blue + 0.587 * green + 0.299 * red > DARK else (255, 255, 255)
    halo = _halo(text.size)
    blend(image, _around(text.text, text.size, halo), text.left - halo, text.top - halo, rim)
    blend(image, glyphs(text.text, text.size), text.left, text.top, text.color)


def text_of(
    picture: Size, style: Style, text: str, at: ArrayLike, color: Color, size: float, anchor: str
) -> PlacedText | None:
    """Return the text of a mark, always within the picture; None if it is blank or has no position."""
    point, pixels = np.asarray(at, np.float64), style.size(size)
    if not text.strip() or not np.isfinite(point).all():
        return None
    height, width = glyphs(text, pixels).shape
    halo = _halo(pixels)
    x = point[0] - width * {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]]
    y = point[1] - height * {"t": 0.0, "m": 0.5, "b": 1.0}[anchor[1]]
    left = inside(round(x), width + halo, picture[1], halo)
    return PlacedText(text, left, inside(round(y), height + halo, picture[0], halo), pixels, bgr(color))


def tables_of(picture: Size, style: Style, marks: Iterable[Mark]) -> Iterator[PlacedTable]:
    """Yield the tables stacked from the top left, in as many columns as they need."""
    gap = round(style.text / 2)
    x = y = gap
    column = 0
    for mark in marks:
        if mark.kind != "table":
            continue
        title, color = mark.arguments["title"], tuple(mark.arguments["color"])
        rows = tuple((str(name), str(value)) for name, value in mark.arguments["rows"])
        texts, height, width = _laid_out(style, ONE_LINE * picture[1], title, rows, color)
        if y > gap and y + height + gap > picture[0]:
            x, y, column = x + column + gap, gap, 0
        if x >= picture[1]:
            return  # this table and all that follow are outside the picture
        moved = [text._replace(left=text.left + x, top=text.top + y) for text in texts]
        yield PlacedTable(Rectangle(x, y, x + width, y + height), moved)
        y, column = y + height + gap // 3, max(column, width)


@lru_cache(maxsize=CACHED)
def _laid_out(
    style: Style, most: float, title: str, rows: tuple[tuple[str, str], ...], color: Color
) -> tuple[list[PlacedText], int, int]:
    """Return the texts of a table, its height and its width: in a line, or one below another."""
    size, pad = style.size(TABLE_TEXT), round(style.text / 3)
    line, space = glyphs("x", size).shape[0], size // 2
    words = [(title, bgr(color), space)] if title else []
    for name, value in rows:
        words += [(name, NAME, space), (value, VALUE, 2 * space)]
    texts, x = [], pad
    for word, ink, after in words:
        texts.append(PlacedText(word, x, pad // 2, size, ink))
        x += glyphs(word, size).shape[1] + after
    width = x - (words[-1][2] if words else 0) + pad
    if width <= most and "\n" not in "".join(word for word, _, _ in words):
        return texts, line + pad, width
    texts, y, width = [], pad // 2, 0
    right: list[int] = []  # indices of the texts that are aligned to the right
    for left_word, ink, value in [(title, bgr(color), "")] * bool(title) + [(a, NAME, b) for a, b in rows]:
        masks = glyphs(left_word, size).shape, glyphs(value, size).shape if value else (0, 0)
        texts.append(PlacedText(left_word, pad, y, size, ink))
        if value:
            right.append(len(texts))
            texts.append(PlacedText(value, -masks[1][1], y, size, VALUE))
        width = max(width, masks[0][1] + bool(value) * 2 * pad + masks[1][1])
        y += max(masks[0][0], masks[1][0])
    for n in right:
        texts[n] = texts[n]._replace(left=texts[n].left + pad + width)
    return texts, y + pad // 2, width + 2 * pad


def _halo(size: int) -> int:
    return max(1, size // 7)


@lru_cache(maxsize=CACHED)
def _around(text: str, size: int, by: int) -> NDArray[np.uint8]:
    """Return the text's mask grown by some pixels, and a little weaker: a halo for any ground."""
    wide: NDArray[np.uint8] = np.pad(glyphs(text, size), by)
    around: NDArray[np.uint8] = np.empty_like(wide)
    cv2.dilate(wide, np.ones((2 * by + 1, 2 * by + 1), np.uint8), dst=around)
    return around - around // 4
