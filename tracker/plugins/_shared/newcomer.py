"""Somebody who may yet be a mistake of the detector: what it leaves anywhere waits until it is proven."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

PROOF_S = 2.0  # a box that stays in its place for less may be a mistake of the detector, and counts nothing
PROOF_MOVING_S = 0.3  # one that has moved by its own size needs no longer


@dataclass
class Newcomer:
    """What is known of one track until it is proven."""

    seen_for_s: float = 0.0
    first: tuple[float, float] = (0.0, 0.0)  # where it was first seen, pixels
    moved: bool = False  # by its own size from there
    waiting: list[tuple[float, float, float, float]] = field(default_factory=list)  # x, y, width, seconds

    def see(self, x: float, y: float, width: float, height: float, passed: float) -> bool:
        """Take a moment at a point, in a box of this size; return whether it is proven by now."""
        if self.seen_for_s == 0:
            self.first = x, y
        self.seen_for_s += passed
        if not self.moved:
            away = math.hypot(x - self.first[0], y - self.first[1])
            self.moved = away >= math.sqrt(max(width, 0.0) * max(height, 0.0))
        return self.seen_for_s >= (PROOF_MOVING_S if self.moved else PROOF_S)
