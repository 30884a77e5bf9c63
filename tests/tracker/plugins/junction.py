"""A junction of four arms whose every movement is known, made of tracks, without a detector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bytetrack import Tracks
from tracker.contracts import PluginLike
from tracker.plugin_host import Host
from tracker.plugins.line import Line
from tracker.plugins.movement import Movement
from tracker.plugins.zone import Zone
from tracker.types import Event, Frame, Scene

SIZE = (1000, 1000)
NAMES = {2: "car", 5: "bus"}
ARMS = ("north", "east", "south", "west")
TOWARDS = {"north": "down", "east": "left", "south": "up", "west": "right"}  # where "in" leads
IMAGE = np.zeros((1, 1, 3), np.uint8)
LINES = {  # across each arm, 300 px from the middle
    "north": [(380, 200), (620, 200)],
    "east": [(800, 380), (800, 620)],
    "south": [(380, 800), (620, 800)],
    "west": [(200, 380), (200, 620)],
}
ZONES = {  # each arm, up to the picture's edge
    "north": [(380, 0), (620, 0), (620, 200), (380, 200)],
    "east": [(800, 380), (1000, 380), (1000, 620), (800, 620)],
    "south": [(380, 800), (620, 800), (620, 1000), (380, 1000)],
    "west": [(0, 380), (200, 380), (200, 620), (0, 620)],
}
OUTER = {"north": (500, 60), "east": (940, 500), "south": (500, 950), "west": (60, 500)}
SIDE = {"north": (-60, 0), "east": (0, -60), "south": (60, 0), "west": (0, 60)}  # the lane that leads in
BOX = {2: (44.0, 40.0), 5: (60.0, 90.0)}


@dataclass(frozen=True)
class Trip:
    """One object on its way; an end that is None is in the middle: it appears or vanishes there."""

    origin: str | None
    to: str | None
    starts_s: float
    class_id: int = 2
    speed: float = 150.0  # pixels per second
    number: int = 0  # its track; 0: by its place in the list
    breaks: float | None = None  # part of the way from which it has another number: this + 1000

    @property
    def way(self) -> np.ndarray:
        """Its corners (K, 2): in by the right lane, round the middle, out by the other lane."""
        corners = []
        if self.origin is not None:
            lane = np.array(SIDE[self.origin])
            corners += [np.array(OUTER[self.origin]) + lane, np.array((500, 500)) + lane]
        if self.to is not None:
            lane = -np.array(SIDE[self.to])
            corners += [np.array((500, 500)) + lane, np.array(OUTER[self.to]) + lane]
        return np.array(corners, float)

    @property
    def takes_s(self) -> float:
        return float(np.hypot(*np.diff(self.way, axis=0).T).sum() / self.speed)

    def at(self, time: float) -> np.ndarray | None:
        """Return where its foot is, None before and after."""
        gone = (time - self.starts_s) * self.speed
        lengths = np.hypot(*np.diff(self.way, axis=0).T)
        if not 0 <= gone <= lengths.sum():
            return None
        along = np.concatenate([[0.0], lengths.cumsum()])
        return np.array([np.interp(gone, along, axis) for axis in self.way.T])

    def is_broken(self, time: float) -> bool:
        return self.breaks is not None and time - self.starts_s >= self.breaks * self.takes_s


def moments(trips: Sequence[Trip], fps: float, *, last_s: float = 3.0) -> Iterator[tuple[Frame, Tracks]]:
    """Yield every frame with the tracks in it."""
    end = max((trip.starts_s + trip.takes_s for trip in trips), default=0.0) + last_s
    for index in range(int(end * fps) + 1):
        time = index / fps
        ids, boxes, classes = [], [], []
        for place, trip in enumerate(trips):
            foot = trip.at(time)
            if foot is None:
                continue
            wide, high = BOX[trip.class_id]
            ids.append((trip.number or place + 1) + 1000 * trip.is_broken(time))
            boxes.append([foot[0] - wide / 2, foot[1] - high, foot[0] + wide / 2, foot[1]])
            classes.append(trip.class_id)
        number = len(ids)
        yield (
            Frame(IMAGE, index, time),
            Tracks(
                np.array(ids, np.int64),
                np.array(boxes, float).reshape(-1, 4),
                np.full(number, 0.9),
                np.array(classes, np.int64),
                np.arange(number),
            ),
        )


def scene(fps: float, **more: object) -> Scene:
    return Scene("junction", SIZE, fps, False, NAMES, **{"lost_s": 2.0, **more})  # type: ignore[arg-type]


def sections(zones: bool = False) -> list[PluginLike]:
    if zones:
        return [Zone(points, name) for name, points in ZONES.items()]
    return [Line(points, name, towards=TOWARDS[name]) for name, points in LINES.items()]


def play(plugins: Sequence[PluginLike], shown: Iterator[tuple[Frame, Tracks]], at: Scene) -> list[Event]:
    """Return everything that happened, to the end."""
    host = Host(plugins)
    host.start(at)
    events = [event for frame, tracks in shown for event in host.look(frame, tracks, sketch=False)[0]]
    events += host.finish()
    assert host.errors == []
    return events


def counted(
    trips: Sequence[Trip], fps: float, *, zones: bool = False, **options: object
) -> tuple[Movement, list[Event]]:
    """Return the movements of trips, and what was told of them."""
    movement = Movement(ARMS, **options)  # type: ignore[arg-type]
    events = play([*sections(zones), movement], moments(trips, fps), scene(fps))
    return movement, [event for event in events if event.kind.startswith("movement")]


def matrix(events: Sequence[Event]) -> Mapping[tuple[str | None, str | None, str], int]:
    """Count events by from, to and class."""
    found: dict[tuple[str | None, str | None, str], int] = {}
    for event in events:
        key = event.data["from"], event.data["to"], event.data["class_name"]
        found[key] = found.get(key, 0) + 1
    return found
