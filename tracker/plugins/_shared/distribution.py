"""The distribution of a positive quantity in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from tracker.types import Json

BINS_PER_DECADE = 100  # each bin is 2.3 % wide
LEAST = 1e-3  # what is smaller falls into the lowest bin


@dataclass
class Distribution:
    """Counts values in bins of equal ratio; sum and greatest are exact.

    >>> stay = Distribution()
    >>> for seconds in (2.0, 3.0, 50.0):
    ...     stay.add(seconds)
    >>> stay.sum, stay.greatest, round(stay.quantile(0.5), 1)
    (55.0, 50.0, 3.0)
    """

    sum: float = 0.0
    greatest: float = 0.0
    count: int = 0
    _bins: dict[int, int] = field(default_factory=dict, repr=False)

    def add(self, value: float) -> None:
        """Take one value."""
        self.sum += value
        self.greatest = max(self.greatest, value)
        self.count += 1
        place = math.floor(math.log10(max(value, LEAST)) * BINS_PER_DECADE)
        self._bins[place] = self._bins.get(place, 0) + 1

    def state(self) -> dict[str, Json]:
        """Return a copy as plain numbers."""
        bins = sorted(self._bins.items())
        return {"sum": self.sum, "greatest": self.greatest, "count": self.count, "bins": bins}

    @classmethod
    def from_state(cls, state: Mapping[str, Json]) -> Distribution:
        """Rebuild from what `state` returned."""
        return cls(state["sum"], state["greatest"], state["count"], dict(map(tuple, state["bins"])))

    def quantile(self, part: float) -> float:
        """Return what this part of the values does not exceed, to the width of a bin; 0 without values."""
        passed = 0
        for place in sorted(self._bins):
            passed += self._bins[place]
            if passed >= part * self.count:
                return min(float(10 ** ((place + 0.5) / BINS_PER_DECADE)), self.greatest)
        return 0.0
