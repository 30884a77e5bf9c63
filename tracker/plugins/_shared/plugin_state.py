"""What an analysis remembers of each track, for as long as the track may come back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.plugins._shared import motion
from tracker.plugins._shared.track_history import ROW, Place, TrackHistory
from tracker.types import Json, Scene


class Row:
    """One track: what was seen of it, and what the analysis wrote down beside it."""

    def __init__(self, seen: np.void, own: np.void) -> None:
        self._seen, self._own = seen, own

    def __getitem__(self, name: str) -> Any:
        """Return a column of `track_history.ROW`, or one of the analysis."""
        return (self._seen if name in ROW.fields else self._own)[name]  # type: ignore[operator]

    def __setitem__(self, name: str, value: Any) -> None:
        """Write one of the analysis' own columns."""
        self._own[name] = value


class PluginState:
    """Columns of an analysis' own beside the rows of a `TrackHistory`; they start as zero.

    They go with the row: through gaps of the track, and to the track that continues it.
    """

    def __init__(
        self,
        scene: Scene,
        anchor: str = "bottom_center",
        columns: Sequence[tuple[Any, ...]] = (),
        place: Place | None = None,
    ) -> None:
        self._history = TrackHistory.before_all(scene, anchor, place)
        self._scene = scene
        self.own = np.zeros(0, np.dtype(list(columns), align=True))

    def __len__(self) -> int:
        """Return the number of tracks remembered."""
        return len(self._history.row_of)

    @property
    def seen(self) -> NDArray[np.void]:
        """The rows of `track_history.ROW`, as long as ``own``; not to be written to."""
        return self._history.rows

    @property
    def found(self) -> IntArray:
        """The row (M,) of each track of the last frame; what follows is in the same order."""
        return self._history.found

    @property
    def anchors(self) -> FloatArray:
        """Where each is (M, 2)."""
        return self._history.anchors

    @property
    def before(self) -> FloatArray:
        """Where each was the time before (M, 2), NaN where that is not known."""
        return self._history.before

    @property
    def before_s(self) -> FloatArray:
        """When that was (M,)."""
        return self._history.before_s

    @property
    def doubt(self) -> NDArray[np.bool_]:
        """Whose box does not fit the object, as it is hidden in part (M,); anchors are estimates then."""
        return self._history.doubt

    @property
    def changed(self) -> NDArray[np.bool_]:
        """Who is somebody else than had this number before (M,): after a gap in quite another shape."""
        return self._history.changed

    def update(self, now: float, tracks: Tracks) -> list[Row]:
        """Take a frame; return the rows of those who have been out of sight for too long: they are gone."""
        self._history = history = self._history.after(now, tracks)
        gone: list[Row] = []
        if len(history.gone):
            own = self.own.take(history.gone)
            gone = [Row(*pair) for pair in zip(history.gone_rows, own, strict=True)]
            if self.own.itemsize:
                self.own.view(np.uint8).reshape(len(self.own), -1)[history.gone] = 0  # all columns at once
        if len(self.own) < len(history.rows):
            grown = np.zeros(len(history.rows), self.own.dtype)
            grown[: len(self.own)] = self.own
            self.own = grown
        return gone

    def alive(self) -> IntArray:
        """Return the rows in use."""
        return self._history.alive()

    def row_of(self, track_id: int) -> int | None:
        """Return the row of a track, None where it is forgotten or continued under another number."""
        return self._history.row_of.get(track_id)

    def row(self, place: int) -> Row:
        """Return one row."""
        return Row(self.seen[place], self.own[place])

    def state(self) -> dict[str, Json]:
        """Return a copy of the rows in use as lists, column by column; NaN is None."""
        alive = self.alive()
        return {
            name: plain(rows[name][alive])
            for rows in (self.seen, self.own)
            for name in rows.dtype.names or ()
        }

    def restore(self, state: Mapping[str, Json]) -> None:
        """Take the rows that `state` returned; raises ``KeyError`` or ``ValueError`` for other columns."""
        size = len(state["track_id"])
        if motion.COLUMN[0] not in state:  # it is older than this column, which fills in two seconds
            state = {**state, motion.COLUMN[0]: np.full((size, *motion.COLUMN[2]), np.nan).tolist()}
        own, seen = np.zeros(size, self.own.dtype), np.zeros(size, ROW)
        for rows in (own, seen):
            for name in rows.dtype.names or ():
                rows[name] = np.array(state[name], rows.dtype[name].base).reshape(rows[name].shape)
        old = self._history
        what = json.dumps([old.anchor, old.size, old.keep_s, [state[name] for name in ROW.names or ()]])
        row_of = {track_id: row for row, track_id in enumerate(state["track_id"])}
        fresh = TrackHistory(old.anchor, old.size, old.keep_s, seen, row_of, place=old.place)
        known = self._scene.common(
            PluginState, lambda: WeakValueDictionary[str, TrackHistory]()
        )  # shared again
        self.own, self._history = own, fresh if old.place is not None else known.setdefault(what, fresh)


def identity(row: Row) -> dict[str, Json]:
    """Return what an event says of who it is about, where its ``track_id`` alone would mislead.

    ``first_id`` is the object's first number, where tracks broke and went on under others: one object has
    the same in all events. ``first_s`` is there where the number was another object's before, until then.
    """
    first_id, first_s = int(row["first_id"]), float(row["first_s"])
    told: dict[str, Json] = {} if first_id == int(row["track_id"]) else {"first_id": first_id}
    return {**told, "first_s": round(first_s, 3)} if first_s else told


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
