"""How much of a scene moves, over the last seconds: where most does, windows are not worth what they cost."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from tracker.types import Json

MEAN_S = 2.0  # seconds over which the mean is taken, the latest counting most
HIGH, LOW = 0.7, 0.5  # mean part of the picture from which all is looked at, and down to which it stays so


@dataclass(frozen=True)
class Bustle:
    """The mean part of the pictures that windows would have to show, and whether that is too much.

    A window shows the network less of what is around things than the picture does, so that scores differ a
    little. Where windows save little, whole pictures alone are better than both in turn. Nothing is written
    to; `after` returns what is known then.

    >>> quiet = Bustle().after(1.0, 0.0).after(0.3, 0.1)
    >>> quiet.is_high, quiet.after(1.0, 2.0).is_high
    (False, True)
    """

    total: float = 0.0
    weight: float = 0.0  # of what is in ``total``: 1 after some seconds
    last_s: float | None = None
    is_high: bool = False

    def after(self, part: float, time: float) -> Bustle:
        """Return what is known after a picture; the first is looked at whole anyhow, and tells nothing."""
        if self.last_s is None:
            return replace(self, last_s=time)
        kept = math.exp(-max(time - self.last_s, 0.0) / MEAN_S)
        total, weight = kept * self.total + (1 - kept) * part, kept * self.weight + (1 - kept)
        return Bustle(total, weight, time, total > (LOW if self.is_high else HIGH) * weight)

    def to_json(self) -> Json:
        """Return all of it."""
        return asdict(self)

    @classmethod
    def from_json(cls, state: Any) -> Bustle:
        """Return what `to_json` was of; raises ``TypeError`` for others."""
        return cls(**state)
