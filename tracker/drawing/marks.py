"""Paint the marks that plugins recorded on a ``Canvas``, region by region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracker.drawing.palette import bgr
from tracker.drawing.raster import FAR, Style, blend, fixed, region_of, translucent
from tracker.drawing.surface import SHIFT, Bgr, Surface, opened, polylines, whole
from tracker.drawing.text_layout import captions_of
from tracker.types import Color, Image, Mark

STRENGTHS = 12  # of a fading line: as many as the eye can distinguish


def paint(image: Image, marks: Iterable[Mark], *, line_width: float | None = None) -> Image:
    """Paint marks on ``image`` itself and return it: overlays first, then shapes, texts and tables.

    ``label`` and ``labels`` belong to tracks and are painted by `tracker.drawing.annotate`. Raises
    ``ValueError`` for an unknown kind of mark.
    """
    marks = tuple(marks)
    style = Style.of(image, line_width)
    paint_under(image, marks, style)
    captions_of(image.shape[:2], style, marks).paint(image)
    return image


def paint_under(image: Surface, marks: Sequence[Mark], style: Style) -> None:
    """Paint the marks under the boxes: overlay and dim first, then shapes in the order of recording."""
    for mark in marks:
        if mark.kind not in LAYERS:
            raise ValueError(f"unknown mark {mark.kind!r}; a Canvas records {', '.join(LAYERS)}")
    for layer in (0, 1, 2):
        for mark in marks:
            if LAYERS[mark.kind] == layer:
                SHAPES[mark.kind](image, style, **mark.arguments)


def _polyline(
    image: Surface, style: Style, points: ArrayLike, color: Color, width: float, closed: bool, arrow: bool,
    alpha: float, fade: bool,
) -> None:  # fmt: skip
    path, pixels = fixed(points), style.width(width)
    if fade and len(path) > 1 and not closed:
        _fading(image, path, bgr(color), pixels, alpha)
    elif alpha >= 1 and len(path):
        polylines(image, path[None], bgr(color), pixels, closed=closed)
    else:
        translucent(
            image, path, pixels, alpha,
            lambda part, offset: cv2.polylines(
                part, [path - offset], closed, bgr(color), pixels, cv2.LINE_AA, SHIFT
            ),
        )  # fmt: skip
    if arrow and len(path) > 1:
        head = _arrow_head(path, 3.0 * pixels + 4)
        translucent(
            image, head, 2, alpha,
            lambda part, offset: cv2.fillPoly(part, [head - offset], bgr(color), cv2.LINE_AA, SHIFT),
        )  # fmt: skip


def _polylines(
    image: Surface, style: Style, points: NDArray[np.float64], lengths: Sequence[int],
    colors: Sequence[Color], width: float, fade: bool,
) -> None:  # fmt: skip
    start = 0
    for length, color in zip(lengths, colors, strict=True):
        part = points[start : start + length]
        _polyline(image, style, part, color, width, closed=False, arrow=False, alpha=1.0, fade=fade)
        start += length


def _fading(image: Surface, path: NDArray[np.int32], color: Bgr, width: int, alpha: float) -> None:
    where = region_of(image, path, width)
    if where is None:
        return
    mask = np.zeros((where[0].stop - where[0].start, where[1].stop - where[1].start), np.uint8)
    local = path - (np.array([where[1].start, where[0].start], np.int32) << SHIFT)
    corners = np.arange(len(path))
    steps = np.linspace(0, len(path) - 1, STRENGTHS + 1)  # in segments along the path
    at = np.union1d(corners, steps)
    fine = np.column_stack([np.interp(at, corners, local[:, axis]) for axis in (0, 1)])
    fine = np.round(fine).astype(np.int32)
    bounds = np.searchsorted(at, steps).tolist()
    for strength, (start, end) in enumerate(pairwise(bounds), 1):
        shade = round(255 * min(alpha, 1.0) * strength / STRENGTHS)
        cv2.polylines(mask, [fine[start : end + 1]], False, shade, width, cv2.LINE_AA, SHIFT)
    blend(image, mask, where[1].start, where[0].start, color)


def _arrow_head(path: NDArray[np.int32], length: float) -> NDArray[np.int32]:
    tip = path[-1].astype(np.float64)
    tail = path[np.flatnonzero((path != path[-1]).any(axis=1))[-1]] if (path != path[-1]).any() else path[-1]
    along = tip - tail
    along *= length * (1 << SHIFT) / max(float(np.hypot(*along)), 1.0)
    across = 0.6 * np.array([-along[1], along[0]])
    return np.round([tip + 0.4 * along, tip - along + across, tip - along - across]).astype(np.int32)


def _polygon(image: Surface, style: Style, points: ArrayLike, color: Color, alpha: float) -> None:
    corners = fixed(points)
    translucent(
        image, corners, 1, alpha,
        lambda part, offset: cv2.fillPoly(part, [corners - offset], bgr(color), cv2.LINE_AA, SHIFT),
    )  # fmt: skip


def _circle(
    image: Surface, style: Style, center: ArrayLike, radius: float, color: Color, width: float, filled: bool
) -> None:
    middle = fixed(center)
    thickness = style.width(width)
    if not len(middle) or not 0 <= radius < FAR:
        return
    reach = np.array([[-1, -1], [1, 1]], np.int32) * (round(radius) << SHIFT)
    translucent(
        image, middle + reach, thickness + 2, 1.0,
        lambda part, offset: cv2.circle(
            part, (middle[0] - offset).tolist(), round(radius * (1 << SHIFT)), bgr(color),
            -1 if filled else thickness, cv2.LINE_AA, SHIFT,
        ),
    )  # fmt: skip


def _overlay(image: Surface, style: Style, bgra: NDArray[np.uint8]) -> None:
    height, width = image.shape[:2]
    alpha = cv2.merge([bgra[..., 3]] * 3)
    added = cv2.multiply(np.ascontiguousarray(bgra[..., :3]), alpha, scale=1 / 255)
    added, alpha = (cv2.resize(part, (width, height)) for part in (added, alpha))
    with opened(image, whole(image)) as picture:
        kept = cv2.multiply(picture, cv2.bitwise_not(alpha), scale=1 / 255)
        cv2.add(kept, added, dst=picture)


def _dim(image: Surface, style: Style, amount: float, keep_xyxy: ArrayLike) -> None:
    boxes = np.asarray(keep_xyxy, np.float64).reshape(-1, 4)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    with opened(image, whole(image)) as picture:
        dark = cv2.convertScaleAbs(picture, alpha=1 - min(max(amount, 0.0), 1.0))
        for x1, y1, x2, y2 in np.clip(np.round(boxes), 0, FAR).astype(int):
            dark[y1:y2, x1:x2] = picture[y1:y2, x1:x2]
        picture[:] = dark


def share_converted(marks: Iterable[Mark], style: Style, shape: tuple[int, ...]) -> float:
    """Return how much of a picture must be converted to paint these marks onto its planes, about."""
    pixels = 0.0
    for mark in marks:
        arguments = mark.arguments
        if mark.kind in ("overlay", "dim"):
            return 1.0
        paths: list[NDArray[np.float64]] = []
        if mark.kind == "polygon" or (
            mark.kind == "polyline" and (arguments["fade"] or arguments["alpha"] < 1)
        ):
            paths = [arguments["points"]]
        elif mark.kind == "polylines" and arguments["fade"]:
            paths = np.split(arguments["points"], np.cumsum(arguments["lengths"])[:-1])
        elif mark.kind == "circle":
            pixels += (2 * arguments["radius"]) ** 2
        for path in paths:
            if len(path):
                sides = np.minimum(np.ptp(path, axis=0) + 2 * style.line, shape[1::-1])
                pixels += float(sides[0] * sides[1])
    return min(pixels / (shape[0] * shape[1]), 1.0)


# Order of painting: 0 and 1 under all shapes, 2 shapes, 3 over the boxes, 4 with the labels of tracks.
LAYERS = {
    "overlay": 0, "dim": 1, "polyline": 2, "polylines": 2, "polygon": 2, "circle": 2, "text": 3, "table": 3,
    "label": 4, "labels": 4,
}  # fmt: skip
SHAPES: dict[str, Callable[..., None]] = {
    "overlay": _overlay, "dim": _dim, "polyline": _polyline, "polylines": _polylines, "polygon": _polygon,
    "circle": _circle,
}  # fmt: skip
