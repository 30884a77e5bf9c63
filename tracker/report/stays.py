"""Who was in a zone from when to when: from what the exits tell, not from when they were told."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tracker.plugins._shared.distribution import Distribution
from tracker.report.recording import Recording

MOST_BINS = 120  # of occupancy over time
EDGES_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)  # of dwell


class Stay(NamedTuple):
    """One visit, on the axis of the report."""

    since_s: float
    left_s: float
    class_name: str
    ended: bool  # else the end of the recording cut it off


class Bin(NamedTuple):
    """Occupancy in a stretch of time."""

    start_s: float
    end_s: float
    mean: float
    most: int


def stays_of(runs: Sequence[Recording], zone: str) -> list[Stay]:
    """Return the visits of a zone, by when they began; who never left was there until the end."""
    found: list[Stay] = []
    for run in runs:
        open_since: Counter[float] = Counter()
        classes: dict[float, str] = {}
        for entry in run.entries:
            if entry.name != zone or "since_s" not in entry.data:
                continue
            since_s = float(entry.data["since_s"])
            if entry.kind == "zone.enter":
                open_since[since_s] += 1
                classes[since_s] = entry.class_name
            elif entry.kind == "zone.exit":
                open_since[since_s] -= 1
                left_s = float(entry.data.get("left_s", entry.time_s))
                ended = not entry.data.get("end_of_run")
                found.append(_stay(run, since_s, left_s, entry.class_name, ended))
        found += [
            _stay(run, since_s, run.last_s, classes[since_s], False)
            for since_s, count in open_since.items()
            for _ in range(max(count, 0))
        ]
    return sorted(found)


def occupancy(stays: Sequence[Stay], start_s: float, end_s: float) -> list[Bin]:
    """Return how many were inside at a time, between two times on the axis, in at most 120 bins.

    Who leaves in the moment in which another comes was not there with him.

    >>> occupancy([Stay(0, 2, "person", True), Stay(2, 4, "person", True)], 0, 4)[20]
    Bin(start_s=2.0, end_s=2.1, mean=1.0, most=1)
    """
    width = bin_width(end_s - start_s)
    count = max(math.ceil((end_s - start_s) / width), 1)
    total, most = [0.0] * count, [0] * count
    changes = sorted([(s.since_s, 1) for s in stays] + [(s.left_s, -1) for s in stays])
    now, inside = start_s, 0
    for when, step in [*changes, (end_s, 0)]:
        when = min(max(when, start_s), end_s)
        if when > now:
            first = min(int((now - start_s) / width), count - 1)
            last = min(math.ceil((when - start_s) / width), count)
            for place in range(first, last):
                lower = start_s + place * width
                total[place] += inside * max(min(when, lower + width) - max(now, lower), 0.0)
                most[place] = max(most[place], inside)
        now, inside = when, inside + step
    bins = []
    for place in range(count):
        lower = start_s + place * width
        upper = min(lower + width, end_s)
        bins.append(Bin(lower, upper, total[place] / max(upper - lower, 1e-9), most[place]))
    return bins


def bin_width(span_s: float) -> float:
    """Return the width of a bin, a round number of seconds.

    >>> bin_width(79.4), bin_width(36000.0)
    (1.0, 300.0)
    """
    steps = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)
    fitting = (step for step in steps if span_s <= step * MOST_BINS)
    return next(fitting, 3600.0 * math.ceil(span_s / 3600.0 / MOST_BINS))


def dwell(stays: Sequence[Stay]) -> Distribution:
    """Return the distribution of how long they stayed, as the table on the terminal has it."""
    found = Distribution()
    for stay in stays:
        found.add(round(stay.left_s - stay.since_s, 3))
    return found


def dwell_bins(stays: Sequence[Stay]) -> list[tuple[float, float, int]]:
    """Return how many stayed from how long to how long, in seconds; the last has no end."""
    lengths = [round(stay.left_s - stay.since_s, 3) for stay in stays]
    edges = [0.0, *(edge for edge in EDGES_S), math.inf]
    bins = [(low, high, sum(low <= one < high for one in lengths)) for low, high in pairwise(edges)]
    while len(bins) > 1 and bins[-1][2] == 0:
        bins.pop()
    return bins


def _stay(run: Recording, since_s: float, left_s: float, class_name: str, ended: bool) -> Stay:
    return Stay(run.clock.axis(since_s), run.clock.axis(max(left_s, since_s)), class_name, ended)
