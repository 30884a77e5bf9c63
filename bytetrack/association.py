"""Which track belongs to which detection: association in stages, each of them exact.

A tracker is a tuple of stages. Each stage takes the tracks and detections that the stages before it left
unmatched, computes their similarity, and matches them so that the total is greatest.
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

TENTATIVE, TRACKED, LOST, REMOVED = range(4)  # states of a track
LOW, HIGH, MATCHED = range(3)  # levels of a detection: by its score, and once it has a track
LEVELS = 3


@dataclass(frozen=True, eq=False)
class AssociationContext:
    """What a similarity may use of the tracks and detections of one frame, beside their IoU."""

    track_xyxy: FloatArray  # (4, T) predicted
    track_state: IntArray  # (T,)
    track_id: IntArray  # (T,) 0 where not confirmed
    detection_xyxy: FloatArray  # (4, D)
    score: FloatArray  # (D,) of the detections
    source: IntArray  # (D,) rows of the detections in what was given to ``update``


Similarity: TypeAlias = Callable[[Pairs, AssociationContext], FloatArray]  # -> (E,); 1 is equal, 0 unlike


def by_overlap(pairs: Pairs, context: AssociationContext) -> FloatArray:
    """Return the IoU."""
    return pairs.iou


def by_overlap_and_score(pairs: Pairs, context: AssociationContext) -> FloatArray:
    """Return IoU · score: of two boxes that fit equally well the surer one wins (``fuse_score``)."""
    similarity: FloatArray = pairs.iou * context.score.take(pairs.column)
    return similarity


@dataclass(frozen=True)
class Stage:
    """One association: tracks in these states with detections of this level."""

    states: tuple[int, ...]
    level: int
    similarity: Similarity
    limit: float  # the greatest cost, 1 - similarity, of a match

    @cached_property
    def _admits(self) -> NDArray[np.bool_]:  # by state · LEVELS + level
        admits = np.zeros((4, LEVELS), bool)
        admits[list(self.states), self.level] = True
        return admits.ravel()

    @cached_property
    def _least_similarity(self) -> float:
        return 1.0 - self.limit


def associate(
    stages: Sequence[Stage], pairs: Pairs, context: AssociationContext, level: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the rows of tracks and of detections that belong together, (K,) each.

    ``pairs`` are those that overlap at all; the states of the tracks and ``level`` (D,) decide which stage
    they take part in.
    """
    # The sum of both tells everything about a pair, so that one look-up decides.
    state, level = context.track_state * LEVELS, level.copy()
    rows, columns = [], []
    for stage in stages:
        admitted = stage._admits.take(state.take(pairs.row) + level.take(pairs.column)).nonzero()[0]
        if len(admitted) == 0:
            continue
        candidates = pairs.take(admitted)
        gain = stage.similarity(candidates, context) - stage._least_similarity  # limit - cost
        useful = (gain > 0.0).nonzero()[0]
        row, column = candidates.row.take(useful), candidates.column.take(useful)
        chosen = best_matching(row, column, gain.take(useful), (len(state), len(level)))
        row, column = row.take(chosen), column.take(chosen)
        state[row], level[column] = REMOVED * LEVELS, MATCHED  # no stage admits these
        rows.append(row)
        columns.append(column)
    if not rows:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    return np.concatenate(rows), np.concatenate(columns)
