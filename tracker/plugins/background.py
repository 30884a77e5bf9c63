"""The empty scene: a median over frames spread evenly over the run."""

from __future__ import annotations

from weakref import WeakValueDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.types import Frame, Image, Scene

MOST_FRAMES = 24  # kept: what stands still for less than half of them vanishes
MOST_PER_S = 2  # frames kept nearer to each other show the same
LONGEST_SIDE = 1280  # pixels of the picture kept: 24 frames of it are 66 MB, whatever the source
STRIP = 8  # rows whose median is taken at a time


class EmptyScene:
    """Keeps up to `MOST_FRAMES` pictures, evenly spread however long the run, and returns their median.

    Every ``stride``-th frame is kept, at first `MOST_PER_S`; when there is no more room every second one is
    let go and the stride doubles, so that no length has to be known.
    """

    @classmethod
    def of(cls, scene: Scene) -> EmptyScene:
        """Return that of a run: all plugins given the same ``scene`` share one and its memory."""
        known = _OF_RUN.get(id(scene))
        if known is None:
            known = _OF_RUN[id(scene)] = cls(scene.size, scene.fps)
            known._scene = scene  # so that its id is no other's
        return known

    def __init__(self, size: tuple[int, int], fps: float) -> None:
        self._scene: Scene | None = None
        self._last: int | None = None  # index of the frame looked at last
        scale = min(1.0, LONGEST_SIDE / max(size))
        self.size = (max(round(size[0] * scale), 1), max(round(size[1] * scale), 1))
        self.scale = self.size[0] / size[0], self.size[1] / size[1]  # of x and y, from the source's pixels
        self._kept: list[Image] = []
        self._spare: list[Image] = []  # pictures let go: fresh memory costs more than the copy
        self._stride, self._seen = max(round(fps / MOST_PER_S), 1), 0

    def look(self, frame: Frame) -> None:
        """Take note of a frame; of the same one again at no cost."""
        if frame.index == self._last:
            return
        self._last = frame.index
        if self._seen % self._stride == 0:
            if len(self._kept) == MOST_FRAMES:
                self._spare = self._kept[1::2]
                del self._kept[1::2]
                self._stride *= 2
            if self._seen % self._stride == 0:
                self._keep(frame.image)
        self._seen += 1

    def _keep(self, image: Image) -> None:
        width, height = self.size
        room = self._spare.pop() if self._spare else np.empty((height, width, 3), np.uint8)
        if image.shape == room.shape:
            np.copyto(room, image)
        else:
            cv2.resize(image, self.size, dst=room, interpolation=cv2.INTER_AREA)
        self._kept.append(room)

    def picture(self) -> Image:
        """Return the median, (h, w, 3) BGR; grey when no frame was seen."""
        width, height = self.size
        empty = np.full((height, width, 3), 127, np.uint8)
        if self._kept:
            for top in range(0, height, STRIP):
                empty[top : top + STRIP] = _median([image[top : top + STRIP] for image in self._kept])
        return empty


_OF_RUN: WeakValueDictionary[int, EmptyScene] = WeakValueDictionary()  # by the id of the run's scene


def _median(images: list[Image]) -> NDArray[np.uint8]:
    stack = np.stack(images).reshape(len(images), -1).T.copy()  # copied so that each pixel lies together
    middle = len(images) // 2
    stack.partition(middle, axis=1)
    median: NDArray[np.uint8] = stack[:, middle].reshape(images[0].shape)
    return median
