"""Cameras of this machine, through OpenCV, which supports those of every system."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from tracker.sources.clock import StreamClock
from tracker.sources.fitting import change, fitted
from tracker.sources.live import LostError
from tracker.types import Image, InputError, Pixels

MISSES = 5  # failed reads in a row after which the camera is taken to be unplugged
MOST = 2**31 - 1  # as a number of a device; no greater one can be asked for


class CameraCapture:
    """A webcam by number or device name; size and rate are requests, the driver decides.

    A camera that has given a picture is opened again after it was unplugged. One that never did ends the run
    at once, unless ``patient``: else a mistyped number would wait for ever.
    """

    def __init__(
        self,
        device: str,
        size: tuple[int, int] | None = None,
        rate: float | None = None,
        *,
        patient: bool = False,
    ) -> None:
        self._device: int | str = min(int(device), MOST) if device.isdecimal() else device
        self._wish, self._rate = size, rate
        self._patient = patient  # whether to wait also before the first picture
        self._told = False
        self._size: tuple[int, int] | None = None  # width, height of the first picture, and of the last
        self._last_size: tuple[int, int] | None = None
        self.notes: list[str] = []
        self.fps: float | None = None
        self._capture: cv2.VideoCapture | None = None

    def open(self, ended: threading.Event) -> None:
        """Open the device; raises ``LostError``, and ``InputError`` the first time."""
        # On Linux OpenCV would try other interfaces in vain, and log an error for each.
        way = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
        with _quiet():
            capture = cv2.VideoCapture(self._device, way)
        self._capture = capture
        if not capture.isOpened():
            raise self._lost("no such camera, or another program uses it")
        if self._wish is not None:
            # USB 2 is too slow for uncompressed pictures of full size at full rate.
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._wish[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._wish[1])
        if self._rate is not None:
            capture.set(cv2.CAP_PROP_FPS, self._rate)
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        self.fps = rate if 0 < rate < 1000 else None

    def read(self, clock: StreamClock) -> Iterator[tuple[float, Pixels | None]]:
        """Yield pictures with the time of their arrival."""
        assert self._capture is not None
        misses = 0
        while misses < MISSES:
            read, image = self._capture.read()
            if read and image is not None and image.size:
                misses, self._patient = 0, True
                self._compare(image.shape[1], image.shape[0])
                yield clock.now(), self._fit(np.asarray(image, np.uint8))
            else:
                misses += 1
        raise self._lost("the camera gives no pictures" + " any more" * self._patient)

    def _fit(self, image: Image) -> Image:
        """Return a picture in the size of the first: one that is plugged in again may have another."""
        size = image.shape[1], image.shape[0]
        self._size, self._last_size = self._size or size, self._last_size or size
        if size != self._last_size:
            self._last_size = size
            self.notes.append(change(size, self._size))
        return fitted(image, self._size)

    def _lost(self, why: str) -> Exception:
        if self._patient:
            return LostError(why)
        name = f"camera {self._device}" if isinstance(self._device, int) else self._device
        return InputError(f"{name}: {why}; give another number, or --give-up-after S to wait for it")

    def close(self) -> None:
        """Release the device."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _compare(self, width: int, height: int) -> None:
        """Tell once if the driver chose another size."""
        if self._wish is not None and self._wish != (width, height) and not self._told:
            wish = "x".join(map(str, self._wish))
            self.notes.append(f"the camera gives {width}x{height}, not {wish} as --camera-size asks")
        self._told = True


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence OpenCV's log, because errors are reported in one line, unless the user set its level."""
    if "OPENCV_LOG_LEVEL" in os.environ:
        yield
        return
    logs = cv2.utils.logging
    before = logs.setLogLevel(logs.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logs.setLogLevel(before)
