"""Made-up scenes for the tests: boxes that wander, are missed now and then, and come with clutter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections


def random_boxes(rng: np.random.Generator, n: int, *, extent: float = 1000.0) -> NDArray[np.float64]:
    corner = rng.uniform(-50, extent, (n, 2))
    return np.hstack((corner, corner + rng.uniform(1, 200, (n, 2))))


def crowd(
    seed: int, frames: int, objects: int = 12, *, classes: int = 3, extent: float = 600.0
) -> Iterator[Detections]:
    """Yield what a detector would see of objects on their way; 7 % missed, 5 % clutter, 20 % unsure."""
    rng = np.random.default_rng(seed)
    center = rng.uniform(0, extent, (objects, 2))
    velocity = rng.normal(0, 3, (objects, 2))
    size = rng.uniform(30, 120, (objects, 2))
    kinds = rng.integers(0, classes, objects)
    for _ in range(frames):
        center += velocity
        box = np.hstack((center - size / 2, center + size / 2)) + rng.normal(0, 1.5, (objects, 4))
        score = np.where(
            rng.random(objects) < 0.2, rng.uniform(0.15, 0.5, objects), rng.uniform(0.6, 1, objects)
        )
        seen = rng.random(objects) > 0.07
        clutter = rng.binomial(objects, 0.05)
        yield Detections(
            np.vstack((box[seen], random_boxes(rng, clutter, extent=extent))),
            np.append(score[seen], rng.uniform(0.1, 1, clutter)),
            np.append(kinds[seen], rng.integers(0, classes, clutter)),
        )
