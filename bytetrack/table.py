"""The memory of a tracker: every track it knows is a column of a few arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from bytetrack.kalman import Belief
from bytetrack.types import FloatArray, IntArray

STATE, TRACK_ID, SOURCE = range(3)  # rows of ``labels``
BORN, LAST_SEEN, SCORE, VOTES = range(4)  # rows of ``numbers``; from VOTES on a row per class


class TrackTable:
    """T tracks in the order of their birth, hence of their ids.

    Columns that are selected together are rows of one array, because one ``take`` of two rows costs as much
    as one of a single row. The properties are views by name: what is assigned to their elements is kept.
    """

    belief: Belief  # (5, 4, T) of the Kalman filter; (5, 5, T) of rotated boxes
    labels: IntArray  # (3, T) state, track_id, source
    numbers: FloatArray  # (3 + C, T) born, last_seen, score; votes for each class
    classes: IntArray  # (C,) the classes met so far, ascending

    def __init__(self) -> None:
        """Begin empty."""
        self.belief = np.empty((5, 4, 0))
        self.labels = np.empty((3, 0), np.int64)
        self.numbers = np.empty((VOTES, 0))
        self.classes = np.empty(0, np.int64)

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self.labels[STATE])

    @property
    def state(self) -> IntArray:
        """The state, (T,): TENTATIVE, TRACKED, LOST or REMOVED of `bytetrack.association`."""
        return self._labels(STATE)

    @property
    def track_id(self) -> IntArray:
        """The id, (T,); 0 until the track is confirmed."""
        return self._labels(TRACK_ID)

    @property
    def source(self) -> IntArray:
        """The row of the detection that matched in this frame, (T,); -1 without one."""
        return self._labels(SOURCE)

    @property
    def born(self) -> FloatArray:
        """The time of the first detection, (T,) in nominal frames."""
        return self._numbers(BORN)

    @property
    def last_seen(self) -> FloatArray:
        """The time of the last matched detection, (T,) in nominal frames."""
        return self._numbers(LAST_SEEN)

    @property
    def score(self) -> FloatArray:
        """The score of the last matched detection, (T,)."""
        return self._numbers(SCORE)

    def _labels(self, row: int) -> IntArray:
        view: IntArray = self.labels[row]
        return view

    def _numbers(self, row: int) -> FloatArray:
        view: FloatArray = self.numbers[row]
        return view

    def rows_in(self, state: int) -> IntArray:
        """Return which tracks are in a state, (K,)."""
        rows: IntArray = (self.labels[STATE] == state).nonzero()[0]
        return rows

    def keep(self, rows: IntArray) -> None:
        """Forget all tracks but these."""
        self.belief = self.belief.take(rows, 2)
        self.labels = self.labels.take(rows, 1)
        self.numbers = self.numbers.take(rows, 1)

    def add(self, belief: Belief, labels: IntArray, numbers: FloatArray) -> None:
        """Append tracks; arrays as the fields."""
        self.belief = np.concatenate((self.belief, belief), 2)
        self.labels = np.concatenate((self.labels, labels), 1)
        self.numbers = np.concatenate((self.numbers, numbers), 1)

    def vote_rows(self, class_id: IntArray) -> IntArray:
        """Return the row of ``numbers`` that counts each class (D,), making room for new classes."""
        index = self.classes.searchsorted(class_id)
        known = self.classes.take(index, mode="clip") == class_id if len(self.classes) else index < 0
        if np.count_nonzero(known) < len(class_id):
            classes = np.union1d(self.classes, class_id)
            numbers = np.zeros((VOTES + len(classes), len(self)))
            numbers[:VOTES] = self.numbers[:VOTES]
            numbers[VOTES + classes.searchsorted(self.classes)] = self.numbers[VOTES:]
            self.classes, self.numbers = classes, numbers
            index = classes.searchsorted(class_id)
        index += VOTES
        return index

    def class_id(self, rows: IntArray) -> IntArray:
        """Return the class with most votes, (K,); of equals the smaller."""
        if len(self.classes) <= 1:
            return self.classes.repeat(len(rows))
        winner: IntArray = self.classes[self.numbers[VOTES:].take(rows, 1).argmax(0)]
        return winner

    def to_lists(self) -> dict[str, Any]:
        """Return everything as plain lists; floats survive JSON exactly."""
        return {name: getattr(self, name).tolist() for name in ("belief", "labels", "numbers", "classes")}

    @classmethod
    def from_lists(cls, lists: dict[str, Any]) -> TrackTable:
        """Rebuild from what ``to_lists`` returned."""
        table = cls()
        table.classes = np.array(lists["classes"], np.int64)
        table.labels = np.array(lists["labels"], np.int64).reshape(3, -1)
        tracks = table.labels.shape[1]
        coordinates = len(lists["belief"][0])
        table.belief = np.array(lists["belief"], np.float64).reshape(5, coordinates, tracks)
        table.numbers = np.array(lists["numbers"], np.float64).reshape(VOTES + len(table.classes), tracks)
        return table
