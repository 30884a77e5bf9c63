"""A figure for a report or a slide: title and notes above the picture, scale and legend beside it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from tracker.drawing.fonts import glyphs
from tracker.drawing.marks import paint
from tracker.drawing.palette import bgr
from tracker.drawing.raster import blend
from tracker.drawing.surface import Bgr
from tracker.types import Color, Image, Picture, Scale

PAPER, INK, PALE, RULE = (255, 255, 255), (35, 35, 35), (105, 105, 105), (190, 190, 190)
TEXT = 0.021  # height of a text as fractions of the picture's mean side
TITLE = 1.6  # height of the title in heights of text
BESIDE = 15  # greatest width of the legend, in heights of text
BAR = 1.3  # width of the scale, in heights of text
TICK = 0.4  # length of a tick, in heights of text


def figure(picture: Picture) -> Image:
    """Return the picture with its marks, title, notes, scale and legend, (H, W, 3) BGR."""
    image = paint(picture.background.copy(), picture.marks)
    if not picture.title:
        return image
    height, width = image.shape[:2]
    text = max(round(TEXT * (height + width) / 2), 11)
    beside = _beside(picture, height, text)
    gap = text if beside.shape[1] else 0
    wide = text + width + gap + beside.shape[1] + text
    above = _above(picture, wide - 2 * text, text)
    tall = text + above.shape[0] + text // 2 + max(height, beside.shape[0]) + text
    page = _paper(tall, wide)
    top = text + above.shape[0] + text // 2
    for part, x, y in ((above, text, text), (image, text, top), (beside, text + width + gap, top)):
        page[y : y + part.shape[0], x : x + part.shape[1]] = part
    return page


def wrapped(words: str, size: int, width: int) -> list[str]:
    """Return a text in lines of at most ``width`` pixels, unless a single word is wider.

    >>> wrapped("seconds at a place, all objects together", 20, 200)
    ['seconds at a place,', 'all objects together']
    """
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and glyphs(longer, size).shape[1] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _above(picture: Picture, width: int, text: int) -> Image:
    title = round(TITLE * text)
    rows = [(line, title, INK) for line in wrapped(picture.title, title, width)]
    rows += [(line, text, PALE) for note in picture.notes for line in wrapped(note, text, width)]
    part = _paper(sum(_height(size) for _, size, _ in rows), width)
    y = 0
    for line, size, ink in rows:
        _write(part, line, 0, y, size, ink)
        y += _height(size)
    return part


def _beside(picture: Picture, height: int, text: int) -> Image:
    parts = [_key(picture.key, text)] if picture.key else []
    if picture.scale is not None:
        parts.append(_bar(picture.scale, height, text))
    if not parts:
        return _paper(height, 0)
    page = _paper(max(height, *(part.shape[0] for part in parts)), sum(part.shape[1] for part in parts))
    x = 0
    for part in parts:
        page[: part.shape[0], x : x + part.shape[1]] = part
        x += part.shape[1]
    return page


def _key(key: Sequence[tuple[str, Color]], text: int) -> Image:
    swatch, line = round(1.6 * text), _height(text)
    rows = [(wrapped(words, text, BESIDE * text), bgr(color)) for words, color in key]
    width = max(glyphs(words, text).shape[1] for lines, _ in rows for words in lines)
    gap = text // 2
    part = _paper(sum(len(lines) * line + gap for lines, _ in rows), swatch + gap + width)
    y = 0
    for lines, color in rows:
        middle, half = y + line // 2, max(text // 5, 2)
        cv2.rectangle(part, (0, middle - half), (swatch, middle + half), color, -1)
        cv2.rectangle(part, (0, middle - half), (swatch, middle + half), RULE, 1)
        for words in lines:
            _write(part, words, swatch + gap, y, text, INK)
            y += line
        y += gap
    return part


def _bar(scale: Scale, height: int, text: int) -> Image:
    title = wrapped(scale.title, text, 8 * text)
    labels = [glyphs(words, text) for _, words in scale.ticks]
    bar, tick, line = round(BAR * text), round(TICK * text), _height(text)
    width = max(
        [bar + 2 * tick + mask.shape[1] for mask in labels] + [_width(words, text) for words in title]
    )
    top, bottom = len(title) * line + text, max(height - text, (len(title) + 4) * line)
    part = _paper(max(height, bottom + text), width)
    for n, words in enumerate(title):
        _write(part, words, 0, n * line, text, INK)
    colors = scale.bgra[::-1].astype(np.float64)
    solid = colors[:, 3:] / max(float(colors[:, 3].max()), 1.0)
    strip = np.round(solid * colors[:, :3] + (1 - solid) * 255).astype(np.uint8)
    part[top:bottom, :bar] = cv2.resize(strip[:, None], (bar, bottom - top))
    cv2.rectangle(part, (0, top), (bar, bottom), RULE, max(text // 12, 1))
    for (where, _), mask in zip(scale.ticks, labels, strict=True):
        y = round(bottom - where * (bottom - top))
        cv2.line(part, (bar, y), (bar + tick, y), PALE, max(text // 10, 1))
        blend(part, mask, bar + 2 * tick, y - round(0.62 * text), INK)  # centred on the digits
    return part


def _write(part: Image, words: str, x: int, y: int, size: int, ink: Bgr) -> None:
    blend(part, glyphs(words, size), x, y, ink)


def _height(size: int) -> int:
    return round(1.35 * size)


def _width(words: str, size: int) -> int:
    return int(glyphs(words, size).shape[1])


def _paper(height: int, width: int) -> Image:
    return np.full((height, width, 3), PAPER, np.uint8)
