"""What is kept of a track beside its box: how often it was seen, and what it looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bytetrack.appearance import Comparable
from bytetrack.byte_tracker import BYTETracker
from bytetrack.gallery import packed, unpacked
from bytetrack.kalman import Belief
from bytetrack.table import TrackTable
from bytetrack.types import FloatArray, IntArray


class Gallery:
    """The embeddings of one track: the newest few, or one that is their moving mean.

    All of them have one length; where another comes, as from a network that was exchanged, it begins anew.
    What they are compared by may be learnt meanwhile: ``distance`` is told how, and `compare_anew` when.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._kept: FloatArray = np.empty((0, 0), np.float32)  # a ring, once it is full
        self._added = 0  # since it began
        self._compared: FloatArray | None = None  # (G, F') what the embeddings are compared by
        self._changed: set[int] = set()  # rows that are not yet in it

    @property
    def embeddings(self) -> FloatArray:
        """What is in it, (G, F), in no order."""
        return self._kept[: self._added]

    def distance(self, embeddings: FloatArray, comparable: Comparable | None = None) -> FloatArray:
        """Return the least cosine distance of (K, F) to what is in it, (K,); infinite where there is none.

        With ``comparable`` they are (K, F'), what it makes of embeddings.
        """
        mine = self.embeddings if comparable is None else self._compared_by(comparable)
        if len(mine) == 0 or mine.shape[1] != embeddings.shape[1]:
            return np.full(len(embeddings), np.inf)
        if comparable is not None:
            mine = mine[np.isfinite(mine).all(axis=1)]
        least = 1.0 - (mine @ embeddings.T).max(0, initial=-np.inf)
        distance: FloatArray = np.where(np.isfinite(least), least, np.inf)
        return distance

    def tells(self, comparable: Comparable | None = None) -> bool:
        """Return whether there is anything in it that can be compared, yet."""
        if comparable is None:
            return self._added > 0
        return bool(np.isfinite(self._compared_by(comparable)).all(axis=1).any())

    def add(self, embedding: FloatArray, most: int) -> None:
        """Add one (F,), in the place of the oldest where there are ``most``."""
        self._begin_anew_with(embedding)
        kept = len(self._kept)
        if self._added == kept < most:
            room = np.empty((min(2 * kept, most) - kept, len(embedding)), np.float32)
            self._kept = np.concatenate((self._kept, room))
        self._kept[self._added % most] = embedding
        self._changed.add(self._added % most)
        self._added += 1

    def blend(self, embedding: FloatArray, share: float) -> None:
        """Let the mean move towards one (F,), keeping this ``share`` of what it was."""
        if self._begin_anew_with(embedding):
            self._added = 1
            return
        self._changed.add(0)
        mean = share * self._kept[0] + (1.0 - share) * embedding
        self._kept[0] = mean / max(float(np.linalg.norm(mean)), 1e-12)

    def compare_anew(self) -> None:
        """Take note that what embeddings are compared by has changed."""
        self._compared = None

    def _compared_by(self, comparable: Comparable) -> FloatArray:
        held = self.embeddings
        if self._compared is None or len(self._compared) > len(held):
            self._compared, self._changed = comparable(held), set()
        rows = sorted(self._changed)
        if rows:
            made = comparable(held[rows])
            longer = np.empty((len(held) - len(self._compared), made.shape[1]), made.dtype)
            self._compared = np.concatenate((self._compared, longer))
            self._compared[rows] = made
            self._changed = set()
        return self._compared

    def to_list(self) -> list[str]:
        """Return the embeddings as texts, from the oldest to the newest."""
        held = self.embeddings
        oldest = self._added % max(len(held), 1)
        return packed([*held[oldest:], *held[:oldest]])

    @classmethod
    def from_list(cls, texts: list[str]) -> Gallery:
        """Rebuild from what ``to_list`` returned."""
        gallery = cls()
        embeddings = unpacked(texts)
        if embeddings:
            gallery._kept, gallery._added = np.array(embeddings, np.float32), len(embeddings)
        return gallery

    def _begin_anew_with(self, embedding: FloatArray) -> bool:
        """Make room for the first embedding, or for the first of another length, and put it there."""
        if self._added and self._kept.shape[1] == len(embedding):
            return False
        self._kept, self._added = np.array(embedding[None], np.float32), 0
        self._compared, self._changed = None, set()
        return True


class MemoryTable(TrackTable):
    """A table that also counts how often each track was seen, and keeps a gallery of each."""

    hits: IntArray  # (T,) detections in all, or in a row: as the tracker counts
    galleries: list[Gallery]

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.hits, self.galleries = np.empty(0, np.int64), []

    def keep(self, rows: IntArray) -> None:
        """Forget all tracks but these."""
        super().keep(rows)
        self.hits, self.galleries = self.hits[rows], [self.galleries[row] for row in rows.tolist()]

    def add(self, belief: Belief, labels: IntArray, numbers: FloatArray) -> None:
        """Append tracks that were seen once; arrays as the fields."""
        super().add(belief, labels, numbers)
        born = labels.shape[1]
        self.hits = np.concatenate((self.hits, np.ones(born, np.int64)))
        self.galleries += [Gallery() for _ in range(born)]

    def to_lists(self) -> dict[str, Any]:
        """Return everything as plain lists and texts."""
        galleries = [gallery.to_list() for gallery in self.galleries]
        return {**super().to_lists(), "hits": self.hits.tolist(), "galleries": galleries}

    @classmethod
    def from_lists(cls, lists: dict[str, Any]) -> MemoryTable:
        """Rebuild from what ``to_lists`` returned."""
        plain, table = TrackTable.from_lists(lists), cls()
        table.belief, table.labels, table.numbers = plain.belief, plain.labels, plain.numbers
        table.classes = plain.classes
        table.hits = np.array(lists["hits"], np.int64)
        table.galleries = [Gallery.from_list(one) for one in lists["galleries"]]
        return table


class MemoryTracker(BYTETracker):
    """ByteTrack's frame with a `MemoryTable`; what is done with it is up to the trackers made of this."""

    def reset(self) -> None:
        """Forget everything; the next id is 1."""
        super().reset()
        self._table: MemoryTable = MemoryTable()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken, with the options of this tracker."""
        table = MemoryTable.from_lists(state["table"])
        super().restore(state)
        self._table = table
