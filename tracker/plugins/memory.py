"""What an analysis remembers of each track, for as long as the track may come back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.plugins.anchors import box_size
from tracker.types import Json

ROUNDING_S = 1e-4  # a table of tracks holds microseconds: counting from it must come to the same
CHECKPOINT_S = 0.5  # velocity is that of the last one to two of these: about a step of a walker
INHERIT_S = 1.0  # how long a lost track can be continued by a new one
INHERIT_SIZES = 0.75  # greatest distance from the predicted place, in sizes of the object
INHERIT_GROWTH = 2.0  # greatest ratio of the two sizes
NOBODY = b"?"  # the signature of no set of tracks

BASE = (
    ("track_id", np.int64),
    ("class_id", np.int64),
    ("seen_s", np.float64),
    ("anchor", np.float64, (2,)),  # NaN: never seen
    ("past", np.float64, (2, 3)),  # the two checkpoints before: x, y and when; NaN before there was one
    ("xyxy", np.float64, (4,)),
)


@dataclass
class Memory:
    """One row per track, found by id; rows unseen for ``keep_s`` seconds are given back by `forget`.

    A new id that appears where a track of its class was lost a moment before (within `INHERIT_SIZES` of its
    constant-velocity prediction) takes over its row: identities break at occlusions, and often on the line.
    """

    columns: Sequence[tuple[Any, ...]] = ()  # further columns of the structured rows; they start as zero
    keep_s: float = 1.0
    rows: NDArray[Any] = field(init=False)
    _row_of: dict[int, int] = field(init=False, default_factory=dict)
    _oldest_s: float = field(init=False, default=-math.inf)  # no row was last seen before this
    _signature: bytes = field(init=False, default=NOBODY)
    _found: IntArray = field(init=False, default_factory=lambda: np.empty(0, np.int64))
    _free: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Make room."""
        self.rows = np.zeros(0, dtype=np.dtype([*BASE, *self.columns], align=True))

    def __len__(self) -> int:
        """Return the number of tracks remembered."""
        return len(self._row_of)

    def alive(self) -> IntArray:
        """Return the rows in use."""
        return np.fromiter(self._row_of.values(), np.int64, len(self._row_of))

    def find(self, now: float, tracks: Tracks, anchors: FloatArray) -> IntArray:
        """Return the row (M,) of each track; a new one gets a fresh row or another track's legacy."""
        signature = tracks.track_id.tobytes()
        if signature == self._signature:  # the same tracks as a frame ago
            return self._found
        ids = tracks.track_id.tolist()
        new = [place for place, track_id in enumerate(ids) if track_id not in self._row_of]
        if new:
            heirs = self._heirs(now, tracks, anchors, new)
            for place in new:
                row = self._row_of.pop(heirs[place]) if place in heirs else self._fresh()
                self._row_of[ids[place]] = row
                self.rows["track_id"][row] = ids[place]
        self._signature = signature
        self._found = np.array([self._row_of[track_id] for track_id in ids], np.int64)
        return self._found

    def store(self, found: IntArray, now: float, tracks: Tracks, anchors: FloatArray) -> None:
        """Remember where the tracks in rows ``found`` (M,) are now."""
        rows = self.rows
        past = rows["past"]
        due = ~(now - past[:, 0, 2][found] < CHECKPOINT_S - ROUNDING_S)
        if np.count_nonzero(due):
            chosen = found[due]
            past[chosen, 1] = past[chosen, 0]
            past[chosen, 0, :2] = anchors[due]
            past[chosen, 0, 2] = now
        rows["class_id"][found] = tracks.class_id
        rows["seen_s"][found] = now
        rows["anchor"][found] = anchors
        rows["xyxy"][found] = tracks.xyxy

    def forget(self, now: float) -> NDArray[Any]:
        """Drop what has not been seen for ``keep_s`` seconds and return a copy of those rows."""
        limit = now - self.keep_s - ROUNDING_S
        if self._oldest_s >= limit:
            return self.rows[:0]
        alive = self.alive()
        seen = self.rows["seen_s"][alive]
        gone = alive[seen < limit]
        self._oldest_s = float(seen[seen >= limit].min(initial=now))
        if not len(gone):
            return self.rows[:0]
        copy: NDArray[Any] = self.rows.take(gone)
        for row in gone.tolist():
            del self._row_of[int(self.rows["track_id"][row])]
            self._free.append(row)
        self.rows.view(np.uint8).reshape(len(self.rows), -1)[gone] = 0  # at once, not column by column
        self._signature = NOBODY  # the rows found a frame ago may be among them
        return copy

    def state(self) -> dict[str, Json]:
        """Return a copy of the rows in use as lists, column by column; NaN is None."""
        rows = self.rows[self.alive()]
        return {name: plain(rows[name]) for name in rows.dtype.names or ()}

    def restore(self, state: Mapping[str, Json]) -> None:
        """Take the rows that `state` returned; raises ``KeyError`` or ``ValueError`` for other columns."""
        ids = state["track_id"]
        self.rows = np.zeros(len(ids), self.rows.dtype)
        for name in self.rows.dtype.names or ():
            self.rows[name] = np.array(state[name], self.rows.dtype[name].base).reshape(self.rows[name].shape)
        self._row_of = {track_id: row for row, track_id in enumerate(ids)}
        self._free, self._signature, self._oldest_s = [], NOBODY, -math.inf

    def _fresh(self) -> int:
        if not self._free:
            old, size = self.rows, max(16, 2 * len(self.rows))
            self.rows = np.zeros(size, dtype=old.dtype)
            self.rows[: len(old)] = old
            self._free.extend(range(size - 1, len(old) - 1, -1))
        row = self._free.pop()
        self.rows["anchor"][row] = self.rows["past"][row] = np.nan
        return row

    def _heirs(self, now: float, tracks: Tracks, anchors: FloatArray, new: list[int]) -> dict[int, int]:
        """Return which new track (place among ``tracks``) continues which lost one (id), nearest first."""
        visible = set(tracks.track_id.tolist())
        lost = np.array([row for track_id, row in self._row_of.items() if track_id not in visible], np.int64)
        lost = lost[now - self.rows["seen_s"][lost] <= INHERIT_S + ROUNDING_S] if len(lost) else lost
        if not len(lost):
            return {}
        rows = self.rows.take(lost)
        gap = (now - rows["seen_s"])[:, None]
        speed = velocity(rows)
        place = rows["anchor"] + np.where(np.isnan(speed), 0.0, speed) * gap
        sizes = np.maximum(box_size(tracks.xyxy[new]), 1.0).tolist()
        old_sizes = np.maximum(box_size(rows["xyxy"]), 1.0)
        pairs = []
        for n, size in zip(new, sizes, strict=True):
            away = anchors[n] - place
            distance = np.hypot(away[:, 0], away[:, 1]) / old_sizes
            growth = size / old_sizes
            near = (distance <= INHERIT_SIZES) & (rows["class_id"] == tracks.class_id[n])
            near &= (growth <= INHERIT_GROWTH) & (growth >= 1 / INHERIT_GROWTH)
            pairs += [(float(distance[k]), n, int(rows["track_id"][k])) for k in near.nonzero()[0]]
        heirs: dict[int, int] = {}
        for _, n, track_id in sorted(pairs):
            if n not in heirs and track_id not in heirs.values():
                heirs[n] = track_id
        return heirs


def velocity(rows: NDArray[Any]) -> FloatArray:
    """Return the velocity (M, 2) of remembered tracks in pixels per second; NaN if seen once."""
    oldest = np.where(np.isnan(rows["past"][:, 1, 2]), 0, 1)
    past = rows["past"][np.arange(len(rows)), oldest]
    passed = (rows["seen_s"] - past[:, 2])[:, None]
    passed = np.where(passed > 0, passed, np.nan)  # seen once: no time has passed
    mean: FloatArray = (rows["anchor"] - past[:, :2]) / passed
    return mean


def plain(values: NDArray[Any]) -> Json:
    """Return an array as lists that every reader of JSON takes: NaN becomes None.

    >>> plain(np.array([1.5, np.nan]))
    [1.5, None]
    """
    if values.dtype.kind == "f" and np.isnan(values).any():
        objects = values.astype(object)
        objects[np.isnan(values)] = None
        return objects.tolist()
    return values.tolist()
