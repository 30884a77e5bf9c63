"""What is known of the pictures of one source, and what of the next one must be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from bytetrack import Detections
from tracker.detectors.batched import Network
from tracker.detectors.bustle import Bustle
from tracker.detectors.changes import Changes, Mask, blocks_of, luminance
from tracker.detectors.doubt import unsure, wait_s
from tracker.detectors.letterbox import Letterbox
from tracker.detectors.memory import Look, Memory, Parts
from tracker.detectors.standing import agree, best_first, replaced
from tracker.detectors.window_plan import Cells, View, cost, grown, packed, sizes
from tracker.detectors.windows import Layout
from tracker.types import Frame, Image

SOONEST_S, LATEST_S = 2.0, 8.0  # a block is looked at again after so long, the later the more often in vain
NEW_LIGHT = 0.5  # part of the blocks that changed, from which the whole picture did
SURE = 0.25  # score from which an object that was not known makes it look again sooner
BUSY = 50  # pictures in a row that had to be looked at whole, from which it is not even compared every time
MOST_BLIND = 4  # pictures between two comparisons then

Size: TypeAlias = tuple[int, int]  # height, width of an input
Places: TypeAlias = list[tuple[int, int]]  # column and row of each window in it, in strides


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


class Scenery:
    """What is known of pictures of one size: what stands in them, and when each block was looked at."""

    def __init__(
        self, network: Network[Any], size: tuple[int, int], imgsz: int, share: Share, *, live: bool = False
    ) -> None:
        self.size = size
        self.standing = Detections.empty()
        self._network, self._share, self._live = network, share, live
        self._view = View(
            Letterbox.fit(size, (imgsz, imgsz)), blocks_of(Letterbox.fit(size, (imgsz, imgsz)).inner)
        )
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
        self._busy = 0  # pictures in a row that were compared, and filled it
        self._blind = 0  # pictures that are looked at whole without a comparison
        self._bustle = Bustle()
        self._doubt_s = 0.0  # for so long stands what is unsure

    def memory(self) -> Memory | None:
        """Return what it knows; None: it has not been shown anything."""
        if self._first:
            return None
        return Memory(
            self.standing,
            self._changes.looked_at,
            self._changes.noise.copy(),
            self._looked_s.copy(),
            self._owed.copy(),
            np.array([self._missed[size] for size in self._sizes]),
            self._patience_s,
            self._busy,
            self._blind,
            self._bustle,
            self._doubt_s,
        )

    def recall(self, memory: Memory) -> None:
        """Go on from what another knew, if that was of pictures of this size."""
        if not memory.fits(self._view.blocks, len(self._sizes)):
            return
        self._first = False
        self._changes = Changes(memory.looked_at, memory.noise.copy())
        self.standing = memory.standing
        self._looked_s, self._owed = memory.looked_s.copy(), memory.owed.copy()
        self._missed = dict(zip(self._sizes, memory.missed.tolist(), strict=True))
        self._patience_s, self._busy, self._blind = memory.patience_s, memory.busy, memory.blind
        self._bustle, self._doubt_s = memory.bustle, memory.doubt_s

    def begin(self, frame: Frame) -> Look | None:
        """Compare the frame, and ask the network about what changed; None: nothing did."""
        if self._blind:
            return self._blindly(frame)
        wanted, doubts = self.wanted(frame), self._doubts(frame.time)
        if not wanted and not doubts:
            self._busy = 0
            self._share.add(0.0)
            self._bustle = self._bustle.after(0.0, frame.time)
            return None
        windows, changed = None, self._view.with_boxes(self._due, self.standing.xyxy)
        if self._due.mean() <= NEW_LIGHT and self._network.any_shape:
            windows = self._view.windows(changed)
        fitting = self._fitting(windows or ())
        if not self._routine:
            part = cost(fitting[0][0]) / cost(self._sizes[-1]) if fitting else 1.0
            self._bustle = self._bustle.after(part, frame.time)
        shape, places = self._compiled([] if self._bustle.is_high or doubts else fitting)
        if windows is None or places is None:
            self._busy = self._busy + 1 if not fitting and not self._routine else 0
            self._blind = min(max(self._busy - BUSY, 0), MOST_BLIND)
            self.looks_at_all(frame.time)
            return self._at_all(frame, doubts=doubts)
        self._busy = 0
        windows = grown(windows, places, shape, self._view.box.shape)
        seen = self._view.seen(windows) & changed
        self._changes.look(seen)
        self._looked_s[seen] = frame.time
        whole = self._view.box.shape
        self._share.add(shape[0] * shape[1] / (whole[0] * whole[1]))
        layout = self._view.layout(windows, places, shape)
        scale = np.array([self.size[1] / self._view.box.inner[1], self.size[0] / self._view.box.inner[0]] * 2)
        parts = Parts(self._view.trusted(windows) * scale, changed)
        return Look(self._network.start_windows(self._picture, layout), parts, self._routine)

    def _doubts(self, time: float) -> bool:
        """Whether something unsure moves, or is due: for the whole picture, which tells best."""
        boxes = self.standing.xyxy[unsure(self.standing)]
        moves = self._view.touches(self._due, boxes)
        if moves.any():
            self._doubt_s = 0.0
            return True
        resting = self._view.covered(boxes)
        return bool(resting.any()) and bool((time - self._looked_s[resting]).max() > self._doubt_s)

    def _at_all(self, frame: Frame, *, doubts: bool = False) -> Look:
        """Ask the network about the whole picture."""
        if not self._network.any_shape:
            return Look(self._network.start([frame.pixels]), None, self._routine, doubts)
        shape = self._network.input_for(self._view.box.shape, wait=not self._live)
        whole = Layout.whole(self._view.box, shape)
        return Look(self._network.start_windows(self._picture, whole), None, self._routine, doubts)

    def _blindly(self, frame: Frame) -> Look:
        """Ask about the whole picture without a comparison; the next is compared with the last of these."""
        self._blind -= 1
        self._picture = self._network.scale(frame.pixels, self._view.box.inner)
        if not self._blind:
            self._changes.replace(luminance(self._picture))
        self._share.add(1.0)
        self._looked_s[:] = frame.time
        return self._at_all(frame)

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

    def _fitting(self, windows: Sequence[Cells]) -> list[tuple[Size, Places]]:
        """Return the inputs that windows fit into, the smallest first, and where; none: the whole picture."""
        if not windows:
            return []
        packings = [(shape, packed(windows, shape)) for shape in self._sizes[:-1]]
        return [(shape, places) for shape, places in packings if places is not None]

    def _compiled(self, fitting: list[tuple[Size, Places]]) -> tuple[Size, Places | None]:
        """Return the smallest input that can be used now; no places: the whole picture.

        A size is compiled once it would have saved what compiling costs. What is live goes on with a larger
        one meanwhile; a file waits, so that its results do not depend on how fast the machine is.
        """
        whole, wanted = self._sizes[-1], None
        for shape, places in fitting:
            if self._missed[shape] >= self._network.new_shape_cost:
                shape = self._network.input_for(shape, wait=not self._live)
                if cost(shape) >= cost(whole):
                    break
                if wanted is not None:
                    self._missed[wanted] += cost(shape) - cost(wanted)
                return shape, places
            wanted = wanted or shape
        if wanted is not None:
            self._missed[wanted] += cost(whole) - cost(wanted)
        return whole, None

    def end(self, look: Look) -> Detections:
        """Wait for what the network says, and return the boxes that stand from now on."""
        if look.found is None:
            look.found = self._network.finish(look.pending)
        found = look.found
        before, parts = self.standing, look.parts
        if parts is None:
            self.standing = best_first(found[0])
        else:
            self.standing, again = replaced(
                before, parts.trusted, found, lambda xyxy: self._view.touches(parts.changed, xyxy)
            )
            self._owed |= self._view.covered(again)
        self._doubt_s = wait_s(before, self.standing, self._doubt_s, again=look.doubts)
        if look.routine:
            same = agree(before, self.standing, SURE)
            self._patience_s = min(2 * self._patience_s, LATEST_S) if same else SOONEST_S
        return self.standing
