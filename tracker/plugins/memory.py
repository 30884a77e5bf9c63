"""What an analysis remembers of each track, for as long as the track may come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.plugins.anchors import box_size

ROUNDING_S = 1e-4  # a table of tracks holds microseconds: counting from it must come to the same
VELOCITY_S = 0.5  # time constant of the velocity's running mean: about a step of a walker
INHERIT_S = 1.0  # how long a lost track can be continued by a new one
INHERIT_SIZES = 0.75  # greatest distance from the predicted place, in sizes of the object
INHERIT_GROWTH = 2.0  # greatest ratio of the two sizes

BASE = (
    ("track_id", np.int64),
    ("class_id", np.int64),
    ("seen_s", np.float64),
    ("size", np.float64),
    ("anchor", np.float64, (2,)),  # NaN: never seen, or continued by another track
    ("velocity", np.float64, (2,)),  # pixels per second, NaN until seen twice
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
    _free: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Make room."""
        self.rows = np.zeros(0, dtype=[*BASE, *self.columns])

    def __len__(self) -> int:
        """Return the number of tracks remembered."""
        return len(self._row_of)

    def alive(self) -> IntArray:
        """Return the rows in use."""
        return np.fromiter(self._row_of.values(), np.int64, len(self._row_of))

    def find(self, now: float, tracks: Tracks, anchors: FloatArray) -> IntArray:
        """Return the row (M,) of each track; a new one gets a fresh row or another track's legacy."""
        ids = tracks.track_id.tolist()
        new = [place for place, track_id in enumerate(ids) if track_id not in self._row_of]
        if new:
            heirs = self._heirs(now, tracks, anchors, new)
            for place in new:
                self._row_of[ids[place]] = self._take_over(heirs[place]) if place in heirs else self._fresh()
        found = np.fromiter((self._row_of[track_id] for track_id in ids), np.int64, len(ids))
        self.rows["track_id"][found] = tracks.track_id
        return found

    def store(self, found: IntArray, now: float, tracks: Tracks, anchors: FloatArray) -> None:
        """Remember where the tracks in rows ``found`` (M,) are now."""
        rows = self.rows
        passed = (now - rows["seen_s"][found])[:, None]
        moved = anchors - rows["anchor"][found]
        old = rows["velocity"][found]
        with np.errstate(divide="ignore", invalid="ignore"):  # a clock that stands still teaches nothing
            velocity = np.where(passed > 0, moved / passed, old)
        weight = np.where(np.isnan(old), 1.0, 1.0 - np.exp(-np.maximum(passed, 0) / VELOCITY_S))
        rows["velocity"][found] = np.where(np.isnan(old), 0.0, old) * (1 - weight) + velocity * weight
        rows["class_id"][found] = tracks.class_id
        rows["seen_s"][found] = now
        rows["size"][found] = box_size(tracks.xyxy)
        rows["anchor"][found] = anchors
        rows["xyxy"][found] = tracks.xyxy

    def forget(self, now: float) -> NDArray[Any]:
        """Drop what has not been seen for ``keep_s`` seconds and return a copy of those rows."""
        alive = self.alive()
        gone = alive[self.rows["seen_s"][alive] < now - self.keep_s - ROUNDING_S]
        for row in gone.tolist():
            del self._row_of[int(self.rows["track_id"][row])]
            self._free.append(row)
        copy: NDArray[Any] = self.rows[gone]
        return copy

    def _fresh(self) -> int:
        if not self._free:
            old, size = self.rows, max(16, 2 * len(self.rows))
            self.rows = np.zeros(size, dtype=old.dtype)
            self.rows[: len(old)] = old
            self._free.extend(range(size - 1, len(old) - 1, -1))
        row = self._free.pop()
        self.rows[row] = np.zeros((), self.rows.dtype)
        for name in ("anchor", "velocity"):
            self.rows[name][row] = np.nan
        return row

    def _take_over(self, track_id: int) -> int:
        return self._row_of.pop(track_id)

    def _heirs(self, now: float, tracks: Tracks, anchors: FloatArray, new: list[int]) -> dict[int, int]:
        """Return which new track (place among ``tracks``) continues which lost one (id), nearest first."""
        visible = set(tracks.track_id.tolist())
        lost = np.array([row for track_id, row in self._row_of.items() if track_id not in visible], np.int64)
        lost = lost[now - self.rows["seen_s"][lost] <= INHERIT_S + ROUNDING_S] if len(lost) else lost
        if not len(lost):
            return {}
        rows = self.rows[lost]
        gap = (now - rows["seen_s"])[:, None]
        place = rows["anchor"] + np.nan_to_num(rows["velocity"]) * gap
        sizes = box_size(tracks.xyxy)
        pairs = []
        for n in new:
            distance = np.hypot(*(anchors[n] - place).T) / np.maximum(rows["size"], 1.0)
            growth = np.maximum(sizes[n], 1.0) / np.maximum(rows["size"], 1.0)
            near = (distance <= INHERIT_SIZES) & (rows["class_id"] == tracks.class_id[n])
            near &= (growth <= INHERIT_GROWTH) & (growth >= 1 / INHERIT_GROWTH)
            pairs += [(float(distance[k]), n, int(rows["track_id"][k])) for k in np.flatnonzero(near)]
        heirs: dict[int, int] = {}
        for _, n, track_id in sorted(pairs):
            if n not in heirs and track_id not in heirs.values():
                heirs[n] = track_id
        return heirs
