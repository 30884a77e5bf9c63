"""Beside a person's count: what was missed, what was false, how far off each interval is."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tracker.report.clock import wall_of
from tracker.report.recording import Recording
from tracker.report.tally import Tally
from tracker.text import cell_read, harmless
from tracker.types import InputError

HOUR_S = 3600.0
SHORTEST_S = 300.0  # from which a flow is worth the name
NEAR_S = 2.0  # a person's mark and an event this near to each other are one crossing
COUNTED = ("start_s", "end_s", "name", "direction", "count")
SEEN = ("time_s", "name", "direction")
EXPECTED = (
    "a count has the columns start_s (or start), end_s (or end), name, direction and count, and may have "
    "class; single crossings have time_s (or time), name and direction"
)


class Check(NamedTuple):
    """One interval of a person's count beside ours; ``start_s`` and ``end_s`` are on the axis."""

    start_s: float
    end_s: float
    name: str
    direction: str
    class_name: str  # "": all together
    truth: int
    counted: int
    missed: int  # at least, where only counts are known
    false: int

    @property
    def error(self) -> int:
        """Return how many too many."""
        return self.counted - self.truth

    @property
    def geh(self) -> float | None:
        """Return the GEH statistic of the hourly flows; below 5 is usually called good.

        None where less than five minutes were counted: one more or less would be dozens an hour.
        """
        if self.end_s - self.start_s < SHORTEST_S:
            return None
        hourly = HOUR_S / (self.end_s - self.start_s)
        return geh(self.counted * hourly, self.truth * hourly)


class Mark(NamedTuple):
    """A crossing that a person has seen."""

    time_s: float
    name: str
    direction: str
    class_name: str


def geh(counted: float, truth: float) -> float:
    """Return Geoffrey E. Havers' statistic sqrt(2 (M - C)² / (M + C)) of two hourly flows.

    >>> round(geh(110, 100), 3), geh(0, 0)
    (0.976, 0.0)
    """
    both = counted + truth
    return math.sqrt(2 * (counted - truth) ** 2 / both) if both else 0.0


def compare(path: Path, runs: Sequence[Recording], tally: Tally) -> list[Check]:
    """Return a person's table beside the events; raises ``InputError`` naming file, row and column."""
    rows = list(_rows(path))
    columns = set(rows[0][1])
    if "count" in columns:
        return [_beside(path, number, row, runs, tally) for number, row in rows]
    if not all(run.has_events for run in runs):
        raise InputError(
            f"--truth {path}: single crossings need the events of the runs; give --events files, too"
        )
    return _matched([_mark(path, number, row, runs, tally) for number, row in rows], runs, tally)


def pairs(marks: Sequence[float], events: Sequence[float], near_s: float = NEAR_S) -> list[tuple[int, int]]:
    """Return which of two sorted lists of times are one crossing: each with one, no further apart than that.

    >>> pairs([1.0, 2.0], [0.5, 1.5, 9.0])
    [(0, 0), (1, 1)]
    """
    found, place = [], 0
    for number, mark in enumerate(marks):
        while place < len(events) and events[place] < mark - near_s:
            place += 1
        if place < len(events) and events[place] <= mark + near_s:
            found.append((number, place))
            place += 1
    return found


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--truth {path}: cannot be read as a table in UTF-8 ({error})") from error
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    columns = [str(name).strip().lower() for name in reader.fieldnames or ()]
    known = {*columns, *(f"{name}_s" for name in columns)}
    needed = COUNTED if "count" in columns else SEEN
    missing = [name for name in needed if name not in known]
    if missing:
        raise InputError(
            f"--truth {path}: has no column {missing[0]!r} among {', '.join(columns)}; {EXPECTED}"
        )
    empty = True
    for number, row in enumerate(reader, 2):
        if any(row.values()):
            empty = False
            values = (cell_read(str(value or "")).strip() for value in row.values())
            yield number, dict(zip(columns, values, strict=False))
    if empty:
        raise InputError(f"--truth {path}: has no rows; {EXPECTED}")


def _axis(path: Path, number: int, row: Mapping[str, str], name: str, runs: Sequence[Recording]) -> float:
    """Return a time of the table on the axis: ``start_s`` in seconds or ``start`` by the clock."""
    clock = runs[0].clock
    where = f"--truth {path}:{number}: column"
    if row.get(name):
        if not clock.is_wall:
            raise InputError(
                f"{where} {name!r} has a time of day, but nothing tells when {runs[0].name} was recorded; "
                "say so with --began, with the time zone"
            )
        wall = wall_of(row[name], f"{where} {name!r}")
        return wall.timestamp() + (clock.utc_offset_s or 0.0)
    text = row.get(f"{name}_s", "")
    try:
        seconds = float(text)
        if not math.isfinite(seconds):
            raise ValueError
    except ValueError:
        raise InputError(f"{where} '{name}_s' has {text!r}; expected seconds") from None
    if len(runs) > 1 and seconds < 1e9:
        raise InputError(
            f"{where} '{name}_s' counts from the beginning of one of {len(runs)} runs; give {name!r}"
        )
    return clock.axis(seconds)


def _shape(path: Path, number: int, row: Mapping[str, str], tally: Tally) -> tuple[str, str]:
    name, direction = harmless(row["name"]), harmless(row["direction"])
    where = f"--truth {path}:{number}: column"
    if name not in tally.names:
        raise InputError(f"{where} 'name' has {name!r}; the runs counted at {', '.join(tally.names)}")
    if direction not in tally.names[name]:
        raise InputError(
            f"{where} 'direction' has {direction!r}; those of {name} are {', '.join(tally.names[name])}"
        )
    return name, direction


def _mark(path: Path, number: int, row: Mapping[str, str], runs: Sequence[Recording], tally: Tally) -> Mark:
    name, direction = _shape(path, number, row, tally)
    return Mark(_axis(path, number, row, "time", runs), name, direction, harmless(row.get("class", "")))


def _beside(
    path: Path, number: int, row: Mapping[str, str], runs: Sequence[Recording], tally: Tally
) -> Check:
    name, direction = _shape(path, number, row, tally)
    start, end = (_axis(path, number, row, which, runs) for which in ("start", "end"))
    try:
        truth = int(row["count"])
        if truth < 0:
            raise ValueError
    except ValueError:
        raise InputError(
            f"--truth {path}:{number}: column 'count' has {row['count']!r}; expected a whole number"
        ) from None
    if end <= start:
        raise InputError(f"--truth {path}:{number}: ends before it begins")
    class_name = harmless(row.get("class", ""))
    counted = len(_times(runs, name, direction, class_name, start, end))
    missed, false = max(truth - counted, 0), max(counted - truth, 0)
    return Check(start, end, name, direction, class_name, truth, counted, missed, false)


def _matched(marks: Sequence[Mark], runs: Sequence[Recording], tally: Tally) -> list[Check]:
    """Pair a person's crossings with ours from the first mark to the last; a pair is where its mark is."""
    step, checks = tally.interval_s, []
    first, last = min(mark.time_s for mark in marks), max(mark.time_s for mark in marks)
    for name, direction in sorted({(mark.name, mark.direction) for mark in marks}):
        seen = sorted(mark.time_s for mark in marks if (mark.name, mark.direction) == (name, direction))
        ours = _crossings(runs, name, direction, first - NEAR_S, last + NEAR_S)
        paired = pairs(seen, ours)
        missed = [when for n, when in enumerate(seen) if n not in {mark for mark, _ in paired}]
        false = [when for n, when in enumerate(ours) if n not in {event for _, event in paired}]
        for start in tally.starts:
            lower, upper = max(start, first - NEAR_S), min(start + step, last + NEAR_S)
            if lower < upper:
                truth, less, more = (
                    sum(lower <= t < upper for t in times) for times in (seen, missed, false)
                )
                checks.append(
                    Check(lower, upper, name, direction, "", truth, truth - less + more, less, more)
                )
    return sorted(checks)


def _crossings(runs: Sequence[Recording], name: str, direction: str, start: float, end: float) -> list[float]:
    """Return when the line itself was crossed, where events tell it."""
    times = [
        run.clock.axis(float(entry.data.get("crossed_s", entry.time_s)))
        for run in runs
        for entry in run.entries
        if (entry.name, entry.way) == (name, direction)
    ]
    return sorted(when for when in times if start <= when <= end)


def _times(
    runs: Sequence[Recording], name: str, direction: str, class_name: str, start: float, end: float
) -> list[float]:
    """Return when something was counted between two times of the axis, one time for each."""
    found = []
    for run in runs:
        for one in run.shapes.counts:
            fits = (one.name, one.direction) == (name, direction) and class_name in ("", one.class_name)
            when = run.clock.axis(one.time_s)
            if fits and start <= when < end:
                found += [when] * one.count
    return sorted(found)
