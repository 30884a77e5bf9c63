"""Draw a ``Result``: an annotated copy of its picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.types import FloatArray
from tracker.drawing.blur import Blurring, blur_on
from tracker.drawing.fonts import glyphs
from tracker.drawing.marks import paint, paint_under, share_converted
from tracker.drawing.occupied import CoveredArea, Rectangle
from tracker.drawing.palette import color_of, text_color_on
from tracker.drawing.raster import Style, fixed, inside
from tracker.drawing.shapes import masked_share, masks_of, paint_mask, paint_rotated, paint_skeleton
from tracker.drawing.surface import SHIFT, Bgr, Surface, Tag, paste, polylines, rectangle
from tracker.drawing.text_layout import captions_of
from tracker.types import Image, Mark, Pixels, Planes, Result

__all__ = ["color_of", "draw", "paint"]
Corners = list[int]  # x1, y1, x2, y2
MOST_CONVERTED = 0.25  # of a picture: converting more of it, part by part, costs more than all of it at once
STACKED = (1, 2, 3)  # distances of a label from its box that are tried, in heights of the label


@dataclass(frozen=True)
class DrawOptions:
    """What is drawn of tracks, and in which colours."""

    line_width: float | None = None  # pixels; None: in proportion to the picture
    labels: bool = True
    confidences: bool = True  # in the labels
    ids: bool = True  # in the labels
    boxes: bool = True  # a rotated box takes the place of the upright one
    blurring: Blurring | None = None
    classes: frozenset[int] | None = None  # classes that are drawn; None: all
    by_class: bool = False  # a colour for each class instead of for each track

    @property
    def plain(self) -> bool:
        """Whether neither the selection of tracks nor their colours depend on classes."""
        return self.classes is None and not self.by_class

    def draws(self, class_id: int | None) -> bool:
        """Whether tracks of this class are drawn; None, an unknown class, is."""
        return self.classes is None or class_id is None or class_id in self.classes

    def color(self, track_id: int, class_id: int | None) -> Bgr:
        """Return the BGR colour of a track."""
        return color_of(class_id + 1 if self.by_class and class_id is not None else track_id)


def draw(
    result: Result,
    names: Mapping[int, str],
    *,
    line_width: float | None = None,
    options: DrawOptions | None = None,
) -> Image:
    """Return the frame with boxes, labels and the plugins' marks, (H, W, 3) BGR; nothing given is changed.

    A box that is only predicted (``source`` is -1) is thin and dashed and has no score. ``line_width`` in
    pixels also scales the text; without it both are in proportion to the picture. ``options`` replaces it.
    """
    image: Image = result.frame.image.copy()
    draw_on(image, result, names, options or DrawOptions(line_width=line_width))
    return image


def draw_pixels(result: Result, names: Mapping[int, str], options: DrawOptions) -> Pixels:
    """Return what `draw` does, as planes where the frame came as such and little of it must be converted."""
    pixels = result.frame.pixels
    if not isinstance(pixels, Planes):
        return draw(result, names, options=options)
    style = Style.of(pixels, options.line_width)
    converted = share_converted(result.marks, style, pixels.shape)
    if converted + masked_share(result.tracks.masks, pixels.shape) > MOST_CONVERTED:
        return draw(result, names, options=options)
    surface = pixels.copy()
    draw_on(surface, result, names, options)
    return surface


def draw_on(image: Surface, result: Result, names: Mapping[int, str], options: DrawOptions) -> None:
    """Paint boxes, labels and marks."""
    style = Style.of(image, options.line_width)
    if options.blurring is not None:
        blur_on(image, result, options.blurring)
    paint_under(image, result.marks, style)
    tracks = result.tracks
    order = np.argsort(tracks.xyxy[:, 3], kind="stable")  # the nearest is drawn last, over the others
    tracks = tracks[order[np.isfinite(tracks.xyxy[order]).all(axis=1)]]
    if options.classes is not None:
        tracks = tracks[np.isin(tracks.class_id, list(options.classes))]
    _paint_masks(image, tracks, options, style)
    more = _extensions(result.marks)
    boxes: list[Corners] = fixed(tracks.xyxy.reshape(-1, 2)).reshape(-1, 4).tolist()
    tags = []
    for row, (box, track_id, score, class_id, source) in enumerate(
        zip(
            boxes,
            tracks.track_id.tolist(),
            tracks.score.tolist(),
            tracks.class_id.tolist(),
            tracks.source.tolist(),
            strict=True,
        )
    ):
        color = options.color(track_id, class_id)
        label = f"{track_id} " if options.ids else ""
        label += f"{names.get(class_id, class_id)}"
        if source >= 0:
            label += f" {score:.2f}" if options.confidences else ""
            if options.boxes:
                _paint_box(image, box, None if tracks.rotated is None else tracks.rotated[row], color, style)
            if tracks.keypoints is not None:
                paint_skeleton(image, tracks.keypoints[row], style)
        elif options.boxes:
            strokes = _dashes(box, 4.0 * style.width() + 2, 2 * max(image.shape))
            polylines(image, strokes, color, style.width(0.6))
        if options.labels:
            tags.append(_tag(label + more.get(track_id, ""), color, style.size()))
    captions = captions_of(image.shape[:2], style, result.marks)
    _place_tags(
        image,
        [[value >> SHIFT for value in box] for box in boxes[: len(tags)]],
        tags,
        style.width() // 2,
        captions.rectangles(),
    )
    captions.paint(image)


def _paint_masks(image: Surface, tracks: Tracks, options: DrawOptions, style: Style) -> None:
    """Paint the masks first, so that no mask covers a box or a skeleton."""
    if tracks.masks is None:
        return
    for mask, track_id, class_id in zip(
        masks_of(tracks), tracks.track_id.tolist(), tracks.class_id.tolist(), strict=True
    ):
        if mask is not None:
            paint_mask(image, mask, options.color(track_id, class_id), style)


def _paint_box(image: Surface, box: Corners, rotated: FloatArray | None, color: Bgr, style: Style) -> None:
    if rotated is not None and np.isfinite(rotated).all():
        paint_rotated(image, rotated, color, style)
    else:
        rectangle(image, box, color, style.width())


def _extensions(marks: Iterable[Mark]) -> dict[int, str]:
    more: dict[int, str] = {}
    for mark in marks:
        texts = mark.arguments["texts"] if mark.kind == "labels" else {}
        if mark.kind == "label":
            texts = {int(mark.arguments["track_id"]): mark.arguments["text"]}
        for track_id, text in texts.items():
            more[track_id] = f"{more.get(track_id, '')} · {text}"
    return more


def _dashes(box: Corners, dash: float, far: int) -> NDArray[np.int32]:
    """Return the strokes of a dashed box, (n, 2, 2), fixed-point; ``dash`` and gap in pixels."""
    x1, y1, x2, y2 = (
        min(max(value / (1 << SHIFT), -far), far) for value in box
    )  # limited, so that the dashes stay few
    strokes: list[tuple[float, float, float, float]] = []
    for low, high, flat in ((x1, x2, True), (y1, y2, False)):
        count = max(1, round(abs(high - low) / (2 * dash)))
        step = (high - low) / count
        for start in (low + step * (index + 0.25) for index in range(count)):
            end = start + step / 2
            strokes += (
                [(start, y1, end, y1), (start, y2, end, y2)]
                if flat
                else [(x1, start, x1, end), (x2, start, x2, end)]
            )
    return fixed(strokes).reshape(-1, 2, 2)


@lru_cache(maxsize=512)
def _tag(text: str, color: Bgr, size: int) -> Tag:
    """Return the filled label, ready to be copied onto pictures."""
    mask = cv2.copyMakeBorder(glyphs(text, size), 1, 1, size // 4, size // 4, cv2.BORDER_CONSTANT, value=0)
    tag: Image = np.empty((*mask.shape, 3), np.uint8)
    cv2.LUT(cv2.merge([mask] * 3), _mixtures(color), dst=tag)
    return Tag(tag)


@lru_cache(maxsize=64)
def _mixtures(color: Bgr) -> Image:
    """Return 256 colours from ``color`` to that of its text, for ``cv2.LUT``."""
    steps: Image = np.linspace(color, text_color_on(color), 256).round().astype(np.uint8).reshape(256, 1, 3)
    return steps


def _place_tags(
    image: Surface, boxes: list[Corners], tags: list[Tag], half: int, covered: Sequence[Rectangle] = ()
) -> None:
    """Put each tag above its box, or at another side where it overlaps no other tag and nothing ``covered``.

    If it overlaps everywhere, it goes where it covers the fewest pixels. It is always within the picture.
    """
    height, width = image.shape[:2]
    area, placed = CoveredArea(covered), list[Rectangle]()
    for (x1, y1, x2, y2), tag in zip(reversed(boxes), reversed(tags), strict=True):
        w, h = tag.size
        spots = [
            (x1 - half, y1 - h),
            (x2 + half - w, y1 - h),
            (x1 - half, y2),
            (x2, y1),
            (x1 - w, y1),
            (x1, y1),
            *((x1 - half, y1 - h - n * h) for n in STACKED),
            *((x1 - half, y2 + n * h) for n in STACKED),
        ]
        best: tuple[int, Rectangle] | None = None
        for x, y in spots:
            left, top = inside(x, w, width), inside(y, h, height)
            rectangle = Rectangle(left, top, left + w, top + h)
            hidden = area.covered_pixels(rectangle)
            if best is None or hidden < best[0]:
                best = hidden, rectangle
            if not hidden:
                break
        assert best is not None
        area.add(best[1])
        placed.append(best[1])
    for (x, y, *_), tag in zip(reversed(placed), tags, strict=True):
        paste(image, tag, x, y)
