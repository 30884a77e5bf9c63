"""The tables that a run leaves beside its events: tracks, and counts by interval."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tracker.offline.track_rows import TrackRows
from tracker.report.clock import Clock, wall_of
from tracker.report.recording import GAP_S, Count, Recording
from tracker.text import cell_read
from tracker.types import InputError


def take_tracks(run: Recording, path: Path) -> None:
    """Learn from tracks when it was recorded, and who was followed; refuse those of another run."""
    rows = TrackRows(path)
    classes: dict[int, int] = {}
    before: float | None = None
    for block in rows.blocks():
        if not rows.times:
            return
        times = block.time if before is None else np.concatenate([[before], block.time])
        run.see(float(times.min()), float(times.max()))
        at = np.flatnonzero(np.diff(times) > GAP_S)
        run.gaps += [(float(times[n]), float(times[n + 1])) for n in at.tolist()]
        before = float(times[-1])
        classes.update(zip(block.track_id.tolist(), block.class_id.tolist(), strict=True))
    known = {entry.track_id for entry in run.entries if entry.track_id is not None}
    strangers = known - classes.keys()
    if strangers:
        raise InputError(
            f"{path}: has no track {min(strangers)} that {run.path.name} tells of; these are of two runs"
        )
    if not run.record:
        objects = Counter(rows.names.get(class_id, str(class_id)) for class_id in classes.values())
        run.record = {"objects": dict(objects)}


def counts_table(path: Path, run: Recording) -> Iterator[Count]:
    """Read what ``--counts`` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        roughly, starts = run.first_s > run.last_s, set[float]()  # whether nothing told the time better
        for number, row in enumerate(csv.DictReader(file), 2):
            try:
                start, end = float(row["start_s"]), float(row["end_s"])
                many, doubtful = int(row["count"]), int(row.get("doubtful") or 0)
                name, direction = cell_read(row["name"]), cell_read(row["direction"])
                class_name = cell_read(row["class"])
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(f"{path}:{number}: is no row of --counts ({error})") from None
            if row.get("start") and not run.clock.is_wall:
                run.clock = Clock.of(wall_of(row["start"], f"{path}:{number}: start"), start)
            run.shapes.expect(name, (direction,), (class_name,) if class_name else ())
            starts.add(start)
            if len(starts) > 1:
                run.interval_s = end - start
            if roughly:  # an interval on the round begins before a file does, and ends after it
                run.see(max(start, 0.0), end)
            if not run.has_events:
                run.every_s = max(run.every_s, end - start)
            if many:
                yield Count(start, name, direction, class_name, many, doubtful)


def compare(run: Recording, counts: list[Count], table: list[Count], path: Path) -> None:
    """Refuse counts that are not of these events; a killed run has not written its last interval."""
    told, written = _totals(counts), _totals(table)
    more = written - told  # what only the table has
    if more.total() > run.is_cut:
        key = min(more)
        raise InputError(
            f"{path}: counts {written[key]} of {' '.join(key)}, but {run.path.name} has {told[key]}; "
            "these are of two runs"
        )
    missing = (told - written).total()
    if missing:
        run.notes.append(
            f"{path.name} lacks {missing} events that {run.path.name} has; the events are counted"
        )


def _totals(counts: list[Count]) -> Counter[tuple[str, str, str]]:
    totals: Counter[tuple[str, str, str]] = Counter()
    for one in counts:
        totals[one.name, one.direction, one.class_name] += one.count
    return totals
