"""Whether a live run keeps up with its source, and whether encoding is to blame."""

from __future__ import annotations

WINDOW_S = 10.0  # over which frames are counted: a network that stutters for a moment is no reason
DROPPED = 0.1  # share of the frames that were dropped, from which a run does not keep up
BUSY = 0.15  # share of the time that encoding takes, below which less of it would not help


class Pace:
    """Counts the frames of a live source that come and those that were dropped, by their index."""

    def __init__(self) -> None:
        self._step = 0  # the smallest distance of two indices: that of --vid-stride
        self._last: int | None = None
        self._begin()

    def _begin(self) -> None:
        self._passed = self._came = 0
        self._worked_s = self._since_s = 0.0

    def is_lost(self, index: int, time_s: float, worked_s: float) -> bool:
        """Take a frame, and how long its encoding took; whether encoding should take less from now on.

        Said once at most in `WINDOW_S`, by all frames of that time.
        """
        last, self._last = self._last, index
        if last is None or index <= last:
            self._since_s = time_s
            return False
        gap = index - last
        self._step = min(self._step or gap, gap)
        self._came += 1
        self._passed += gap
        self._worked_s += worked_s
        seconds = time_s - self._since_s
        if seconds < WINDOW_S:
            return False
        dropped = 1 - self._came * self._step / self._passed
        busy = self._worked_s / seconds
        self._begin()
        self._since_s = time_s
        return dropped > DROPPED and busy > BUSY
