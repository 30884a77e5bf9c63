"""Many samples of the same picture, place by place, and what most of them agree on."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray
from tracker.types import Image

KEPT = 24  # samples of each place
TILE = 16  # pixels: a place
GROWN = 0.15  # a box is grown by this part of its size to all sides: hair, bags, the blur of motion
ALIKE = 12  # greatest difference of two samples of the same thing: noise and compression
FLAT = 2.0  # deviation below which a picture shows nothing: faded out, covered, no signal
MOST_GAIN = 4.0  # samples in so much more or less light are made alike
DARK = 8.0  # mean of a place in which a ratio of two lights tells little
AGREEING = 0.72  # part of the samples that agree, over all pixels: less, and the camera itself moves
AT_ONCE = 64  # places worked out together


class Samples:
    """Up to `KEPT` samples of each place of a picture (width, height): the clear, then the hidden ones."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._columns, self._rows = (-(-side // TILE) for side in size)
        places = self._rows, self._columns
        # Each (rows, columns, TILE, TILE, 3), made when it is needed: one block of all of them costs more.
        self._samples: list[NDArray[np.uint8]] = []
        self._light = np.ones((KEPT, *places, 3), np.float32)  # of a sample, as a multiple of the first one's
        self._clear, self._hidden = np.zeros(places, int), np.zeros(places, int)  # samples that are kept
        self._clear_seen, self._hidden_seen = np.zeros(places), np.zeros(places)  # their time
        self._first: FloatArray | None = None  # mean colour of each place
        self._random = np.random.default_rng(0)  # the same run keeps the same samples
        self._emptiest: tuple[float, Image] | None = None  # the whole sample with the least hidden

    def take(self, image: Image, xyxy: FloatArray, time: float = 1.0) -> None:
        """Take a picture (h, w, 3) with boxes (N, 4) in which something is that does not belong there.

        ``time`` is what this sample stands for: samples are kept with a probability in proportion to it.
        """
        height, width = image.shape[:2]
        more = self._rows * TILE - height, self._columns * TILE - width
        if any(more):
            image = np.pad(image, ((0, more[0]), (0, more[1]), (0, 0)), "edge")
        hidden = covered(xyxy, (self._rows, self._columns))
        mean = self._mean_of(image)
        flat = mean is None
        part = float(hidden.mean()) + flat
        if self._emptiest is None or part < self._emptiest[0]:
            self._emptiest = part, image.copy()
        light = np.ones(3) if mean is None else self._light_of(mean, ~hidden)
        hidden |= flat
        tiles = image.reshape(self._rows, TILE, self._columns, TILE, 3).swapaxes(1, 2)
        self._clear_seen += time * ~hidden
        self._hidden_seen += time * hidden
        clear, kept = self._clear, self._clear + self._hidden
        room = np.where(hidden, kept, clear) < KEPT
        rivals = np.where(hidden, self._hidden, KEPT)
        chance = rivals * time / np.where(hidden, self._hidden_seen, self._clear_seen)
        drawn = self._random.random()  # the same for all, so that neighbours keep the same moments
        rival = np.minimum(drawn / np.maximum(chance, 1e-12) * rivals, rivals - 1).astype(int)
        slot = np.where(room, np.where(hidden, kept, clear), np.where(hidden, clear, 0) + rival)
        taken = room | (drawn < chance)
        for number in np.unique(slot[taken]).tolist():
            here = taken & (slot == number)
            while len(self._samples) <= number:
                self._samples.append(np.empty_like(tiles, order="C"))
            if here.all():  # mostly, at first
                self._samples[number][:], self._light[number] = tiles, light
            else:
                self._samples[number][here], self._light[number, here] = tiles[here], light
        fresh = ~hidden & room
        self._hidden = np.where(fresh, np.maximum(self._hidden - 1, 0), self._hidden + (hidden & room))
        self._clear = clear + fresh

    def mode(self) -> Image:
        """Return what most samples of each pixel agree on: of the clear ones, where there were any.

        Where the camera itself moves they agree on nothing: the emptiest moment is returned as it was.
        """
        kept = np.where(self._clear > 0, self._clear, self._hidden).ravel()
        light = self._light.reshape(KEPT, -1, 3)
        valid = np.arange(KEPT)[:, None] < kept
        lights = light[valid]
        usual = lights[np.argsort(lights.mean(axis=1), kind="stable")[len(lights) // 2]]
        factor = np.where(valid[..., None], np.clip(usual / light, 1 / MOST_GAIN, MOST_GAIN), 1)
        samples = [each.reshape(-1, TILE * TILE, 3) for each in self._samples]
        made, agreeing = np.empty((len(kept), TILE * TILE, 3), np.uint8), 0.0
        for start in range(0, len(made), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            most = max(int(kept[part].max()), 1)
            chosen, by = np.stack([each[part] for each in samples[:most]]), factor[:most, part]
            if np.abs(by - 1).max() > 0.01:
                chosen = np.clip(chosen * by[:, :, None, :] + 0.5, 0, 255).astype(np.uint8)
            made[part], agreed = _mode(chosen, valid[:most, part])
            agreeing += float((agreed / np.maximum(kept[part], 1)[:, None]).sum())
        if self._emptiest is not None and agreeing < AGREEING * made[..., 0].size:
            return self._emptiest[1]
        tiles = made.reshape(self._rows, self._columns, TILE, TILE, 3).swapaxes(1, 2)
        picture: Image = tiles.reshape(self._rows * TILE, self._columns * TILE, 3)
        return picture

    def _mean_of(self, image: Image) -> FloatArray | None:
        """Return the mean colour of each place (rows, columns, 3), or None where the picture shows nothing.

        Its deviation is computed only where the range (no signal) and the deviation of the means do not tell
        already: the one is at least twice as large, the other, but for rounding, at most as large.
        """
        some = image[::TILE, ::TILE]  # of most pictures they tell already
        if np.ptp(some) < 2 * FLAT and int(image.max()) - int(image.min()) < 2 * FLAT:
            return None
        mean = cv2.resize(image, (self._columns, self._rows), interpolation=cv2.INTER_AREA).astype(np.float64)
        shows = (cv2.meanStdDev(mean)[1] >= FLAT + 1).any() or (cv2.meanStdDev(image)[1] >= FLAT).any()
        return mean if shows else None

    def _light_of(self, mean: FloatArray, clear: NDArray[np.bool_]) -> FloatArray:
        """Return how bright a picture is, (3,), as a multiple of the first: the median over places.

        ``mean`` are the colours of its places (rows, columns, 3), ``clear`` those where nobody is.
        """
        if self._first is None:
            self._first = mean
        told = clear & (self._first.min(axis=2) >= DARK) & (mean.min(axis=2) >= DARK / 2)
        if 10 * np.count_nonzero(told) < told.size:
            ratio: FloatArray = (mean.mean(axis=(0, 1)) + 1) / (self._first.mean(axis=(0, 1)) + 1)
            return ratio
        return np.asarray(np.median(mean[told] / self._first[told], axis=0))


def covered(xyxy: FloatArray, places: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which places (rows, columns) of `TILE` pixels the boxes (N, 4) touch, grown by `GROWN`.

    >>> covered(np.array([[20.0, 20, 30, 28]]), (3, 3)).astype(int).tolist()
    [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    """
    rows, columns = places
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)
    more = GROWN * np.sqrt(sides[:, :1] * sides[:, 1:])
    grown = np.hstack([np.floor((xyxy[:, :2] - more) / TILE), np.ceil((xyxy[:, 2:] + more) / TILE)])
    limit = np.array([columns, rows, columns, rows])
    x1, y1, x2, y2 = np.minimum(np.maximum(grown, 0), limit).astype(int).T
    width, size = columns + 1, (rows + 1) * (columns + 1)  # a box is four corners of a sum over both axes
    begin, end = y1 * width, y2 * width
    steps = np.bincount(np.concatenate((begin + x1, end + x2)), minlength=size)
    steps -= np.bincount(np.concatenate((begin + x2, end + x1)), minlength=size)
    steps = steps.reshape(rows + 1, width)
    touched: NDArray[np.bool_] = steps.cumsum(axis=0).cumsum(axis=1)[:rows, :columns] > 0
    return touched


def _mode(
    samples: NDArray[np.uint8], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Return for samples (K, N, P, 3) of N places the mean (N, P, 3) of the largest group that agrees.

    Beside it how many are in that group (N, P).

    ``valid`` (K, N) tells which samples there are.
    """
    count, places, pixels, _ = samples.shape
    planes = np.ascontiguousarray(np.moveaxis(samples, 3, 0)).reshape(3, count, -1)
    there = np.repeat(valid, pixels, axis=1)
    most = np.zeros(places * pixels, np.uint8)
    best = np.zeros(places * pixels, np.intp)
    for sample in range(count):
        agreeing = np.add.reduce(_alike(planes, planes[:, sample]) & there, axis=0, dtype=np.uint8)
        better = (agreeing > most) & there[sample]
        most[better], best[better] = agreeing[better], sample
    group = _alike(planes, planes[:, best, np.arange(places * pixels)]) & there
    size = np.maximum(np.add.reduce(group, axis=0, dtype=np.uint16), 1)
    sums = np.add.reduce(planes * group, axis=1, dtype=np.uint16)
    mean = ((sums + size // 2) // size).astype(np.uint8)
    return np.moveaxis(mean.reshape(3, places, pixels), 0, 2), size.reshape(places, pixels)


def _alike(planes: NDArray[np.uint8], one: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which samples (3, K, P) differ by little from one of them (3, P) in every channel: (K, P)."""
    low, high = np.maximum(one, ALIKE) - ALIKE, np.minimum(one, 255 - ALIKE) + ALIKE
    blue, green, red = (planes >= low[:, None]) & (planes <= high[:, None])
    alike: NDArray[np.bool_] = blue & green & red
    return alike
