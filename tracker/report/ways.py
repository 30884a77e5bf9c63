"""Movements, routes and speeds, as their events tell of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from tracker.report.read import UNSEEN
from tracker.report.recording import Entry, Recording
from tracker.text import harmless

MOST_BINS = 25  # of a distribution of speeds
KMH_PER_MPH = 1.609344


@dataclass
class Junction:
    """The movements of one junction; a section is where they come in or go out."""

    name: str
    whole: Counter[tuple[str, str]] = field(default_factory=Counter)  # (from, to)
    called: dict[tuple[str, str], str] = field(default_factory=dict)  # (from, to) -> "left"
    classes: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # (from, to, class)
    came: Counter[str] = field(default_factory=Counter)  # came in here and was not seen to leave
    left: Counter[str] = field(default_factory=Counter)  # left here and was not seen to come
    given: list[str] = field(default_factory=list)  # its sections, in the order of the zone file

    @property
    def sections(self) -> list[str]:
        """Return the sections, those first that the run was told of."""
        used = {each for pair in self.whole for each in pair} | self.came.keys() | self.left.keys()
        return [*self.given, *sorted(used - set(self.given))]

    @property
    def incomplete(self) -> int:
        """Return how many were not seen from beginning to end."""
        return self.came.total() + self.left.total()


class Speeds(NamedTuple):
    """The speeds of one class, each object's median, in km/h, sorted; ``unit`` is what they are shown in."""

    class_name: str
    kmh: tuple[float, ...]
    unit: str = "km/h"

    @property
    def shown(self) -> tuple[float, ...]:
        """The speeds in the unit in which they are shown."""
        return self.kmh if self.unit == "km/h" else tuple(each / KMH_PER_MPH for each in self.kmh)

    def quantile(self, part: float) -> float:
        """Return the least speed, as shown, that so large a part of them does not exceed.

        >>> Speeds("car", (30.0, 40.0, 50.0, 60.0)).quantile(0.5)
        40.0
        """
        return self.shown[max(math.ceil(part * len(self.kmh)) - 1, 0)]

    def bins(self) -> list[tuple[float, float, int]]:
        """Return how many went from which speed to which."""
        speeds = self.shown
        width = next(step for step in (5.0, 10.0, 20.0, 50.0, 100.0) if speeds[-1] < step * MOST_BINS)
        count = int(speeds[-1] // width) + 1
        edges = [width * n for n in range(count + 1)]
        return [(a, b, sum(a <= each < b for each in speeds)) for a, b in pairwise(edges)]


def junctions_of(runs: Sequence[Recording]) -> list[Junction]:
    """Return the junctions that any ``movement`` event names."""
    found: dict[str, Junction] = {}
    for told in (each for run in runs for each in run.record.get("movements", ())):
        name, sections = harmless(str(told["name"])), [harmless(str(each)) for each in told["sections"]]
        found[name] = Junction(name, given=sections)
    for entry in _entries(runs, "movement"):
        data = entry.data
        name = harmless(str(data.get("movement", "junction")))
        junction = found.setdefault(name, Junction(name))
        start, end = (harmless(str(data[key])) if data.get(key) else UNSEEN for key in ("from", "to"))
        if start == UNSEEN:
            junction.left[end] += 1
        elif end == UNSEEN:
            junction.came[start] += 1
        else:
            junction.whole[start, end] += 1
            junction.classes[start, end, entry.class_name] += 1
            if entry.name:
                junction.called[start, end] = entry.name
    return [found[name] for name in sorted(found)]


def routes_of(runs: Sequence[Recording]) -> Counter[tuple[str, str]]:
    """Return how many came in and left by which sides of the picture."""
    return Counter(
        (str(entry.data.get("entry")), str(entry.data.get("exit"))) for entry in _entries(runs, "route")
    )


def speeds_of(runs: Sequence[Recording]) -> list[Speeds]:
    """Return the speeds of each class, where any were measured."""
    found: dict[str, list[float]] = {}
    unit = "km/h"
    for entry in _entries(runs, "speed"):
        if entry.kind == "speed.end" and isinstance(entry.data.get("kmh"), int | float):
            found.setdefault(entry.class_name, []).append(float(entry.data["kmh"]))
            unit = "mph" if "mph" in entry.data else unit
    return [Speeds(name, tuple(sorted(kmh)), unit) for name, kmh in sorted(found.items())]


def _entries(runs: Sequence[Recording], kind: str) -> Iterator[Entry]:
    return (entry for run in runs for entry in run.entries if entry.kind.partition(".")[0] == kind)
