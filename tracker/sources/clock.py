"""Convert the timestamps of a stream to the clock of this machine."""

from __future__ import annotations

import time


class StreamClock:
    """A wall clock that never jumps, and stream timestamps as wall-clock time.

    Timestamps are steadier than times of arrival. The frame with the shortest way gives the offset between
    both clocks; the delay of every other frame follows from it.
    """

    DRIFT = 1e-3  # seconds per second by which the camera's clock may be slow
    RESTART_S = 30.0  # a frame that seems to be delayed by more comes from a restarted stream

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()
        self.held_s = 0.0  # for which whatever arrives here has been held back on its way
        self.reset()

    def reset(self) -> None:
        """Forget the offset; the next timestamp gives a new one."""
        self._offset: float | None = None
        self._seen = self._pts = 0.0

    def now(self) -> float:
        """Return Unix time: that of the start plus the monotonic time since."""
        return self._start + time.monotonic()

    def capture_time(self, pts_s: float | None) -> float:
        """Return the wall-clock time at which the picture with a stream timestamp was taken; None is now."""
        now = self.now()
        if pts_s is None:
            return now - self.held_s
        offset = now - pts_s
        if pts_s == self._pts and self._offset is not None:  # it stands still, and its pictures go on
            self._offset += now - self._seen
        if (
            self._offset is None
            or pts_s < self._pts - self.RESTART_S / 10
            or offset - self._offset > self.RESTART_S
        ):
            self._offset = offset
        else:
            self._offset = min(offset, self._offset + self.DRIFT * (now - self._seen))
        self._seen, self._pts = now, pts_s
        return self.wall_time(pts_s)

    def wall_time(self, pts_s: float) -> float:
        """Return the wall-clock time of a stream timestamp, never later than now."""
        now = self.now()
        return (now if self._offset is None else min(pts_s + self._offset, now)) - self.held_s
