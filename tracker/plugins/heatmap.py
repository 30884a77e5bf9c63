"""Where they are, or where they stand: seconds spent at each place, as a picture with a scale."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.types import FloatArray
from tracker.plugins.anchors import box_size, check_anchor, resolve_classes
from tracker.plugins.background import EmptyScene
from tracker.plugins.memory import Memory
from tracker.plugins.sighting import velocity
from tracker.types import Canvas, Event, Frame, Json, OptionError, Picture, Scene

MODES = ("presence", "standing")
CELLS = 192  # of the grid along the picture's longer side
WIDEST = 64.0  # cells: the widest footprint; wider objects are counted as this wide
SIGMA = 0.25  # standard deviation of a footprint in widths of its box: 4 of them span the box
REACH = 2.5  # half the width of the footprint's kernel in standard deviations
STILL_SIZES_S = 0.4  # slower than this many of its own sizes per second an object stands; a walker makes 1
REFRESH_S = 1.0  # age of the picture shown; a second more or less cannot be seen
COOLEST = 0.05  # part of the greatest value from which a place is coloured at all
OPACITY = 0.65  # of the hottest place
STEPS = 64  # of the scale
NICE = (1, 2, 5)


@dataclass
class Heatmap:
    """Adds up how long objects were at each place: everywhere they are, or only where they stand.

    Each object leaves its seconds around its anchor, in a soft footprint as wide as its box, one at its
    middle: a place's value is the seconds that somebody spent there, summed over objects.

    Raises ``OptionError`` for a mode, an anchor or a class that cannot be used.
    """

    mode: str = "presence"  # or "standing"
    anchor: str = "bottom_center"
    classes: Sequence[str | int] = ()  # these only; none: all

    def __post_init__(self) -> None:
        """Check what can be checked without a picture."""
        self.anchor = check_anchor(self.anchor)
        if self.mode not in MODES:
            raise OptionError(f"heatmap: unknown mode {self.mode!r}; use one of {', '.join(MODES)}")

    def start(self, scene: Scene) -> None:
        """Lay the grid."""
        self._scene = scene
        self._wanted = resolve_classes(self.classes, scene.names)
        self._memory = Memory(scene, self.anchor)
        self._cell = max(max(scene.size) / CELLS, 1.0)  # pixels
        width, height = (max(int(np.ceil(side / self._cell)), 1) for side in scene.size)
        layers = round(np.log2(WIDEST)) + 1
        # Footprints are laid on when somebody looks: until then one layer per width, in octaves.
        self._seconds = np.zeros((layers, height, width))
        self._empty = EmptyScene.of(scene)
        self._period = 1 / scene.fps if scene.fps > 0 else 0.0
        self._longest = max(scene.lost_s, 2 * self._period)  # what passed unseen is nobody's time
        self._before: float | None = None
        self._now = 0.0
        self._shown: tuple[float, NDArray[np.uint8]] | None = None

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Add the time since the last frame to where the objects are; there are no events."""
        now, before = frame.time, self._before
        passed = self._period if before is None else min(max(now - before, 0.0), self._longest)
        self._before = self._now = now
        self._empty.look(frame)
        xyxy = tracks.xyxy
        self._memory.look(now, tracks)
        counted: NDArray[np.bool_] | None = None  # all
        if self.mode == "standing":
            counted = self._stands(tracks)
        if self._wanted is not None:
            wanted = np.isin(tracks.class_id, list(self._wanted))
            counted = wanted if counted is None else counted & wanted
        if len(xyxy):
            anchors = self._memory.anchors
            if counted is not None:
                xyxy, anchors = xyxy[counted], anchors[counted]
            last = np.array(self._seconds.shape[:0:-1]) - 1  # feet beyond the picture's edge are at it
            columns, rows = np.clip(anchors / self._cell, 0, last).astype(np.int64).T
            widths = np.minimum(np.maximum((xyxy[:, 2] - xyxy[:, 0]) / self._cell, 1.0), WIDEST)
            layers = np.rint(np.log2(widths)).astype(np.int64)
            np.add.at(self._seconds, (layers, rows, columns), passed)
        return ()

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
        what = "present" if self.mode == "presence" else "standing"
        rows = [(what, f"{self.total_s():.0f} s, all objects together")]
        return [*rows, ("most at", f"{x:.0f},{y:.0f}: {seconds.max():.0f} s")] if seconds.any() else rows

    def leaves(self) -> Sequence[str]:
        """Return what the picture is called."""
        return ["heatmap.png" if self.mode == "presence" else "heatmap_standing.png"]

    def files(self) -> Mapping[str, Picture | Json]:
        """Return the picture with its scale."""
        seconds = self.seconds()
        canvas = Canvas()
        canvas.overlay(colored(seconds))
        draw_scale(canvas, float(seconds.max()), self._empty.size, self.mode)
        (suffix,) = self.leaves()
        return {suffix: Picture(self._empty.picture(), tuple(canvas.marks))}

    def state(self) -> Json:
        """Return the seconds (zlib, base64: the grid is large and mostly empty), and who is where."""
        seconds = base64.b64encode(zlib.compress(self._seconds.tobytes(), 1)).decode()
        return {
            "shape": list(self._seconds.shape),
            "seconds": seconds,
            "before": self._before,
            "memory": self._memory.state(),
        }

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there; the empty scene is looked at anew."""
        if tuple(state["shape"]) != self._seconds.shape:
            raise ValueError("the grid has another shape")
        data = zlib.decompress(base64.b64decode(state["seconds"]))
        self._seconds += np.frombuffer(data).reshape(self._seconds.shape)
        if tracks:
            self._before = state["before"]
            self._memory.restore(state["memory"])

    def _stands(self, tracks: Tracks) -> NDArray[np.bool_]:
        if not len(tracks):
            return np.zeros(0, np.bool_)
        rows = self._memory.seen.take(self._memory.found)
        known = ~np.isnan(rows["past"][:, 1, 2])  # followed long enough to tell
        speed = np.hypot(*velocity(rows).T)
        still: NDArray[np.bool_] = known & (speed < STILL_SIZES_S * box_size(tracks.xyxy))
        return still


def footprint(width: float) -> FloatArray:
    """Return the separable kernel (K,) of a footprint ``width`` cells wide; its middle is 1."""
    sigma = SIGMA * width
    reach = max(round(REACH * sigma), 1)
    kernel: FloatArray = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return kernel


def colored(seconds: FloatArray) -> NDArray[np.uint8]:
    """Return values (h, w) as a BGRA picture: from nothing to opaque, from dark to bright."""
    return _shades(np.sqrt(seconds / max(float(seconds.max()), 1e-9)))


def draw_scale(canvas: Canvas, most_s: float, size: tuple[int, int], mode: str) -> None:
    """Draw the scale at the right edge of a picture, with times beside it."""
    width, height = size
    left, right, top, bottom = 0.95 * width, 0.98 * width, 0.2 * height, 0.9 * height
    shades = _shades(np.linspace(0, 1, STEPS)[None])[0]
    edges = np.linspace(bottom, top, STEPS + 1)
    for (b, g, r, _), low, high in zip(shades.tolist(), edges[:-1], edges[1:], strict=True):
        canvas.polygon([(left, low), (right, low), (right, high), (left, high)], (b, g, r), alpha=1.0)
    for tick_s in ticks(most_s):
        y = bottom - np.sqrt(tick_s / most_s) * (bottom - top) if most_s else bottom
        canvas.polyline([(left, y), (right, y)], (255, 255, 255))
        canvas.text(duration(tick_s), (left - 0.005 * width, y), (255, 255, 255), anchor="rm")
    canvas.text(f"{mode}, seconds", (right, top - 0.02 * height), (255, 255, 255), anchor="rb")


def ticks(most_s: float) -> list[float]:
    """Return round times for a scale of square roots, 0 and the greatest included.

    >>> ticks(340)
    [0, 5.0, 20.0, 50.0, 100.0, 200.0, 340]
    """
    if most_s <= 0:
        return [0]
    decade = 10.0 ** np.floor(np.log10(most_s))
    nice = [n * d for d in (decade / 100, decade / 10, decade) for n in NICE]
    chosen: list[float] = [0]
    for value in nice:
        place = np.sqrt(value / most_s)
        if place - np.sqrt(chosen[-1] / most_s) >= 0.09 and place <= 0.92:  # labels need room
            chosen.append(float(value))
    return [*chosen, most_s]


def duration(seconds: float) -> str:
    """Return a time for people.

    >>> duration(0.25), duration(50.0), duration(90), duration(7200)
    ('0.25 s', '50 s', '1.5 min', '2 h')
    """
    if seconds >= 3600:
        return f"{seconds / 3600:.3g} h"
    return f"{seconds / 60:.3g} min" if seconds >= 60 else f"{seconds:.3g} s"


def _shades(part: FloatArray) -> NDArray[np.uint8]:
    shades = np.empty((*part.shape, 4), np.uint8)
    shades[..., :3] = _turbo().take(np.rint(part * 255).astype(np.uint8), axis=0)
    shades[..., 3] = np.clip((part - COOLEST) / (1 - COOLEST) * 3, 0, 1) * OPACITY * 255
    return shades


@lru_cache(maxsize=1)
def _turbo() -> NDArray[np.uint8]:
    """Return the scale's colours, (256, 3) BGR."""
    levels = np.arange(256, dtype=np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), np.uint8).reshape(256, 3)
