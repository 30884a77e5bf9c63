"""What made scenes have in common: frames at even and uneven times, and cameras over the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.made_world import Array, Body, Camera

SIZES = ((320, 240), (640, 480), (768, 576), (1280, 720), (1920, 1080), (3840, 2160))
RATES = (5.0, 8.0, 10.0, 12.5, 15.0, 25.0, 30.0, 60.0)
MOST_FRAMES = 500
Points = list[tuple[float, float]]
Random = np.random.Generator


class Clock:
    """Frames of a film: even, with some dropped, or at uneven times."""

    def __init__(self, rng: Random, least_s: float) -> None:
        self.fps = float(rng.choice(RATES))
        lasts = min(max(least_s, 0.0), MOST_FRAMES / self.fps)
        self.times = np.arange(int(lasts * self.fps)) / self.fps
        self.how = str(rng.choice(["even", "even", "even", "dropped", "uneven"]))
        if self.how == "dropped":
            self.times = self.times[rng.random(len(self.times)) > 0.1]
        elif self.how == "uneven":
            self.times = np.maximum.accumulate(
                np.maximum(self.times + rng.uniform(-0.3, 0.3, len(self.times)) / self.fps, 0.0)
            )
            self.times = self.times[np.append(True, np.diff(self.times) > 1e-3)]


@dataclass(frozen=True, eq=False)
class Scene:
    """A film that nobody has filmed."""

    kind: str
    number: int
    clock: Clock
    camera: Camera
    bodies: list[Body]
    lines: dict[str, Points]
    zones: dict[str, Points]
    view: str  # the road and the camera, in words

    @property
    def about(self) -> str:
        """What is special about it, in words."""
        return f"{self.view}, {self.clock.fps:g} fps {self.clock.how}"


def camera_over(rng: Random, clock: Clock, span: float, kinds: tuple[str, ...]) -> tuple[Camera, Array, str]:
    """Return a camera, the place on the ground it looks at, and what it is; it shows ``span`` m there."""
    how = str(rng.choice(kinds))
    size = SIZES[int(rng.integers(len(SIZES)))]
    tilt = {
        "overhead": rng.uniform(1.25, 1.5707),
        "cctv": rng.uniform(0.35, 0.9),
        "low": rng.uniform(0.08, 0.25),
    }[how]
    focal = size[0] * rng.uniform(0.6, 1.2)
    distance = span * focal / size[0]
    height = max(float(distance * np.sin(tilt)), 1.3)
    distance = height / np.sin(tilt)
    ahead = float(distance * np.cos(tilt))
    t = len(clock.times)
    motion = str(rng.choice(["fixed", "fixed", "fixed", "shaking", "panning"]))
    yaw, shift = np.zeros(t), np.zeros((t, 2))
    if motion == "shaking":
        phase = rng.uniform(0, 6, (2, 3))
        rate = rng.uniform(0.3, 3, (2, 3))
        for axis in (0, 1):
            for k in range(3):
                shift[:, axis] += (
                    0.002 * size[0] * np.sin(2 * np.pi * rate[axis, k] * clock.times + phase[axis, k])
                )
    elif motion == "panning":
        swing = rng.uniform(0.03, 0.1)
        yaw = swing * np.sin(2 * np.pi * clock.times / rng.uniform(8, 20))
    camera = Camera(size, focal, height, float(tilt), yaw, shift)
    return camera, np.array([0.0, ahead]), f"{how} {height:.1f} m, {size[0]}x{size[1]}, {motion}"
