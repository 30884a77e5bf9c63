"""All plugins together in a long run: what they hold stays level, however many come and go.

By default some thousand frames. ``TRACK_SOAK_FRAMES=100000 pytest tests/tracker/plugins/test_soak.py -s
--timeout 1800`` is the long form and prints what it measured.
"""

from __future__ import annotations

import gc
import os
import tracemalloc
from typing import Any

import numpy as np
import pytest
from stage import scene, standing

from tracker.plugins import make
from tracker.types import Canvas, Frame

FRAMES = int(os.environ.get("TRACK_SOAK_FRAMES", "600"))
SIZE, FPS = (320, 240), 10.0
ALIVE, STAY, CYCLE = 6, 12, 60  # people at a time; frames each stays; frames after which a way is used again
CORNERS = [(40, 60), (280, 60), (280, 230), (40, 230)]
MOST_GROWTH_KIB = 40  # from a half of the run to its end: noise of the counters, no more


def plugins() -> list[Any]:
    options: list[tuple[str, dict[str, Any]]] = [
        ("line", {"points": [(160, 0), (160, 240)]}),
        ("line", {"points": [(0, 100), (150, 140), (320, 120)]}),
        ("zone", {"points": CORNERS, "loiter_s": 0.5}),
        ("route", {"keep": 50, "seconds": 1.0}),
        ("heatmap", {}),
        ("heatmap", {"mode": "standing"}),
        ("speed", {"image": CORNERS, "metres": "20x30"}),
        ("follow", {"target": "160,120"}),
    ]
    return [make(name, **more) for name, more in options]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_what_all_plugins_hold_together_stays_level() -> None:
    made = plugins()
    for plugin in made:
        plugin.start(scene(size=SIZE, fps=FPS))
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    held: dict[int, float] = {}
    events = 0
    tracemalloc.start()
    try:
        for index in range(FRAMES):
            feet = {}
            for lane in range(ALIVE):
                born, age = divmod(index + 2 * lane, STAY)
                x = -5 + age * 30 if (born + lane) % 2 else 325 - age * 30
                feet[1 + born * ALIVE + lane] = (x, 80 + 25 * lane + (index % CYCLE) / 10)
            tracks = standing(feet)
            for plugin in made:
                events += len(list(plugin.update(Frame(image, index, index / FPS), tracks)))
                if hasattr(plugin, "draw"):
                    plugin.draw(Canvas())
            if index + 1 in (FRAMES // 10, FRAMES // 2, FRAMES):
                gc.collect()
                held[index + 1] = tracemalloc.get_traced_memory()[0] / 1024
    finally:
        tracemalloc.stop()
    told = ", ".join(f"{kib:.0f} KiB after {frame}" for frame, kib in held.items())
    print(f"{FRAMES} frames, {events} events: {told}")
    assert held[FRAMES] - held[FRAMES // 2] < MOST_GROWTH_KIB, told
    came = FRAMES * ALIVE / STAY
    assert made[0].totals.total() > 0.8 * came
    assert made[3].groups.total() > 0.8 * came
