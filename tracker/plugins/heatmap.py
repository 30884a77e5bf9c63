"""Where they are, or where they stand: seconds spent at each place, as a picture with a scale."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.parse import class_ids
from tracker.plugins._shared.anchors import box_size, check_anchor
from tracker.plugins._shared.background import EmptyScene
from tracker.plugins._shared.memory import Memory
from tracker.plugins._shared.shades import colored, footprint, scale
from tracker.plugins._shared.sighting import velocity
from tracker.plugins._shared.when import duration, span
from tracker.types import Canvas, Event, Frame, Json, OptionError, Picture, Plugin, Scene

MODES = ("presence", "standing")
CELLS = 192  # of the grid along the picture's longer side
WIDEST = 64.0  # cells: the widest footprint; wider objects are counted as this wide
STILL_SIZES_S = 0.4  # slower than this many of its own sizes per second an object stands; a walker makes 1
REFRESH_S = 1.0  # age of the picture shown; a second more or less cannot be seen
PROOF_S = 2.0  # a box that stays in its place for less may be a mistake of the detector, and counts nothing
PROOF_MOVING_S = 0.3  # one that has moved by its own size needs no longer
WAITING = 16  # places kept of somebody who does not count yet; more are one with the last
COLUMNS = (
    ("seen_for_s", np.float64),
    ("first", np.float64, (2,)),  # where it was first seen
    ("moved", np.bool_),  # by its own size from there
    ("proven", np.bool_),
    ("waiting", np.int64),  # places that wait for the proof ...
    ("waiting_at", np.int64, (WAITING,)),  # ... as places in the flattened grid
    ("waiting_s", np.float64, (WAITING,)),
)
WHAT = {"presence": "present", "standing": "standing"}


@dataclass
class Heatmap(Plugin):
    """Adds up how long objects were at each place: everywhere they are, or only where they stand.

    Each object leaves its seconds around its anchor, in a soft footprint as wide as its box, one at its
    middle: a place's value is the seconds that somebody spent there, summed over objects. What is seen in
    one place for less than `PROOF_S` is nobody.

    Raises ``OptionError`` for a mode, an anchor or a class that cannot be used.
    """

    mode: str = "presence"  # "presence", or "standing": only while not moving
    anchor: str = "bottom_center"  # the point of the box that is measured
    classes: Sequence[str | int] = ()  # these classes only  [default: all]

    def __post_init__(self) -> None:
        """Check what can be checked without a picture."""
        self.anchor = check_anchor(self.anchor)
        if self.mode not in MODES:
            raise OptionError(f"heatmap: unknown mode {self.mode!r}; use one of {', '.join(MODES)}")

    def start(self, scene: Scene) -> None:
        """Lay the grid."""
        self._scene = scene
        self._wanted = class_ids(self.classes, scene.names)
        self._memory = Memory(scene, self.anchor, COLUMNS)
        self._cell = max(max(scene.size) / CELLS, 1.0)  # pixels
        width, height = (max(int(np.ceil(side / self._cell)), 1) for side in scene.size)
        layers = round(np.log2(WIDEST)) + 1
        # Footprints are laid on when somebody looks: until then one layer per width, in octaves.
        self._seconds = np.zeros((layers, height, width))
        self._empty = EmptyScene.of(scene)
        self._period = 1 / scene.fps if scene.fps > 0 else 0.0
        self._longest = max(scene.lost_s, 2 * self._period)  # what passed unseen is nobody's time
        self._before: float | None = None
        self._since: float | None = None
        self._earlier_s = 0.0  # of recordings before this one
        self._now = 0.0
        self._shown: tuple[float, NDArray[np.uint8]] | None = None

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Add the time since the last frame to where the objects are; there are no events."""
        now, before = frame.time, self._before
        passed = self._period if before is None else min(max(now - before, 0.0), self._longest)
        self._before = self._now = now
        self._since = now if self._since is None else self._since
        self._empty.look(frame, tracks)
        self._memory.look(now, tracks)
        if len(tracks):
            chosen = np.ones(len(tracks), np.bool_)
            if self.mode == "standing":
                chosen = self._stands(tracks)
            if self._wanted is not None:
                chosen &= np.isin(tracks.class_id, self._wanted)
            last = np.array(self._seconds.shape[:0:-1]) - 1  # feet beyond the picture's edge are at it
            columns, rows = np.clip(self._memory.anchors / self._cell, 0, last).astype(np.int64).T
            widths = np.clip((tracks.xyxy[:, 2] - tracks.xyxy[:, 0]) / self._cell, 1.0, WIDEST)
            layers = np.rint(np.log2(widths)).astype(np.int64)
            places = np.ravel_multi_index((layers, rows, columns), self._seconds.shape)
            self._count(tracks, places, chosen, passed)
        return ()

    def _count(self, tracks: Tracks, places: IntArray, chosen: NDArray[np.bool_], passed: float) -> None:
        """Give the time that passed to the places of those who are proven; let that of others wait."""
        own, found, anchors = self._memory.own, self._memory.found, self._memory.anchors
        seconds = self._seconds.reshape(-1)
        known = own["proven"][found]
        if np.count_nonzero(known) == len(known):
            np.add.at(seconds, places[chosen], passed)
            return
        before_s = own["seen_for_s"][found]
        new = before_s == 0
        own["first"][found[new]] = anchors[new]
        own["seen_for_s"][found] = seen_s = before_s + passed
        away = np.hypot(*(anchors - own["first"][found]).T)
        own["moved"][found] |= away >= box_size(tracks.xyxy)
        proven = seen_s >= np.where(own["moved"][found], PROOF_MOVING_S, PROOF_S)
        late = found[proven & ~known]
        if len(late):
            np.add.at(seconds, own["waiting_at"][late].ravel(), own["waiting_s"][late].ravel())
            own["waiting_s"][late] = 0
            own["proven"][late] = True
        counts = own["proven"][found]
        np.add.at(seconds, places[chosen & counts], passed)
        waiting = chosen & ~counts
        if waiting.any():
            rows, here = found[waiting], places[waiting]
            last = own["waiting"][rows] - 1
            other = (last < 0) | (own["waiting_at"][rows, np.maximum(last, 0)] != here)
            last = np.minimum(last + other, WAITING - 1)
            own["waiting"][rows] = last + 1
            own["waiting_at"][rows, last] = here
            own["waiting_s"][rows, last] += passed

    def draw(self, canvas: Canvas) -> None:
        """Show what has come together so far."""
        if self._shown is None or not 0 <= self._now - self._shown[0] < REFRESH_S:
            self._shown = self._now, colored(self.seconds())
        canvas.overlay(self._shown[1])

    def seconds(self) -> FloatArray:
        """Return the seconds spent at each place of the grid (h, w), summed over objects."""
        total = np.zeros(self._seconds.shape[1:])
        for layer, seconds in enumerate(self._seconds):
            if seconds.any():
                kernel = footprint(2.0**layer)
                total += cv2.sepFilter2D(seconds, -1, kernel, kernel, borderType=cv2.BORDER_CONSTANT)
        return total

    def total_s(self) -> float:
        """Return the seconds of all objects together."""
        return float(self._seconds.sum())

    def summary(self) -> Sequence[tuple[str, str]]:
        """Return the time of all objects, and the place with the most of it."""
        seconds = self.seconds()
        row, column = np.unravel_index(int(seconds.argmax()), seconds.shape)
        x, y = ((int(cell) + 0.5) * self._cell for cell in (column, row))
        rows = [(WHAT[self.mode], f"{self.total_s():.0f} s, all objects together")]
        return [*rows, ("most at", f"{x:.0f},{y:.0f}: {seconds.max():.0f} s")] if seconds.any() else rows

    def leaves(self) -> Sequence[str]:
        """Return what the picture is called."""
        return ["heatmap.png" if self.mode == "presence" else "heatmap_standing.png"]

    def files(self) -> Mapping[str, Picture | Json]:
        """Return the picture, with what it shows, of when, and its scale."""
        seconds = self.seconds()
        fine = np.maximum(cv2.resize(seconds, self._empty.size, interpolation=cv2.INTER_CUBIC), 0)
        canvas = Canvas()
        canvas.overlay(colored(fine))
        title = (
            "Where they were, and for how long"
            if self.mode == "presence"
            else "Where they stood, and how long"
        )
        if self._wanted is not None:
            title += f": {', '.join(self._scene.names[wanted] for wanted in self._wanted)}"
        since = self._now if self._since is None else self._since
        notes = [f"{self._scene.source}, {span(self._scene, since, self._now)}"]
        if self._earlier_s:
            notes[0] += f", and {duration(self._earlier_s)} of earlier recordings"
        notes.append("the time of all objects together, at each place")
        suffix = "heatmap.png" if self.mode == "presence" else "heatmap_standing.png"
        bar = scale(float(seconds.max()), WHAT[self.mode])
        return {suffix: Picture(self._empty.picture(), tuple(canvas.marks), title, notes, bar)}

    def state(self) -> Json:
        """Return the seconds (zlib, base64: the grid is large and mostly empty), and who is where."""
        seconds = base64.b64encode(zlib.compress(self._seconds.tobytes(), 1)).decode()
        return {
            "shape": list(self._seconds.shape),
            "seconds": seconds,
            "before": self._before,
            "since": self._since,
            "earlier_s": self._earlier_s,
            "memory": self._memory.state(),
        }

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there; the empty scene is looked at anew."""
        if tuple(state["shape"]) != self._seconds.shape:
            raise ValueError("the grid has another shape")
        data = zlib.decompress(base64.b64decode(state["seconds"]))
        self._seconds += np.frombuffer(data).reshape(self._seconds.shape)
        since, before = state["since"], state["before"]
        self._earlier_s = float(state["earlier_s"])
        if not tracks and since is not None:
            self._earlier_s += max(before - since, 0.0)
        if tracks:
            self._before, self._since = before, since
            self._memory.restore(state["memory"])

    def _stands(self, tracks: Tracks) -> NDArray[np.bool_]:
        if not len(tracks):
            return np.zeros(0, np.bool_)
        rows = self._memory.seen.take(self._memory.found)
        known = ~np.isnan(rows["past"][:, 1, 2])  # followed long enough to tell
        speed = np.hypot(*velocity(rows).T)
        still: NDArray[np.bool_] = known & (speed < STILL_SIZES_S * box_size(tracks.xyxy))
        return still
