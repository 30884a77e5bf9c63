"""Where a picture differs from what was looked at: luminance by blocks, with the noise of each learnt."""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray
from tracker.types import Image

Mask: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.bool_]]  # rows, columns of blocks
BLOCK = 16  # pixels at the network's scale, as nearly as the picture's sides can be divided
CELLS = 4  # of a block's side: a cell is the mean of some 4 x 4 pixels, in which noise is a quarter
QUIETEST, WILDEST = 2.0, 20.0  # levels of luminance between which a block's noise is learnt
AT_FIRST = 4.0
RARE = 0.02  # part of the comparisons in which noise alone exceeds what is learnt
STEP = 0.5  # levels by which a block learns
ABOVE, AND = 1.5, 2.0  # a change is ``ABOVE`` times the noise, ``AND`` levels more
ALONE = 1.6  # times as much where no neighbour changed, too
GRAIN = 0.4  # correlation of neighbouring cells below which a change everywhere is noise, no motion
BESIDE = 0.6  # a neighbour that changed by so much of its threshold supports


def blocks_of(size: tuple[int, int]) -> tuple[int, int]:
    """Return rows and columns of blocks in a picture of (height, width) at the network's scale."""
    return max(1, round(size[0] / BLOCK)), max(1, round(size[1] / BLOCK))


def luminance(scaled: Image) -> Image:
    """Return (CELLS * rows, CELLS * columns) means of luminance of a BGR picture at the network's scale."""
    rows, columns = blocks_of((scaled.shape[0], scaled.shape[1]))
    grey = cv2.cvtColor(scaled, cv2.COLOR_BGR2GRAY)  # first: one channel is scaled faster than three
    return np.asarray(
        cv2.resize(grey, (CELLS * columns, CELLS * rows), interpolation=cv2.INTER_AREA), np.uint8
    )


class Changes:
    """Which blocks of the newest picture differ from the pictures in which each was last looked at.

    What the whole picture or one row of it gained in light is left out (a lamp on mains current, exposure),
    unless so much changed that it is another light. Noise is what changes where nothing is found; a block
    learns which change only one comparison in fifty exceeds.
    """

    def __init__(self, luminance: NDArray[np.integer[Any]], noise: FloatArray | None = None) -> None:
        """Begin with a picture, or with what was ``looked_at`` and learnt before."""
        self.looked_at = luminance.astype(np.int16)
        self._now = self.looked_at
        rows, columns = luminance.shape[0] // CELLS, luminance.shape[1] // CELLS
        self._change = np.zeros((rows, columns), np.int16)
        self.is_grain = True  # whether what changed last is without form, as noise is
        self.noise = np.full((rows, columns), AT_FIRST, np.float32) if noise is None else noise

    def compare(self, luminance: Image) -> Mask:
        """Return (rows, columns): which blocks of this picture changed."""
        self._now = luminance.astype(np.int16)
        difference = self._now - self.looked_at
        if not difference.any():
            self._change[:] = 0
            return np.zeros((self.noise.shape[0], self.noise.shape[1]), bool)
        middle = difference.shape[1] // 2  # the upper median: eight times as fast as the mean of two
        difference -= np.partition(difference, middle, axis=1)[:, middle : middle + 1]
        beside = np.asarray(difference, np.float32)
        power = float((beside * beside).mean()) + 1e-9
        self.is_grain = float((beside[:, 1:] * beside[:, :-1]).mean()) < GRAIN * power
        rows, columns = self.noise.shape
        self._change = np.abs(difference).reshape(rows, CELLS, columns, CELLS).max(axis=(1, 3))
        threshold = self.threshold()
        near = (self._change > BESIDE * threshold).astype(np.uint8)
        others = cv2.boxFilter(near, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT) - near
        supported = (self._change > threshold) & (others > 0)
        return np.asarray(supported | (self._change > ALONE * threshold), bool)

    def replace(self, luminance: Image) -> None:
        """Take this picture, which was looked at whole, for what the next is compared with."""
        self.looked_at = self._now = luminance.astype(np.int16)

    def threshold(self) -> FloatArray:
        """Return (rows, columns): the levels above which a block has changed."""
        return ABOVE * self.noise + AND

    def look(self, blocks: Mask) -> None:
        """Note that these blocks of the newest picture are looked at."""
        cells = blocks.repeat(CELLS, axis=0).repeat(CELLS, axis=1)
        self.looked_at = np.where(cells, self._now, self.looked_at)

    def learn(self, empty: Mask) -> None:
        """Take the newest change of these blocks, in which nothing is, for noise."""
        step = np.where(self._change > self.noise, (1 - RARE) * STEP, -RARE * STEP)
        np.clip(self.noise + np.where(empty, step, 0), QUIETEST, WILDEST, out=self.noise)
