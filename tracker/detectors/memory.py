"""What looking by parts knows between two frames, for runs that are cut in two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bytetrack import Detections
from bytetrack.types import FloatArray, IntArray
from tracker.detectors.bustle import Bustle
from tracker.detectors.changes import Mask
from tracker.detectors.packed import pack, pack_boxes, unpack, unpack_boxes
from tracker.types import Json


@dataclass(frozen=True)
class Parts:
    """Windows that are looked at, and what for."""

    trusted: FloatArray  # (W, 4), the part of each in which no box is cut, in pixels of the picture
    changed: Mask  # blocks; of what did not change the windows' answer is not taken


@dataclass
class Look:
    """What is looked at in one frame."""

    pending: Any  # until it is answered
    parts: Parts | None  # None: the whole picture
    routine: bool  # nothing had changed: it was time
    doubts: bool = False  # something unsure stood there
    found: list[Detections] | None = None  # the answer: the boxes of each window

    def to_json(self) -> Json:
        """Return what was looked at and found; it must be answered."""
        assert self.found is not None
        parts = self.parts
        return {
            "parts": None if parts is None else [pack(parts.trusted), pack(parts.changed)],
            "routine": self.routine,
            "doubts": self.doubts,
            "found": [pack_boxes(boxes) for boxes in self.found],
        }

    @classmethod
    def from_json(cls, state: Any) -> Look:
        """Return what `to_json` was of; raises what `unpack` does."""
        parts = None if state["parts"] is None else Parts(*map(unpack, state["parts"]))
        found = [unpack_boxes(boxes) for boxes in state["found"]]
        return cls(None, parts, bool(state["routine"]), bool(state["doubts"]), found)


@dataclass(frozen=True)
class Memory:
    """All that a `Scenery` knows before it is shown a frame. Nothing in it is written to any more."""

    standing: Detections
    looked_at: IntArray  # luminance, by cells, of when each block was looked at
    noise: FloatArray  # by blocks
    looked_s: FloatArray  # by blocks, when it was looked at, seconds
    owed: Mask  # blocks to be looked at again
    missed: FloatArray  # what each size of window would have saved
    patience_s: float
    busy: int
    blind: int
    bustle: Bustle
    doubt_s: float

    def to_json(self) -> Json:
        """Return all of it."""
        arrays = {name: pack(getattr(self, name)) for name in ARRAYS}
        numbers = {
            "patience_s": self.patience_s,
            "busy": self.busy,
            "blind": self.blind,
            "doubt_s": self.doubt_s,
        }
        bustle = self.bustle.to_json()
        return {"standing": pack_boxes(self.standing), "bustle": bustle, **arrays, **numbers}

    @classmethod
    def from_json(cls, state: Any) -> Memory:
        """Return what `to_json` was of; raises what `unpack` does."""
        return cls(
            standing=unpack_boxes(state["standing"]),
            **{name: unpack(state[name]) for name in ARRAYS},
            patience_s=float(state["patience_s"]),
            busy=int(state["busy"]),
            blind=int(state["blind"]),
            bustle=Bustle.from_json(state["bustle"]),
            doubt_s=float(state["doubt_s"]),
        )

    def fits(self, blocks: tuple[int, int], sizes: int) -> bool:
        """Whether it is of pictures with so many blocks, and so many sizes of windows."""
        grids = self.noise, self.looked_s, self.owed
        return all(np.shape(grid) == blocks for grid in grids) and self.missed.shape == (sizes,)


ARRAYS = ("looked_at", "noise", "looked_s", "owed", "missed")


@dataclass(frozen=True)
class Past:
    """What was known before a frame."""

    before: int  # index of the frame
    size: tuple[int, int]  # height and width of pictures
    depth: int  # frames that are in flight
    memory: Memory | None  # None: nothing
    looks: tuple[Look | None, ...]  # that were not answered then; None: of a frame in which nothing changed

    def to_json(self) -> Json:
        """Return all of it; the looks must be answered by now."""
        return {
            "before": self.before,
            "size": list(self.size),
            "depth": self.depth,
            "memory": None if self.memory is None else self.memory.to_json(),
            "looks": [None if look is None else look.to_json() for look in self.looks],
        }

    @classmethod
    def from_json(cls, state: Any) -> Past:
        """Return what `to_json` was of; raises what `unpack` does."""
        height, width = state["size"]
        return cls(
            before=int(state["before"]),
            size=(int(height), int(width)),
            depth=int(state["depth"]),
            memory=None if state["memory"] is None else Memory.from_json(state["memory"]),
            looks=tuple(None if look is None else Look.from_json(look) for look in state["looks"]),
        )
