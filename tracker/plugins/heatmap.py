"""Where they are, or where they stand: seconds spent at each place, as a picture with a scale."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.types import FloatArray
from tracker.contracts import Plugin
from tracker.parse import class_ids
from tracker.plugins._shared.anchors import box_size, check_anchor
from tracker.plugins._shared.background import EmptyScene
from tracker.plugins._shared.motion import velocity
from tracker.plugins._shared.newcomer import Newcomer
from tracker.plugins._shared.plugin_state import PluginState
from tracker.plugins._shared.shades import colored, footprint, scale
from tracker.plugins._shared.when import duration, span
from tracker.types import Canvas, Event, Frame, Json, OptionError, Picture, Scene

MODES = ("presence", "standing")
CELLS = 192  # of the grid along the picture's longer side
WIDEST = 64.0  # cells: the widest footprint; wider objects are counted as this wide
STILL_SIZES_S = 0.4  # slower than this many of its own sizes per second an object stands; a walker makes 1
REFRESH_S = 1.0  # age of the picture shown; a second more or less cannot be seen
LOGGED = 32  # frames that are laid on the grid together: so each costs little
COLUMNS = (("proven", np.bool_), ("newcomer", np.int64))  # the second is a number from 1; 0: not known yet
WHAT = {"presence": "present", "standing": "standing"}


@dataclass
class Heatmap(Plugin):
    """Adds up how long objects were at each place: everywhere they are, or only where they stand.

    Each object leaves its seconds around its anchor, in a soft footprint as wide as its box, one at its
    middle: a place's value is the seconds that somebody spent there, summed over objects. What is seen in
    one place for less than `newcomer.PROOF_S` is nobody.

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
        self._memory = PluginState(scene, self.anchor, COLUMNS)
        self._cell = max(max(scene.size) / CELLS, 1.0)  # pixels
        width, height = (max(int(np.ceil(side / self._cell)), 1) for side in scene.size)
        layers = round(np.log2(WIDEST)) + 1
        # Footprints are laid on when somebody looks: until then one layer per width, in octaves.
        self._seconds = np.zeros((layers, height, width))
        # Of the frames not on the grid yet: anchors (M, 2), widths (M,), seconds (M,), whose count (M,).
        self._log: list[tuple[FloatArray, FloatArray, FloatArray, NDArray[np.bool_]]] = []
        self._newcomers: dict[int, Newcomer] = {}
        self._numbered = 0
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
        self._empty.update(frame, tracks)
        for row in self._memory.update(now, tracks):
            self._newcomers.pop(int(row["newcomer"]), None)
        if len(tracks):
            chosen = self._stands(tracks) if self.mode == "standing" else None
            if self._wanted is not None:
                of_class = np.isin(tracks.class_id, self._wanted)
                chosen = of_class if chosen is None else chosen & of_class
            counts = self._memory.own["proven"][self._memory.found]
            if np.count_nonzero(counts) < len(counts):
                self._prove(tracks, counts, chosen, passed)
            if chosen is not None:
                counts &= chosen
            xyxy = tracks.xyxy
            self._leave(self._memory.anchors, xyxy[:, 2] - xyxy[:, 0], np.full(len(xyxy), passed), counts)
        return ()

    def _prove(
        self, tracks: Tracks, proven: NDArray[np.bool_], chosen: NDArray[np.bool_] | None, passed: float
    ) -> None:
        """Let the time of newcomers wait, and count that of who is proven now: it is marked in ``proven``."""
        own = self._memory.own
        places = (~proven).nonzero()[0]
        rows = self._memory.found[places]
        numbers, anchors = own["newcomer"][rows].tolist(), self._memory.anchors[places].tolist()
        for place, row, number, (x, y), (x1, y1, x2, y2) in zip(
            places.tolist(), rows.tolist(), numbers, anchors, tracks.xyxy[places].tolist(), strict=True
        ):
            if not number:
                self._numbered = number = self._numbered + 1
                own["newcomer"][row], self._newcomers[number] = number, Newcomer()
            newcomer = self._newcomers[number]
            if newcomer.see(x, y, x2 - x1, y2 - y1, passed):
                own["proven"][row] = proven[place] = True
                del self._newcomers[number]
                if newcomer.waiting:
                    waited = np.array(newcomer.waiting)
                    self._leave(waited[:, :2], waited[:, 2], waited[:, 3], np.ones(len(waited), np.bool_))
            elif passed and (chosen is None or chosen[place]):
                newcomer.waiting.append((x, y, x2 - x1, passed))

    def _leave(
        self, anchors: FloatArray, widths: FloatArray, seconds: FloatArray, counts: NDArray[np.bool_]
    ) -> None:
        """Leave seconds (M,) at anchors (M, 2), of objects so wide (M,), where they count (M,)."""
        self._log.append((anchors, widths, seconds, counts))
        if len(self._log) >= LOGGED:
            self._lay()

    def _lay(self) -> None:
        """Lay on the grid what was left since the last time."""
        if not self._log:
            return
        anchors, widths, passed, counts = (np.concatenate(each) for each in zip(*self._log, strict=True))
        self._log = []
        _, height, width = self._seconds.shape
        # Feet beyond the picture's edge are at it.
        columns, rows = np.clip(anchors[counts] / self._cell, 0, (width - 1, height - 1)).astype(np.int64).T
        layers = np.rint(np.log2(np.clip(widths[counts] / self._cell, 1.0, WIDEST))).astype(np.int64)
        np.add.at(self._seconds, (layers, rows, columns), passed[counts])

    def draw(self, canvas: Canvas) -> None:
        """Show what has come together so far."""
        if self._shown is None or not 0 <= self._now - self._shown[0] < REFRESH_S:
            self._shown = self._now, colored(self.seconds())
        canvas.overlay(self._shown[1])

    def seconds(self) -> FloatArray:
        """Return the seconds spent at each place of the grid (h, w), summed over objects."""
        self._lay()
        total = np.zeros(self._seconds.shape[1:])
        for layer, seconds in enumerate(self._seconds):
            if seconds.any():
                kernel = footprint(2.0**layer)
                total += cv2.sepFilter2D(seconds, -1, kernel, kernel, borderType=cv2.BORDER_CONSTANT)
        return total

    def total_s(self) -> float:
        """Return the seconds of all objects together."""
        self._lay()
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
        self._lay()
        seconds = base64.b64encode(zlib.compress(self._seconds.tobytes(), 1)).decode()
        return {
            "shape": list(self._seconds.shape),
            "seconds": seconds,
            "before": self._before,
            "since": self._since,
            "earlier_s": self._earlier_s,
            "memory": self._memory.state(),
            "newcomers": {str(number): asdict(each) for number, each in self._newcomers.items()},
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
            self._newcomers = {int(key): Newcomer(**each) for key, each in state["newcomers"].items()}
            self._numbered = max(self._newcomers, default=0)

    def _stands(self, tracks: Tracks) -> NDArray[np.bool_]:
        if not len(tracks):
            return np.zeros(0, np.bool_)
        rows = self._memory.seen.take(self._memory.found)
        known = ~np.isnan(rows["past"][:, 1, 2])  # followed long enough to tell
        speed = np.hypot(*velocity(rows).T)
        still: NDArray[np.bool_] = known & (speed < STILL_SIZES_S * box_size(tracks.xyxy))
        return still
