"""What goes into the tracker and what comes out: structs of arrays, one row per object.

The letters in the shapes of this package:

    N, M  boxes of the first and of the second set a function is given; N detections and M tracks of one frame
    T     tracks that a tracker knows, whatever their state (a column each of the `TrackTable`)
    D     detections of one frame that take part in its association: score and area are large enough
    E     pairs of overlapping boxes, such as a track and a detection
    K     what was chosen: pairs that match, rows that are asked for
    C     classes met so far
    F     numbers in one embedding, or in the features of one detection (appearance only)
    J     keypoints of one skeleton

Box arrays in the public structs are (N, 4); inside the package they are (4, N), see `bytetrack.boxes`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from bytetrack.arrays import FloatArray as FloatArray
from bytetrack.arrays import IntArray as IntArray
from bytetrack.arrays import RowIndex as RowIndex

if TYPE_CHECKING:
    from bytetrack.masks import Masks

RADIANS = 2 * np.pi + 1e-3  # greatest angle; more are degrees
ROUNDING = 1e-3  # a score may exceed 1 by this much: rounding in half precision
Struct = TypeVar("Struct", "Detections", "Tracks")


@dataclass(frozen=True, eq=False)
class Detections:
    """The boxes a detector found in one frame.

    Plain sequences are converted; arrays are taken as they are and never written to.

    What is optional is None where there is none; every index selects from it as from the other fields.

    Raises ``ValueError`` naming the field and its shape, or the row that is not finite or whose score is
    not between 0 and 1.

    >>> len(Detections(xyxy=[[0, 0, 10, 20]], score=[0.9], class_id=[0]))
    1
    """

    xyxy: FloatArray  # (N, 4) left, top, right, bottom in pixels
    score: FloatArray  # (N,) confidence, 0 to 1
    class_id: IntArray  # (N,)
    features: FloatArray | None = None  # (N, F) of the detector's network at each box; NaN: not known
    masks: Masks | None = None  # N of them; None: the detector makes none, as with those below
    keypoints: FloatArray | None = None  # (N, J, 3) x and y in pixels, confidence 0 to 1; NaN: not known
    rotated: FloatArray | None = None  # (N, 5) centre x, y, width, height in pixels, angle in radians

    def __post_init__(self) -> None:
        """Convert to arrays and refuse what cannot be tracked."""
        xyxy = _as_float(self.xyxy).reshape(-1, 4) if np.size(self.xyxy) == 0 else _as_float(self.xyxy)
        score, class_id = _as_float(self.score), np.asarray(self.class_id)
        if class_id.dtype.kind not in "iu":  # an empty list, or float class ids from tensors
            class_id = class_id.astype(np.int64)
        if xyxy.ndim != 2 or xyxy.shape[1] != 4:
            raise ValueError(f"xyxy must have shape (N, 4), got {xyxy.shape}")
        n = len(xyxy)
        if score.shape != (n,) or class_id.shape != (n,):
            raise ValueError(
                f"score and class_id must have shape ({n},) like xyxy, got {score.shape} and {class_id.shape}"
            )
        if self.features is not None and (np.ndim(self.features) != 2 or len(self.features) != n):
            raise ValueError(f"features must have shape ({n}, F) like xyxy, got {np.shape(self.features)}")
        if np.count_nonzero(np.isfinite(xyxy)) < 4 * n or np.count_nonzero(np.isfinite(score)) < n:
            row = int(np.flatnonzero(~(np.isfinite(xyxy).all(axis=1) & np.isfinite(score)))[0])
            raise ValueError(f"detection {row} is not finite: xyxy={xyxy[row].tolist()}, score={score[row]}")
        if n and (score.min() < 0 or score.max() > 1 + ROUNDING):
            row = int(np.flatnonzero((score < 0) | (score > 1 + ROUNDING))[0])
            raise ValueError(f"detection {row} has score {score[row]:g}; scores go from 0 to 1, not to 100")
        if self.masks is not None or self.keypoints is not None or self.rotated is not None:
            self._check_shapes(n)
        object.__setattr__(self, "xyxy", xyxy)
        object.__setattr__(self, "score", score)
        object.__setattr__(self, "class_id", class_id)
        if self.features is not None:
            object.__setattr__(self, "features", _as_float(self.features))

    def _check_shapes(self, n: int) -> None:
        """Convert what there may be beside the boxes, and refuse what does not belong to ``n`` of them."""
        if self.masks is not None and len(self.masks) != n:
            raise ValueError(f"masks must be {n} like xyxy, got {len(self.masks)}")
        if self.keypoints is not None:
            keypoints = _as_float(self.keypoints)
            if keypoints.ndim != 3 or keypoints.shape[0] != n or keypoints.shape[2] != 3:
                raise ValueError(f"keypoints must have shape ({n}, J, 3), got {keypoints.shape}")
            object.__setattr__(self, "keypoints", keypoints)
        if self.rotated is not None:
            rotated = _as_float(self.rotated)
            if rotated.shape != (n, 5):
                raise ValueError(f"rotated must have shape ({n}, 5), got {rotated.shape}")
            if n and np.nanmax(np.abs(rotated[:, 4]), initial=0) > RADIANS:
                row = int(np.nanargmax(np.abs(rotated[:, 4])))
                raise ValueError(
                    f"detection {row} is turned by {rotated[row, 4]:g}; angles are radians, not degrees"
                )
            object.__setattr__(self, "rotated", rotated)

    @classmethod
    def from_array(cls, rows: ArrayLike) -> Detections:
        """Take an (N, 5) or (N, 6) array: left, top, right, bottom, score and, else 0, class.

        >>> Detections.from_array([[0, 0, 10, 20, 0.9, 2]]).class_id.tolist()
        [2]
        """
        array = _as_float(rows)
        if array.size == 0:
            return cls.empty()
        if array.ndim != 2 or array.shape[1] not in (5, 6):
            raise ValueError(f"detections as an array must have shape (N, 5) or (N, 6), got {array.shape}")
        class_id = array[:, 5].astype(np.int64) if array.shape[1] == 6 else np.zeros(len(array), np.int64)
        return cls(array[:, :4], array[:, 4], class_id)

    @classmethod
    def from_ultralytics(cls, results: Any) -> Detections:
        """Take one ultralytics ``Results`` (or its ``boxes``), on whatever device its tensors are.

        Masks, keypoints and rotated boxes come along.
        """
        # ultralytics is not needed here, so its types are not known
        turned = getattr(results, "obb", None)
        boxes = getattr(results, "boxes", results) if turned is None else turned
        if boxes is None:  # a classification, say
            return cls.empty()
        xyxy, score, class_id = (_as_array(field) for field in (boxes.xyxy, boxes.conf, boxes.cls))
        shapes: dict[str, Any] = {}
        if (rotated := getattr(boxes, "xywhr", None)) is not None:
            turned = np.array(_as_array(rotated))
            turned[:, 4] = np.fmod(turned[:, 4], 2 * np.pi)  # some networks go around more than once
            shapes["rotated"] = turned
        if (keypoints := getattr(results, "keypoints", None)) is not None and len(xyxy):
            points = _as_array(keypoints.data)
            sure = np.ones_like(points[..., :1])
            shapes["keypoints"] = points if points.shape[2] == 3 else np.concatenate([points, sure], 2)
        if (masks := getattr(results, "masks", None)) is not None:
            from bytetrack.masks import Masks

            shapes["masks"] = Masks.from_letterbox(_as_array(masks.data) > 0, results.orig_shape)
        return cls(xyxy, score, class_id.astype(np.int64), **shapes)

    @classmethod
    def from_supervision(cls, detections: Any) -> Detections:
        """Take a ``supervision.Detections``; a missing confidence counts as 1, a missing class as 0.

        Masks come along.
        """
        n = len(detections)
        masks = None
        if getattr(detections, "mask", None) is not None:
            from bytetrack.masks import Masks

            masks = Masks.from_pictures(detections.mask)
        score, class_id = detections.confidence, detections.class_id
        return cls(
            detections.xyxy,
            np.ones(n) if score is None else score,
            np.zeros(n, np.int64) if class_id is None else class_id,
            masks=masks,
        )

    @classmethod
    def empty(cls) -> Detections:
        """No detections."""
        return cls(np.empty((0, 4)), np.empty(0), np.empty(0, np.int64))

    def __len__(self) -> int:
        """Return the number of boxes."""
        return len(self.score)

    def __getitem__(self, rows: RowIndex) -> Detections:
        """Select rows of every field with one mask, slice or index array."""
        return _select(self, rows)


@dataclass(frozen=True, eq=False)
class Tracks:
    """The followed objects that are visible in one frame; no objects is an empty ``Tracks``."""

    track_id: IntArray  # (M,) from 1, without holes, in the order of confirmation
    xyxy: FloatArray  # (M, 4) left, top, right, bottom in pixels, as the Kalman filter estimates them
    score: FloatArray  # (M,) of the matched detection
    class_id: IntArray  # (M,) the class with the greatest sum of scores over the track's life
    source: IntArray  # (M,) row of the matched detection; -1 where the box is only predicted
    masks: Masks | None = None  # the last ones that were seen of each, as of `Detections`; None: none are
    keypoints: FloatArray | None = None  # (M, J, 3)
    rotated: FloatArray | None = None  # (M, 5)
    shape_time: FloatArray | None = None  # (M,) seconds: when those were seen; NaN: never

    def to_supervision(self) -> Any:
        """Return a ``supervision.Detections`` with ``tracker_id``; needs the package supervision."""
        return import_module("supervision").Detections(
            xyxy=self.xyxy,
            confidence=self.score,
            class_id=self.class_id,
            tracker_id=self.track_id,
            mask=None if self.masks is None else self.masks.pictures(),
            data={"source": self.source},
        )

    @classmethod
    def empty(cls) -> Tracks:
        """No tracks."""
        none = np.empty(0, np.int64)
        return cls(none, np.empty((0, 4)), np.empty(0), none, none)

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self.track_id)

    def __getitem__(self, rows: RowIndex) -> Tracks:
        """Select rows of every field with one mask, slice or index array."""
        return _select(self, rows)


def as_detections(given: Any) -> Detections:
    """Return detections as they are, and of an (N, 5) or (N, 6) array.

    Raises ``ValueError`` that says how to convert what other libraries hand out.
    """
    if isinstance(given, Detections):
        return given
    listed = isinstance(given, list | tuple) and len(given) > 0
    kind = type(given[0] if listed else given)
    package = kind.__module__.partition(".")[0]
    maker = MAKERS.get(package)
    if maker is not None:
        item = "results[0]" if listed else "results"
        raise ValueError(
            f"update takes no {package} {kind.__name__}; write update(Detections.{maker}({item}))"
        )
    try:
        return Detections.from_array(given)
    except (TypeError, AttributeError) as error:
        raise ValueError(
            f"update takes Detections, or an (N, 6) array of corners, score and class, not {kind.__name__}"
        ) from error


MAKERS = {"ultralytics": "from_ultralytics", "supervision": "from_supervision"}  # package -> what reads it


def _as_float(values: ArrayLike) -> FloatArray:
    array = np.asarray(values)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _as_array(tensor: Any) -> FloatArray:
    return np.asarray(tensor.cpu() if hasattr(tensor, "cpu") else tensor)


def _select(struct: Struct, rows: RowIndex) -> Struct:
    chosen = object.__new__(type(struct))  # a selection of valid rows needs no second validation
    for field in fields(struct):
        column = getattr(struct, field.name)
        object.__setattr__(chosen, field.name, None if column is None else column[rows])
    return chosen
