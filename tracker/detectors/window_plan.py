"""Which windows show what changed: with room around, merged where that is cheaper, packed into one input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray
from tracker.detectors.changes import Mask
from tracker.detectors.letterbox import Letterbox
from tracker.detectors.settings import STRIDE
from tracker.detectors.windows import Layout, Window

MARGIN = 48  # pixels around what changed: what the network must see to find it as in the whole picture
CUT = 16  # pixels; a box nearer than this to an inner edge of its window may be cut
OF_BOX = 0.1  # part of a box's blocks that changed, from which it is looked at, too
MOST_PARTS = 40  # more are the whole picture
FIXED = 1.9  # cells (STRIDE x STRIDE) that cost as much as an inference costs besides its cells
Cells: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom of the input, in strides


def sizes(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the (height, width) of inputs for windows, the smallest first, the whole picture's the last.

    >>> sizes((480, 640))
    [(128, 128), (192, 192), (256, 256), (352, 352), (480, 448), (480, 640)]
    """
    rows, columns = shape[0] // STRIDE, shape[1] // STRIDE
    few = {(min(side, rows), min(side, columns)) for side in (4, 6, 8, 11)}
    if columns >= rows:
        few.add((rows, round(0.7 * columns)))
    else:
        few.add((round(0.7 * rows), columns))
    smaller = [(r, c) for r, c in few if r * c <= 0.75 * rows * columns]
    return [
        (r * STRIDE, c * STRIDE) for r, c in sorted([*smaller, (rows, columns)], key=lambda s: s[0] * s[1])
    ]


def cost(shape: tuple[int, int], rows: int = 1) -> float:
    """Return what an input of (height, width) costs, in cells of the network's stride.

    Measured for yolov8n on OpenVINO, two AVX-512 cores: 0.7 ms a 64 x 64 pixels, and 1.3 ms.
    """
    return FIXED + rows * shape[0] * shape[1] / STRIDE**2


@dataclass(frozen=True)
class View:
    """A picture of one size in the network's input, divided into blocks."""

    box: Letterbox
    blocks: tuple[int, int]  # rows, columns

    def to_blocks(self, xyxy: FloatArray) -> FloatArray:
        """Return (N, 4) boxes of the picture in fractional blocks."""
        height, width = self.box.picture
        gain = np.array([self.blocks[1] / width, self.blocks[0] / height] * 2)
        return np.asarray(xyxy * gain, np.float64)

    def covered(self, xyxy: FloatArray) -> Mask:
        """Return which blocks are touched by (N, 4) boxes of the picture."""
        mask = np.zeros(self.blocks, bool)
        for left, top, right, bottom in self._whole_blocks(xyxy):
            mask[top:bottom, left:right] = True
        return mask

    def with_boxes(self, changed: Mask, xyxy: FloatArray) -> Mask:
        """Return the changed blocks, and those of every box of which enough changed."""
        mask = changed.copy()
        for left, top, right, bottom in self._whole_blocks(xyxy):
            inside = changed[top:bottom, left:right]
            if inside.sum() > OF_BOX * inside.size:
                mask[top:bottom, left:right] = True
        return mask

    def touches(self, mask: Mask, xyxy: FloatArray) -> NDArray[np.bool_]:
        """Return (N,): which boxes of the picture have a block that is in ``mask``."""
        return np.array(
            [mask[top:bottom, left:right].any() for left, top, right, bottom in self._whole_blocks(xyxy)],
            bool,
        )

    def _whole_blocks(self, xyxy: FloatArray) -> Iterable[list[int]]:
        fractional = self.to_blocks(xyxy)
        limit = np.array([self.blocks[1], self.blocks[0]] * 2)
        low, high = np.floor(fractional[:, :2]), np.ceil(fractional[:, 2:])
        clipped: list[list[int]] = np.clip(np.concatenate([low, high], axis=1), 0, limit).astype(int).tolist()
        return clipped

    def windows(self, mask: Mask) -> list[Cells] | None:
        """Return windows around the connected parts of ``mask``; None: too many."""
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        if count - 1 > MOST_PARTS:
            return None
        step_y, step_x = self.box.inner[0] / self.blocks[0], self.box.inner[1] / self.blocks[1]
        rows, columns = self.box.shape[0] // STRIDE, self.box.shape[1] // STRIDE
        parts = []
        for left, top, width, height, _ in stats[1:].tolist():
            x, y = left * step_x + self.box.left - MARGIN, top * step_y + self.box.top - MARGIN
            right = (left + width) * step_x + self.box.left + MARGIN
            bottom = (top + height) * step_y + self.box.top + MARGIN
            parts.append(
                (
                    max(0, int(x // STRIDE)),
                    max(0, int(y // STRIDE)),
                    min(columns, int(-(-right // STRIDE))),
                    min(rows, int(-(-bottom // STRIDE))),
                )
            )
        return merged(parts)

    def seen(self, windows: Sequence[Cells]) -> Mask:
        """Return the blocks that lie well inside a window."""
        mask = np.zeros(self.blocks, bool)
        for left, top, right, bottom in self.trusted(windows) / np.array(
            [self.box.inner[1] / self.blocks[1], self.box.inner[0] / self.blocks[0]] * 2
        ):
            mask[
                int(np.ceil(top - 1e-6)) : int(bottom + 1e-6), int(np.ceil(left - 1e-6)) : int(right + 1e-6)
            ] = True
        return mask

    def trusted(self, windows: Sequence[Cells]) -> FloatArray:
        """Return (N, 4): the part of each window in which no box is cut, in pixels of the scaled picture."""
        cells = np.array(windows, np.float64).reshape(-1, 4)
        rows, columns = self.box.shape[0] // STRIDE, self.box.shape[1] // STRIDE
        edges = cells * STRIDE - np.array([self.box.left, self.box.top] * 2)
        edges += np.where(cells > 0, CUT, 0) * np.array([1, 1, 0, 0])
        edges -= np.where(cells < np.array([columns, rows] * 2), CUT, 0) * np.array([0, 0, 1, 1])
        return np.asarray(np.clip(edges, 0, np.array([self.box.inner[1], self.box.inner[0]] * 2)))

    def layout(
        self, windows: Sequence[Cells], places: Sequence[tuple[int, int]], shape: tuple[int, int]
    ) -> Layout:
        """Return the layout of windows that stand at ``places`` (column, row in strides) of an input."""
        made = []
        for (left, top, right, bottom), (column, row) in zip(windows, places, strict=True):
            x0, y0 = left * STRIDE - self.box.left, top * STRIDE - self.box.top
            x1, y1 = right * STRIDE - self.box.left, bottom * STRIDE - self.box.top
            cut_x, cut_y = max(0, -x0), max(0, -y0)  # padding of the whole picture
            width = min(x1, self.box.inner[1]) - max(x0, 0)
            height = min(y1, self.box.inner[0]) - max(y0, 0)
            made.append(
                Window(max(x0, 0), max(y0, 0), width, height, column * STRIDE + cut_x, row * STRIDE + cut_y)
            )
        return Layout(self.box.picture, self.box.inner, shape, tuple(made))


def merged(windows: list[Cells]) -> list[Cells]:
    """Return windows of which no two would be smaller as one.

    >>> merged([(0, 0, 4, 4), (2, 0, 6, 4), (9, 9, 13, 13)])
    [(0, 0, 6, 4), (9, 9, 13, 13)]
    """
    left = sorted(windows)
    done: list[Cells] = []
    while left:
        one = left.pop()
        for other in left:
            both = (
                min(one[0], other[0]),
                min(one[1], other[1]),
                max(one[2], other[2]),
                max(one[3], other[3]),
            )
            if area(both) <= area(one) + area(other):
                left.remove(other)
                left.append(both)
                break
        else:
            done.append(one)
    return sorted(done)


def area(window: Cells) -> int:
    """Return a window's size in cells."""
    return (window[2] - window[0]) * (window[3] - window[1])


def packed(windows: Sequence[Cells], shape: tuple[int, int]) -> list[tuple[int, int]] | None:
    """Return where each window stands in an input of (height, width), by shelves; None: they do not fit.

    Columns and rows in strides.

    >>> packed([(0, 0, 4, 4), (8, 0, 12, 4), (0, 8, 6, 10)], (192, 256))
    [(0, 0), (4, 0), (0, 4)]
    """
    rows, columns = shape[0] // STRIDE, shape[1] // STRIDE
    order = sorted(range(len(windows)), key=lambda i: (windows[i][1] - windows[i][3], i))  # the highest first
    places: list[tuple[int, int]] = [(0, 0)] * len(windows)
    shelves: list[list[int]] = []  # top, height, where the next one goes
    top = 0
    for i in order:
        width, height = windows[i][2] - windows[i][0], windows[i][3] - windows[i][1]
        for shelf in shelves:
            if height <= shelf[1] and shelf[2] + width <= columns:
                break
        else:
            if top + height > rows or width > columns:
                return None
            shelf = [top, height, 0]
            shelves.append(shelf)
            top += height
        places[i] = shelf[2], shelf[0]
        shelf[2] += width
    return places


def grown(
    windows: Sequence[Cells],
    places: Sequence[tuple[int, int]],
    shape: tuple[int, int],
    whole: tuple[int, int],
) -> list[Cells]:
    """Return windows that fill what is left beside and below them in an input of (height, width).

    It costs nothing, and the more is seen around, the more a box is as in the ``whole`` picture's input,
    (height, width).

    >>> grown([(0, 0, 4, 4)], [(0, 0)], (192, 256), (480, 640))
    [(0, 0, 8, 6)]
    >>> grown([(10, 12, 14, 15), (2, 2, 5, 4)], [(0, 0), (4, 0)], (192, 256), (480, 640))
    [(10, 9, 14, 15), (2, 0, 6, 6)]
    """
    rows, columns = shape[0] // STRIDE, shape[1] // STRIDE
    made = []
    for (left, top, right, bottom), (column, row) in zip(windows, places, strict=True):
        below = min((r for _, r in places if r > row), default=rows)
        beside = min((c for c, r in places if r == row and c > column), default=columns)
        x0, x1 = _stretched(left, right, beside - column, whole[1] // STRIDE)
        y0, y1 = _stretched(top, bottom, below - row, whole[0] // STRIDE)
        made.append((x0, y0, x1, y1))
    return made


def _stretched(low: int, high: int, length: int, limit: int) -> tuple[int, int]:
    """Return a span of ``length``, or ``limit`` if that is less, around another and within 0 to ``limit``."""
    length = min(max(length, high - low), limit)
    start = min(max(0, low - (length - (high - low)) // 2), limit - length)
    return start, start + length
