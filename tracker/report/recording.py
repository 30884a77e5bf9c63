"""One run as its files tell of it: what happened when, how long it was watched, what it says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tracker.report.clock import Clock
from tracker.text import harmless
from tracker.types import Json

GAP_S = 2.0  # two frames further apart are a gap of the recording


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as a file tells it."""

    time_s: float
    frame: int
    kind: str
    name: str | None
    direction: str | None
    track_id: int | None
    class_name: str
    data: Mapping[str, Json]

    @property
    def doubtful(self) -> bool:
        """Whether something speaks against it."""
        return "why" in self.data

    @property
    def way(self) -> str:
        """Return what `--counts` calls its direction."""
        return harmless(str(self.direction or self.kind.rpartition(".")[2]))


@dataclass(frozen=True, slots=True)
class Count:
    """So many at a time: an event, or a row of ``--counts``."""

    time_s: float
    name: str
    direction: str
    class_name: str
    count: int
    doubtful: int


@dataclass
class Counted:
    """What was counted at places of one sort, and what could have been."""

    counts: list[Count] = field(default_factory=list)
    ways: dict[str, dict[str, None]] = field(default_factory=dict)  # place -> directions, in order
    classes: dict[str, set[str]] = field(default_factory=dict)  # place -> classes

    def expect(self, name: str, ways: Iterable[str], classes: Iterable[str] = ()) -> None:
        """Learn what may be counted at a place, whether it happens or not."""
        self.ways.setdefault(name, {}).update(dict.fromkeys(ways))
        self.classes.setdefault(name, set()).update(classes)

    def take(self, counts: Iterable[Count]) -> None:
        """Take what was counted."""
        for one in counts:
            self.counts.append(one)
            self.expect(one.name, (one.direction,), (one.class_name,))


@dataclass
class Recording:
    """One run. Times are frame times, in seconds; ``clock`` puts them on the axis of the report."""

    path: Path  # that stands for it
    record: Mapping[str, Json] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    shapes: Counted = field(default_factory=Counted)  # at lines and zones
    movements: Counted = field(default_factory=Counted)  # at junctions, by "from > to"
    zones: set[str] = field(default_factory=set)  # which of the shapes are zones
    every_s: float = 0.0  # of --counts, where nothing else was left; 0: single events
    interval_s: float | None = None  # that the run was asked to count by
    first_s: float = float("inf")
    last_s: float = float("-inf")
    gaps: list[tuple[float, float]] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    notes: list[str] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    has_events: bool = False
    is_cut: bool = False  # the last line of the events is not whole

    @property
    def name(self) -> str:
        """Return what the source is called."""
        return str(self.record.get("source") or self.path.stem)

    def see(self, *times: float) -> None:
        """Learn that it was watched at these times."""
        self.first_s, self.last_s = min(self.first_s, *times), max(self.last_s, *times)
