"""Seconds at places as colours, and the scale that tells which colour is how many."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray
from tracker.types import Scale

SIGMA = 0.25  # standard deviation of a footprint in widths of its box: 4 of them span the box
REACH = 3.5  # half the width of the footprint's kernel in standard deviations: 0.2 % is left there
COOLEST, SOFT = 0.05, 0.3  # of the scale: where colour begins, and where it has come up to its opacity
OPACITY = 0.72
TURBO = (0.1, 0.95)  # of Google's map, whose ends are too dark to tell from a shadow
STEPS = 128  # of the scale
NICE = (1, 2, 5)
UNITS = ((7200.0, 3600.0, "hours"), (120.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))
BETWEEN = 0.075  # of the scale: two ticks nearer than this are one


def footprint(width: float) -> FloatArray:
    """Return the separable kernel (K,) of a footprint ``width`` cells wide; its middle is 1."""
    sigma = SIGMA * width
    reach = max(round(REACH * sigma), 1)
    kernel: FloatArray = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return kernel


def colored(seconds: FloatArray) -> NDArray[np.uint8]:
    """Return values (h, w) as a BGRA picture: from nothing to hardly transparent, from dark to bright."""
    return _shades(np.sqrt(seconds / max(float(seconds.max()), 1e-9)))


def scale(most_s: float, what: str) -> Scale:
    """Return the scale of `colored` up to ``most_s``; ``what`` was measured, such as "present"."""
    _, unit_s, unit = next(known for known in UNITS if most_s >= known[0])
    most = most_s / unit_s
    marks = [(float(np.sqrt(tick / most)) if most else 0.0, f"{tick:.3g}") for tick in ticks(most)]
    title = f"{unit.capitalize()} {what}, on a square-root scale"
    return Scale(title, _shades(np.linspace(0, 1, STEPS)[None])[0], marks)


def ticks(most: float) -> list[float]:
    """Return round values for a scale of square roots, 0 and the greatest included.

    >>> ticks(340)
    [0, 2.0, 10.0, 50.0, 100.0, 200.0, 340]
    """
    if most <= 0:
        return [0]
    decade = 10.0 ** np.floor(np.log10(most))
    chosen: list[float] = [0]
    for value in (n * d for d in (decade / 100, decade / 10, decade) for n in NICE):
        place = np.sqrt(value / most)
        if place - np.sqrt(chosen[-1] / most) >= BETWEEN and place <= 1 - BETWEEN:
            chosen.append(float(f"{value:.1g}"))
    return [*chosen, most]


def _shades(part: FloatArray) -> NDArray[np.uint8]:
    low, high = TURBO
    colors = _turbo().take(np.rint((low + (high - low) * part) * 255).astype(np.uint8))
    shades: NDArray[np.uint8] = colors.view(np.uint8).reshape(*part.shape, 4)
    up = np.minimum(np.maximum((part - COOLEST) / (SOFT - COOLEST), 0), 1)
    shades[..., 3] = np.rint(up * up * (3 - 2 * up) * OPACITY * 255)  # no edge where it begins or ends
    return shades


@lru_cache(maxsize=1)
def _turbo() -> NDArray[np.uint32]:
    """Return the scale's colours, (256,) BGRA, four bytes together: they are taken at once."""
    colors = np.zeros((256, 4), np.uint8)
    levels = np.arange(256, dtype=np.uint8)
    colors[:, :3] = np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)).reshape(256, 3)
    return colors.view(np.uint32).ravel()
