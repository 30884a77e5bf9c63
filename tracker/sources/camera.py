"""Cameras of this machine, through OpenCV, which knows those of every system."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from tracker.sources.clock import Clock
from tracker.sources.live import LostError
from tracker.types import Image

LOG = logging.getLogger("track")
MISSES = 5  # reads in a row that give nothing: it was unplugged


class CameraCapture:
    """A webcam by number or device name; the size and rate asked for are wishes, the driver decides."""

    def __init__(self, device: str, size: tuple[int, int] | None = None, rate: float | None = None) -> None:
        self._device: int | str = int(device) if device.isdecimal() else device
        self._wish, self._rate = size, rate
        self._told = False
        self.fps: float | None = None
        self._capture: cv2.VideoCapture | None = None

    def open(self, ended: threading.Event) -> None:
        """Open the device; raises ``LostError``."""
        # Linux: asked for any way, OpenCV tries others in vain and complains of each.
        way = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
        with _quiet():
            capture = cv2.VideoCapture(self._device, way)
        self._capture = capture
        if not capture.isOpened():
            raise LostError("no such camera, or another program uses it")
        if self._wish is not None:
            # Uncompressed pictures of full size do not fit through USB 2 at full rate.
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._wish[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._wish[1])
        if self._rate is not None:
            capture.set(cv2.CAP_PROP_FPS, self._rate)
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        self.fps = rate if 0 < rate < 1000 else None

    def read(self, clock: Clock) -> Iterator[tuple[float, Image | None]]:
        """Yield pictures with the time they arrived."""
        assert self._capture is not None
        misses = 0
        while misses < MISSES:
            read, image = self._capture.read()
            if read and image is not None and image.size:
                misses = 0
                self._compare(image.shape[1], image.shape[0])
                yield clock.now(), np.asarray(image, np.uint8)
            else:
                misses += 1
        raise LostError("the camera gives no pictures any more")

    def close(self) -> None:
        """Release the device."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _compare(self, width: int, height: int) -> None:
        """Say once if the driver decided otherwise."""
        if self._wish is not None and self._wish != (width, height) and not self._told:
            wish = "x".join(map(str, self._wish))
            LOG.warning("the camera gives %dx%d, not %s as --camera-size asks", width, height, wish)
        self._told = True


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV from writing to standard error what is told in one line; who set its level wants it."""
    if "OPENCV_LOG_LEVEL" in os.environ:
        yield
        return
    logs = cv2.utils.logging
    before = logs.setLogLevel(logs.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logs.setLogLevel(before)
