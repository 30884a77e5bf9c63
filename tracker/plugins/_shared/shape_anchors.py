"""The point that stands for an object whose shape is known: where it touches the ground, or its centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytetrack import Tracks
from bytetrack.types import FloatArray

ANKLES = [15, 16]  # of COCO's skeleton
JOINTS = 17
SURE = 0.5  # confidence from which an ankle is where it is said to be


def shape_points(tracks: Tracks, points: FloatArray, doubt: NDArray[np.bool_]) -> FloatArray:
    """Return ``points`` (M, 2), those of the boxes, with those of shapes where these are known.

    Of a rotated box it is the centre; of a skeleton the middle of the ankles, or the one that is sure; of a
    mask its lowest point. A mask whose lower part is hidden, as ``doubt`` (M,) says, tells nothing of feet.

    >>> boxes = np.array([[0.0, 0.0, 10.0, 20.0]])
    >>> turned = np.array([[5.0, 9.0, 20.0, 6.0, 0.3]])
    >>> one = np.array([1])
    >>> tracks = Tracks(one, boxes, np.ones(1), one, one, rotated=turned)
    >>> shape_points(tracks, np.array([[5.0, 20.0]]), np.zeros(1, bool)).tolist()
    [[5.0, 9.0]]
    """
    if tracks.masks is None and tracks.keypoints is None and tracks.rotated is None:
        return points
    chosen = np.array(points, np.float64)
    if tracks.masks is not None:
        lowest = tracks.masks.lowest
        known = np.isfinite(lowest[:, 0]) & ~doubt
        chosen[known] = lowest[known]
    if tracks.keypoints is not None and tracks.keypoints.shape[1] == JOINTS:
        ankles = tracks.keypoints[:, ANKLES]
        sure = ankles[..., 2] >= SURE
        count = sure.sum(axis=1)
        middle = np.where(sure[..., None], ankles[..., :2], 0).sum(axis=1) / np.maximum(count, 1)[:, None]
        chosen[count > 0] = middle[count > 0]
    if tracks.rotated is not None:
        known = np.asarray(np.isfinite(tracks.rotated).all(axis=1))
        chosen[known] = tracks.rotated[known, :2]
    return chosen
