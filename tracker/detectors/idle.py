"""How much of its time a network rests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Idle:
    """Spans of computing, told in the order in which they began, in seconds of one clock.

    >>> idle = Idle()
    >>> for span in ((0.0, 2.0), (1.0, 3.0), (4.0, 5.0)):  # two at a time, then a second of rest
    ...     idle.add(*span)
    >>> idle.share
    0.2
    """

    first: float | None = None  # when the first span began
    reach: float = 0.0  # the latest end
    rest_s: float = 0.0

    def add(self, start: float, end: float) -> None:
        """Count one span."""
        if self.first is None:
            self.first = self.reach = start
        self.rest_s += max(0.0, start - self.reach)
        self.reach = max(self.reach, end)

    @property
    def share(self) -> float | None:
        """Part of the time from the first start to the last end in which nothing was computed."""
        if self.first is None or self.reach <= self.first:
            return None
        return self.rest_s / (self.reach - self.first)
