"""Counts per interval: events by line or zone, direction and class."""

from __future__ import annotations

import csv
import io
import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tracker.sinks.events import wall_time
from tracker.sinks.text_file import TextSink
from tracker.text import cell
from tracker.types import Event, Json, OptionError, Result, Scene

COLUMNS = ("start_s", "end_s", "start", "name", "direction", "class", "count", "doubtful")


class Counted(NamedTuple):
    """The rows that a line or zone has in every interval, even where they are zero."""

    name: str
    directions: Sequence[str]
    classes: Sequence[str] = ()  # none: the classes that are seen


class CountsSink(TextSink):
    """A row per interval, line or zone, direction and class; rows add up to the events.

    Zeros are written: every direction and class of ``counted`` has a row in each interval. If no classes are
    given, these are the ones seen so far; a row without a class tells that there was none.

    The rows of an interval are written when it is over. Intervals begin at multiples of ``interval`` of the
    local time if it is known (``start``), else of the time of the recording. ``interval`` is in seconds;
    without one the whole run is one. Zones count "enter", "exit" and "loiter". ``doubtful`` is how
    many of the ``count`` are not sure (`plugins.certainty`).
    """

    def __init__(
        self,
        path: str | Path,
        scene: Scene,
        *,
        interval: float | None = None,
        counted: Iterable[Counted] = (),
        overwrite: bool = False,
    ) -> None:
        super().__init__(path, overwrite=overwrite, live=scene.live)
        self._scene = scene
        if interval is not None and not 0 < interval < math.inf:
            raise OptionError(f"--interval {interval:g}: must be more than 0 seconds")
        self._interval = interval
        self._counted = list(counted)
        self._clock = clock_offset(scene)
        # Of the current interval; 0: seen in an earlier one.
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._doubtful: Counter[tuple[str, str, str]] = Counter()  # how many of these are not sure
        self._number: int | None = None  # of the current interval
        self._first, self._last = 0.0, 0.0

    def count_at(self, counted: Iterable[Counted]) -> None:
        """From the current interval on these have rows; what was counted at others is still written."""
        self._counted = list(counted)

    def header(self) -> str:
        """Return the line of column names."""
        return ",".join(COLUMNS) + "\n"

    def write(self, result: Result) -> None:
        """Count the events of one frame; complete the intervals that are over."""
        self._tick(result.frame.time)
        self._count(result.events)

    def finish(self, events: Sequence[Event], *, interrupted: bool = False) -> None:
        """Count what came after the last frame and complete the last interval."""
        self._count(events)
        self._close()
        self._number = None
        if not self._counted and not self._counts:
            self.warnings.append(
                "--counts: there was no line or zone, so nothing was counted; give --line, --zone or --zones"
            )

    def lines(self, result: Result) -> str:
        """Return no text: rows are written when their interval is over."""
        return ""

    def state(self) -> Json:
        """Return the length of the file and the current interval."""
        counts = [[*key, count, self._doubtful[key]] for key, count in self._counts.items()]
        known = {"counts": counts, "number": self._number, "first": self._first, "last": self._last}
        return {**known, **(super().state() or {})}

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Continue in the same interval, or after it in a new recording."""
        if "bytes" in state:  # else it was standard output
            super().restore(state, tracks)
        if tracks:
            self._counts.update({tuple(key): count for *key, count, _ in state["counts"]})
            self._doubtful.update({tuple(key): count for *key, _, count in state["counts"]})
            self._number, self._first, self._last = state["number"], state["first"], state["last"]

    def _tick(self, now: float) -> None:
        number = 0 if self._interval is None else math.floor((now + self._clock) / self._interval)
        if self._number is None:
            self._number, self._first = number, now
        while self._number < number:
            self._last = self._begin(self._number + 1)
            self._close()
            self._number += 1
        self._last = now

    def _count(self, events: Iterable[Event]) -> None:
        for event in events:
            key = event.counted_as
            if key is not None:
                self._counts[key] += 1
                self._doubtful[key] += "why" in event.data

    def _always(self) -> set[tuple[str, str, str]]:
        """Return the keys of all rows that are written even if their count is zero."""
        seen: dict[str, set[str]] = {}
        for name, _, class_name in self._counts:
            seen.setdefault(name, set()).add(class_name)
        return {
            (shape.name, direction, class_name)
            for shape in self._counted
            for direction in shape.directions
            for class_name in shape.classes or seen.get(shape.name, ("",))
        }

    def _begin(self, number: int) -> float:
        """Return the frame time at which an interval begins."""
        return self._first if self._interval is None else number * self._interval - self._clock

    def _close(self) -> None:
        if self._number is None:
            return
        start = self._begin(self._number)
        end = self._last if self._interval is None else start + self._interval
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        wall = wall_time(start, self._scene) or ""
        for key in sorted(self._counts.keys() | self._always()):
            writer.writerow(
                [f"{start:.3f}", f"{end:.3f}", wall, *map(cell, key), self._counts[key], self._doubtful[key]]
            )
        self._counts = Counter(dict.fromkeys(self._counts, 0))
        self._doubtful.clear()
        self._put(text.getvalue())
        self.flush()


def clock_offset(scene: Scene) -> float:
    """Return the seconds to add to a frame's time so that multiples of a day are local midnights."""
    start = time.time() if scene.live else 0.0
    wall = scene.wall(start)
    offset = wall.utcoffset() if wall is not None else None
    if wall is None or offset is None:
        return 0.0
    return wall.timestamp() - start + offset.total_seconds()
