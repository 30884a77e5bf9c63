"""JPEG pictures for the page: encoded once for everybody who wants the same, and only where somebody does."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

import cv2
import numpy as np

from tracker.types import Image, Result
from tracker.web.station import Seen, Station, plain

WIDTHS = (320, 480, 640, 960, 1280, 1920)
QUALITY = 75
KEPT = 4  # pictures of one station
PERIOD_S = 1 / 15  # between two frames that are shown
FILE_PERIOD_S = 1 / 5  # of a file, whose frames are as fast as the machine: each picture makes it slower


class Pictures:
    """The pictures of one station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[int, int, bool], bytes] = OrderedDict()
        self._painted: tuple[tuple[int, bool], Image] | None = None  # the newest, from which sizes are made
        self._shown: Seen | None = None
        self._period_s = PERIOD_S if station.live else FILE_PERIOD_S
        self._since = -self._period_s

    def newest(self) -> Seen | None:
        """Return the frame that is shown now; called by one thread, that of the server.

        It is the same for everybody, and another one after a while: were each viewer given the newest
        one at a time of its own, nearly every frame would be painted, for one viewer each.
        """
        now = time.monotonic()
        if self.wait_s(now) == 0:
            self._shown, self._since = self._station.latest, now
        return self._shown

    def wait_s(self, now: float) -> float | None:
        """Return in how many seconds another frame will be shown; None: there is none yet."""
        if self._station.latest is self._shown:
            return None
        return max(self._since + self._period_s - now, 0.0)

    def get(self, seen: Seen, width: int, *, bare: bool = False) -> bytes:
        """Return a frame as JPEG, at most ``width`` wide; ``bare``: without lines and zones drawn into it."""
        key = (seen.number, nearest(width), bare)
        with self._lock:
            if key not in self._made:
                self._made[key] = encoded(self._paint(seen, bare), key[1])
                while len(self._made) > KEPT:
                    self._made.popitem(last=False)
            return self._made[key]

    def _paint(self, seen: Seen, bare: bool) -> Image:
        if self._painted is None or self._painted[0] != (seen.number, bare):
            result = plain(seen.result) if bare else seen.result
            self._painted = (seen.number, bare), self._station.painter(result)
        return self._painted[1]


def nearest(width: int) -> int:
    """Return the smallest of ``WIDTHS`` that is enough.

    >>> nearest(500), nearest(5000)
    (640, 1920)
    """
    return next((each for each in WIDTHS if each >= width), WIDTHS[-1])


def jpeg(result: Result, station: Station, width: int, quality: int) -> bytes:
    """Return the annotated picture of a result."""
    return encoded(station.painter(result), width, quality)


def encoded(image: Image, width: int, quality: int = QUALITY) -> bytes:
    """Return a picture as JPEG, at most ``width`` wide."""
    height, wide = image.shape[:2]
    if wide > width:
        size = (width, max(round(height * width / wide), 1))
        way = cv2.INTER_LINEAR if wide < 2 * width else cv2.INTER_AREA  # the mean takes ten times as long
        image = np.asarray(cv2.resize(image, size, interpolation=way))
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
