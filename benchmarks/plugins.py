"""What the plugins cost per frame, and whether their memory grows: ``python -m benchmarks.plugins``.

Fifty objects walk about; every tenth frame one leaves and another comes, so identities keep being born.
Update and draw are timed together, plugin by plugin in the same pass, by the thread's own clock: other
programs on the machine do not count.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bytetrack import Tracks
from tracker.contracts import Plugin
from tracker.plugins import make
from tracker.types import Canvas, Frame, Scene

SIZE, FPS = (1280, 720), 30.0
NAMES = {0: "person", 2: "car"}


def plugins() -> dict[str, Plugin]:
    """Every kind of analysis, as a user would ask for it."""
    square = [(300, 200), (900, 200), (900, 650), (300, 650)]
    made = {
        "line": make("line", points=[(640, 0), (640, 720)]),
        "line, 3 points": make("line", points=[(0, 300), (600, 400), (1280, 300)]),
        "zone": make("zone", points=square, loiter_s=5.0),
    }
    ground = {"image": square, "metres": [(0, 0), (20, 0), (20, 30), (0, 30)]}
    others: dict[str, dict[str, Any]] = {
        "route": {},
        "heatmap": {},
        "speed": ground,
        "follow": {"target": "1"},
    }
    made |= {name: make(name, **options) for name, options in others.items()}
    return made


def walk(objects: int, frames: int) -> Iterator[tuple[Frame, Tracks]]:
    """Objects that bounce about the picture."""
    chance = np.random.default_rng(0)
    place = chance.uniform((20, 100), (1240, 700), (objects, 2))
    step = chance.uniform(-4, 4, (objects, 2))
    track_id = np.arange(1, objects + 1)
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    ones, classes = np.ones(objects), chance.choice([0, 2], objects)
    for index in range(frames):
        place += step
        step = np.where((place < (20, 100)) | (place > (1240, 700)), -step, step)
        if index % 10 == 9:
            oldest = track_id == track_id.min()
            track_id = np.where(oldest, track_id.max() + 1, track_id)
            place[oldest] = chance.uniform((20, 100), (1240, 700))
        boxes = np.hstack([np.subtract(place, (20, 90)), np.add(place, (20, 0))])
        yield Frame(image, index, index / FPS), Tracks(track_id, boxes, ones, classes, np.arange(objects))


def started(scene: Scene) -> dict[str, Plugin]:
    """Plugins ready for the first frame."""
    made: dict[str, Any] = plugins()
    for plugin in made.values():
        if hasattr(plugin, "start"):
            plugin.start(scene)
    return made


def cost(objects: int, frames: int) -> dict[str, list[float]]:
    """Milliseconds of each frame; what the first plugin finds out about the tracks the others share."""
    made = started(Scene("walk", SIZE, FPS, False, NAMES))
    seconds: dict[str, list[float]] = {name: [] for name in made}
    for frame, tracks in walk(objects, frames):
        for name, plugin in made.items():
            begin = time.thread_time_ns()
            list(plugin.update(frame, tracks))
            if hasattr(plugin, "draw"):
                plugin.draw(Canvas())
            seconds[name].append((time.thread_time_ns() - begin) / 1e6)
    return seconds


def memory(objects: int, frames: int) -> Iterator[tuple[int, float, float]]:
    """Yield, at ten moments, frames, MiB that Python holds and MiB resident; what is drawn is let go."""
    made: dict[str, Any] = started(Scene("walk", SIZE, FPS, False, NAMES))
    tracemalloc.start()
    for frame, tracks in walk(objects, frames):
        for plugin in made.values():
            list(plugin.update(frame, tracks))
            if hasattr(plugin, "draw"):
                plugin.draw(Canvas())
        if (frame.index + 1) % (frames // 10) == 0:
            traced = tracemalloc.get_traced_memory()[0]
            yield frame.index + 1, traced / 2**20, resident_mib()
    tracemalloc.stop()


def resident_mib() -> float:
    """Return the memory this process has now (Linux), in MiB; NaN elsewhere."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return math.nan
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=50)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--memory", type=int, metavar="FRAMES", help="Watch the memory over so many frames.")
    chosen = parser.parse_args()
    if chosen.memory:
        for frame, traced, resident in memory(chosen.objects, chosen.memory):
            print(f"{frame:8d} frames {traced:7.1f} MiB held {resident:7.1f} MiB resident", flush=True)
        return
    figures = cost(chosen.objects, chosen.frames)
    figures["together"] = [sum(frame) for frame in zip(*figures.values(), strict=True)]
    print(f"ms per frame, {chosen.objects} objects   median    mean  99 % below")
    for name, ms in figures.items():
        most = statistics.quantiles(ms, n=100)[-1]
        print(f"{name:26s} {statistics.median(ms):7.3f} {statistics.mean(ms):7.3f} {most:7.3f}")


if __name__ == "__main__":
    main()
