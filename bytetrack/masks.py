"""Masks of objects as run lengths: small, exact, and one array for all objects of a frame.

A mask is told as COCO does (cocodataset/cocoapi, ``maskApi.c``): going down the columns of the picture, from
the left one to the right one, how many pixels are outside, then inside, then outside, and so on. It begins
with a run outside, which may be 0. Nothing here holds a full-size picture for each object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytetrack.arrays import FloatArray, IntArray, RowIndex

Inside = NDArray[np.bool_]


class Crop(NamedTuple):
    """The part of a mask where it is not empty, and the place of its first pixel."""

    x: int
    y: int
    inside: Inside  # (h, w)


@dataclass(frozen=True, eq=False)
class Masks:
    """The masks of N objects of one picture.

    >>> masks = Masks.of([Crop(1, 0, np.ones((2, 3), bool))], (4, 6))
    >>> masks.counts.tolist(), masks.area.tolist(), masks.xyxy.tolist()
    ([4, 2, 2, 2, 2, 2, 10], [6], [[1.0, 0.0, 4.0, 2.0]])
    """

    counts: IntArray  # (R,) the runs of all masks, end to end
    start: IntArray  # (N + 1,) where in ``counts`` each begins, and the end of the last
    size: tuple[int, int]  # height and width of the picture in pixels

    @classmethod
    def of(cls, crops: Sequence[Crop], size: tuple[int, int]) -> Masks:
        """Make them of crops, each of which lies in the picture of ``size``, (height, width)."""
        return cls.from_counts([_runs(crop, size) for crop in crops], size)

    @classmethod
    def from_counts(cls, runs: Sequence[IntArray], size: tuple[int, int]) -> Masks:
        """Make them of the runs of each; raises ``ValueError`` where those are not as many as pixels."""
        for row, one in enumerate(runs):
            if len(one) == 0 or one.min() < 0 or int(one.sum()) != size[0] * size[1]:
                raise ValueError(f"mask {row}: its runs are not those of a picture of {size[1]}x{size[0]}")
        start = np.concatenate([[0], np.cumsum([len(one) for one in runs])]).astype(np.int64)
        counts = np.concatenate(runs) if runs else np.empty(0)
        return cls(counts.astype(np.int32), start, (int(size[0]), int(size[1])))

    @classmethod
    def from_pictures(cls, inside: NDArray[Any]) -> Masks:
        """Make them of full-size ones, (N, height, width)."""
        pictures = np.asarray(inside, bool)
        return cls.of([Crop(0, 0, one) for one in pictures], (pictures.shape[1], pictures.shape[2]))

    @classmethod
    def from_letterbox(cls, inside: NDArray[np.bool_], size: tuple[int, int]) -> Masks:
        """Make them of those of a network's input, (N, h, w), in which a picture of ``size`` is centred."""
        (h, w), (height, width) = inside.shape[1:], size
        gain = min(h / height, w / width)
        top, left = (h - height * gain) / 2, (w - width * gain) / 2
        rows = np.clip((np.arange(height) + 0.5) * gain + top, 0, h - 1).astype(np.int64)
        columns = np.clip((np.arange(width) + 0.5) * gain + left, 0, w - 1).astype(np.int64)
        return cls.of([Crop(0, 0, one[rows][:, columns]) for one in inside], (int(height), int(width)))

    @classmethod
    def empty(cls, size: tuple[int, int]) -> Masks:
        """No masks, of a picture of ``size``, (height, width)."""
        return cls.from_counts([], size)

    @classmethod
    def concatenate(cls, parts: Sequence[Masks]) -> Masks:
        """Return all of them, in order; their pictures must be of one size."""
        sizes = {part.size for part in parts}
        if len(sizes) != 1:
            raise ValueError(f"masks of pictures of one size can be joined, not of {sorted(sizes)}")
        return cls.from_counts([part.runs(row) for part in parts for row in range(len(part))], sizes.pop())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.start) - 1

    def __getitem__(self, rows: RowIndex) -> Masks:
        """Select with one mask, slice or index array."""
        chosen = np.arange(len(self))[rows].tolist()
        runs = [self.runs(row) for row in chosen]
        start = np.concatenate([[0], np.cumsum([len(one) for one in runs])]).astype(np.int64)
        return Masks(np.concatenate(runs) if runs else self.counts[:0], start, self.size)

    def runs(self, row: int) -> IntArray:
        """Return the run lengths of one mask, a view."""
        return self.counts[self.start[row] : self.start[row + 1]]

    def crop(self, row: int) -> Crop:
        """Return the part of a mask where it is not empty; (0, 0) pixels of an empty one."""
        x1, y1, x2, y2 = _bounds(self.runs(row), self.size[0])
        if x2 <= x1:
            return Crop(0, 0, np.zeros((0, 0), bool))
        height = self.size[0]
        ends = np.cumsum(self.runs(row), dtype=np.int64) - x1 * height
        ends = np.clip(ends, 0, (x2 - x1) * height)
        lengths = np.diff(ends, prepend=0)
        flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
        pixels = np.zeros((x2 - x1) * height, bool)
        pixels[: len(flat)] = flat
        return Crop(x1, y1, np.ascontiguousarray(pixels.reshape(x2 - x1, height)[:, y1:y2].T))

    def crops(self) -> Iterator[Crop]:
        """Yield the crops of all, one at a time."""
        for row in range(len(self)):
            yield self.crop(row)

    def picture(self, row: int) -> Inside:
        """Return one mask at full size, (height, width): large, so of one at a time."""
        whole = np.zeros(self.size, bool)
        x, y, inside = self.crop(row)
        whole[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
        return whole

    def pictures(self) -> Inside:
        """Return all at full size, (N, height, width), for those who want them so: that is large."""
        whole = np.zeros((len(self), *self.size), bool)
        for row, (x, y, inside) in enumerate(self.crops()):
            whole[row, y : y + inside.shape[0], x : x + inside.shape[1]] = inside
        return whole

    @property
    def area(self) -> IntArray:
        """Return (N,) how many pixels each has."""
        return np.array([self.runs(row)[1::2].sum() for row in range(len(self))], np.int64)

    @property
    def xyxy(self) -> FloatArray:
        """Return (N, 4) the boxes around them, in pixels; zeros for an empty one."""
        boxes = [_bounds(self.runs(row), self.size[0]) for row in range(len(self))]
        return np.array(boxes, np.float64).reshape(-1, 4)

    @property
    def lowest(self) -> FloatArray:
        """Return (N, 2) the lowest point of each: x the middle of its lowest row, y that row's lower edge.

        NaN for an empty mask.
        """
        points = np.full((len(self), 2), np.nan)
        for row, (x, y, inside) in enumerate(self.crops()):
            if inside.size:
                columns = np.flatnonzero(inside[-1])
                points[row] = x + (columns[0] + columns[-1] + 1) / 2, y + inside.shape[0]
        return points

    def iou(self, other: Masks) -> FloatArray:
        """Return (N, M): pixels in both over pixels in either."""
        mine, theirs = list(self.crops()), list(other.crops())
        shared = np.array([[_shared(a, b) for b in theirs] for a in mine], np.float64)
        shared = shared.reshape(len(self), len(other))
        either = self.area[:, None] + other.area - shared
        return shared / np.maximum(either, 1)

    def mirrored(self) -> Masks:
        """Return them as in a picture whose left is its right."""
        width = self.size[1]
        return Masks.of(
            [Crop(width - x - inside.shape[1], y, inside[:, ::-1]) for x, y, inside in self.crops()],
            self.size,
        )

    def to_coco(self, row: int) -> dict[str, Any]:
        """Return one mask as COCO writes it: ``{"size": [height, width], "counts": text}``."""
        return {"size": [*self.size], "counts": packed(self.runs(row))}

    @classmethod
    def from_coco(cls, masks: Sequence[Mapping[str, Any]], size: tuple[int, int]) -> Masks:
        """Read masks as COCO writes them, their counts as text or list.

        Raises ``ValueError`` for one that is damaged or of a picture of another size.
        """
        runs = []
        for row, mask in enumerate(masks):
            if tuple(mask["size"]) != tuple(size):
                height, width = mask["size"]
                raise ValueError(f"mask {row} is of a picture of {width}x{height}, not {size[1]}x{size[0]}")
            counts = mask["counts"]
            runs.append(unpacked(counts) if isinstance(counts, str) else np.asarray(counts, np.int64))
        return cls.from_counts(runs, size)


def packed(counts: IntArray) -> str:
    """Return runs as COCO's text: six bits a character, each run from the third on less the one before last.

    >>> packed(np.array([4, 2, 2, 2, 10])), unpacked(packed(np.array([4, 2, 2, 2, 10]))).tolist()
    ('42208', [4, 2, 2, 2, 10])
    """
    values = counts.astype(np.int64)
    values[3:] -= counts[1:-2].astype(np.int64)
    text = []
    for value in values.tolist():
        more = True
        while more:
            bits = value & 31
            value >>= 5
            more = value != (-1 if bits & 16 else 0)
            text.append(chr(48 + (bits | (32 if more else 0))))
    return "".join(text)


def unpacked(text: str) -> IntArray:
    """Return the runs of COCO's text; raises ``ValueError`` for what is none."""
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 30:
            raise ValueError("the run lengths of a mask are damaged")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("the run lengths of a mask end too early")
    return np.array(counts, np.int64)


def _runs(crop: Crop, size: tuple[int, int]) -> IntArray:
    """Return the run lengths of one mask."""
    height, width = size
    x, y, inside = crop
    flat = np.zeros((inside.shape[1], height), bool)
    flat[:, y : y + inside.shape[0]] = inside.T
    changes = np.flatnonzero(np.diff(flat.ravel(), prepend=False, append=False)) + x * height
    return np.diff(changes, prepend=0, append=width * height)


def _bounds(runs: IntArray, height: int) -> tuple[int, int, int, int]:
    """Return the box around a mask, without making its pixels."""
    ends = np.cumsum(runs, dtype=np.int64)
    first, last = ends[0 : len(runs) - 1 : 2], ends[1::2] - 1  # of each run inside
    some = last >= first
    first, last = first[some], last[some]
    if not len(first):
        return 0, 0, 0, 0
    left, right = int(first[0] // height), int(last[-1] // height)
    if (first // height != last // height).any():  # a run goes on in the next column
        over = first // height != last // height
        tall = 0, height
        top = tall[0] if over.any() else int((first % height).min())
        return left, top, right + 1, tall[1]
    return left, int((first % height).min()), right + 1, int((last % height).max()) + 1


def moved_iou(one: IntArray, other: IntArray, shift: int = 0) -> float:
    """Return the IoU of two masks told by their runs, the first moved on by ``shift`` pixels.

    To the right by x and down by y is x times the picture's height and y; what leaves a column at the bottom
    comes in at the top of the next. Nothing is made of pixels: how many of the other lie before a place is
    linear between the ends of its runs.

    >>> one, other = (Masks.of([Crop(x, 0, np.ones((4, 4), bool))], (4, 9)).runs(0) for x in (0, 2))
    >>> moved_iou(one, other), moved_iou(one, other, 2 * 4)
    (0.3333333333333333, 1.0)
    """
    ends, bounds = np.cumsum(one) + shift, np.cumsum(other)
    inside = other.copy()
    inside[0::2] = 0
    before = np.cumsum(inside)  # pixels of the other up to each of its bounds
    last = len(one) // 2
    starts, stops = ends[0::2][:last], ends[1::2]
    shared = (np.interp(stops, bounds, before) - np.interp(starts, bounds, before)).sum()
    either = one[1::2].sum() + before[-1] - shared
    return float(shared / either) if either else 0.0


def _shared(one: Crop, other: Crop) -> int:
    """Return how many pixels are in both."""
    left, top = max(one.x, other.x), max(one.y, other.y)
    right = min(one.x + one.inside.shape[1], other.x + other.inside.shape[1])
    bottom = min(one.y + one.inside.shape[0], other.y + other.inside.shape[0])
    if right <= left or bottom <= top:
        return 0
    mine = one.inside[top - one.y : bottom - one.y, left - one.x : right - one.x]
    theirs = other.inside[top - other.y : bottom - other.y, left - other.x : right - other.x]
    return int(np.count_nonzero(mine & theirs))
