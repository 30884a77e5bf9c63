"""Movements per interval: how many of which class went through a junction from where to where."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tracker.sinks.counts import clock_offset
from tracker.sinks.events import wall_time
from tracker.sinks.text_file import TextSink
from tracker.text import cell
from tracker.types import Event, Json, Result, Scene

COLUMNS = ("start", "end", "movement", "from", "to", "class", "count")
KINDS = ("movement", "movement.incomplete")
Row = tuple[str, str, str, str]  # movement, from, to, class


class Junction(NamedTuple):
    """Which movements a junction has, whether they happen or not."""

    name: str
    sections: Sequence[str]
    classes: Sequence[str] = ()  # none: whatever comes

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield from and to, U-turns included; one of them is empty where that end was not seen."""
        for origin in (*self.sections, ""):
            for to in (*self.sections, ""):
                if origin or to:
                    yield origin, to


class MovementsSink(TextSink):
    """A row per interval, junction, from, to and class; rows add up to the events.

    A movement belongs to the interval in which it came in; where that was not seen, left. ``from`` or ``to``
    is empty for the incomplete ones. Zero is a count: every pair has a row in each interval, for all classes
    of the junction or, where those are not known, for the ones that came by until then.

    ``start`` and ``end`` are times of day with their offset from UTC where those are known, else seconds of
    the recording. ``interval`` is in seconds and begins on the round; without one the whole run is one. Its
    rows are written when nothing more can belong to it: ``late_s`` seconds after its end.
    """

    def __init__(
        self,
        path: str | Path,
        scene: Scene,
        *,
        interval: float | None = None,
        junctions: Iterable[Junction] = (),
        late_s: float = 0.0,
        overwrite: bool = False,
    ) -> None:
        super().__init__(path, overwrite=overwrite, live=scene.live)
        self._scene, self._interval, self._late_s = scene, interval, late_s
        self._junctions = list(junctions)
        self._clock = clock_offset(scene)
        self._counts: dict[int, Counter[Row]] = {}  # of the intervals that are open, by number
        self._seen: dict[str, list[str]] = {}  # classes that came by, of each junction
        self._number: int | None = None  # of the first interval that is open
        self._first, self._last = 0.0, 0.0

    def header(self) -> str:
        """Return the line of column names."""
        return ",".join(COLUMNS) + "\n"

    def write(self, result: Result) -> None:
        """Count the events of one frame; complete the intervals to which nothing can be added."""
        now = result.frame.time
        if self._number is None:
            self._number, self._first = self._number_of(now), now
        self._last = now
        self._count(result.events)
        while self._interval is not None and now >= self._begin(self._number + 1) + self._late_s:
            self._close(self._number)
            self._number += 1

    def finish(self, events: Sequence[Event], *, interrupted: bool = False) -> None:
        """Count what came after the last frame and complete what is open."""
        if self._number is None:
            return
        self._count(events)
        for number in range(self._number, self._number_of(self._last) + 1):
            self._close(number)
        self._number = None

    def lines(self, result: Result) -> str:
        """Return nothing: rows are written when their interval is complete."""
        return ""

    def state(self) -> Json:
        """Return the length of the file and the intervals that are open."""
        counts = [[n, *key, count] for n, rows in self._counts.items() for key, count in rows.items()]
        known = {"counts": counts, "seen": self._seen, "number": self._number}
        return {**known, "first": self._first, "last": self._last, **(super().state() or {})}

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on in the same intervals, or after them in a new recording."""
        if "bytes" in state:  # else it was standard output
            super().restore(state, tracks)
        self._seen = {name: list(classes) for name, classes in state["seen"].items()}
        if tracks:
            for number, *key, count in state["counts"]:
                self._counts.setdefault(int(number), Counter())[tuple(key)] = count
            self._number, self._first, self._last = state["number"], state["first"], state["last"]

    def _count(self, events: Iterable[Event]) -> None:
        assert self._number is not None
        for event in events:
            if event.kind not in KINDS:
                continue
            data = event.data
            began = data["left_s"] if data["since_s"] is None else data["since_s"]
            number = min(max(self._number_of(began), self._number), self._number_of(self._last))
            key = (data["movement"], data["from"] or "", data["to"] or "", data["class_name"])
            self._counts.setdefault(number, Counter())[key] += 1
            seen = self._seen.setdefault(key[0], [])
            if key[3] not in seen:
                seen.append(key[3])

    def _number_of(self, time: float) -> int:
        """Return which interval a time lies in."""
        return 0 if self._interval is None else math.floor((time + self._clock) / self._interval)

    def _begin(self, number: int) -> float:
        """Return when an interval begins, in the frames' time."""
        return self._first if self._interval is None else number * self._interval - self._clock

    def _close(self, number: int) -> None:
        start = self._begin(number)
        end = self._last if self._interval is None else self._begin(number + 1)
        counts = self._counts.pop(number, Counter())
        never = {
            (junction.name, *pair, class_name)
            for junction in self._junctions
            for pair in junction.pairs()
            for class_name in junction.classes or self._seen.get(junction.name, ("",))
        }
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        times = [wall_time(time, self._scene) or f"{time:.3f}" for time in (start, end)]
        for key in sorted(counts.keys() | never):
            writer.writerow([*times, *map(cell, key), counts[key]])
        self._put(text.getvalue())
        self.flush()
