"""Windows: rectangles of a picture at the network's scale, and where they stand in the network's input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from bytetrack import Detections
from bytetrack.masks import Crop, Masks
from bytetrack.rotated import upright
from bytetrack.types import FloatArray
from tracker.detectors.letterbox import GREY, Letterbox
from tracker.types import Image


@dataclass(frozen=True)
class Window:
    """A rectangle of the scaled picture and its place in the input; all numbers are even pixels."""

    left: int  # in the scaled picture
    top: int
    width: int
    height: int
    x: int = 0  # in the input
    y: int = 0
    row: int = 0  # which of the input's images


@dataclass(frozen=True)
class Layout:
    """What one inference looks at: windows of one picture, side by side, around them grey.

    Sizes are (height, width) in pixels; ``shape`` is a multiple of the network's stride.
    """

    picture: tuple[int, int]
    scaled: tuple[int, int]  # of the whole picture at the scale of the windows
    shape: tuple[int, int]  # of the network's input
    windows: tuple[Window, ...]
    rows: int = 1  # images of the input

    @classmethod
    def whole(cls, box: Letterbox, shape: tuple[int, int] | None = None) -> Layout:
        """Return the layout that shows the network what ``Letterbox.fill`` does, or in a larger ``shape``."""
        height, width = box.inner
        return cls(
            box.picture, box.inner, shape or box.shape, (Window(0, 0, width, height, box.left, box.top),)
        )

    def fill(self, scaled: Image, pixels: Image) -> None:
        """Copy the windows of the scaled picture into ``pixels``, (rows, H, W, 3)."""
        if sum(w.width * w.height for w in self.windows) < self.rows * self.shape[0] * self.shape[1]:
            pixels[: self.rows] = GREY
        for w in self.windows:
            part = scaled[w.top : w.top + w.height, w.left : w.left + w.width]
            pixels[w.row, w.y : w.y + w.height, w.x : w.x + w.width] = part

    def split(self, found: Sequence[Detections]) -> list[Detections]:
        """Return the boxes of each window, in pixels of the picture, from those of each image of the input.

        A box belongs to the window in which its centre is, and is clipped at the window's edges.
        """
        gain = np.array([self.scaled[1] / self.picture[1], self.scaled[0] / self.picture[0]] * 2)
        parts = []
        for w in self.windows:
            boxes = found[w.row]
            centre = (boxes.xyxy[:, :2] + boxes.xyxy[:, 2:]) / 2 - (w.x, w.y)
            within = np.logical_and(centre >= 0, centre < (w.width, w.height))
            mine = boxes[np.flatnonzero(within.all(axis=1))]
            start = np.array([w.x, w.y] * 2, np.float64)
            inside = np.clip(mine.xyxy, start, start + np.array([w.width, w.height] * 2))
            xyxy: FloatArray = ((inside - start + np.array([w.left, w.top] * 2)) / gain).astype(np.float32)
            xyxy = np.minimum(xyxy, np.array([self.picture[1], self.picture[0]] * 2, np.float32))
            parts.append(moved(mine, xyxy, gain[:2], np.array([w.left - w.x, w.top - w.y]), self.picture))
        return parts


def moved(
    found: Detections, xyxy: FloatArray, gain: FloatArray, offset: FloatArray, size: tuple[int, int]
) -> Detections:
    """Return detections with these boxes, and with their shapes moved to a picture of ``size`` (h, w).

    A point goes from p to (p + ``offset``) / ``gain``, both (2,). A mask is cut at the edges of its box.
    """
    changed: dict[str, object] = {"xyxy": xyxy}
    if found.keypoints is not None:
        keypoints = np.array(found.keypoints)
        keypoints[..., :2] = np.clip((keypoints[..., :2] + offset) / gain, 0, size[::-1])
        changed["keypoints"] = keypoints
    if found.rotated is not None:
        rotated = np.array(found.rotated)
        rotated[:, :2] = (rotated[:, :2] + offset) / gain
        rotated[:, 2:4] = rotated[:, 2:4] / gain
        changed["rotated"] = rotated
        changed["xyxy"] = upright(rotated).astype(np.float32)
    if found.masks is not None:
        crops = [
            _moved_mask(mask, box, gain, offset, size)
            for mask, box in zip(found.masks.crops(), np.round(xyxy).astype(int).tolist(), strict=True)
        ]
        changed["masks"] = Masks.of(crops, size)
    return replace(found, **changed)  # type: ignore[arg-type]  # each field keeps its type


def _moved_mask(
    mask: Crop, box: list[int], gain: FloatArray, offset: FloatArray, size: tuple[int, int]
) -> Crop:
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[2], size[1]), min(box[3], size[0])
    if right <= left or bottom <= top or not mask.inside.size:
        return Crop(0, 0, np.zeros((0, 0), bool))
    # From a pixel of the picture to one of the crop, both told by their middles.
    x, y = (np.array([left, top]) + 0.5) * gain - offset - (mask.x, mask.y) - 0.5
    way = np.array([[gain[0], 0, x], [0, gain[1], y]])
    levels = cv2.warpAffine(
        mask.inside.astype(np.uint8) * 255,
        way,
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    return Crop(left, top, np.asarray(levels) > 127)


def together(parts: Sequence[Detections]) -> Detections:
    """Return all rows in one ``Detections``, with whatever fields there are.

    A field that some parts lack (None) is NaN in their rows, and a mask is empty.

    >>> one, two = Detections([[0, 0, 9, 9]], [0.5], [0]), Detections([[5, 5, 9, 9]], [0.9], [2])
    >>> together([one, two]).class_id.tolist(), len(together([]))
    ([0, 2], 0)
    """
    if len(parts) < 2:
        return parts[0] if parts else Detections.empty()
    rows: dict[str, object] = {}
    for name in (field.name for field in fields(Detections)):
        columns = [getattr(part, name) for part in parts]
        known = [column for column in columns if column is not None]
        if name == "masks":
            rows[name] = _masks_of(parts) if known else None
            continue
        if known and len(known) < len(columns):
            columns = [
                np.full((len(part), *known[0].shape[1:]), np.nan, known[0].dtype)
                if column is None
                else column
                for part, column in zip(parts, columns, strict=True)
            ]
        rows[name] = np.concatenate(columns) if known else None
    return Detections(**rows)  # type: ignore[arg-type]  # each field is what the parts' is


def _masks_of(parts: Sequence[Detections]) -> Masks:
    size = next(part.masks.size for part in parts if part.masks is not None)
    none = Crop(0, 0, np.zeros((0, 0), bool))
    return Masks.concatenate(
        [Masks.of([none] * len(part), size) if part.masks is None else part.masks for part in parts]
    )
