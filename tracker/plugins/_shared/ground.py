"""From the picture to the ground: a homography from points whose place in metres is known."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytetrack.types import FloatArray
from tracker.types import OptionError

DEGENERATE = 1e-4  # smallest to largest singular value below which points lie (almost) on a line
FLAT = 1e-6  # determinant of the normalised homography below which it squeezes the ground to a line
SLIP = 1 / 8  # of its distance from the middle a point may lie outside: clicks and boxes are not exact
WORST_FIT = 0.05  # of the ground's extent: more than four points must agree this well


def ground_from_image(image: FloatArray, metres: FloatArray) -> FloatArray:
    """Return the (3, 3) homography that maps pixels (K, 2) to metres (K, 2), by least squares for K > 4.

    Normalised direct linear transform: Hartley and Zisserman, Multiple View Geometry, algorithm 4.2.
    Raises ``OptionError`` when the points do not fix one.
    """
    if image.shape != metres.shape or image.ndim != 2 or image.shape[1] != 2 or len(image) < 4:
        raise OptionError(
            f"speed: needs four or more points in the picture and as many in metres, "
            f"got {len(image)} and {len(metres)}"
        )
    if not (np.isfinite(image).all() and np.isfinite(metres).all()):
        raise OptionError("speed: a calibration point is not a number")
    (to_image, pixels), (to_metres, ground) = _normalised(image), _normalised(metres)
    ones, zeros = np.ones(len(image)), np.zeros((len(image), 3))
    p = np.column_stack([pixels, ones])
    equations = np.vstack(
        [np.hstack([p, zeros, -ground[:, :1] * p]), np.hstack([zeros, p, -ground[:, 1:] * p])]
    )
    _, values, vectors = np.linalg.svd(equations)
    if values[7] < DEGENERATE * values[0] or abs(np.linalg.det(vectors[-1].reshape(3, 3))) < FLAT:
        raise OptionError("speed: three calibration points lie on one line; choose others")
    matrix = np.linalg.inv(to_metres) @ vectors[-1].reshape(3, 3) @ to_image
    depth = np.column_stack([image, ones]) @ matrix[2]
    if (depth > 0).any() and (depth < 0).any():
        raise OptionError(
            "speed: the calibration points in the picture and in metres are in a different order; "
            "give both in the same direction, from the same corner"
        )
    matrix = matrix / np.abs(depth).max() * np.sign(depth[0])
    error = np.hypot(*(to_ground(matrix, image) - metres).T)
    if error.max() > WORST_FIT * np.ptp(metres, axis=0).max():
        worst = int(error.argmax())
        raise OptionError(
            f"speed: calibration point {worst + 1} lies {error[worst]:.1f} m from where the others place it"
        )
    return np.asarray(matrix, np.float64)


def to_ground(matrix: FloatArray, pixels: FloatArray) -> FloatArray:
    """Return metres (M, 2) of points (M, 2) of the picture; NaN on the horizon and above."""
    homogeneous = np.ones((len(pixels), 3))
    homogeneous[:, :2] = pixels
    homogeneous = homogeneous @ matrix.T
    depth = homogeneous[:, 2:]
    ground: FloatArray = homogeneous[:, :2] / np.where(depth > 1e-9, depth, np.nan)
    return ground


def area_around(metres: FloatArray) -> FloatArray:
    """Return the convex area of points (K, 2), larger by ``SLIP``: half planes (F, 3), a x + b y + c <= 0."""
    from scipy.spatial import ConvexHull  # here: it takes a while, and most runs measure no speed

    middle = metres.mean(axis=0)
    half_planes: FloatArray = ConvexHull(middle + (1 + SLIP) * (metres - middle)).equations
    return half_planes


def within(ground: FloatArray, area: FloatArray) -> NDArray[np.bool_]:
    """Return which points (M, 2) lie in an area; what is NaN lies nowhere."""
    return np.asarray((ground @ area[:, :2].T + area[:, 2] <= 0).all(axis=1), np.bool_)


def points(given: ArrayLike | str, what: str) -> FloatArray:
    """Return points (K, 2) from numbers, from ``x,y x,y ...`` or, a rectangle in metres, from ``7x25``.

    A rectangle is given by its width and length and goes round: 0,0 - 7,0 - 7,25 - 0,25.

    >>> points("0,0 3.5,0 3.5,20 0,20", "metres").tolist() == points("3.5x20", "metres").tolist()
    True
    """
    try:
        if not isinstance(given, str):
            return np.asarray(given, np.float64).reshape(-1, 2)
        if rectangle := re.fullmatch(r"\s*([\d.]+)\s*[x×]\s*([\d.]+)\s*", given):
            width, length = (float(side) for side in rectangle.groups())
            return np.array([[0, 0], [width, 0], [width, length], [0, length]])
        pairs = [[float(number) for number in pair.split(",")] for pair in given.split()]
        return np.asarray(pairs, np.float64).reshape(-1, 2)
    except (ValueError, TypeError) as error:
        raise OptionError(f"speed: cannot read {what} {given!r}; write x,y x,y x,y x,y") from error


def _normalised(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the similarity that moves points to the origin at a mean distance of root 2, and its result."""
    middle = points.mean(axis=0)
    distance = float(np.hypot(*(points - middle).T).mean())
    if distance <= 0:
        raise OptionError("speed: all calibration points are the same; give four corners")
    scale = np.sqrt(2) / distance
    similarity = np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1]])
    return similarity, (points - middle) * scale
