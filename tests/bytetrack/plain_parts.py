"""What the plain trackers are made of: overlap, assignments by trying all, filters of full matrices."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def overlap(a: Array, b: Array) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return float(shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared))


def dearest(gain: Array, *, complete: bool = False) -> list[tuple[int, int]]:
    """Try every matching, return one of greatest total gain; ``complete``: of those with most pairs."""
    if gain.shape[0] > gain.shape[1]:
        return [(row, column) for column, row in dearest(gain.T, complete=complete)]

    @cache
    def best(row: int, used: int) -> tuple[float, tuple[tuple[int, int], ...]]:
        if row == len(gain):
            return 0.0, ()
        options = [] if complete else [best(row + 1, used)]
        for column in range(gain.shape[1]):
            if not used & 1 << column:
                total, pairs = best(row + 1, used | 1 << column)
                options.append((total + float(gain[row, column]), ((row, column), *pairs)))
        return max(options)

    return list(best(0, 0)[1])


def cheapest(cost: Array, limit: float) -> list[tuple[int, int]]:
    """DeepSORT's: what costs too much costs a little more than the limit, and is dropped afterwards."""
    if cost.size == 0:
        return []
    clipped = np.where(cost > limit, limit + 1e-5, cost)
    return [(row, column) for row, column in dearest(-clipped, complete=True) if cost[row, column] <= limit]


@dataclass
class Track:
    number: int
    mean: Array
    covariance: Array
    hits: int = 1
    missed: int = 0  # frames since it was seen, as seen from the frame that is being looked at
    confirmed: bool = False
    looks: list[Array] = field(default_factory=list)


class Filter:
    """x, y, two numbers of the size, and their velocities; ``kind`` is xyah, xywh or xyar."""

    def __init__(self, kind: str) -> None:
        self.kind, self.n = kind, 7 if kind == "xyar" else 8
        self.f = np.eye(self.n)
        for k in range(self.n - 4):
            self.f[k, 4 + k] = 1
        self.h = np.eye(4, self.n)

    def measured(self, box: Array) -> Array:
        w, h = box[2] - box[0], box[3] - box[1]
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return np.array(
            {"xyah": [x, y, w / h, h], "xywh": [x, y, w, h], "xyar": [x, y, w * h, w / h]}[self.kind]
        )

    def box(self, mean: Array) -> Array:
        x, y, a, b = mean[:4]
        w, h = {"xyah": (a * b, b), "xywh": (a, b), "xyar": (np.sqrt(max(a * b, 0)), np.sqrt(max(a / b, 0)))}[
            self.kind
        ]
        return np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])

    def deviations(self, mean: Array) -> tuple[list[float], list[float], list[float]]:
        """Of position, velocity and measurement."""
        a, h = mean[2:4]
        if self.kind == "xyah":
            return (
                [h / 20, h / 20, 1e-2, h / 20],
                [h / 160, h / 160, 1e-5, h / 160],
                [h / 20, h / 20, 1e-1, h / 20],
            )
        if self.kind == "xywh":
            return [a / 20, h / 20] * 2, [a / 160, h / 160] * 2, [a / 20, h / 20] * 2
        return [1.0] * 4, [0.1, 0.1, 0.01], [1.0, 1.0, 10**0.5, 10**0.5]

    def begin(self, box: Array) -> tuple[Array, Array]:
        mean = np.r_[self.measured(box), np.zeros(self.n - 4)]
        position, velocity, _ = self.deviations(mean)
        if self.kind == "xyar":
            return mean, np.diag([10.0] * 4 + [10000.0] * 3)
        first = [2 * p for p in position] + [10 * v for v in velocity]
        if self.kind == "xyah":
            first[2], first[6] = 1e-2, 1e-5
        return mean, np.diag(first) ** 2

    def predict(self, track: Track) -> None:
        position, velocity, _ = self.deviations(track.mean)
        if self.kind == "xyar" and track.mean[2] + track.mean[6] <= 0:
            track.mean[6] = 0.0
        track.mean = self.f @ track.mean
        track.covariance = self.f @ track.covariance @ self.f.T + np.diag(position + velocity) ** 2

    def innovation(self, track: Track, noise: float = 1.0) -> Array:
        _, _, measurement = self.deviations(track.mean)
        return self.h @ track.covariance @ self.h.T + (noise * np.diag(measurement)) ** 2

    def update(self, track: Track, box: Array, noise: float = 1.0) -> None:
        gain = track.covariance @ self.h.T @ np.linalg.inv(self.innovation(track, noise))
        track.mean = track.mean + gain @ (self.measured(box) - track.mean[:4])
        track.covariance = (np.eye(self.n) - gain @ self.h) @ track.covariance

    def distance(self, track: Track, box: Array) -> float:
        apart = self.measured(box) - track.mean[:4]
        return float(apart @ np.linalg.inv(self.innovation(track)) @ apart)
