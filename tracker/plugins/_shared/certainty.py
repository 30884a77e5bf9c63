"""How sure a crossing is: what speaks against it, in words and in odds.

Each sign of trouble divides the odds that the crossing is right; so do the two that are measured, a short way
before the line and an unsteady one across it, by a power. Divisors and powers are those of a logistic
regression over 6,100 crossings of ten crowded sequences and three detectors, judged one by one, without
people whom the ground truth leaves out (`python -m benchmarks.lines --sure` measures what comes of it, and
benchmarks/README.md has what came of it on each sequence when it was left out). What is too seldom there is
set by hand: an undecided class, a gap, an identity that began beside the line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BASE = 60.0  # odds of a crossing that nothing speaks against
SURE = 0.91  # events below it, in whole hundredths, are called doubtful
BEFORE_POWER, UNSTEADY_POWER, UNKNOWN = 0.55, 1.5, 0.05
BEFORE_SIZES, UNSTEADY = (0.05, 1.0), (0.01, 0.1)  # what is less or more counts as this
TOLD = 1.5  # a divisor from which these two are worth a word
YOUNG_S, BESIDE_S, BESIDE_SIZES = 0.5, 2.0, 1.0
BACK_S, GAP_S, SLOW_S, SLOW_SIZES_PER_S = 2.0, 0.25, 0.5, 0.3
UNREST_S = (
    1.0  # a height must be known for so long before its unrest counts: a steady growth is learned first
)
UNREST, SCORE_FALL, LOW_SCORE, HIDDEN, CLASSED_S = 0.05, 0.75, 0.3, 0.2, 1.0


@dataclass(frozen=True)
class Evidence:
    """What is known of one crossing; sizes are longer sides of the object's box."""

    age_s: float  # since this identity began, at the crossing
    born_sizes: float  # how far from the line that was
    back_s: float  # since the same object crossed the other way; infinite: never
    gap_s: float  # between the two frames that the crossing lies between
    took_s: float  # from the crossing until the object was clear of the line
    clear_sizes: float  # how far from the line it is now
    before_sizes: float  # how far before the line it was at most, in the two seconds before
    unsteady: float  # off a steady motion across the line, part of its size and of its step; NaN: not known
    unrest: float  # standard deviation of the logarithm of the height; 0 where it is not known yet
    doubted: bool  # the box did not fit the object at or after the crossing
    hidden: float  # part of what lies just below the feet that a nearer object covers
    score: float
    usual_score: float
    classed_s: float  # since the class was voted otherwise
    cut: bool  # the picture's edge cuts the box
    lost: bool  # nobody saw it get clear of the line


def certainty(seen: Evidence) -> tuple[float, list[str]]:
    """Return how sure a crossing is, 0 to 1, and what speaks against it, the worst first."""
    slow = seen.took_s > SLOW_S or seen.clear_sizes < SLOW_SIZES_PER_S * seen.took_s
    beside = YOUNG_S <= seen.age_s < BESIDE_S and seen.born_sizes < BESIDE_SIZES
    unknown = math.isnan(seen.unsteady)
    least, most = BEFORE_SIZES
    near = (most / min(max(seen.before_sizes, least), most)) ** BEFORE_POWER
    least, most = UNSTEADY
    unsteady = (min(max(UNKNOWN if unknown else seen.unsteady, least), most) / least) ** UNSTEADY_POWER
    signs = [
        (seen.lost, 2.3, "last seen on the line"),
        (seen.back_s < BACK_S, 1.6, "turned back at once"),
        (seen.classed_s < CLASSED_S, 8.0, "class undecided"),
        (seen.score < max(LOW_SCORE, SCORE_FALL * seen.usual_score), 1.8, "low score"),
        (seen.doubted or seen.unrest > UNREST, 1.5, "box deformed"),
        (seen.age_s < YOUNG_S, 1.3, "identity began at the line"),
        (beside, 1.1, "identity began beside the line"),
        (slow, 1.6, "slow across the line"),
        (seen.hidden > HIDDEN, 1.8, "feet hidden"),
        (seen.cut, 2.1, "cut by the picture's edge"),
        (seen.gap_s > GAP_S, 1.1, "continued across a gap"),
        (near >= TOLD, near, "came from close to the line"),
        (unsteady >= TOLD, unsteady, "seen too seldom" if unknown else "moved unsteadily"),
    ]
    against = [(divisor, why) for is_so, divisor, why in signs if is_so]
    untold = (near if near < TOLD else 1.0) * (unsteady if unsteady < TOLD else 1.0)
    odds = BASE / untold / math.prod(divisor for divisor, _ in against)
    return odds / (1 + odds), [why for _, why in sorted(against, key=lambda sign: -sign[0])]
