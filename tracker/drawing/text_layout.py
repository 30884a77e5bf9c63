"""Texts and tables over a picture: how they look, and where they lie, so that labels can keep clear."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracker.drawing.fonts import glyphs
from tracker.drawing.occupied import Place, Taken
from tracker.drawing.palette import bgr
from tracker.drawing.raster import Bgr, Style, blend, inside
from tracker.types import Color, Image, Mark

DARK = 70  # luma below which a text is surrounded by white instead of black
TABLE_TEXT = 0.85  # of the picture's text: tables are always there and should hide little
TABLE_SHADE = 110  # 0 to 255: how much of what lies under a table is covered
ONE_LINE = 0.4  # of the picture's width: a table that fits into so much is a single line
NAME, VALUE = (220, 220, 220), (255, 255, 255)
MAKE_WAY = (0, 1, -1, 2, -2)  # of a text's height: where else it may lie
KEPT = 4096  # texts and tables that are not set anew for every picture: of a thousand zones
Size = tuple[int, int]  # height, width


class Text(NamedTuple):
    """One text, and where its top left corner lies."""

    text: str
    left: int
    top: int
    size: int
    color: Bgr


class Table(NamedTuple):
    """One table, laid out."""

    place: Place
    texts: list[Text]


class Captions(NamedTuple):
    """What will lie over a picture."""

    texts: list[Text]
    tables: list[Table]

    def places(self) -> list[Place]:
        """Return what they will cover."""
        return [place_of(text) for text in self.texts] + [table.place for table in self.tables]

    def paint(self, image: Image) -> None:
        """Paint the texts, then the tables."""
        for text in self.texts:
            write(image, text)
        for place, texts in self.tables:
            shade = np.full((place.bottom - place.top, place.right - place.left), TABLE_SHADE, np.uint8)
            blend(image, shade, place.left, place.top, (20, 20, 20))
            for text in texts:
                write(image, text)


def captions_of(size: Size, style: Style, marks: Sequence[Mark]) -> Captions:
    """Return the texts and tables among the marks, laid out on a picture of this size."""
    tables = [*tables_of(size, style, marks)]
    return Captions(texts_of(size, style, marks, tables), tables)


def texts_of(size: Size, style: Style, marks: Sequence[Mark], tables: Iterable[Table]) -> list[Text]:
    """Return the texts among the marks; one that would lie on another or on a table makes way up or down.

    Where there is no room nearby it stays.
    """
    taken = Taken(table.place for table in tables)
    texts = []
    for mark in marks:
        text = text_of(size, style, **mark.arguments) if mark.kind == "text" else None
        if text is None:
            continue
        place = place_of(text)
        height = place.bottom - place.top
        for step in MAKE_WAY:
            top = inside(text.top + step * height, height, size[0])
            moved = place._replace(top=top, bottom=top + height)
            if not taken.meets(moved):
                text, place = text._replace(top=top), moved
                break
        taken.add(place)
        texts.append(text)
    return texts


def place_of(text: Text) -> Place:
    """Return what a text covers."""
    height, width = glyphs(text.text, text.size).shape
    return Place(text.left, text.top, text.left + width, text.top + height)


def write(image: Image, text: Text) -> None:
    """Paint a text with a rim that sets it off from any ground."""
    blue, green, red = text.color
    rim = (0, 0, 0) if 0.114 * blue + 0.587 * green + 0.299 * red > DARK else (255, 255, 255)
    halo = _halo(text.size)
    blend(image, _around(text.text, text.size, halo), text.left - halo, text.top - halo, rim)
    blend(image, glyphs(text.text, text.size), text.left, text.top, text.color)


def text_of(
    picture: Size, style: Style, text: str, at: ArrayLike, color: Color, size: float, anchor: str
) -> Text | None:
    """Return where the text of a mark lies, always within the picture; None where there is none."""
    point, pixels = np.asarray(at, np.float64), style.size(size)
    if not text.strip() or not np.isfinite(point).all():
        return None
    height, width = glyphs(text, pixels).shape
    halo = _halo(pixels)
    x = point[0] - width * {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]]
    y = point[1] - height * {"t": 0.0, "m": 0.5, "b": 1.0}[anchor[1]]
    left = inside(round(x), width + halo, picture[1], halo)
    return Text(text, left, inside(round(y), height + halo, picture[0], halo), pixels, bgr(color))


def tables_of(picture: Size, style: Style, marks: Iterable[Mark]) -> Iterator[Table]:
    """Yield the tables stacked from the top left, in as many columns as it takes."""
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
            return  # as all that follow, beyond the edge
        moved = [text._replace(left=text.left + x, top=text.top + y) for text in texts]
        yield Table(Place(x, y, x + width, y + height), moved)
        y, column = y + height + gap // 3, max(column, width)


@lru_cache(maxsize=KEPT)
def _laid_out(
    style: Style, most: float, title: str, rows: tuple[tuple[str, str], ...], color: Color
) -> tuple[list[Text], int, int]:
    """Return the texts of a table, its height and its width: in a line, or one below another."""
    size, pad = style.size(TABLE_TEXT), round(style.text / 3)
    line, space = glyphs("x", size).shape[0], size // 2
    words = [(title, bgr(color), space)] if title else []
    for name, value in rows:
        words += [(name, NAME, space), (value, VALUE, 2 * space)]
    texts, x = [], pad
    for word, ink, after in words:
        texts.append(Text(word, x, pad // 2, size, ink))
        x += glyphs(word, size).shape[1] + after
    width = x - (words[-1][2] if words else 0) + pad
    if width <= most and "\n" not in "".join(word for word, _, _ in words):
        return texts, line + pad, width
    texts, y, width = [], pad // 2, 0
    right: list[int] = []  # of the texts, those that end at the right edge
    for left_word, ink, value in [(title, bgr(color), "")] * bool(title) + [(a, NAME, b) for a, b in rows]:
        masks = glyphs(left_word, size).shape, glyphs(value, size).shape if value else (0, 0)
        texts.append(Text(left_word, pad, y, size, ink))
        if value:
            right.append(len(texts))
            texts.append(Text(value, -masks[1][1], y, size, VALUE))
        width = max(width, masks[0][1] + bool(value) * 2 * pad + masks[1][1])
        y += max(masks[0][0], masks[1][0])
    for n in right:
        texts[n] = texts[n]._replace(left=texts[n].left + pad + width)
    return texts, y + pad // 2, width + 2 * pad


def _halo(size: int) -> int:
    return max(1, size // 7)


@lru_cache(maxsize=KEPT)
def _around(text: str, size: int, by: int) -> NDArray[np.uint8]:
    """Return the text's mask grown by some pixels, and a little weaker: a halo for any ground."""
    wide: NDArray[np.uint8] = np.pad(glyphs(text, size), by)
    around: NDArray[np.uint8] = np.empty_like(wide)
    cv2.dilate(wide, np.ones((2 * by + 1, 2 * by + 1), np.uint8), dst=around)
    return around - around // 4
