"""Tiles in which nothing changed rest: what was found in them stands."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections
from tracker.detectors.changes import CELLS, Changes, blocks_of
from tracker.detectors.letterbox import Letterbox
from tracker.detectors.scenery import LATEST_S, NEW_LIGHT, SOONEST_S, SURE, Share
from tracker.detectors.standing import agree
from tracker.detectors.tile_merge import merge
from tracker.detectors.tiles import Grid, Tiled
from tracker.detectors.window_plan import View
from tracker.detectors.wrapper import DetectorWrapper
from tracker.types import Frame, Image, Stopwatch

WHOLE = 0  # place of the whole picture among what is looked at; the tiles follow


@dataclass
class Answer:
    """What the network says of the whole picture or of a tile; it stands until it is asked again."""

    pending: Any
    before: Detections | None  # what had stood; None: nothing had, or something changed
    found: Detections | None = None  # None: not known yet


class RestingTiles(DetectorWrapper):
    """Wraps `Tiled`, and asks only about tiles in which something changed, and about the whole picture then.

    Where nothing changes one part is looked at now and then, the one that has rested longest: each after two
    seconds, up to eight where that finds nothing new.
    """

    def __init__(self, tiled: Tiled, stopwatch: Stopwatch | None = None) -> None:
        super().__init__(tiled)
        self.tiled = tiled
        self.share = Share()
        self._watch = stopwatch or Stopwatch()

    def summary(self) -> list[tuple[str, str]]:
        """Return how much was looked at."""
        return [*super().summary(), *self.share.rows()]

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Detect in order; some frames may be in flight."""
        waiting: deque[tuple[Frame, TiledScene, list[Answer]]] = deque()
        scene: TiledScene | None = None
        try:
            for frame in frames:
                size = frame.pixels.shape[0], frame.pixels.shape[1]
                if scene is None or scene.size != size:
                    scene = TiledScene(self.tiled, size, self.share)
                with self._watch("detect"):
                    waiting.append((frame, scene, scene.begin(frame)))
                while len(waiting) >= self.tiled.in_flight():
                    yield self._oldest(waiting)
            while waiting:
                yield self._oldest(waiting)
        finally:
            for one in {id(a): a for *_, answers in waiting for a in answers}.values():
                if one.found is None:
                    self.tiled.network.abandon(one.pending)

    def _oldest(self, waiting: deque[tuple[Frame, TiledScene, list[Answer]]]) -> tuple[Frame, Detections]:
        frame, scene, answers = waiting[0]
        with self._watch("detect"):
            found = scene.end(answers)
        waiting.popleft()
        return frame, found


class TiledScene:
    """What is known of pictures of one size: what stands in each tile, and with what it is compared."""

    def __init__(self, tiled: Tiled, size: tuple[int, int], share: Share) -> None:
        self.size = size
        self._tiled, self._share = tiled, share
        self._grid = grid = tiled.grid(size)
        fine = min(grid.scaled, size)
        self._view = View(Letterbox.of_input(size), blocks_of(fine))
        self._views = [grid.view(window) for window in grid.windows]
        count = 1 + len(grid.windows)
        self._places = [self._blocks(grid, number) for number in range(count)]
        areas = [0.0, *(grid.shape[0] * grid.shape[1] for _ in grid.windows)]
        areas[WHOLE] = float(np.prod(Letterbox.fit(size, (tiled.settings.imgsz,) * 2).shape))
        self._part = np.array(areas) / sum(areas)
        self._answers: list[Answer] = []
        self._looked_s, self._patience_s = np.zeros(count), np.full(count, SOONEST_S)
        self._changes: Changes | None = None
        self._last: tuple[list[Answer], Detections] = [], Detections.empty()

    def _blocks(self, grid: Grid, number: int) -> tuple[slice, slice]:
        """Return rows and columns of the blocks that the whole picture or a tile touches."""
        rows, columns = self._view.blocks
        if number == WHOLE:
            return slice(0, rows), slice(0, columns)
        w = grid.windows[number - 1]
        y, x = rows / grid.scaled[0], columns / grid.scaled[1]
        return (
            slice(int(w.top * y), int(np.ceil((w.top + w.height) * y))),
            slice(int(w.left * x), int(np.ceil((w.left + w.width) * x))),
        )

    def begin(self, frame: Frame) -> list[Answer]:
        """Compare the frame, and ask about what changed; return what is or will be known of each part."""
        due, routine = self._due(frame)
        self._share.add(1.0 if due.all() else float(self._part[due].sum()))
        if not due.any():
            self._tiled.forgo_turn()
        answers = list(self._answers) or [Answer(None, None)] * len(due)
        scaled: Image | None = None
        for number in np.flatnonzero(due).tolist():
            before = answers[number].found if routine else None
            if number == WHOLE:
                answers[number] = Answer(self._tiled.network.start([frame.pixels]), before)
                continue
            if scaled is None:
                scaled = self._tiled.network.scale(frame.pixels, self._grid.scaled)
            layout = self._grid.layout(self._grid.windows[number - 1])
            answers[number] = Answer(self._tiled.network.start_windows(scaled, layout), before)
        self._looked_s[due] = frame.time
        self._answers = answers
        return answers

    def _due(self, frame: Frame) -> tuple[NDArray[np.bool_], bool]:
        """Return what must be looked at, (1 + tiles,), and whether only because it has rested for long."""
        rows, columns = self._view.blocks
        cells = CELLS * columns, CELLS * rows
        light = np.asarray(cv2.resize(frame.luma, cells, interpolation=cv2.INTER_AREA), np.uint8)
        age = frame.time - self._looked_s
        if self._changes is None:
            self._changes = Changes(light)
            return np.ones(len(age), bool), False
        changed = self._changes.compare(light)
        if changed.mean() <= NEW_LIGHT or self._changes.is_grain:
            self._changes.learn(~self._view.covered(self._last[1].xyxy))
        due = np.array([changed[place].any() for place in self._places])
        routine = not due.any()
        rested = (age > self._patience_s) | (age < 0)
        if routine and rested.any():
            due[np.argmax(np.where(rested, np.abs(age), -1))] = True
        for number in np.flatnonzero(due):
            changed[self._places[number]] |= routine or number != WHOLE
        self._changes.look(changed)
        return due, routine

    def end(self, answers: list[Answer]) -> Detections:
        """Wait for what the network says, and return each object once."""
        for number, answer in enumerate(answers):
            if answer.found is None:
                answer.found = self._tiled.network.finish(answer.pending)[0]
                if answer.before is not None:
                    same = agree(answer.before, answer.found, SURE)
                    longer = min(2 * self._patience_s[number], LATEST_S)
                    self._patience_s[number] = longer if same else SOONEST_S
        if [*map(id, answers)] != [*map(id, self._last[0])]:
            whole, *parts = [answer.found for answer in answers if answer.found is not None]
            settings = self._tiled.settings
            merged = (
                merge(whole, parts, self._views, max_det=settings.max_det, iou=settings.iou)
                if parts
                else whole
            )
            self._last = answers, merged
        return self._last[1]
