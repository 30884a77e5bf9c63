"""The part of its time in which a network is idle."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Idle:
    """Times of inference, added in the order in which they began, in seconds of one clock.

    >>> idle = Idle()
    >>> for span in ((0.0, 2.0), (1.0, 3.0), (4.0, 5.0)):  # two at a time, then idle for a second
    ...     idle.add(*span)
    >>> idle.share
    0.2
    """

    first: float | None = None  # when the first span began
    last: float = 0.0  # when the last span ended
    idle_s: float = 0.0

    def add(self, start: float, end: float) -> None:
        """Add one span."""
        if self.first is None:
            self.first = self.last = start
        self.idle_s += max(0.0, start - self.last)
        self.last = max(self.last, end)

    @property
    def share(self) -> float | None:
        """The part, 0 to 1, between the first start and the last end in which nothing was computed."""
        if self.first is None or self.last <= self.first:
            return None
        return self.idle_s / (self.last - self.first)
