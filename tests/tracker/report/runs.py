"""Files of runs that never were: events as a list, written by the sinks that every run has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bytetrack import Detections, Tracks
from tracker.sinks import Counted, CountsSink, EventsSink
from tracker.types import Event, Frame, Result, Scene

BLACK = np.zeros((1, 1, 3), np.uint8)
FPS = 2.0
EIGHT = 1795766400.0  # 2026-11-27 08:00 UTC


def scene(start_wall: float | None = None, **more: Any) -> Scene:
    return Scene("street.mp4", (640, 480), FPS, False, {0: "person", 2: "car"}, start_wall=start_wall, **more)


def crossing(
    time_s: float, line: str = "door", way: str = "in", class_name: str = "person", **more: Any
) -> Event:
    data = {"line": line, "direction": way, "class_name": class_name, **more}
    return Event(f"line.{way}", time_s, round(time_s * FPS), 1, 0, data)


def visit(since_s: float, left_s: float, told_s: float | None = None, zone: str = "till") -> list[Event]:
    """Return entry and exit, both told late."""
    told = left_s if told_s is None else told_s
    data = {"zone": zone, "class_name": "person", "since_s": since_s}
    end = {**data, "left_s": left_s, "dwell_s": left_s - since_s}
    return [
        Event("zone.enter", since_s + 0.5, round((since_s + 0.5) * FPS), 1, 0, data),
        Event("zone.exit", told, round(told * FPS), 1, 0, end),
    ]


def write(
    folder: Path,
    events: Sequence[Event],
    seconds: float,
    made: Scene | None = None,
    interval: float | None = None,
    counted: Sequence[Counted] = (),
) -> Path:
    """Write events.jsonl and counts.csv of a run of so many seconds."""
    made = scene() if made is None else made
    folder.mkdir(exist_ok=True)
    events = sorted(events, key=lambda event: event.frame)
    with (
        EventsSink(folder / "events.jsonl", made) as log,
        CountsSink(folder / "counts.csv", made, interval=interval, counted=counted) as counts,
    ):
        for index in range(round(seconds * FPS) + 1):
            here = tuple(event for event in events if event.frame == index)
            result = Result(Frame(BLACK, index, index / FPS), Detections.empty(), Tracks.empty(), here)
            log.write(result)
            counts.write(result)
        log.finish(())
        counts.finish(())
    return folder


def record(folder: Path, **more: Any) -> Path:
    """Write what the run says of itself."""
    known = {
        "track_run": 1, "source": "street.mp4", "size": [640, 480], "fps": FPS, "ended": True,
        "files": {"events": "events.jsonl"}, "settings": ["--conf 0.5"], "versions": {"numpy": "2.0"},
        "shapes": [
            {"kind": "line", "name": "door", "directions": ["in", "out"], "classes": ["person"],
             "points": [[0, 100], [640, 100]], "arrow": [[320, 100], [320, 160]]},
        ],
    }  # fmt: skip
    path = folder / "run.json"
    path.write_text(json.dumps({**known, **more}))
    return path
