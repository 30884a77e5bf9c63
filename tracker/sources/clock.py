"""Two clocks in one: that of this machine and that of a stream."""

from __future__ import annotations

import time


class Clock:
    """Wall-clock time that never jumps, and stream timestamps as wall-clock time.

    The stream's own timestamps are steadier than arrival: the frame that was under way for the shortest
    time tells the offset between both clocks, every other one its delay.
    """

    DRIFT = 1e-3  # seconds per second by which a camera's clock may run slow
    RESTART_S = 30.0  # a frame that seems later than this comes from a stream that began anew

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()
        self.forget()

    def forget(self) -> None:
        """Begin anew with the next timestamp."""
        self._offset: float | None = None
        self._seen = self._pts = 0.0

    def now(self) -> float:
        """Return Unix time as it was at the start plus the time since."""
        return self._start + time.monotonic()

    def taken(self, pts_s: float | None) -> float:
        """Return when the picture with a stream timestamp was taken; without one: now."""
        now = self.now()
        if pts_s is None:
            return now
        offset = now - pts_s
        if (
            self._offset is None
            or pts_s < self._pts - self.RESTART_S / 10
            or offset - self._offset > self.RESTART_S
        ):
            self._offset = offset
        else:
            self._offset = min(offset, self._offset + self.DRIFT * (now - self._seen))
        self._seen, self._pts = now, pts_s
        return self.at(pts_s)

    def at(self, pts_s: float) -> float:
        """Return the wall-clock time of a stream timestamp, never later than now."""
        now = self.now()
        return now if self._offset is None else min(pts_s + self._offset, now)
