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
from tracker.plugins._shared.sighting import ROW, Sighting
from tracker.types import Json, Scene


class Row:
    """One track: what was seen of it, and what the analysis wrote down beside it."""

    def __init__(self, seen: np.void, own: np.void) -> None:
        self._seen, self._own = seen, own

    def __getitem__(self, name: str) -> Any:
        """Return a column of `sighting.ROW`, or one of the analysis."""
        return (self._seen if name in ROW.fields else self._own)[name]  # type: ignore[operator]

    def __setitem__(self, name: str, value: Any) -> None:
        """Write one of the analysis' own columns."""
        self._own[name] = value


class Memory:
    """Columns of an analysis' own beside the rows of a `Sighting`; they start as zero.

    They go with the row: through gaps of the track, and to the track that continues it.
    """

    def __init__(
        self, scene: Scene, anchor: str = "bottom_center", columns: Sequence[tuple[Any, ...]] = ()
    ) -> None:
        self._sighting = Sighting.before_all(scene, anchor)
        self._scene = scene
        self.own = np.zeros(0, np.dtype(list(columns), align=True))

    def __len__(self) -> int:
        """Return the number of tracks remembered."""
        return len(self._sighting.row_of)

    @property
    def seen(self) -> NDArray[np.void]:
        """The rows of `sighting.ROW`, as long as ``own``; not to be written to."""
        return self._sighting.rows

    @property
    def found(self) -> IntArray:
        """The row (M,) of each track of the last frame; what follows is in the same order."""
        return self._sighting.found

    @property
    def anchors(self) -> FloatArray:
        """Where each is (M, 2)."""
        return self._sighting.anchors

    @property
    def before(self) -> FloatArray:
        """Where each was the time before (M, 2), NaN where that is not known."""
        return self._sighting.before

    @property
    def before_s(self) -> FloatArray:
        """When that was (M,)."""
        return self._sighting.before_s

    @property
    def doubt(self) -> NDArray[np.bool_]:
        """Whose box does not fit the object, as it is hidden in part (M,); anchors are estimates then."""
        return self._sighting.doubt

    @property
    def changed(self) -> NDArray[np.bool_]:
        """Who is somebody else than had this number before (M,): after a gap in quite another shape."""
        return self._sighting.changed

    def look(self, now: float, tracks: Tracks) -> list[Row]:
        """Take a frame; return the rows of those who have been out of sight for too long: they are gone."""
        self._sighting = sighting = self._sighting.after(now, tracks)
        gone: list[Row] = []
        if len(sighting.gone):
            own = self.own.take(sighting.gone)
            gone = [Row(*pair) for pair in zip(sighting.gone_rows, own, strict=True)]
            if self.own.itemsize:
                self.own.view(np.uint8).reshape(len(self.own), -1)[sighting.gone] = 0  # all columns at once
        if len(self.own) < len(sighting.rows):
            grown = np.zeros(len(sighting.rows), self.own.dtype)
            grown[: len(self.own)] = self.own
            self.own = grown
        return gone

    def alive(self) -> IntArray:
        """Return the rows in use."""
        return self._sighting.alive()

    def place(self, track_id: int) -> int | None:
        """Return the row of a track, None where it is forgotten or continued under another number."""
        return self._sighting.row_of.get(track_id)

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
        own, seen = np.zeros(size, self.own.dtype), np.zeros(size, ROW)
        for rows in (own, seen):
            for name in rows.dtype.names or ():
                rows[name] = np.array(state[name], rows.dtype[name].base).reshape(rows[name].shape)
        old = self._sighting
        what = json.dumps([old.anchor, old.size, old.keep_s, [state[name] for name in ROW.names or ()]])
        row_of = {track_id: row for row, track_id in enumerate(state["track_id"])}
        fresh = Sighting(old.anchor, old.size, old.keep_s, seen, row_of)
        known = self._scene.common(Memory, lambda: WeakValueDictionary[str, Sighting]())  # shared again
        self.own, self._sighting = own, known.setdefault(what, fresh)


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
