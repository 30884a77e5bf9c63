"""Camera motion between two frames, from sparse optical flow of the background.

Corners outside the boxes (Shi and Tomasi 1994) are followed by Lucas and Kanade's method in pyramids
(Bouguet 2001), and a similarity transform is fitted by RANSAC, all in a small grey copy of the picture. Its
use in tracking is BoT-SORT's (Aharon et al. 2022, arXiv:2206.14651).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray
from tracker.types import Image, Json

Gray = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Move:
    """From one frame to the next."""

    transform: FloatArray | None = None  # (2, 3) similarity in pixels; None: unknown or none
    cut: bool = False  # the frames show different scenes


@dataclass(eq=False)
class CameraMotion:
    """Estimates the motion of the camera; give it every frame.

    In ``auto`` mode it measures every ``sample``-th frame until the camera moves, then every frame until the
    camera has been still for ``rest`` frames.
    """

    auto: bool = False
    width: int = 240  # pixels of the small copy, at 1/4 of the picture's size at most and 1/8 at least
    corners: int = 200
    reproject: float = 0.5  # greatest error of an inlier, pixels of the small copy
    least_inliers: int = 12
    least_share: float = 0.4  # of the corners that must be inliers
    greatest_shift: float = 0.1  # of the picture's width
    same_scene: float = 0.5  # least correlation of two thumbnails of one scene
    moves: float = 5e-4  # of the picture's width: a smaller shift is no motion
    sample: int = 10
    rest: int = 30

    def __post_init__(self) -> None:
        """Begin without a frame."""
        self._before: Image | None = None
        self._boxes: FloatArray = np.empty((0, 4))  # in it
        self._shape: tuple[int, ...] | None = None
        self._gray: Gray | None = None  # small copy of it, if made
        self._count = 0
        self._moved = -self.rest

    def step(self, image: Image, xyxy: FloatArray) -> Move:
        """Return how the camera moved since the frame before; ``xyxy`` (N, 4) are boxes to leave out."""
        before, self._before = self._before, image
        boxes, self._boxes = self._boxes, xyxy
        shape, self._shape = self._shape, image.shape
        gray_before, self._gray = self._gray, None
        self._count += 1
        asleep = self.auto and self._count - self._moved > self.rest and self._count % self.sample != 1
        if asleep or shape != image.shape:
            return Move()
        if gray_before is None:
            assert before is not None
            gray_before = self._small(before)
        self._gray = self._small(image)
        move = self._between(gray_before, self._gray, boxes, image.shape[1])
        if move.transform is not None:
            height, width = image.shape[:2]
            middle = np.array([width / 2, height / 2])
            shift = move.transform[:, :2] @ middle + move.transform[:, 2] - middle
            if np.hypot(*shift) > self.moves * width:
                self._moved = self._count
            elif self.auto:
                return Move()
        return move

    def state(self) -> dict[str, Json]:
        """Return its memory for JSON: a small copy of the last picture, and when the camera moved."""
        if self._gray is None and self._before is not None:
            self._gray = self._small(self._before)
        data = b"" if self._gray is None else cv2.imencode(".png", self._gray)[1].tobytes()
        return {
            "gray": base64.b64encode(data).decode(),
            "shape": self._shape,
            "boxes": self._boxes.tolist(),
            "count": self._count,
            "moved": self._moved,
        }

    def restore(self, state: Mapping[str, Json]) -> None:
        """Go on where ``state`` was taken."""
        if state["gray"]:
            data = np.frombuffer(base64.b64decode(state["gray"]), np.uint8)
            gray = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
            if gray is None:
                raise ValueError("the saved picture cannot be decoded")
            self._gray, self._shape = np.asarray(gray, np.uint8), tuple(state["shape"])
        self._boxes = np.array(state["boxes"], np.float64).reshape(-1, 4)
        self._count, self._moved = state["count"], state["moved"]

    def _small(self, image: Image) -> Gray:
        height, width = image.shape[:2]
        scale = min(1 / 4, max(1 / 8, self.width / width))
        size = max(16, round(width * scale)), max(16, round(height * scale))
        # Converted to grey after it was shrunk: an eighth of the work.
        return np.asarray(
            cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY), np.uint8
        )

    def _between(self, before: Gray, now: Gray, xyxy: FloatArray, width: int) -> Move:
        scale = before.shape[1] / width
        mask = np.full(before.shape, 255, np.uint8)
        for left, top, right, bottom in np.clip(xyxy * scale, 0, max(before.shape)).astype(int).tolist():
            mask[top : bottom + 1, left : right + 1] = 0
        points = cv2.goodFeaturesToTrack(before, self.corners, 0.01, 4, mask=mask)
        inliers, transform = 0, None
        if points is not None and len(points) >= self.least_inliers:
            moved, found, _ = cv2.calcOpticalFlowPyrLK(
                before, now, points, np.empty_like(points), winSize=(15, 15), maxLevel=3
            )
            kept = found.ravel() == 1
            if np.count_nonzero(kept) >= self.least_inliers:
                transform, inside = cv2.estimateAffinePartial2D(
                    points[kept], moved[kept], method=cv2.RANSAC, ransacReprojThreshold=self.reproject
                )
                inliers = 0 if inside is None else int(np.count_nonzero(inside))
        if transform is None or inliers < max(self.least_inliers, self.least_share * len(points)):
            return Move(cut=self._is_cut(before, now))
        transform[:, 2] /= scale
        middle = np.array([width, width * before.shape[0] / before.shape[1]]) / 2
        shift = transform[:, :2] @ middle + transform[:, 2] - middle
        if np.hypot(*shift) > self.greatest_shift * width:
            return Move(cut=self._is_cut(before, now))
        return Move(transform)

    def _is_cut(self, before: Gray, now: Gray) -> bool:
        """Return whether two pictures hardly correlate; a picture of one colour is never a cut."""
        one, other = (
            cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA).astype(float) for gray in (before, now)
        )
        one -= one.mean()
        other -= other.mean()
        norm = np.sqrt((one**2).sum() * (other**2).sum())
        return bool(norm > one.size and (one * other).sum() / norm < self.same_scene)
