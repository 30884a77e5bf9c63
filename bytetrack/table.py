"""The memory of a tracker: every track it knows is a column of a few arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytetrack.kalman import Belief
from bytetrack.types import FloatArray, IntArray

STATE, TRACK_ID, SOURCE = range(3)
BORN, SEEN, SCORE, VOTES = range(4)


class TrackTable:
    """N tracks in the order of their birth, hence of their ids."""

    belief: Belief  # (5, 4, N) the filter's
    labels: IntArray  # (3, N) state; id, 0 until confirmed; row of the detection matched in this frame or -1
    numbers: FloatArray  # (3 + C, N) times of birth and last match; score of that; votes for each class
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
        """Return the row of ``numbers`` that counts each class (D,), making room for new ones."""
        place = self.classes.searchsorted(class_id)
        known = self.classes.take(place, mode="clip") == class_id if len(self.classes) else place < 0
        if np.count_nonzero(known) < len(class_id):
            classes = np.union1d(self.classes, class_id)
            numbers = np.zeros((VOTES + len(classes), len(self)))
            numbers[:VOTES] = self.numbers[:VOTES]
            numbers[VOTES + classes.searchsorted(self.classes)] = self.numbers[VOTES:]
            self.classes, self.numbers = classes, numbers
            place = classes.searchsorted(class_id)
        place += VOTES
        return place

    def class_id(self, rows: IntArray) -> IntArray:
        """Return the class with most votes, (M,); of equals the smaller."""
        if len(self.classes) <= 1:
            return self.classes.repeat(len(rows))
        winner: IntArray = self.classes[self.numbers[VOTES:].take(rows, 1).argmax(0)]
        return winner

    def state(self) -> dict[str, Any]:
        """Return everything as plain lists; floats survive JSON exactly."""
        return {name: getattr(self, name).tolist() for name in ("belief", "labels", "numbers", "classes")}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TrackTable:
        """Rebuild from what ``state`` returned."""
        table = cls()
        table.classes = np.array(state["classes"], np.int64)
        table.labels = np.array(state["labels"], np.int64).reshape(3, -1)
        n = table.labels.shape[1]
        table.belief = np.array(state["belief"], np.float64).reshape(5, 4, n)
        table.numbers = np.array(state["numbers"], np.float64).reshape(VOTES + len(table.classes), n)
        return table


def mask_to_rows(mask: NDArray[np.bool_]) -> IntArray:
    """Return where a mask is true."""
    rows: IntArray = mask.nonzero()[0]
    return rows
