"""Refine complete tracks: fill short gaps where that is credible, and smooth the boxes.

Both need the future of a track, so both come after tracking. Which gaps are filled is a matter of evidence
(`tracker.offline.gaps`). The smoother is Whittaker's (1923) with second differences, as described by Eilers
("A perfect smoother", Analytical Chemistry 75, 2003): of a series y with weights w it finds the z that
minimises

    sum w (y - z)²  +  λ sum (z[i-1] - 2 z[i] + z[i+1])²

whose normal equations (W + λ D'D) z = W y have five diagonals.

Rotated boxes are smoothed and filled in like upright ones, as centre, size and angle, each in that of its
equal forms that follows the one before. Masks and keypoints belong to what was seen: here they are left out,
and whoever shows the tracks has them from their detections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytetrack import Detections, Tracks
from bytetrack.rotated import between, following_forms, regular, upright
from bytetrack.types import FloatArray, IntArray
from tracker.offline.gaps import Evidence, Gaps, credible, find_gaps

FILLED = -1  # ``Tracks.source`` of a box without a detection; its score is 0
LEAST_WEIGHT = 1e-3  # of a box with score 0: the equations stay solvable


@dataclass(frozen=True)
class Refinement:
    """The limits of refinement; measured on MOT17 and PETS 2009."""

    gap_s: float = 0.67  # longest time between two detections that is filled; 20 frames at 30 fps
    evidence: Evidence = field(default_factory=Evidence)  # what a gap needs in order to be filled
    penalty: float = 50.0  # λ at 30 fps; it grows with the square of the frame rate, see `penalty_at`
    filled_weight: float = 0.2  # w of a filled box; w of a detected one is its score

    def penalty_at(self, fps: float) -> float:
        """Return λ: a second difference per frame is an acceleration divided by fps²."""
        return self.penalty * (fps / 30) ** 2


def refine(
    tracks: Sequence[Tracks],
    time_s: ArrayLike,
    refinement: Refinement = Refinement(),
    *,
    detections: Sequence[Detections | None] = (),
) -> list[Tracks]:
    """Fill and smooth the tracks of consecutive frames; returns as many, ordered by id.

    ``time_s`` (one per frame) ascends. ``detections`` are what the tracks were made of, one per frame, None
    where no detector looked: weak boxes that no track took tell that an object was there. Filled boxes have
    source -1 and score 0: they are shown, but never counted. Boxes that come with source -1 are treated as
    filled.

    >>> def box(x):
    ...     zero = np.zeros(1, int)
    ...     return Tracks(zero + 1, np.array([[x, 0.0, x + 4, 8]]), np.ones(1), zero, zero)
    >>> film = [box(x) for x in range(7)]
    >>> filled = refine([*film[:3], Tracks.empty(), *film[4:]], np.arange(7) / 10)[3]
    >>> filled.xyxy.round(6).tolist(), filled.source.tolist()
    ([[3.0, 0.0, 7.0, 8.0]], [-1])
    """
    if detections and len(detections) != len(tracks):
        raise ValueError(f"detections must be one per frame, {len(tracks)}, got {len(detections)}")
    time_s = np.asarray(time_s, np.float64)
    if time_s.shape != (len(tracks),):
        raise ValueError(f"time_s must have shape ({len(tracks)},) like tracks, got {time_s.shape}")
    frame: IntArray = np.repeat(np.arange(len(tracks)), [len(one) for one in tracks])
    if len(frame) == 0:
        return list(tracks)
    step_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 1.0
    rows = _joined(tracks)
    order = np.lexsort((frame, rows.track_id))
    frame, rows = frame[order], rows[order]
    gaps = find_gaps(frame, rows, time_s, refinement.gap_s + step_s / 2)
    gaps = gaps[credible(gaps, tracks, detections, step_s, refinement.evidence)]
    frame, rows = _filled(frame, rows, gaps)
    first_of_piece = np.ones(len(frame), bool)
    first_of_piece[1:] = (np.diff(rows.track_id) != 0) | (np.diff(frame) != 1)
    weight = np.where(rows.source == FILLED, refinement.filled_weight, np.maximum(rows.score, LEAST_WEIGHT))
    penalty = refinement.penalty_at(1 / step_s)
    rows = replace(rows, xyxy=smooth(rows.xyxy, weight, first_of_piece, penalty))
    if rows.rotated is not None:
        rows = _smoothed_turned(rows, rows.rotated, weight, first_of_piece, penalty)
    order = np.argsort(frame, kind="stable")  # by frame, then by id
    bounds = np.searchsorted(frame[order], np.arange(len(tracks) + 1)).tolist()
    rows = rows[order]
    return [rows[first:last] for first, last in pairwise(bounds)]


def measured(tracks: Tracks, detections: Detections) -> Tracks:
    """Return tracks with the boxes as detected: the smoother replaces the Kalman filter."""
    xyxy, rotated = np.array(tracks.xyxy, np.float64), tracks.rotated
    seen = tracks.source >= 0
    xyxy[seen] = detections.xyxy[tracks.source[seen]]
    if detections.rotated is not None:
        rotated = np.full((len(tracks), 5), np.nan) if rotated is None else np.array(rotated, np.float64)
        rotated[seen] = detections.rotated[tracks.source[seen]]
    return replace(tracks, xyxy=xyxy, rotated=rotated)


def smooth(
    values: FloatArray, weight: FloatArray, first_of_piece: NDArray[np.bool_], penalty: float
) -> FloatArray:
    """Return boxes, an (N, ...) array, smoothed within pieces by Whittaker's method, all at once.

    ``weight`` (N,) is above 0; ``first_of_piece`` (N,) is true where a piece of the series begins. The
    matrices of the pieces lie along the diagonal of one band matrix, so that one solve is enough.
    """
    n = len(values)
    bands = np.zeros((3, n))  # upper form: bands[2] the diagonal, bands[2 - k, k:] the k-th above it
    bands[2] = weight
    if n >= 3:
        inner = ~(
            first_of_piece[1:-1] | first_of_piece[2:]
        )  # rows of D: True if all three values are of one piece
        λ = penalty * inner
        bands[2, :-2] += λ
        bands[2, 1:-1] += 4 * λ
        bands[2, 2:] += λ
        bands[1, 1:-1] -= 2 * λ
        bands[1, 2:] -= 2 * λ
        bands[0, 2:] += λ
    from scipy.linalg import solveh_banded  # here: most runs refine nothing

    result: FloatArray = solveh_banded(bands, weight[:, None] * values, overwrite_ab=True, check_finite=False)
    return result


def _smoothed_turned(
    rows: Tracks, rotated: FloatArray, weight: FloatArray, first_of_piece: NDArray[np.bool_], penalty: float
) -> Tracks:
    """Return rows with smoothed rotated boxes, where these are known, and the upright boxes around them."""
    known = np.asarray(np.isfinite(rotated).all(axis=1))
    if not known.any():
        return rows
    first = first_of_piece.copy()
    first[1:] |= ~known[:-1]  # what follows an unknown one begins a piece
    own = rows.track_id[known]
    formed = following_forms(rotated[known], np.diff(own, prepend=-1) != 0)
    turned, xyxy = np.full(rotated.shape, np.nan), rows.xyxy.copy()
    turned[known] = regular(smooth(formed, weight[known], first[known], penalty))
    xyxy[known] = upright(turned[known])
    return replace(rows, xyxy=xyxy, rotated=turned)


def _joined(tracks: Sequence[Tracks]) -> Tracks:
    return Tracks(
        np.concatenate([one.track_id for one in tracks]),
        np.concatenate([one.xyxy for one in tracks]).astype(np.float64),
        np.concatenate([one.score for one in tracks]),
        np.concatenate([one.class_id for one in tracks]),
        np.concatenate([one.source for one in tracks]),
        rotated=_joined_turned(tracks),
    )


def _joined_turned(tracks: Sequence[Tracks]) -> FloatArray | None:
    if all(one.rotated is None for one in tracks):
        return None
    parts = [np.full((len(one), 5), np.nan) if one.rotated is None else one.rotated for one in tracks]
    return np.concatenate(parts).astype(np.float64)


def _filled(frame: IntArray, rows: Tracks, gaps: Gaps) -> tuple[IntArray, Tracks]:
    """Return frames and rows, ordered by id and frame, with the boxes that are expected in the gaps."""
    count = len(gaps.frame)
    before = gaps.before[gaps.number]
    new = replace(
        rows[before],
        xyxy=gaps.xyxy,
        score=np.zeros(count),
        source=np.full(count, FILLED),
    )
    if rows.rotated is not None:
        new = replace(new, rotated=between(rows.rotated[before], rows.rotated[before + 1], gaps.share))
    frame, rows = np.concatenate((frame, gaps.frame)), _joined((rows, new))
    order = np.lexsort((frame, rows.track_id))
    return frame[order], rows[order]
