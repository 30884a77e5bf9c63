"""Rotated boxes followed as such, by every tracker: matched by rotated overlap, filtered as size and angle.

A tracker of upright boxes becomes one of rotated boxes by `Turned`: its Kalman filter gets a fifth
coordinate, the angle, and all it asks about overlaps is answered for the boxes as they are turned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bytetrack.association import HIGH, LOST, LOW, TENTATIVE, TRACKED, Stage, by_overlap, by_overlap_and_score
from bytetrack.botsort import BoTSORT
from bytetrack.boxes import Pairs, overlapping, xywh_to_xyxy, xyxy_to_xywh
from bytetrack.byte_tracker import BYTETracker
from bytetrack.deepsort import DeepSORT
from bytetrack.kalman import MotionModel
from bytetrack.life import UsableDetections
from bytetrack.motion_tracker import MotionTracker
from bytetrack.rotated import long_side_first, nearest_form, overlap_pairs, regular, upright
from bytetrack.sort import SORT
from bytetrack.strongsort import StrongSORT
from bytetrack.types import Detections, FloatArray, IntArray, Tracks

# Standard deviations of an angle in radians, per nominal frame where it is the noise of motion. Measured:
# networks tell the angle of a clear box to some three degrees; ships and cars turn slowly.
MEASURED, TURNED, RATE = 0.06, 0.02, 0.004
FIRST_RATE = 0.03
COORDINATES = 5


def with_angle(model: MotionModel) -> MotionModel:
    """Return a model of upright boxes with a fifth coordinate, the angle; its ``to_xyxy`` is around the box.

    The four are those of the box as it would be if it stood on its shorter side, so that a deviation along x
    or y is a part of the longer side, whichever way the box is turned.
    """
    scale = model.noise_scale
    frozen = model.frozen_when_lost
    return replace(
        model,
        from_xyxy=lambda xyxy: measured(model, rotated_of(xyxy)),
        to_xyxy=lambda five: upright(boxes(model, five)).T,
        noise_scale=(*(scale if scale[0] is None else (3, 3, *scale[2:])), None),
        # nobody knows whether what is lost goes on turning
        frozen_when_lost=slice(frozen.start if frozen.stop else 4, COORDINATES),
        position=(*model.position, TURNED),
        velocity=(*model.velocity, RATE),
        measurement=(*model.measurement, MEASURED),
        first_position=(*model.first_position, MEASURED),
        first_velocity=(*model.first_velocity, FIRST_RATE),
    )


def measured(model: MotionModel, rotated: FloatArray) -> FloatArray:
    """Return the five coordinates (5, N) of rotated boxes (N, 5), whose first side becomes the height."""
    x, y, long, short, angle = rotated.T
    return np.vstack((model.from_xyxy(xywh_to_xyxy(np.stack((x, y, short, long)))), angle))


def boxes(model: MotionModel, five: FloatArray) -> FloatArray:
    """Return the rotated boxes (N, 5) of five coordinates (5, N)."""
    x, y, short, long = xyxy_to_xywh(model.to_xyxy(five[:4]))
    return np.stack((x, y, long, short, five[4]), axis=1)


def rotated_of(xyxy: FloatArray) -> FloatArray:
    """Return upright boxes (4, N) as rotated ones (N, 5), the longer side first."""
    return long_side_first(np.vstack((xyxy_to_xywh(xyxy), np.zeros(xyxy.shape[1]))).T)


if TYPE_CHECKING:
    Base = BYTETracker  # what `Turned` is mixed into
else:
    Base = object  # a dataclass would take the defaults of this base for its own


class Turned(Base):
    """What a tracker does otherwise when its boxes are rotated.

    A box is taken in that of its equal forms (half turns; quarter turns with the sides swapped) whose angle
    is nearest to the track's; one without a rotated box as the upright box that it is. Tracks come with
    ``rotated``, and ``xyxy`` is the upright box around it.
    """

    def _motion(self) -> MotionModel:
        self._plain = super()._motion()
        return with_angle(self._plain)

    def reset(self) -> None:
        """Forget everything; the next id is 1."""
        super().reset()
        self._table.belief = np.empty((5, COORDINATES, 0))
        self._turned: FloatArray = np.empty((0, 5))  # (D, 5) the detections of this frame that take part

    def warp(self, transform: FloatArray) -> None:
        """Move all tracks as the picture moved: a (2, 3) similarity, pixels before to pixels after."""
        super().warp(transform)
        self._table.belief[0, 4] += np.arctan2(transform[1, 0], transform[0, 0])

    def _usable(self, detections: Detections) -> UsableDetections:
        usable = super()._usable(detections)
        turned = rotated_of(usable.xyxy)
        if detections.rotated is not None:
            given = detections.rotated[usable.source]
            known = np.isfinite(given).all(axis=1) & (given[:, 2:4] > 0).all(axis=1)
            turned[known] = long_side_first(given[known].astype(np.float64))
        self._turned = turned
        return usable._replace(measured=measured(self._plain, turned))

    def _candidates(self, usable: UsableDetections) -> tuple[FloatArray, Pairs]:
        tracks = boxes(self._plain, self._table.belief[0])
        around = upright(tracks).T
        return around, _turned_pairs(overlapping(around, usable.xyxy), tracks, self._turned)

    def _overlaps(self, rows: IntArray, others: IntArray) -> Pairs:
        tracks = boxes(self._plain, self._table.belief[0])
        return _turned_pairs(super()._overlaps(rows, others), tracks[rows], tracks[others])

    def _measured(self, rows: IntArray, matched: IntArray, usable: UsableDetections) -> FloatArray:
        return measured(self._plain, nearest_form(self._turned[matched], self._table.belief[0, 4, rows]))

    def _confirmed(self) -> Tracks:
        tracks, table = super()._confirmed(), self._table
        order = np.argsort(table.track_id)
        rows = order[np.searchsorted(table.track_id, tracks.track_id, sorter=order)]
        return replace(tracks, rotated=regular(boxes(self._plain, table.belief[0].take(rows, 1))))

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken, with the options of this tracker."""
        coordinates = len(state["table"]["belief"][0])
        if coordinates != COORDINATES:
            raise ValueError(
                f"the state of rotated boxes is expected, and this has no angles ({coordinates})"
            )
        super().restore(state)


def _turned_pairs(pairs: Pairs, one: FloatArray, other: FloatArray) -> Pairs:
    """Return those of the pairs whose rotated boxes (N, 5) and (M, 5) overlap, and how much."""
    iou = overlap_pairs(one[pairs.row], other[pairs.column])
    found = (iou > 0).nonzero()[0]
    return Pairs(pairs.row[found], pairs.column[found], iou[found])


@dataclass(eq=False)
class RotatedTracker(Turned, MotionTracker):
    """`MotionTracker` for detections with ``rotated``: two boxes overlap as much as they do when turned.

    >>> found = Detections([[0, 0, 20, 10]], [0.9], [0], rotated=[[10, 5, 20, 10, 0.0]])
    >>> RotatedTracker().update(found).rotated.tolist()
    [[10.0, 5.0, 20.0, 10.0, 0.0]]
    """

    def _stages(self) -> tuple[Stage, ...]:
        return (  # heights are of those who stand upright
            Stage((TRACKED, LOST), HIGH, by_overlap_and_score, self.match_thresh),
            Stage((TRACKED,), LOW, by_overlap, self.second_match_thresh),
            Stage((TENTATIVE,), HIGH, by_overlap_and_score, self.tentative_match_thresh),
        )


@dataclass(eq=False)
class RotatedBYTETracker(Turned, BYTETracker):
    """`BYTETracker` for rotated boxes."""


@dataclass(eq=False)
class RotatedBoTSORT(Turned, BoTSORT):
    """`BoTSORT` for rotated boxes."""


@dataclass(eq=False)
class RotatedStrongSORT(Turned, StrongSORT):
    """`StrongSORT` for rotated boxes; its gate knows centre and size."""


@dataclass(eq=False)
class RotatedDeepSORT(Turned, DeepSORT):
    """`DeepSORT` for rotated boxes; its gate knows centre and size."""


@dataclass(eq=False)
class RotatedSORT(Turned, SORT):
    """`SORT` for rotated boxes."""
