"""Look only where something changed: what did not change has the boxes that it had."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bytetrack import Detections
from bytetrack.types import FloatArray
from tracker.detectors.batched import Network
from tracker.detectors.changes import Changes, Mask, blocks_of, luminance
from tracker.detectors.letterbox import Letterbox
from tracker.detectors.settings import STRIDE
from tracker.detectors.standing import agree, best_first, replaced
from tracker.detectors.window_plan import Cells, View, cost, packed, sizes
from tracker.detectors.windows import Layout
from tracker.detectors.wrapper import DetectorWrapper
from tracker.types import Frame, Image, Stopwatch

SOONEST_S, LATEST_S = 2.0, 8.0  # a block is looked at again after so long, the later the more often in vain
NEW_LIGHT = 0.5  # part of the blocks that changed, from which the whole picture did
MOST_RESTED = 8  # frames that wait, with --batch, for others to fill the batch of one that was looked at
SURE = 0.25  # score from which an object that was not known makes it look again sooner


@dataclass(frozen=True)
class Parts:
    """Windows that are looked at, and what for."""

    trusted: FloatArray  # (W, 4), the part of each in which no box is cut, in pixels of the picture
    changed: Mask  # blocks; of what did not change the windows' answer is not taken


@dataclass(frozen=True)
class Look:
    """What is looked at in one frame, begun."""

    pending: Any
    parts: Parts | None  # None: the whole picture
    routine: bool  # nothing had changed: it was time


@dataclass
class Share:
    """How much was looked at."""

    frames: int = 0
    whole: int = 0  # frames of which the whole picture was
    rested: int = 0  # frames of which nothing was
    area: float = 0.0  # pictures, as much as the network's inputs were

    def add(self, area: float) -> None:
        """Count a frame, by the part of a picture that the network was shown."""
        self.frames += 1
        self.whole += area == 1
        self.rested += area == 0
        self.area += area

    def rows(self) -> list[tuple[str, str]]:
        """Return the row of the table at the end."""
        if not self.frames:
            return []
        part = self.area / self.frames
        return [
            (
                "looked at",
                f"{part:.1%} of the picture: {self.whole} frames whole, "
                f"{self.frames - self.whole - self.rested} in part, {self.rested} not",
            )
        ]


class Looking(DetectorWrapper):
    """Wraps a network, and asks it only about what changed since it was last looked at.

    A picture like the one before costs a comparison of luminance. Where a small part changed, the network
    looks at windows around it; where much did, at the whole. Boxes elsewhere stand as they were found, so
    that who does not move is still there. `detect` looks at whole pictures.
    """

    def __init__(
        self, network: Network[Any], stopwatch: Stopwatch | None = None, *, imgsz: int = 640
    ) -> None:
        """Look at a picture as a network of ``imgsz`` sees it."""
        super().__init__(network)
        self.network = network
        self.share = Share()
        self._watch = stopwatch or Stopwatch()
        self._imgsz = -(-imgsz // STRIDE) * STRIDE

    def summary(self) -> list[tuple[str, str]]:
        """Return how much was looked at."""
        return [*super().summary(), *self.share.rows()]

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Detect in order; some frames may be in flight, of which the network is asked about a few."""
        return self._by_windows(frames) if self.network.batch == 1 else self._in_batches(frames)

    def _in_batches(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Look at whole pictures only, so that several may share a batch."""
        waiting: deque[Frame] = deque()
        scene: Scenery | None = None
        standing = Detections.empty()

        def asked() -> Iterator[Frame]:
            nonlocal scene
            rested = 0
            for frame in frames:
                waiting.append(frame)
                size = (frame.pixels.shape[0], frame.pixels.shape[1])
                if scene is None or scene.size != size:
                    scene = Scenery(self.network, size, self._imgsz, self.share)
                scene.standing = standing
                with self._watch("detect"):
                    wanted = scene.wanted(frame) or rested >= MOST_RESTED
                if wanted:
                    scene.looks_at_all(frame.time)
                else:
                    self.share.add(0.0)
                rested = 0 if wanted else rested + 1
                if wanted:
                    yield frame

        for looked_at, found in self.network.stream(asked()):
            while (frame := waiting.popleft()) is not looked_at:
                yield frame, standing
            standing = Detections.empty() if found is None else found
            yield looked_at, standing
        for frame in waiting:
            yield frame, standing

    def _by_windows(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        waiting: deque[tuple[Frame, Look | None]] = deque()
        scene: Scenery | None = None
        try:
            for frame in frames:
                size = (frame.pixels.shape[0], frame.pixels.shape[1])
                if scene is None or scene.size != size:
                    while scene is not None and waiting:
                        yield self._oldest(waiting, scene)
                    scene = Scenery(self.network, size, self._imgsz, self.share)
                with self._watch("detect"):
                    waiting.append((frame, scene.begin(frame)))
                while waiting and (waiting[0][1] is None or len(waiting) >= self.network.in_flight()):
                    yield self._oldest(waiting, scene)
            while waiting and scene is not None:
                yield self._oldest(waiting, scene)
        finally:
            for _, look in waiting:
                if look is not None:
                    self.network.abandon(look.pending)

    def _oldest(self, waiting: deque[tuple[Frame, Look | None]], scene: Scenery) -> tuple[Frame, Detections]:
        frame, look = waiting.popleft()
        with self._watch("detect"):
            return frame, scene.standing if look is None else scene.end(look)


class Scenery:
    """What is known of pictures of one size: what stands in them, and when each block was looked at."""

    def __init__(self, network: Network[Any], size: tuple[int, int], imgsz: int, share: Share) -> None:
        self.size = size
        self.standing = Detections.empty()
        self._network, self._share = network, share
        self._view = View(
            Letterbox.fit(size, (imgsz, imgsz)), blocks_of(Letterbox.fit(size, (imgsz, imgsz)).inner)
        )
        self._whole = Layout.whole(self._view.box)
        self._sizes = sizes(self._view.box.shape)
        self._missed = dict.fromkeys(self._sizes, 0.0)  # what a size that is not compiled would have saved
        self._first = True
        self._picture: Image
        self._changes: Changes
        self._due: Mask
        self._routine = False
        self._looked_s = np.full(self._view.blocks, -np.inf)
        self._owed = np.zeros(self._view.blocks, bool)
        self._patience_s = SOONEST_S

    def begin(self, frame: Frame) -> Look | None:
        """Compare the frame, and ask the network about what changed; None: nothing did."""
        if not self.wanted(frame):
            self._share.add(0.0)
            return None
        windows, changed = None, self._view.with_boxes(self._due, self.standing.xyxy)
        if self._due.mean() <= NEW_LIGHT and self._network.any_shape:
            windows = self._view.windows(changed)
        shape, places = self._fitting(windows)
        if windows is None or places is None:
            self.looks_at_all(frame.time)
            if self._network.any_shape:
                return Look(self._network.start_windows(self._picture, self._whole), None, self._routine)
            return Look(self._network.start([frame.pixels]), None, self._routine)
        seen = self._view.seen(windows) & changed
        self._changes.look(seen)
        self._looked_s[seen] = frame.time
        whole = self._view.box.shape
        self._share.add(shape[0] * shape[1] / (whole[0] * whole[1]))
        layout = self._view.layout(windows, places, shape)
        scale = np.array([self.size[1] / self._view.box.inner[1], self.size[0] / self._view.box.inner[0]] * 2)
        parts = Parts(self._view.trusted(windows) * scale, changed)
        return Look(self._network.start_windows(self._picture, layout), parts, self._routine)

    def wanted(self, frame: Frame) -> bool:
        """Compare the frame with what was looked at, and say whether anything must be looked at again."""
        self._picture = self._network.scale(frame.pixels, self._view.box.inner)
        light = luminance(self._picture)
        if self._first:
            self._first, self._changes = False, Changes(light)
            self._due, self._routine = np.ones(self._view.blocks, bool), False
            return True
        changed = self._changes.compare(light)
        if changed.mean() <= NEW_LIGHT or self._changes.is_grain:
            self._changes.learn(~self._view.covered(self.standing.xyxy))
        changed |= self._owed
        self._owed = np.zeros(self._view.blocks, bool)
        self._routine = not changed.any()
        age = frame.time - self._looked_s
        if ((age > self._patience_s) | (age < 0)).any():
            changed |= (age > self._patience_s / 2) | (age < 0)
        self._due = changed
        return bool(changed.any())

    def looks_at_all(self, time: float) -> None:
        """Note that the whole of the frame that was compared last is looked at."""
        self._share.add(1.0)
        self._changes.look(np.ones(self._view.blocks, bool))
        self._looked_s[:] = time

    def _fitting(self, windows: list[Cells] | None) -> tuple[tuple[int, int], list[tuple[int, int]] | None]:
        """Return the smallest input that windows fit into, and where; no places: the whole picture.

        A size is compiled once it would have saved what compiling costs.
        """
        whole = self._sizes[-1]
        if windows is None:
            return whole, None
        wanted = None
        for shape in self._sizes[:-1]:
            places = packed(windows, shape)
            if places is None:
                continue
            if self._missed[shape] >= self._network.new_shape_cost:
                if wanted is not None:
                    self._missed[wanted] += cost(shape) - cost(wanted)
                return shape, places
            wanted = wanted or shape
        if wanted is not None:
            self._missed[wanted] += cost(whole) - cost(wanted)
        return whole, None

    def end(self, look: Look) -> Detections:
        """Wait for what the network says, and return the boxes that stand from now on."""
        found = self._network.finish(look.pending)
        before, parts = self.standing, look.parts
        if parts is None:
            self.standing = best_first(found[0])
        else:
            self.standing, again = replaced(
                before, parts.trusted, found, lambda xyxy: self._view.touches(parts.changed, xyxy)
            )
            self._owed |= self._view.covered(again)
        if look.routine:
            same = agree(before, self.standing, SURE)
            self._patience_s = min(2 * self._patience_s, LATEST_S) if same else SOONEST_S
        return self.standing
