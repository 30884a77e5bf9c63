"""The empty scene: what a place looks like while nobody is there, however long somebody was."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from bytetrack import Tracks
from bytetrack.types import FloatArray
from tracker.plugins._shared.samples import KEPT, Samples
from tracker.types import Frame, Image, OptionError, Scene

PER_S = 2.0  # samples a second at first; ever fewer ...
LONGEST_GAP_S = 4.0  # ... down to one in so many seconds: a place free for a minute of an hour is seen
AROUND_S = 0.5  # whoever was there so long before or after a sample was there: detectors blink
LONGEST_SIDE = 1280  # pixels of the picture: 24 of 1280x720 are 66 MB, whatever the source
SHAPE_SLIP = 0.02  # a picture given may differ by so much from the source's width to height


class EmptyScene:
    """Keeps up to `KEPT` samples of each place, of moments when no track was there, if there were any.

    Samples are spread evenly over the run, however long (weighted reservoir sampling: Chao 1982). The
    picture is their mode: the value that most of them agree on. Samples in other light are made alike first.
    """

    @classmethod
    def of(cls, scene: Scene) -> EmptyScene:
        """Return that of a run: all analyses of the run share one and its memory."""
        return scene.common(EmptyScene.__name__, lambda: cls(scene.size, scene.fps))

    def __init__(self, size: tuple[int, int], fps: float) -> None:
        self._source = size
        kept = min(1.0, LONGEST_SIDE / max(size))
        shown = LONGEST_SIDE / max(size)  # small pictures are enlarged: on a slide they would be anyway
        self._kept = (max(round(size[0] * kept), 1), max(round(size[1] * kept), 1))
        self.size = (max(round(size[0] * shown), 1), max(round(size[1] * shown), 1))
        self.scale = self.size[0] / size[0], self.size[1] / size[1]  # of x and y, from the source's pixels
        self._given: Image | None = None
        self._last: int | None = None  # index of the frame seen last
        self._passed = 0  # frames
        self._around = min(max(round(fps * AROUND_S), 1), 60)  # frames
        self._boxes: deque[FloatArray] = deque(maxlen=2 * self._around + 1)
        self._stride = max(round(fps / PER_S), 1)
        self._longest_stride = max(round(fps * LONGEST_GAP_S), self._stride)
        self._taken, self._due = 0, 0
        self._waiting: int | None = None  # when a sample was taken whose boxes afterwards are not known yet
        self._sample = np.empty((*self._kept[::-1], 3), np.uint8)  # ... and it: fresh memory costs more
        self._samples: Samples | None = None

    def update(self, frame: Frame, tracks: Tracks) -> None:
        """Take note of a frame and of where the tracks are; of the same one again at no cost."""
        if frame.index == self._last or self._given is not None:
            return
        self._last = frame.index
        self._boxes.append(tracks.xyxy)
        due = self._passed >= self._due
        if self._waiting is not None and (due or self._passed - self._waiting >= self._around):
            self._take_waiting()
        if due:
            self._waiting = self._passed
            self._copy(frame.image)
            self._taken += 1
            if self._taken % KEPT == 0:
                self._stride = min(2 * self._stride, self._longest_stride)
            self._due = self._passed + self._stride
        self._passed += 1

    def use(self, image: Image, name: str) -> None:
        """Take this picture instead; ``name`` is its own, for the error. Raises ``OptionError``."""
        height, width = image.shape[:2]
        wanted = self._source[0] / self._source[1]
        if abs(width / height / wanted - 1) > SHAPE_SLIP:
            raise OptionError(
                f"--background {name} is {width}x{height}, the source {self._source[0]}x{self._source[1]};"
                f" give a picture of the same view"
            )
        self._given = resized(image, self.size)

    def picture(self) -> Image:
        """Return the empty scene, (h, w, 3) BGR of ``size``; grey when no frame was seen."""
        if self._given is not None:
            copy: Image = self._given.copy()
            return copy
        if self._waiting is not None:
            self._take_waiting()
        if self._samples is None:
            return np.full((self.size[1], self.size[0], 3), 127, np.uint8)
        picture = self._samples.mode()[: self._kept[1], : self._kept[0]]
        if self._kept == self.size:
            return np.ascontiguousarray(picture)
        return resized(picture, self.size)

    def _copy(self, image: Image) -> None:
        """Keep a picture, made smaller where it is large."""
        whole = image.shape[1::-1] == self._kept
        np.copyto(self._sample, image if whole else resized(image, self._kept))

    def _take_waiting(self) -> None:
        self._waiting = None
        if self._samples is None:
            self._samples = Samples(self._kept)
        xyxy = np.concatenate([np.empty((0, 4)), *self._boxes])
        xyxy = xyxy[np.isfinite(xyxy).all(axis=1)]
        scale = self._kept[0] / self._source[0], self._kept[1] / self._source[1]
        self._samples.take(self._sample, xyxy * (*scale, *scale), float(self._stride))


def resized(image: Image, size: tuple[int, int]) -> Image:
    """Return a picture as (width, height): averaged where it shrinks, smooth where it grows."""
    way = cv2.INTER_AREA if size[0] <= image.shape[1] else cv2.INTER_CUBIC
    changed: Image = np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)
    return changed
