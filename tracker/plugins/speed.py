"""How fast they go, in km/h, where the ground has been measured; no number where it has not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from bytetrack import Tracks
from bytetrack.types import IntArray
from tracker.contracts import Plugin
from tracker.parse import class_ids
from tracker.plugins._shared.anchors import check_anchor
from tracker.plugins._shared.ground import area_around, ground_from_image, points, to_ground, within
from tracker.plugins._shared.plugin_state import PluginState, Row
from tracker.plugins._shared.slope import theil_sen
from tracker.plugins._shared.trail import Trail
from tracker.types import Canvas, Color, Event, Frame, Json, OptionError, Scene

KMH = 3.6  # km/h per m/s
KMH_PER_MPH = 1.609344
UNITS = {"kmh": ("km/h", 1.0), "mph": ("mph", 1 / KMH_PER_MPH)}  # what is written, and how many make 1 km/h
EXAMPLE = "image=280,700 1000,700 780,400 500,400;metres=7x20"
POINTS = 10  # of a window: the median of their slopes is as steady as that of every frame's
REFRESH_S = 0.2  # between two estimates: numbers that change faster cannot be read
LEAST_POINTS = 5
LEAST_PART = 0.6  # of the window must be seen
CUT_PX = 1.0  # a box this near the picture's edge is cut off there; its anchor tells nothing
UNSURE = 0.25  # two standard errors may be this part of the speed ...
UNSURE_KMH = 3.0  # ... or this much
BINS_PER_KMH = 2
STEADY = 2  # estimates in a row above the limit that make an event
COLUMNS = (
    ("kmh", np.float64),  # the present speed; NaN where there is none
    ("over", np.int64),  # estimates in a row above the limit
    ("reported", np.bool_),
)


@dataclass
class Speed(Plugin):
    """Measures speed on the ground, from points of the picture whose places in metres are known.

    ``image`` are four or more points on the ground, one after the other around an area, such as near left,
    near right, far right, far left. ``metres`` are the places of the same points in the same order; ``7x20``
    is short for a rectangle that is 7 m from the first point to the second and 20 m from the second to the
    third. Nothing is told of who is outside that area, by more than an eighth of it.

    The speed is the slope of the anchor's way on the ground over a window, by the median of all slopes
    between two of its points (Theil 1950, Sen 1968): single wrong boxes change little. What is slower than
    ``min_kmh`` stands; faster than ``max_kmh``, less certain than a quarter, cut off by the picture's edge
    or above the horizon has no speed. Events tell km/h, with ``units`` mph also mph.

    Raises ``OptionError`` without a calibration, or with one that fixes nothing.
    """

    image: ArrayLike | str = ()  # ground points in pixels: x,y x,y x,y x,y
    metres: ArrayLike | str = ()  # the same points in metres: x,y x,y x,y x,y, or 7x20 for a rectangle
    units: str = "kmh"  # unit of what is shown: kmh or mph
    window_s: float = 1.0  # time window of one measurement, in seconds
    limit_kmh: float | None = None  # above it, the event "speed.over"
    limit_mph: float | None = None  # the same, in miles per hour
    min_kmh: float = 1.0  # below it, an object stands
    max_kmh: float = 250.0  # above it, a measurement is rejected
    anchor: str = "bottom_center"  # the point of the box on the ground
    classes: Sequence[str | int] = ()  # these classes only  [default: all]
    color: Color = (255, 220, 120)  # of the calibration points: blue, green, red
    example: ClassVar[str] = EXAMPLE

    def __post_init__(self) -> None:
        """Refuse to guess."""
        self.anchor = check_anchor(self.anchor)
        self._image, self._metres = points(self.image, "image"), points(self.metres, "metres")
        if not len(self._image) or not len(self._metres):
            raise OptionError(
                "speed: needs a calibration: image, four points on the ground in pixels, and metres, where "
                f"they are. Write --plugin 'speed:{EXAMPLE}'; --plugin speed:help shows more"
            )
        if self.units not in UNITS:
            raise OptionError(f"speed: units {self.units!r} is unknown; choose from {', '.join(UNITS)}")
        self._unit, self._per_kmh = UNITS[self.units]
        self._ground = ground_from_image(self._image, self._metres)
        self._area = area_around(self._metres)
        metres = np.hypot(*(np.roll(self._metres, -1, axis=0) - self._metres).T)
        middles = (np.roll(self._image, -1, axis=0) + self._image) / 2
        self._calibration = Canvas()
        self._calibration.polyline(self._image, self.color, closed=True, alpha=0.6)
        for length, middle in zip(metres.tolist(), middles, strict=True):
            self._calibration.text(f"{length:g} m", middle, self.color, size=0.8, anchor="mm")
        if not 0 < self.window_s <= 60:
            raise OptionError(f"speed: window_s must be more than 0 and at most 60, not {self.window_s}")
        if not 0 <= self.min_kmh < self.max_kmh <= 2000:
            raise OptionError(f"speed: min_kmh {self.min_kmh} must lie below max_kmh {self.max_kmh}")
        if self.limit_kmh is not None and self.limit_mph is not None:
            raise OptionError("speed: limit_kmh and limit_mph cannot be combined; give one")
        self._limit = self.limit_kmh if self.limit_mph is None else self.limit_mph * KMH_PER_MPH
        if self._limit is not None and not 0 < self._limit < self.max_kmh:
            raise OptionError(
                f"speed: a limit of {self._limit:g} km/h must lie between 0 and max_kmh {self.max_kmh:g}"
            )

    def start(self, scene: Scene) -> None:
        """Learn the picture's size, the frame rate and the classes' names."""
        self._scene = scene
        self._wanted = class_ids(self.classes, scene.names)
        self._uncut = np.array(scene.size) - CUT_PX
        self._trail = Trail(self.window_s, scene.fps, POINTS)
        self._bins = int(np.ceil(self.max_kmh * BINS_PER_KMH)) + 1
        history = ("history", np.uint32, (self._bins,))  # estimates by speed
        self._memory = PluginState(scene, self.anchor, (*COLUMNS, history, *self._trail.columns))
        self._estimated_s = float("-inf")
        self._labels: tuple[float, bytes, dict[int, str]] = (float("nan"), b"", {})
        self._totals: dict[int, IntArray] = {}  # class -> objects by their median speed
        self._fastest: dict[int, float] = {}
        self._now, self._frame = 0.0, 0

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Return ``speed.over`` for who has become too fast, ``speed.end`` with the speed of who is gone."""
        memory, now = self._memory, frame.time
        self._now, self._frame = now, frame.index
        if self._wanted is not None:
            tracks = tracks[np.isin(tracks.class_id, self._wanted)]
        events = [event for row in memory.update(now, tracks) for event in self._end(row)]
        if len(tracks):
            found, anchors = memory.found, memory.anchors
            memory.own["kmh"][found[np.isnan(memory.before[:, 0])]] = np.nan
            ground, xyxy = to_ground(self._ground, anchors), tracks.xyxy
            uncut = (xyxy[:, :2] > CUT_PX) & (xyxy[:, 2:] < self._uncut)
            inside = within(ground, self._area)
            sound = uncut[:, 0] & uncut[:, 1] & inside
            memory.own["kmh"][found[~inside]] = np.nan
            self._trail.push(memory.own, found[sound], now, ground[sound])
            if not 0 <= now - self._estimated_s < REFRESH_S:
                self._estimated_s = now
                events += self._estimate(found[inside])
        return events

    def draw(self, canvas: Canvas) -> None:
        """Write speeds beside the objects, and show the points of the calibration and their distances."""
        canvas.marks += self._calibration.marks
        seen, kmh, alive = self._memory.seen, self._memory.own["kmh"], self._memory.alive()
        shown = alive[(seen["seen_s"][alive] == self._now) & ~np.isnan(kmh[alive])]
        ids = seen["track_id"][shown]
        signature = ids.tobytes()
        if self._labels[:2] != (self._estimated_s, signature):  # speeds change with an estimate only
            speeds = zip(ids.tolist(), kmh[shown].tolist(), strict=True)
            texts = {track_id: self._told(speed) for track_id, speed in speeds}
            self._labels = self._estimated_s, signature, texts
        canvas.labels(self._labels[2])

    def finish(self) -> Iterable[Event]:
        """Report the objects that are still there."""
        memory = self._memory
        events = [event for row in memory.alive().tolist() for event in self._end(memory.row(row))]
        memory.own["history"] = 0
        return events

    def summary(self) -> Sequence[tuple[str, str]]:
        """Return per class how many, the median, the speed that 85 % keep below, and the fastest."""
        rows = []
        for class_id, counts in sorted(self._totals.items()):
            name = self._scene.names.get(class_id, str(class_id))
            half, most = _quantile(counts, 0.5), _quantile(counts, 0.85)
            text = f"{int(counts.sum())} measured, median {self._told(half)}, 85 % below {self._told(most)}"
            rows.append((name, f"{text}, fastest {self._told(self._fastest[class_id])}"))
        return rows or [("measured", "0")]

    def state(self) -> Json:
        """Return the speeds of who is gone, and who is where."""
        return {
            "totals": [[class_id, counts.tolist()] for class_id, counts in self._totals.items()],
            "fastest": [[class_id, kmh] for class_id, kmh in self._fastest.items()],
            "estimated_s": max(self._estimated_s, -1.0),
            "memory": self._memory.state(),
            "last": [self._now, self._frame],
        }

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there."""
        self._totals = {
            int(class_id): np.array(counts, np.int64).reshape(self._bins)
            for class_id, counts in state["totals"]
        }
        self._fastest = {int(class_id): float(kmh) for class_id, kmh in state["fastest"]}
        if tracks:
            self._estimated_s = float(state["estimated_s"])
            self._memory.restore(state["memory"])
            self._now, self._frame = state["last"]

    def _told(self, kmh: float) -> str:
        """Return a speed as people read it.

        >>> Speed(image="0,9 9,9 8,1 1,1", metres="7x20", units="mph")._told(80.5)
        '50 mph'
        """
        return f"{kmh * self._per_kmh:.0f} {self._unit}"

    def _estimate(self, found: IntArray) -> list[Event]:
        rows = self._memory.own
        times, way = self._trail.window(rows, found, self._now - self.window_s)
        velocity, error = theil_sen(times, way)
        kmh, unsure = np.hypot(*velocity.T) * KMH, 2 * error * KMH
        seen = (~np.isnan(times)).sum(axis=1)
        span = times[:, -1] - np.fmin.reduce(times, axis=1)
        sound = (seen >= LEAST_POINTS) & (span >= LEAST_PART * self.window_s)
        sound &= (kmh <= self.max_kmh) & (unsure <= np.maximum(UNSURE * kmh, UNSURE_KMH))
        kmh = np.where(sound, np.where(kmh < self.min_kmh, 0.0, kmh), np.nan)
        rows["kmh"][found] = kmh
        known = ~np.isnan(kmh)
        rows["history"][found[known], (kmh[known] * BINS_PER_KMH).round().astype(np.int64)] += 1
        if self._limit is None:
            return []
        rows["over"][found] = np.where(kmh > self._limit, rows["over"][found] + 1, 0)
        late = found[(rows["over"][found] >= STEADY) & ~rows["reported"][found]]
        rows["reported"][late] = True
        return [
            self._event("over", self._memory.row(row), kmh=float(rows["kmh"][row])) for row in late.tolist()
        ]

    def _end(self, row: Row) -> list[Event]:
        counts = row["history"].astype(np.int64)
        if not counts.any():
            return []
        kmh, top = _quantile(counts, 0.5), float(np.flatnonzero(counts)[-1]) / BINS_PER_KMH
        class_id = int(row["class_id"])
        total = self._totals.setdefault(class_id, np.zeros(self._bins, np.int64))
        total[round(kmh * BINS_PER_KMH)] += 1
        self._fastest[class_id] = max(self._fastest.get(class_id, 0.0), kmh)
        return [self._event("end", row, kmh=kmh, top_kmh=top)]

    def _event(self, what: str, row: Row, **speeds: float) -> Event:
        class_id = int(row["class_id"])
        data = {
            "class_name": self._scene.names.get(class_id, str(class_id)),
            "x": round(float(row["anchor"][0]), 1),
            "y": round(float(row["anchor"][1]), 1),
            **{name: round(value, 1) for name, value in speeds.items()},
        }
        if self.units == "mph":
            miles = {name.replace("kmh", "mph"): value / KMH_PER_MPH for name, value in speeds.items()}
            data |= {name: round(value, 1) for name, value in miles.items()}
        if what == "over":
            data["limit_kmh"] = self._limit
        return Event(f"speed.{what}", self._now, self._frame, int(row["track_id"]), class_id, data)


def _quantile(counts: IntArray, part: float) -> float:
    """Return the speed below or at which this part of the counted lies."""
    total = np.cumsum(counts)
    return float(np.searchsorted(total, part * total[-1])) / BINS_PER_KMH
