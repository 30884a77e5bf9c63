"""Who was seen until now, and who continues whom: worked out once for all analyses of the same tracks."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.plugins._shared import extent, motion
from tracker.plugins._shared.anchors import CUT_PX, SHAPE, anchor_points, box_size
from tracker.plugins._shared.motion import velocity
from tracker.plugins._shared.shape_anchors import shape_points
from tracker.types import Scene

ROUNDING_S = 1e-4  # a table of tracks holds microseconds: counting from it must come to the same
CHECKPOINT_S = 0.5  # velocity is that of the last one to two of these: about a step of a walker
INHERIT_S = 1.0  # how long a lost track can be continued by a new one
INHERIT_SIZES = 0.75  # greatest distance from the predicted place, in sizes of the object ...
BOX_SIZES, DRIFT_SIZES_PER_S = (
    0.25,
    1.0,
)  # ... and sooner: what two boxes on one object differ by, and its drift
INHERIT_GROWTH = 1.5  # greatest ratio of the two sizes
CUT_SIZES = 0.1  # a new box this near the picture's edge, in its own sizes, has come in over it
UNKNOWN_TRACKS = b"?"  # the signature of no set of tracks

ROW = np.dtype(
    [
        ("track_id", np.int64),
        ("class_id", np.int64),
        ("seen_s", np.float64),
        ("anchor", np.float64, (2,)),  # NaN: never seen
        ("past", np.float64, (2, 3)),  # the two checkpoints before: x, y and when; NaN before there was one
        motion.COLUMN,
        ("xyxy", np.float64, (4,)),
        ("born_s", np.float64),  # when this number was first seen ...
        ("born_at", np.float64, (2,)),  # ... and where its anchor was
        ("classed_s", np.float64),  # since when it has its class
        ("first_id", np.int64),  # the first number of the object: those of the tracks it continues included
        ("first_s", np.float64),  # since when the number is this object's, where it was another's; else 0
        ("cut_s", np.float64, (2,)),  # till when its box came in over an edge, in x and y; NaN: it did not
        extent.COLUMN,
    ]
)
Mask = NDArray[np.bool_]
NO_MASK = np.zeros(0, np.bool_)
NO_ROWS, NO_POINTS, NO_TIMES, NO_RECORDS = (
    np.empty(0, np.int64),
    np.empty((0, 2)),
    np.empty(0),
    np.zeros(0, ROW),
)


Place: TypeAlias = Callable[[Tracks, FloatArray], FloatArray]  # tracks, boxes (M, 4) -> anchors (M, 2)


@dataclass(eq=False)
class TrackHistory:
    """One row per track, found by id; rows unseen for ``keep_s`` seconds are given back.

    A new id that appears where a track of its class was lost a moment before takes over its row: identities
    break at occlusions, and often on the line (`_heirs`).

    A history never changes: each frame makes the next one. Who holds the same one and asks it for the
    next of the same tracks is given the same again, so that however many analyses of a run share one piece of
    work without knowing of each other. They begin with the one that `before_all` gives.
    """

    anchor: str
    size: tuple[int, int]  # of the picture: width, height
    keep_s: float
    place: Place | None = field(default=None, kw_only=True)  # gives the anchors, instead of ``anchor``
    rows: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, ROW))
    row_of: dict[int, int] = field(default_factory=dict)  # track_id -> row
    # of the present frame, where it has tracks:
    found: IntArray = field(default_factory=lambda: NO_ROWS)  # (M,) row of each track
    anchors: FloatArray = field(default_factory=lambda: NO_POINTS)  # (M, 2)
    before: FloatArray = field(default_factory=lambda: NO_POINTS)  # (M, 2) the time before; NaN: new
    before_s: FloatArray = field(default_factory=lambda: NO_TIMES)  # (M,) when that was
    doubt: Mask = field(default_factory=lambda: NO_MASK)  # (M,) the feet are not where the box ends
    changed: Mask = field(default_factory=lambda: NO_MASK)  # (M,) not the object that had this number before
    gone: IntArray = field(default_factory=lambda: NO_ROWS)  # (K,) rows given back just now ...
    gone_rows: NDArray[np.void] = field(default_factory=lambda: NO_RECORDS)  # ... and what was in them
    _free: list[int] = field(default_factory=list)
    _oldest_s: float = -math.inf  # no row was last seen before this
    _entering: bool = True  # somebody may be coming in over the picture's edge
    _signature: bytes = UNKNOWN_TRACKS
    _next: tuple[Tracks, float, weakref.ref[TrackHistory]] | None = field(default=None, init=False)

    @classmethod
    def before_all(cls, scene: Scene, anchor: str, place: Place | None = None) -> TrackHistory:
        """Return what was seen before the first frame: one per run and anchor."""
        width, height = scene.size
        keep_s = scene.lost_s + INHERIT_S
        if place is not None:  # nobody else asks for the same
            return cls(anchor, (width, height), keep_s, place=place)
        return scene.common((cls, anchor), lambda: cls(anchor, (width, height), keep_s))

    def after(self, now: float, tracks: Tracks) -> TrackHistory:
        """Return the history with this frame added."""
        if self._next is not None and self._next[0] is tracks and self._next[1] == now:
            known = self._next[2]()
            if known is not None:
                return known
        made = TrackHistory(
            self.anchor, self.size, self.keep_s, _copied(self.rows), self.row_of, place=self.place
        )
        made._free, made._oldest_s, made._signature = self._free, self._oldest_s, self._signature
        made.found, made._entering = self.found, self._entering
        made._forget(now)
        if len(tracks):
            made.anchors = made._points(tracks.xyxy, tracks)
            made._find(now, tracks)
            made._see(now, tracks, self)
            made._store(now, tracks)
        self._next = tracks, now, weakref.ref(made)
        return made

    def alive(self) -> IntArray:
        """Return the rows in use."""
        return np.fromiter(self.row_of.values(), np.int64, len(self.row_of))

    # What follows is called while a history is made. It shares lists and dicts with the one before, so
    # these are copied before they are changed.

    def _forget(self, now: float) -> None:
        limit = now - self.keep_s - ROUNDING_S
        if self._oldest_s >= limit:
            return
        alive = self.alive()
        seen = self.rows["seen_s"][alive]
        self.gone = alive[seen < limit]
        self._oldest_s = float(seen[seen >= limit].min(initial=now))
        if len(self.gone):
            self.gone_rows = self.rows.take(self.gone)
            gone_ids = set(self.gone_rows["track_id"].tolist())
            self.row_of = {track_id: row for track_id, row in self.row_of.items() if track_id not in gone_ids}
            self._free = [*self._free, *self.gone.tolist()]
            self.rows[self.gone] = np.zeros((), ROW)
            self._signature = UNKNOWN_TRACKS  # the rows found a frame ago may be among them

    def _find(self, now: float, tracks: Tracks) -> None:
        """Find the row of each track; a new one gets a fresh row or another track's legacy."""
        signature = tracks.track_id.tobytes()
        if signature == self._signature:  # the same tracks as a frame ago
            return
        ids = tracks.track_id.tolist()
        new = [place for place, track_id in enumerate(ids) if track_id not in self.row_of]
        if new:
            heirs = self._heirs(now, tracks, new)
            self.row_of, self._free = dict(self.row_of), list(self._free)
            for place in new:
                row = self.row_of.pop(heirs[place]) if place in heirs else self._fresh()
                self.row_of[ids[place]] = row
                self.rows["track_id"][row] = ids[place]
                self.rows["born_s"][row], self.rows["born_at"][row] = now, self.anchors[place]
                if place not in heirs:
                    self.rows["first_id"][row] = ids[place]
                    self.rows["class_id"][row], self.rows["classed_s"][row] = tracks.class_id[place], now
        self._signature = signature
        self.found = np.array([self.row_of[track_id] for track_id in ids], np.int64)

    def _see(self, now: float, tracks: Tracks, last: TrackHistory) -> None:
        """Work out where everybody is and was the time before, in the history of which often is ``last``."""
        rows, found = self.rows, self.found
        same = found is last.found and len(last.anchors)  # the very same array: who asks it knows it again
        self.before = last.anchors if same else rows["anchor"].take(found, axis=0)
        self.before_s = rows["seen_s"][found]
        whole, self.doubt, self.changed = extent.whole_boxes(
            rows, found, now, np.isnan(self.before[:, 0]), tracks.xyxy, tracks.score, self.size
        )
        if whole is not tracks.xyxy:
            self.anchors = self._points(whole, tracks)
        if np.count_nonzero(self.changed):
            self.before = np.where(self.changed[:, None], np.nan, self.before)
            others = found[self.changed]
            rows["born_s"][others], rows["born_at"][others] = now, self.anchors[self.changed]
            rows["past"][others] = rows["way"][others] = np.nan
            rows["first_id"][others], rows["first_s"][others] = tracks.track_id[self.changed], now

    def _points(self, xyxy: FloatArray, tracks: Tracks) -> FloatArray:
        """Return the anchors of these boxes or, where that is asked for, of the tracks' shapes."""
        if self.place is not None:
            return self.place(tracks, xyxy)
        points = anchor_points(xyxy, self.anchor)
        if self.anchor != SHAPE:
            return points
        return shape_points(tracks, points, (xyxy != tracks.xyxy).any(axis=1))

    def _store(self, now: float, tracks: Tracks) -> None:
        rows, found = self.rows, self.found
        past = rows["past"]
        due = ~(now - past[:, 0, 2][found] < CHECKPOINT_S - ROUNDING_S)
        if np.count_nonzero(due):
            chosen = found[due]
            past[chosen, 1] = past[chosen, 0]
            past[chosen, 0, :2] = self.anchors[due]
            past[chosen, 0, 2] = now
        other_class = rows["class_id"][found] != tracks.class_id
        if np.count_nonzero(other_class):
            rows["classed_s"][found[other_class]] = now
            rows["class_id"][found] = tracks.class_id
        rows["seen_s"][found] = now
        fresh = np.isnan(self.before)
        if self._entering or np.count_nonzero(fresh):
            cut = (tracks.xyxy[:, :2] <= CUT_PX) | (tracks.xyxy[:, 2:] >= np.subtract(self.size, CUT_PX))
            cut &= (rows["cut_s"][found] == self.before_s[:, None]) | fresh
            rows["cut_s"][found] = np.where(cut, now, rows["cut_s"][found])
            entering = (rows["cut_s"] == rows["seen_s"][:, None]) & (rows["track_id"] > 0)[:, None]
            self._entering = bool(np.count_nonzero(entering))
        motion.remember(rows, found, self.anchors, now)
        rows["anchor"][found] = self.anchors
        rows["xyxy"][found] = tracks.xyxy

    def _fresh(self) -> int:
        if not self._free:
            old, size = self.rows, max(16, 2 * len(self.rows))
            self.rows = np.zeros(size, ROW)
            self.rows[: len(old)] = old
            self._free.extend(range(size - 1, len(old) - 1, -1))
        row = self._free.pop()
        for name in ("anchor", "past", "way", "cut_s"):
            self.rows[name][row] = np.nan
        return row

    def _heirs(self, now: float, tracks: Tracks, new: list[int]) -> dict[int, int]:
        """Return which new track (place among ``tracks``) continues which lost one (id), nearest first.

        It is of its class and size and stands where that one must be by now: as near to the prediction of
        constant velocity as two boxes on one object are, and as far as it may have drifted unseen. So who was
        seen a frame ago is hardly continued by a neighbour, which trackers tell of at its second sight: both
        were there at one and the same moment. Who touches the edge of the picture has come in over it.
        """
        visible = set(tracks.track_id.tolist())
        lost = np.array([row for track_id, row in self.row_of.items() if track_id not in visible], np.int64)
        lost = lost[now - self.rows["seen_s"][lost] <= INHERIT_S + ROUNDING_S] if len(lost) else lost
        if not len(lost):
            return {}
        rows = self.rows.take(lost)
        gap = now - rows["seen_s"]
        speed = velocity(rows)
        place = rows["anchor"] + np.where(np.isnan(speed), 0.0, speed) * gap[:, None]
        reach = np.minimum(INHERIT_SIZES, BOX_SIZES + DRIFT_SIZES_PER_S * gap)
        sizes = np.maximum(box_size(tracks.xyxy[new]), 1.0)
        inner = np.minimum(tracks.xyxy[new, :2], self.size - tracks.xyxy[new, 2:]).min(axis=1)
        old_sizes = np.maximum(box_size(rows["xyxy"]), 1.0)
        pairs = []
        for n, size, to_edge in zip(new, sizes.tolist(), inner.tolist(), strict=True):
            if to_edge <= CUT_SIZES * size:
                continue
            away = self.anchors[n] - place
            distance = np.hypot(away[:, 0], away[:, 1]) / old_sizes
            growth = size / old_sizes
            near = (distance <= reach) & (rows["class_id"] == tracks.class_id[n])
            near &= (growth <= INHERIT_GROWTH) & (growth >= 1 / INHERIT_GROWTH)
            pairs += [(float(distance[k]), n, int(rows["track_id"][k])) for k in near.nonzero()[0]]
        heirs: dict[int, int] = {}
        for _, n, track_id in sorted(pairs):
            if n not in heirs and track_id not in heirs.values():
                heirs[n] = track_id
        return heirs


def _copied(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Return a copy; NumPy itself copies structured arrays field by field, which takes four times as long."""
    return rows.view(np.uint8).copy().view(rows.dtype)
