"""What a report says, before it is said: everything counted once, from the files of one run or many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from tracker.report.files import find
from tracker.report.pictures import FrameAt, Thumbnail, empty_scene, left, thumbnails
from tracker.report.read import read
from tracker.report.recording import Recording
from tracker.report.stays import Stay, stays_of
from tracker.report.tally import QUARTER_S, Peak, Tally, peak_hour, tally
from tracker.report.truth import Check, compare
from tracker.report.ways import Junction, Speeds, junctions_of, routes_of, speeds_of
from tracker.types import Image, InputError


@dataclass(frozen=True)
class Report:
    """All numbers of a report; the page, the spreadsheet and the terminal only write them down."""

    title: str
    runs: tuple[Recording, ...]
    tally: Tally
    quarters: Tally | None  # by 15 minutes; None where only coarser counts were left
    movements: Tally  # by junction and "from > to"
    movement_quarters: Tally
    stays: dict[str, list[Stay]]  # of each zone whose events are known
    junctions: tuple[Junction, ...]
    routes: Counter[tuple[str, str]]
    speeds: tuple[Speeds, ...]
    checks: tuple[Check, ...] | None = None  # beside a person's count
    pictures: tuple[tuple[str, Image], ...] = ()
    scene: Image | None = None
    thumbnails: tuple[Thumbnail, ...] = ()

    @property
    def wall(self) -> bool:
        """Whether its times are those of a clock on the wall."""
        return self.runs[0].clock.is_wall

    @property
    def span(self) -> tuple[float, float]:
        """Return from when to when it goes, on the axis."""
        first = min(run.clock.axis(run.first_s) for run in self.runs)
        return first, max(run.clock.axis(run.last_s) for run in self.runs)

    @property
    def watched_s(self) -> float:
        """Return how much of that was recorded."""
        return sum(self.tally.watched_s.values())

    @cached_property
    def zones(self) -> list[str]:
        """Return the names of zones."""
        zones = {name for run in self.runs for name in run.zones}
        return [name for name in self.tally.names if name in zones]

    @cached_property
    def lines(self) -> list[str]:
        """Return the names of lines, and of whatever else counts by directions."""
        zones = {name for run in self.runs for name in run.zones}
        return [name for name in self.tally.names if name not in zones]

    @property
    def doubtful(self) -> tuple[int, int]:
        """Return how many crossings of lines are doubtful, of how many."""
        lines = set(self.lines)
        rows = [row for row in self.tally.rows if row.name in lines]
        return sum(row.doubtful for row in rows), sum(row.count for row in rows)

    def peak(self, name: str, ways: Collection[str] | None = None, *, movements: bool = False) -> Peak | None:
        """Return the peak hour of a line or of a junction, of some directions or of all together."""
        quarters = self.movement_quarters if movements else self.quarters
        if quarters is None:
            return None
        volumes: Counter[float] = Counter()
        for way in quarters.names.get(name, ()) if ways is None else ways:
            for row in quarters.by_way.get((name, way), ()):
                volumes[row.start_s] += row.count
        return peak_hour(volumes, quarters.watched_s)


def gather(
    paths: Sequence[Path],
    *,
    title: str | None = None,
    interval_s: float | None = None,
    began: datetime | None = None,
    truth: Path | None = None,
    frame_at: FrameAt | None = None,
) -> Report:
    """Read what runs left and count it; raises ``InputError`` for what cannot be one report.

    ``frame_at`` returns pictures of the recording where there is one: for the empty scene and thumbnails.
    """
    found = find(paths)
    if began is not None and len(found) > 1:
        raise InputError(f"--began is when one recording began, and these are {len(found)} runs; report one")
    runs = sorted((read(files, began) for files in found), key=lambda run: run.clock.axis(run.first_s))
    _fit_together(runs)
    counts = tally(runs, interval_s)
    fine = max((run.every_s for run in runs), default=0.0) <= QUARTER_S
    zones = sorted({name for run in runs if run.has_events for name in run.zones})
    first = runs[0]
    return Report(
        title=title or _title(runs),
        runs=tuple(runs),
        tally=counts,
        quarters=tally(runs, QUARTER_S) if fine else None,
        movements=tally(runs, counts.interval_s, movements=True),
        movement_quarters=tally(runs, QUARTER_S, movements=True),
        stays={name: stays_of(runs, name) for name in zones},
        junctions=tuple(junctions_of(runs)),
        routes=routes_of(runs),
        speeds=tuple(speeds_of(runs)),
        checks=None if truth is None else tuple(compare(truth, runs, counts)),
        pictures=tuple(left(runs)),
        scene=None if frame_at is None else empty_scene(first, frame_at),
        thumbnails=() if frame_at is None else tuple(thumbnails(first, frame_at)),
    )


def _title(runs: Sequence[Recording]) -> str:
    names = list(dict.fromkeys(run.name for run in runs))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _fit_together(runs: Sequence[Recording]) -> None:
    """Refuse runs that cannot stand on one axis, and what would be counted twice."""
    if len(runs) < 2:
        return
    for run in runs:
        if not run.clock.is_wall:
            raise InputError(
                f"{run.path}: nothing tells when {run.name} was recorded, and several runs need one clock "
                "and its time zone; report it alone, or with --began"
            )
    for one, two in pairwise(runs):
        both = sorted(one.shapes.ways.keys() & two.shapes.ways.keys())
        if both and one.clock.axis(one.last_s) > two.clock.axis(two.first_s):
            raise InputError(
                f"{two.path}: is of the same time as {one.path.name}, and both count at {both[0]!r}; "
                "leave one out, or give each camera's lines names of their own"
            )
