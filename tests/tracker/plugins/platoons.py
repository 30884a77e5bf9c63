"""Objects one behind the other in one lane, or through a door: as many as there are must be counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from walks import BORDER_X, NO_IMAGE, SIZE

from bytetrack import Tracks
from tracker.types import Frame

Y = 400.0  # the lane


@dataclass(frozen=True)
class Platoon:
    """``n`` objects on their way to the right, or downwards; all times in seconds, lengths in pixels."""

    n: int
    apart_s: float
    fps: float
    speed: float
    box: tuple[float, float]
    seen_from: float  # where an object is first seen and ...
    seen_to: float  # ... where it vanishes, from the line
    inner: tuple[float, float] | None  # a second box on each: part of its width and height; None: one box
    inner_class: int
    downwards: bool
    jitter: float
    seed: int

    def moments(self) -> Iterator[tuple[Frame, Tracks]]:
        """Yield every frame with the tracks in it."""
        noise = np.random.default_rng(self.seed)
        last = (self.n - 1) * self.apart_s + (self.seen_to - self.seen_from) / self.speed + 2
        for index in range(int(last * self.fps) + 1):
            ids, boxes, classes = [], [], []
            for k in range(self.n):
                way = self.seen_from + self.speed * (index / self.fps - 0.05 - k * self.apart_s)
                if not self.seen_from <= way <= self.seen_to:
                    continue
                x, y = (BORDER_X, BORDER_X + way) if self.downwards else (BORDER_X + way, Y)
                for number, (wide, high) in enumerate(((1.0, 1.0), self.inner or (0.0, 0.0))):
                    if wide == 0:
                        continue
                    w, h = wide * self.box[0], high * self.box[1]
                    box = np.array([x - w / 2, y - h, x + w / 2, y])
                    ids.append(2 * k + number + 1)
                    boxes.append(box + noise.uniform(-self.jitter, self.jitter, 4))
                    classes.append(self.inner_class if number else 2)
            yield (
                Frame(NO_IMAGE, index, index / self.fps),
                Tracks(
                    np.array(ids, np.int64),
                    np.array(boxes).reshape(-1, 4),
                    np.ones(len(ids)),
                    np.array(classes, np.int64),
                    np.arange(len(ids)),
                ),
            )


@st.composite
def platoons(draw: st.DrawFn) -> Platoon:
    """A lane or a door, at any frame rate, close or far apart, with one box on each object or two."""
    fps = draw(st.sampled_from([5.0, 10.0, 25.0, 30.0, 60.0]))
    apart_s = draw(st.sampled_from([0.1, 0.2, 0.3, 0.6, 1.0, 2.0]))
    box = draw(st.sampled_from([(60.0, 60.0), (40.0, 90.0), (120.0, 50.0), (16.0, 30.0)]))
    downwards = draw(st.booleans())
    least = 0.8 * max(box) / apart_s  # nearer than that a newcomer may be who was lost a moment before
    speed = max(least, draw(st.floats(0.5, 4.0)) * max(box))
    step = speed / fps  # seen at least once on either side of the line
    before = 0.06 * max(box) + 3 + step
    from_afar = draw(st.booleans())  # else out of a door, a step before the line
    seen_from = -min(400.0, before + 3 * step + 100) if from_afar else -before
    vanish = draw(st.sampled_from(["at once", "soon", "far"]))
    at_once = max(
        1.3 * step, 0.05 * max(box) + 0.5
    )  # the next step would be clear of the line, if this is not
    seen_to = {"at once": at_once, "soon": max(at_once, 0.3 * speed), "far": step + 300.0}[vanish]
    inner = draw(st.sampled_from([None, (0.8, 0.8), (0.95, 0.6), (0.5, 0.5)]))
    return Platoon(
        n=draw(st.sampled_from([2, 3, 8, 20, 50])),
        apart_s=apart_s,
        fps=fps,
        speed=speed,
        box=box,
        seen_from=seen_from,
        seen_to=min(seen_to, SIZE[0] - BORDER_X - 2),
        inner=inner,
        inner_class=draw(st.sampled_from([2, 7])),
        downwards=downwards,
        jitter=draw(st.sampled_from([0.0, 0.3])),
        seed=draw(st.integers(0, 2**32 - 1)),
    )
