"""Which track meets which detection: association steps, one after the other, each exact.

A tracker is a tuple of steps. Each step looks at the tracks and detections that the steps before it left,
judges how alike they are, and matches them so that the total is best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bytetrack.assignment import best_matching
from bytetrack.boxes import Pairs
from bytetrack.types import FloatArray, IntArray

TENTATIVE, TRACKED, LOST, GONE = range(4)  # states of a track
LOW, HIGH, TAKEN = range(3)  # levels of a detection: by its score, or no longer to be had


@dataclass(frozen=True, eq=False)
class Encounter:
    """The two sides of one frame, for a similarity to look at."""

    track_xyxy: FloatArray  # (4, T) predicted
    detection_xyxy: FloatArray  # (4, D)
    score: FloatArray  # (D,) of the detections
    labels: IntArray  # (3, T) of the tracks, see `bytetrack.table`
    source: IntArray  # (D,) rows of the detections in what was given to ``update``


LEVELS = 3
Similarity: TypeAlias = Callable[[Pairs, Encounter], FloatArray]  # -> (E,), 1 is the same, 0 nothing alike


def by_overlap(pairs: Pairs, encounter: Encounter) -> FloatArray:
    """Return the IoU."""
    return pairs.iou


def by_overlap_and_score(pairs: Pairs, encounter: Encounter) -> FloatArray:
    """Return IoU · score: of two boxes that fit a track alike, the surer one (ByteTrack's ``fuse_score``)."""
    similarity: FloatArray = pairs.iou * encounter.score[pairs.column]
    return similarity


@dataclass(frozen=True)
class Step:
    """One association: tracks in these states with detections of this level."""

    states: tuple[int, ...]
    level: int
    similarity: Similarity
    limit: float  # the greatest cost, 1 - similarity, of a match

    @cached_property
    def _takes(self) -> NDArray[np.bool_]:  # by state · LEVELS + level
        takes = np.zeros((4, LEVELS), bool)
        takes[list(self.states), self.level] = True
        return takes.ravel()

    @cached_property
    def _floor(self) -> float:
        return 1.0 - self.limit


def associate(
    steps: Sequence[Step], pairs: Pairs, encounter: Encounter, state: IntArray, level: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the rows of tracks and of detections that belong together, (M,) each.

    ``pairs`` are those that overlap at all; ``state`` (T,) and ``level`` (D,) say who may take part in what.
    """
    state, level = state * LEVELS, level.copy()  # state + level now says all about a pair
    rows, columns = [], []
    for step in steps:
        invited = step._takes[state[pairs.row] + level[pairs.column]].nonzero()[0]
        if len(invited) == 0:
            continue
        met = pairs[invited]
        gain = step.similarity(met, encounter) - step._floor  # limit - cost
        worth = (gain > 0.0).nonzero()[0]
        row, column = met.row[worth], met.column[worth]
        chosen = best_matching(row, column, gain[worth], (len(state), len(level)))
        row, column = row[chosen], column[chosen]
        state[row], level[column] = GONE * LEVELS, TAKEN
        rows.append(row)
        columns.append(column)
    if not rows:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    return np.concatenate(rows), np.concatenate(columns)
