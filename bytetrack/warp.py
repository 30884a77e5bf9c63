"""Camera motion: move boxes and beliefs of the Kalman filter as the picture moved."""

from __future__ import annotations

import numpy as np

from bytetrack.kalman import Belief, MotionModel
from bytetrack.types import FloatArray

Transform = FloatArray  # (2, 3) similarity [[a, -b, tx], [b, a, ty]], pixels before -> pixels after


def warp_points(points: FloatArray, transform: Transform) -> FloatArray:
    """Return (..., 2) points after the transform."""
    moved: FloatArray = points @ transform[:, :2].T + transform[:, 2]
    return moved


def warp_xyxy(xyxy: FloatArray, transform: Transform) -> FloatArray:
    """Return (N, 4) corners after the transform: centres move, sizes scale, boxes stay upright.

    >>> warp_xyxy(np.array([[0.0, 0, 10, 20]]), np.array([[2.0, 0, 5], [0, 2, 0]])).tolist()
    [[5.0, 0.0, 25.0, 40.0]]
    """
    center = warp_points((xyxy[:, :2] + xyxy[:, 2:]) / 2, transform)
    half = (xyxy[:, 2:] - xyxy[:, :2]) / 2 * scale_of(transform)
    return np.hstack((center - half, center + half))


def scale_of(transform: Transform) -> float:
    """Return the factor by which lengths grow."""
    return float(np.hypot(transform[0, 0], transform[1, 0]))


def warp_belief(belief: Belief, transform: Transform, model: MotionModel) -> Belief:
    """Return the belief in the picture after the transform (as BoT-SORT, arXiv:2206.14651, section 3.2).

    The first two coordinates are the centre; of the others those measured in pixels scale. A turn mixes the
    variances of x and y by its squares. The covariance of x and y that it would bring is left out: the filter
    keeps none, and the turn of a camera between two frames is small.
    """
    linear, scale = transform[:, :2], scale_of(transform)
    later: Belief = belief.copy()
    later[0, :2] = warp_points(belief[0, :2].T, transform).T
    later[1, :2] = linear @ belief[1, :2]
    later[2:, :2] = np.einsum("ij,kjn->kin", linear**2, belief[2:, :2])
    for row in (2, 3):
        if model.noise_scale[row] is not None:  # pixels scale; an aspect ratio, the plain number, stays
            later[:2, row] *= scale
            later[2:, row] *= scale**2
    return later
