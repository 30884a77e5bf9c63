"""Who is who where boxes compete, by what is known beside them: keypoints or masks.

A track and a detection compete where one of them overlaps another candidate, too. The overlap of such pairs
becomes the mean of the boxes' IoU and of how alike the shapes are: of keypoints their similarity
(`bytetrack.oks`), of masks their IoU. The shape of a track is the one that was seen last, moved as far as the
filter believes that its box moved since. Elsewhere boxes decide alone.

Measured on made scenes in docs/shapes.md (`benchmarks.competing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bytetrack.boxes import Pairs
from bytetrack.byte_tracker import BYTETracker
from bytetrack.life import UsableDetections
from bytetrack.masks import Masks, moved_iou
from bytetrack.oks import oks_pairs
from bytetrack.types import Detections, FloatArray, IntArray, Tracks

COMPETING = 0.1  # IoU from which a track and a detection are candidates for one another
SHARE = 0.5  # of the shapes in the overlap; with all of it masks did worse than boxes alone
PERSON = 0.53  # part of its box that a person covers, as xtcocotools and ultralytics take it for OKS
SHAPES = ("keypoints", "masks")

if TYPE_CHECKING:
    Base = BYTETracker  # what `Competing` is mixed into
else:
    Base = object  # a dataclass would take the defaults of this base for its own


class Seen(NamedTuple):
    """What was last seen of one track."""

    xyxy: FloatArray  # (4,) the box that was believed in then
    shape: Any  # keypoints (J, 3), or `Masks` of one


class Competing(Base):
    """What a tracker does otherwise when shapes decide where boxes compete."""

    def reset(self) -> None:
        """Forget everything; the next id is 1."""
        super().reset()
        self._last: dict[int, Seen] = {}  # by id
        self._found = Detections.empty()  # those of this frame

    def _usable(self, detections: Detections) -> UsableDetections:
        self._found = detections
        return super()._usable(detections)

    def _candidates(self, usable: UsableDetections) -> tuple[FloatArray, Pairs]:
        track_xyxy, pairs = super()._candidates(usable)
        near = (pairs.iou >= COMPETING).nonzero()[0]
        row, column = pairs.row.take(near), pairs.column.take(near)
        if len(near):
            rivals = (np.bincount(row)[row] > 1) | (np.bincount(column)[column] > 1)
            near = near[rivals]
        last = [self._last.get(one) for one in self._table.track_id[pairs.row.take(near)].tolist()]
        known = [number for number, one in enumerate(last) if one is not None]
        if not known or not self._tells(self._found):
            return track_xyxy, pairs
        near = near[known]
        seen = [one for one in last if one is not None]
        now, theirs = track_xyxy[:, pairs.row[near]].T, usable.source[pairs.column[near]]
        alike = self._alike(seen, now, usable.xyxy[:, pairs.column[near]].T, theirs)
        iou = pairs.iou.copy()
        iou[near] = np.where(np.isnan(alike), iou[near], (1 - SHARE) * iou[near] + SHARE * alike)
        return track_xyxy, Pairs(pairs.row, pairs.column, iou)

    def _confirmed(self) -> Tracks:
        tracks = super()._confirmed()
        alive = set(self._table.track_id.tolist())
        self._last = {track_id: seen for track_id, seen in self._last.items() if track_id in alive}
        if self._tells(self._found):
            for row, (track_id, source) in enumerate(
                zip(tracks.track_id.tolist(), tracks.source.tolist(), strict=True)
            ):
                if source >= 0:
                    self._last[track_id] = Seen(tracks.xyxy[row], self._shape(source))
        return tracks

    def state(self) -> dict[str, Any]:
        """Return everything the tracker knows as plain lists, numbers and texts, for pickle or JSON."""
        last = [[track_id, one.xyxy.tolist(), self._told(one.shape)] for track_id, one in self._last.items()]
        return super().state() | {"last": last}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken, with the options of this tracker."""
        last = {int(one): Seen(np.array(xyxy), self._read(told)) for one, xyxy, told in state["last"]}
        super().restore(state)
        self._last = last

    def _tells(self, detections: Detections) -> bool:
        """Return whether these detections have such shapes."""
        raise NotImplementedError

    def _shape(self, row: int) -> Any:
        """Return that of one detection of this frame."""
        raise NotImplementedError

    def _alike(self, seen: list[Seen], now: FloatArray, found: FloatArray, rows: IntArray) -> FloatArray:
        """Return (E,) how alike the shapes of tracks and of detections are, 0 to 1; NaN: not known.

        ``now`` (E, 4) are the boxes where the tracks are expected, ``found`` and ``rows`` those of
        detections.
        """
        raise NotImplementedError

    def _told(self, shape: Any) -> Any:
        """Return a shape for JSON."""
        raise NotImplementedError

    def _read(self, told: Any) -> Any:
        """Return what ``_told`` told."""
        raise NotImplementedError


class ByKeypoints(Competing):
    """Keypoints decide, moved and scaled with the box."""

    def _tells(self, detections: Detections) -> bool:
        return detections.keypoints is not None

    def _shape(self, row: int) -> FloatArray:
        assert self._found.keypoints is not None
        keypoints: FloatArray = self._found.keypoints[row]
        return keypoints

    def _alike(self, seen: list[Seen], now: FloatArray, found: FloatArray, rows: IntArray) -> FloatArray:
        assert self._found.keypoints is not None
        theirs, then = self._found.keypoints[rows], np.array([one.xyxy for one in seen])
        same = [one.shape.shape == theirs.shape[1:] for one in seen]  # as long as the weights are the same
        unknown = np.full(theirs.shape[1:], np.nan)
        mine = np.array([one.shape if fits else unknown for one, fits in zip(seen, same, strict=True)])
        grown = np.sqrt(np.abs(_area(now) / _area(then)))[:, None, None]
        points = (mine[..., :2] - _centre(then)[:, None]) * grown + _centre(now)[:, None]
        moved = np.concatenate((points, mine[..., 2:]), axis=2)
        return oks_pairs(moved, theirs, PERSON * (np.abs(_area(now)) + _area(found)) / 2)

    def _told(self, shape: FloatArray) -> Any:
        return shape.tolist()

    def _read(self, told: Any) -> FloatArray:
        return np.array(told, np.float64)


class ByMasks(Competing):
    """Masks decide, moved with the box by whole pixels."""

    def _tells(self, detections: Detections) -> bool:
        return detections.masks is not None

    def _shape(self, row: int) -> Masks:
        assert self._found.masks is not None
        return self._found.masks[[row]]  # run lengths: most are never looked at as pixels

    def _alike(self, seen: list[Seen], now: FloatArray, found: FloatArray, rows: IntArray) -> FloatArray:
        assert self._found.masks is not None
        shift = np.rint(_centre(now) - _centre(np.array([one.xyxy for one in seen]))).astype(int)
        height = self._found.masks.size[0]
        alike = []
        for one, (x, y), row in zip(seen, shift.tolist(), rows.tolist(), strict=True):
            mine, theirs = one.shape.runs(0), self._found.masks.runs(row)
            told = one.shape.size == self._found.masks.size and len(mine) > 1 and len(theirs) > 1
            alike.append(moved_iou(mine, theirs, x * height + y) if told else np.nan)
        return np.array(alike)

    def _told(self, shape: Masks) -> Any:
        return shape.to_coco(0)

    def _read(self, told: Any) -> Masks:
        return Masks.from_coco([told], told["size"])


def by_shapes(kind: type[BYTETracker], shapes: str) -> type[BYTETracker]:
    """Return a kind of tracker whose ``shapes``, one of `SHAPES`, decide where boxes compete.

    >>> from bytetrack import MotionTracker
    >>> by_shapes(MotionTracker, "keypoints").__name__
    'MotionTrackerByKeypoints'
    """
    part = {"keypoints": ByKeypoints, "masks": ByMasks}[shapes]
    name = f"{kind.__name__}{part.__name__}"
    made: type[BYTETracker] = dataclass(eq=False)(type(name, (part, kind), {"__doc__": part.__doc__}))
    return made


def _centre(xyxy: FloatArray) -> FloatArray:
    middle: FloatArray = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    return middle


def _area(xyxy: FloatArray) -> FloatArray:
    area: FloatArray = (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])
    return area
