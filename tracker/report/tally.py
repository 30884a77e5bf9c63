"""How many in which interval: the one table that page, spreadsheet and terminal show."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from tracker.report.clock import length
from tracker.report.recording import Recording
from tracker.types import InputError

QUARTER_S, HOUR_S, DAY_S = 900.0, 3600.0, 86400.0
SHORT = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)  # intervals of less than an hour, in seconds
MOST_SHORT = 24  # of these
MOST_HOURS = 96  # hours that are shown one by one; more are shown by days
MOST_ASKED = 100  # intervals of the runs' own length; of more a report is no summary
MOST_INTERVALS = 50_000
FULL = 0.99  # of an hour must have been watched to be the peak hour


@dataclass(frozen=True, slots=True)
class Row:
    """One count; ``start_s`` and ``end_s`` are on the axis of the report."""

    start_s: float
    end_s: float
    name: str
    direction: str
    class_name: str
    count: int
    doubtful: int


class Peak(NamedTuple):
    """The busiest hour of four quarters, on the round."""

    start_s: float
    volume: int  # V, in the hour
    quarter: int  # V15, in its busiest quarter

    @property
    def factor(self) -> float:
        """Return the peak-hour factor V / (4 · V15), of the Highway Capacity Manual."""
        return self.volume / (4 * self.quarter)


@dataclass(frozen=True)
class Tally:
    """Counts by interval of all runs; ``watched_s`` says how much of each interval was recorded."""

    rows: tuple[Row, ...]  # zero rows among them
    interval_s: float
    watched_s: dict[float, float]  # start of an interval -> seconds
    names: dict[str, tuple[str, ...]]  # line or zone -> its directions
    classes: dict[str, tuple[str, ...]]  # line or zone -> its classes

    @property
    def starts(self) -> list[float]:
        """Return when the intervals begin."""
        return sorted(self.watched_s)

    def total(self, name: str, direction: str, class_name: str | None = None) -> int:
        """Return how many there were in all."""
        return sum(row.count for row in self._of(name, direction, class_name))

    def doubtful(self, name: str, direction: str) -> int:
        """Return how many of them are not sure."""
        return sum(row.doubtful for row in self._of(name, direction, None))

    def series(self, name: str, direction: str, class_name: str | None = None) -> dict[float, int]:
        """Return the count of each interval, by its start."""
        found = dict.fromkeys(self.starts, 0)
        for row in self._of(name, direction, class_name):
            found[row.start_s] += row.count
        return found

    @cached_property
    def by_way(self) -> dict[tuple[str, str], list[Row]]:
        """The rows of each name and direction: with thousands of lines nobody looks through all of them."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows:
            found.setdefault((row.name, row.direction), []).append(row)
        return found

    def _of(self, name: str, direction: str, class_name: str | None) -> Iterable[Row]:
        rows = self.by_way.get((name, direction), ())
        return (row for row in rows if class_name in (None, row.class_name))


def tally(runs: Sequence[Recording], interval_s: float | None = None, *, movements: bool = False) -> Tally:
    """Count what all runs had at lines and zones, or ``movements``, by interval on the round of the axis.

    Without ``interval_s`` it is that of the runs, else 15 minutes from an hour on, less of less, hours or
    days of many days. Raises ``InputError``.
    """
    counted = [(run, run.movements if movements else run.shapes) for run in runs]
    every_s = max((run.every_s for run in runs), default=0.0)
    coarse = next((run for run in runs if run.every_s == every_s), None)
    if interval_s is None:
        asked = {run.interval_s for run in runs if run.interval_s}
        interval_s = usual(sum(run.last_s - run.first_s for run in runs), _span(runs))
        if len(asked) == 1 and _span(runs) <= MOST_ASKED * min(asked):
            interval_s = min(asked)
        if coarse is not None and every_s > interval_s:
            interval_s = every_s
    elif coarse is not None and interval_s < every_s:
        raise InputError(
            f"{coarse.path}: counts every {length(every_s)}; give --interval {every_s:g}s or more, "
            "or its events"
        )
    watched_s = watched(runs, interval_s)
    counts: Counter[tuple[float, str, str, str]] = Counter()
    doubtful: Counter[tuple[float, str, str, str]] = Counter()
    for run, what in counted:
        for one in what.counts:
            start = interval_s * math.floor(run.clock.axis(one.time_s) / interval_s)
            key = start, one.name, one.direction, one.class_name
            counts[key] += one.count
            doubtful[key] += one.doubtful
            watched_s.setdefault(start, 0.0)
    names: dict[str, dict[str, None]] = {}
    classes: dict[str, set[str]] = {}
    for _, what in counted:
        for name, directions in what.ways.items():
            names.setdefault(name, {}).update(directions)
            classes.setdefault(name, set()).update(what.classes.get(name, ()))
    keys = [
        (start, name, direction, class_name)
        for start in sorted(watched_s)
        for name, directions in names.items()
        for direction in directions
        for class_name in sorted(classes[name]) or ("",)
    ]
    return Tally(
        tuple(Row(key[0], key[0] + interval_s, *key[1:], counts[key], doubtful[key]) for key in keys),
        interval_s,
        watched_s,
        {name: tuple(directions) for name, directions in names.items()},
        {name: tuple(sorted(found)) or ("",) for name, found in classes.items()},
    )


def watched(runs: Iterable[Recording], interval_s: float) -> dict[float, float]:
    """Return how many seconds of each interval were recorded; intervals without any are left out."""
    found: dict[float, float] = {}
    for run in runs:
        for start, end in stretches(run):
            first, last = math.floor(start / interval_s), math.floor(end / interval_s)
            if last - first + len(found) > MOST_INTERVALS:
                raise InputError(
                    f"{run.path}: has more than {MOST_INTERVALS} intervals of {length(interval_s)}; "
                    "give a longer --interval"
                )
            for number in range(first, last + 1):
                lower, upper = interval_s * number, interval_s * (number + 1)
                part = max(min(end, upper) - max(start, lower), 0.0)
                if part > 0 or start == end:
                    found[lower] = found.get(lower, 0.0) + part
    return found


def stretches(run: Recording) -> list[tuple[float, float]]:
    """Return from when to when it was recorded without a gap, on the axis."""
    edges = [run.first_s, *(edge for gap in run.gaps for edge in gap), run.last_s]
    axis = [run.clock.axis(edge) for edge in edges]
    return [(a, b) for a, b in zip(axis[::2], axis[1::2], strict=True) if b >= a]


def usual(recorded_s: float, span_s: float) -> float:
    """Return the interval that suits so many seconds.

    >>> usual(79.4, 79.4), usual(3600.0, 3600.0), usual(30 * 86400.0, 30 * 86400.0)
    (5.0, 900.0, 86400.0)
    """
    if recorded_s < HOUR_S - 1 and span_s < DAY_S:
        return next((step for step in SHORT if span_s <= step * MOST_SHORT), QUARTER_S)
    if span_s <= DAY_S:
        return QUARTER_S
    return HOUR_S if span_s <= MOST_HOURS * HOUR_S else DAY_S


def peak_hour(quarters: dict[float, int], watched_s: dict[float, float]) -> Peak | None:
    """Return the busiest hour of four quarters that follow one another and were watched; None without one.

    Both are by the quarter's start in seconds.

    >>> found = peak_hour({0: 100, 900: 120, 1800: 110, 2700: 90}, dict.fromkeys((0, 900, 1800, 2700), 900))
    >>> found.volume, found.factor
    (420, 0.875)
    """
    best: Peak | None = None
    for start in sorted(watched_s):
        hour = [start + QUARTER_S * n for n in range(4)]
        if sum(watched_s.get(each, 0.0) for each in hour) < FULL * HOUR_S:
            continue
        counts = [quarters.get(each, 0) for each in hour]
        if sum(counts) > (0 if best is None else best.volume):
            best = Peak(start, sum(counts), max(counts))
    return best


def _span(runs: Sequence[Recording]) -> float:
    if not runs:
        return 0.0
    return max(run.clock.axis(run.last_s) for run in runs) - min(run.clock.axis(run.first_s) for run in runs)
