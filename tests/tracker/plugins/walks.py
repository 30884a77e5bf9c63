"""Synthetic truth: objects that walk over a line and in and out of a zone in ways whose counts are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from bytetrack import Tracks
from tracker.types import Event, Frame, Scene

SIZE = (900, 900)
NAMES = {0: "person", 2: "car", 7: "truck"}
BORDER_X = 450.0  # the line x = 450 from y = 100 to y = 700; the zone lies right of it
SPAN = (100.0, 700.0)
BOX = (40.0, 90.0)  # size 60 px, so the margin is 3 px
NO_IMAGE = np.zeros((1, 1, 3), np.uint8)


def scene(fps: float = 10.0, **more: object) -> Scene:
    return Scene("walks", SIZE, fps, False, NAMES, **{"lost_s": 2.0, **more})  # type: ignore[arg-type]


@dataclass
class Walk:
    """One object's way: where it is when, when it is out of sight, when it gets another number."""

    times: list[float] = field(default_factory=lambda: [0.0])
    places: list[tuple[float, float]] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    renamed: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)  # what is true: "right" and "left"

    def go(self, x: float, y: float, seconds: float) -> None:
        self.times.append(self.times[-1] + seconds)
        self.places.append((x, y))

    def at(self, time: float) -> tuple[float, float]:
        xs, ys = zip(*self.places, strict=True)
        return float(np.interp(time, self.times, xs)), float(np.interp(time, self.times, ys))


@st.composite
def walks(draw: st.DrawFn, *, fps: float) -> Walk:
    """A walk of a few legs: crossings with and without a stop on the line, U-turns, ways round its end."""
    lane = draw(st.floats(SPAN[0] + 20, SPAN[1] - 20))
    side = draw(st.sampled_from([-1, 1]))
    far = st.floats(100, 200)
    walk = Walk(places=[(BORDER_X + side * draw(far), lane)])
    for kind in draw(
        st.lists(st.sampled_from(["cross", "stop", "turn", "round", "rest"]), min_size=1, max_size=5)
    ):
        start = walk.times[-1]
        if kind == "rest":
            walk.go(*walk.places[-1], 4)
        if kind == "turn":
            walk.go(BORDER_X + side * draw(st.floats(-1, 9)), lane, 3)
            walk.go(BORDER_X + side * draw(far), lane, 3)
        if kind == "round":
            beyond = draw(st.sampled_from([SPAN[0] - 70, SPAN[1] + 70]))
            walk.go(walk.places[-1][0], beyond, 4)
            side = -side
            walk.go(BORDER_X + side * draw(far), beyond, 4)
            walk.go(walk.places[-1][0], lane, 4)
        if kind == "stop":
            walk.go(BORDER_X, lane, 2)
            walk.go(BORDER_X, lane, draw(st.floats(1, 6)))
        if kind in ("stop", "cross"):
            side = -side
            walk.counts["right" if side > 0 else "left"] += 1
            walk.go(BORDER_X + side * draw(far), lane, draw(st.floats(4, 6)))
        if kind in ("cross", "rest"):
            moment = start + draw(st.floats(3, 3.9))
            hidden = draw(st.floats(0, 0.5)) if fps >= 4 else 0.0
            if draw(st.booleans()):
                walk.renamed.append(moment)
                walk.gaps.append((moment - hidden, moment))
            else:
                walk.gaps.append((moment - draw(st.floats(0, 0.9)), moment))
    walk.go(*walk.places[-1], 2)
    return walk


@st.composite
def crowds(draw: st.DrawFn) -> tuple[float, list[Walk], int]:
    """A frame rate, walks that happen one after the other or far apart, and a seed of the jitter."""
    fps = draw(st.sampled_from([1.0, 2.0, 3.0, 5.0, 10.0, 12.5, 24.0, 25.0, 30.0, 60.0]))
    return fps, draw(st.lists(walks(fps=fps), min_size=1, max_size=2)), draw(st.integers(0, 2**32 - 1))


def frames(
    fps: float, crowd: list[Walk], seed: int, *, mirrored: bool = False, jitter: float = 1.0
) -> Iterator[tuple[Frame, Tracks]]:
    """Play walks one after the other: one to a stretch of time, so that nobody hides anybody."""
    noise = np.random.default_rng(seed)
    index, number = 0, 0
    for walk in crowd:
        number += 1
        start = index
        while (time := (index - start) / fps) <= walk.times[-1]:
            x, y = walk.at(time)
            x, y = x + noise.uniform(-jitter, jitter), y + noise.uniform(-jitter, jitter)
            x = SIZE[0] - x if mirrored else x
            hidden = any(a <= time < b for a, b in walk.gaps)
            now = number + sum(time >= moment for moment in walk.renamed)
            box = [[x - BOX[0] / 2, y - BOX[1], x + BOX[0] / 2, y]]
            yield frame(index, fps), Tracks.empty() if hidden else tracks([now], box)
            index += 1
        number += len(walk.renamed)
        for _ in range(int(4 * fps) + 1):  # long enough to be forgotten
            yield frame(index, fps), Tracks.empty()
            index += 1


def frame(index: int, fps: float = 10.0) -> Frame:
    return Frame(NO_IMAGE, index, index / fps)


def tracks(ids: list[int], xyxy: object, class_id: list[int] | None = None) -> Tracks:
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    return Tracks(
        np.array(ids, np.int64),
        boxes,
        np.ones(len(ids)),
        np.array(class_id or [0] * len(ids), np.int64),
        np.arange(len(ids)),
    )


def play(plugin: object, shown: Iterator[tuple[Frame, Tracks]], fps: float = 10.0) -> list[Event]:
    """Run a plugin over frames and return all its events, those of the end included."""
    plugin.start(scene(fps))  # type: ignore[attr-defined]
    events = [event for picture, seen in shown for event in plugin.update(picture, seen)]  # type: ignore[attr-defined]
    return events + list(plugin.finish() if hasattr(plugin, "finish") else ())


def walk_past(
    places: list[tuple[float, float]], *, ids: list[int] | None = None
) -> Iterator[tuple[Frame, Tracks]]:
    """Show one person at these places, a frame each."""
    for index, (x, y) in enumerate(places):
        box = [x - BOX[0] / 2, y - BOX[1], x + BOX[0] / 2, y]
        yield frame(index), tracks([ids[index] if ids else 1], [box])
