"""Rotated boxes: (N, 5) centre x and y, width, height in pixels and angle in radians, clockwise in a picture.

The box at an angle and the same turned by pi are one, and so are (w, h, a) and (h, w, a + pi / 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray

LEAST = -np.pi / 4  # angles are from here to here + pi, as those of YOLO's networks
EPSILON = 1e-7


def regular(rotated: FloatArray) -> FloatArray:
    """Return the same boxes with angles from -pi / 4 to 3 pi / 4; sides stay as they are.

    >>> np.degrees(regular(np.array([[0, 0, 4, 2, np.radians(190)]])))[0, 4].round()
    np.float64(10.0)
    """
    turned = np.array(rotated)
    turned[:, 4] = (rotated[:, 4] - LEAST) % np.pi + LEAST
    return turned


def long_side_first(rotated: FloatArray) -> FloatArray:
    """Return the same boxes in the form whose width is not less than its height."""
    tall = rotated[:, 3] > rotated[:, 2]
    formed = np.array(rotated)
    formed[tall, 2:4] = rotated[tall, 3:1:-1]
    formed[tall, 4] += np.pi / 2
    return formed


def nearest_form(rotated: FloatArray, angle: FloatArray) -> FloatArray:
    """Return the same boxes, each in the form whose angle is nearest to one of (N,) ``angle``."""
    steps = np.round((angle - rotated[:, 4]) / (np.pi / 2))
    formed = np.array(rotated, np.float64)
    formed[:, 4] += steps * (np.pi / 2)
    swapped = steps.astype(np.int64) % 2 == 1
    formed[swapped, 2:4] = rotated[swapped, 3:1:-1]
    return formed


def following_forms(rotated: FloatArray, first: NDArray[np.bool_]) -> FloatArray:
    """Return the same boxes, each in the form whose angle is nearest to that of the one before.

    ``first`` (N,) is true where a series begins, with a box that stays as it is.

    >>> turning = np.array([[0, 0, 4, 2, 1.5], [0, 0, 4, 2, -1.6], [0, 0, 2, 4, 0.1]])
    >>> following_forms(turning, np.array([True, False, False]))[:, 2:].round(3).tolist()
    [[4.0, 2.0, 1.5], [4.0, 2.0, 1.542], [4.0, 2.0, 1.671]]
    """
    angle = rotated[:, 4]
    steps = np.round((np.unwrap(angle, period=np.pi / 2) - angle) / (np.pi / 2))
    steps -= steps[first][np.cumsum(first) - 1]
    return nearest_form(rotated, angle + steps * (np.pi / 2))


def between(one: FloatArray, other: FloatArray, share: FloatArray) -> FloatArray:
    """Return the boxes (K, 5) on the way from one to the other, at a ``share`` (K,) of it, 0 to 1.

    >>> one, other = np.array([[0, 0, 4, 2, 3.0]]), np.array([[8, 0, 4, 2, 0.2]])
    >>> between(one, other, np.array([0.5])).round(3).tolist()
    [[4.0, 0.0, 4.0, 2.0, 3.171]]
    """
    way: FloatArray = nearest_form(other, one[:, 4]) - one
    return np.asarray(one + share[:, None] * way)


def corners(rotated: FloatArray) -> FloatArray:
    """Return (N, 4, 2) the corners, in order around the box."""
    x, y, w, h, angle = np.asarray(rotated, np.float64).T
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1) * w[:, None] / 2
    across = np.stack([-np.sin(angle), np.cos(angle)], axis=1) * h[:, None] / 2
    centre = np.stack([x, y], axis=1)
    points = (centre - along - across, centre + along - across, centre + along + across)
    return np.stack([*points, centre - along + across], axis=1)


def upright(rotated: FloatArray) -> FloatArray:
    """Return (N, 4) xyxy: the upright boxes around them.

    >>> upright(np.array([[10, 10, 8, 4, np.pi / 2]])).round(6).tolist()
    [[8.0, 6.0, 12.0, 14.0]]
    """
    x, y, w, h, angle = np.asarray(rotated, np.float64).T
    cos, sin = np.abs(np.cos(angle)), np.abs(np.sin(angle))
    half_w, half_h = (w * cos + h * sin) / 2, (w * sin + h * cos) / 2
    return np.stack([x - half_w, y - half_h, x + half_w, y + half_h], axis=1)


def alike(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return (N, M): how alike boxes are, 0 to 1, as normal distributions.

    The Hellinger distance of ProbIoU (Murrugarra-Llerena et al. 2021, arXiv:2106.06072), as ultralytics'
    ``batch_probiou`` has it.
    """
    pairs = np.asarray(one, np.float64)[:, None], np.asarray(other, np.float64)[None]
    return alike_pairs(*pairs)


def alike_pairs(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return how alike the boxes of pairs are, of two arrays (..., 5) that go together."""
    (a1, b1, c1), (a2, b2, c2) = _covariance(one), _covariance(other)
    a, b, c = a1 + a2, b1 + b2, c1 + c2
    dx, dy = one[..., 0] - other[..., 0], one[..., 1] - other[..., 1]
    size = a * b - c * c
    distance = (a * dy**2 + b * dx**2) / (size + EPSILON) / 4 - c * dx * dy / (size + EPSILON) / 2
    own = np.sqrt(np.maximum(a1 * b1 - c1 * c1, 0) * np.maximum(a2 * b2 - c2 * c2, 0))
    distance += np.log(size / (4 * own + EPSILON) + EPSILON) / 2
    distance = np.clip(distance, EPSILON, 100)
    return np.asarray(1 - np.sqrt(1 - np.exp(-distance) + EPSILON))


def _covariance(rotated: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    a, b = rotated[..., 2] ** 2 / 12, rotated[..., 3] ** 2 / 12
    cos, sin = np.cos(rotated[..., 4]), np.sin(rotated[..., 4])
    return a * cos**2 + b * sin**2, a * sin**2 + b * cos**2, (a - b) * cos * sin


def overlap_pairs(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return (E,) the IoU of the boxes of pairs, (E, 5) each: exact, as polygons.

    The corners of what two convex polygons share are corners of one inside the other, and crossings of their
    edges; in order around their mean they make its area.

    >>> overlap_pairs(np.array([[0, 0, 4, 2, 0]]), np.array([[0, 0, 4, 2, np.pi / 2]])).round(4).tolist()
    [0.3333]
    """
    middle = (one[:, :2] + other[:, :2]) / 2  # near zero the arithmetic is exact
    a = corners(one) - middle[:, None]
    b = corners(other) - middle[:, None]
    points = np.concatenate([a, b, _crossings(a, b)], axis=1)
    used = np.concatenate([_within(a, other, middle), _within(b, one, middle)], axis=1)
    used = np.concatenate([used, np.isfinite(points[:, 8:, 0])], axis=1)
    count = used.sum(axis=1)
    centre = np.where(used[..., None], points, 0).sum(axis=1) / np.maximum(count, 1)[:, None]
    points = np.where(used[..., None], points - centre[:, None], 0)
    direction = np.where(used, np.arctan2(points[..., 1], points[..., 0]), np.inf)
    order = np.argsort(direction, axis=1)
    points = np.take_along_axis(points, order[..., None], 1)
    first = points[:, :1]  # what is not used takes the place of the first, where it adds nothing
    points = np.where(np.take_along_axis(used, order, 1)[..., None], points, first)
    after = np.roll(points, -1, axis=1)
    shared = np.abs((points[..., 0] * after[..., 1] - points[..., 1] * after[..., 0]).sum(axis=1)) / 2
    shared = np.where(count < 3, 0, shared)
    either = one[:, 2] * one[:, 3] + other[:, 2] * other[:, 3] - shared
    return np.asarray(np.clip(shared / np.maximum(either, EPSILON), 0, 1))


def _within(points: FloatArray, rotated: FloatArray, middle: FloatArray) -> NDArray[np.bool_]:
    """Return (E, 4): which points (E, 4, 2) lie in the box of their row."""
    offset = points - (rotated[:, :2] - middle)[:, None]
    cos, sin = np.cos(rotated[:, 4])[:, None], np.sin(rotated[:, 4])[:, None]
    along = np.abs(offset[..., 0] * cos + offset[..., 1] * sin)
    across = np.abs(offset[..., 1] * cos - offset[..., 0] * sin)
    room = EPSILON * (1 + rotated[:, 2:4].max(axis=1))[:, None]
    inside: NDArray[np.bool_] = (along <= rotated[:, 2:3] / 2 + room) & (across <= rotated[:, 3:4] / 2 + room)
    return inside


def _crossings(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return (E, 16, 2) where the edges of two polygons cross; NaN where they do not."""
    edge, other = np.roll(a, -1, axis=1) - a, np.roll(b, -1, axis=1) - b
    start = b[:, None] - a[:, :, None]
    turn = edge[:, :, None, 0] * other[:, None, :, 1] - edge[:, :, None, 1] * other[:, None, :, 0]
    parallel = np.abs(turn) < EPSILON
    turn = np.where(parallel, 1, turn)
    t = (start[..., 0] * other[:, None, :, 1] - start[..., 1] * other[:, None, :, 0]) / turn
    u = (start[..., 0] * edge[:, :, None, 1] - start[..., 1] * edge[:, :, None, 0]) / turn
    meets = ~parallel & (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)
    points = a[:, :, None] + t[..., None] * edge[:, :, None]
    return np.where(meets[..., None], points, np.nan).reshape(len(a), 16, 2)
