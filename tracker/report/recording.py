"""One run as its files tell of it: what happened when, how long it was watched, what it says of itself."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from tracker.offline.track_rows import TrackRows
from tracker.report.clock import Clock, wall_of
from tracker.report.files import Files, record_of
from tracker.text import cell_read, harmless
from tracker.types import InputError, Json

GAP_S = 2.0  # two frames further apart are a gap of the recording
ZONE_WAYS = {"enter", "exit"}  # by which a table of counts tells a zone
UNCOUNTED = ("movement", "source")  # kinds whose name is none of a line or zone
KNOWN = ("frame", "time_s", "wall_time", "kind", "name", "direction", "track_id", "class_id", "class")


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
class Recording:
    """One run. Times are frame times, in seconds; ``clock`` puts them on the axis of the report."""

    path: Path  # that stands for it
    record: Mapping[str, Json] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    counted: dict[str, dict[str, None]] = field(default_factory=dict)  # line or zone -> directions, in order
    classes: dict[str, set[str]] = field(default_factory=dict)  # line or zone -> classes
    zones: set[str] = field(default_factory=set)  # which of them are zones
    every_s: float = 0.0  # of --counts, where nothing else was left; 0: single events
    interval_s: float | None = None  # that the run was asked to count by
    first_s: float = float("inf")
    last_s: float = float("-inf")
    gaps: list[tuple[float, float]] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    notes: list[str] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    has_events: bool = False

    @property
    def name(self) -> str:
        """Return what the source is called."""
        return str(self.record.get("source") or self.path.stem)

    def see(self, *times: float) -> None:
        """Learn that it was watched at these times."""
        self.first_s, self.last_s = min(self.first_s, *times), max(self.last_s, *times)


def read(files: Files, began: datetime | None = None) -> Recording:
    """Read what a run left; raises ``InputError`` naming file and line.

    ``began`` is the clock's time at frame time 0, where the files do not tell.
    """
    run = Recording(files.first, pictures=list(files.pictures), notes=list(files.notes))
    if files.record is not None:
        _take_record(run, record_of(files.record))
    if files.events is not None:
        rows = list(_json_lines(files.events, run, ("kind", "time_s")))
        run.entries = [_entry(row) for row in rows]
        _learn_clock(run, rows, files.events)
    elif files.frames is not None:
        run.entries = list(_of_frames(files.frames, run))
    run.has_events = files.events is not None or files.frames is not None
    if files.tracks is not None:
        _take_tracks(run, files.tracks)
    table = list(_table(files.counts, run)) if files.counts is not None else []
    run.counts = [_count(entry) for entry in run.entries if _is_counted(entry)]
    if not run.has_events:
        run.counts = table
    elif files.counts is not None:
        _compare(run, table, files.counts)
    _take_source(run)
    for one in run.counts:
        run.counted.setdefault(one.name, {}).setdefault(one.direction)
        run.classes.setdefault(one.name, set()).add(one.class_name)
    for entry in run.entries:
        run.see(entry.time_s)
        if entry.kind.startswith("zone.") and entry.name is not None:
            run.zones.add(entry.name)
        for key in ("since_s", "start_s"):
            if isinstance(entry.data.get(key), int | float):
                run.see(float(entry.data[key]))
    run.zones |= {name for name, ways in run.counted.items() if ways.keys() >= ZONE_WAYS}
    if began is not None:
        run.clock = Clock.of(began, 0.0)
    if not run.entries and not run.counted and not run.record.get("objects"):
        raise InputError(f"{run.path}: no events and no counts; give what --events or --counts wrote, too")
    if run.record:
        _check_record(run)
    if run.first_s > run.last_s:
        run.see(0.0)
    return run


def _take_record(run: Recording, record: Mapping[str, Json]) -> None:
    run.record = record
    for shape in record.get("shapes", ()):
        name = harmless(str(shape["name"]))
        run.counted.setdefault(name, {}).update(dict.fromkeys(map(harmless, shape["directions"])))
        run.classes.setdefault(name, set()).update(map(harmless, shape["classes"]))
        if shape["kind"] == "zone":
            run.zones.add(name)
    if record.get("began"):
        run.clock = Clock.of(wall_of(record["began"], f"{run.path}: began"), float(record["began_s"]))
    if record.get("first_s") is not None:
        run.see(float(record["first_s"]), float(record["last_s"]))
    run.gaps += [(float(a), float(b)) for a, b in record.get("gaps", ())]
    run.interval_s = record.get("interval_s")
    if not record.get("ended"):
        run.notes.append(
            "the run did not end in order: it was killed, or goes on; this is what it had written"
        )


def _json_lines(path: Path, run: Recording, needed: tuple[str, ...]) -> Iterator[dict[str, Json]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                if not isinstance(row, dict) or any(key not in row for key in needed):
                    raise ValueError
                float(row.get("time_s", 0))
            except (ValueError, TypeError):
                if not line.endswith(b"\n"):
                    run.notes.append(f"{path.name} ends in the middle of line {number}: the run was killed")
                    return
                expected = " and ".join(map(repr, needed))
                raise InputError(f"{path}:{number}: is no JSON object with {expected}") from None
            yield row


def _entry(row: Mapping[str, Json]) -> Entry:
    name, known = row.get("name"), row.get("class")
    return Entry(
        time_s=float(row["time_s"]),
        frame=int(row.get("frame") or 0),
        kind=str(row["kind"]),
        name=None if name is None else harmless(str(name)),
        direction=row.get("direction"),
        track_id=row.get("track_id"),
        class_name=harmless(str(row.get("class_id") if known is None else known)),
        data={key: value for key, value in row.items() if key not in KNOWN},
    )


def _learn_clock(run: Recording, rows: list[dict[str, Json]], path: Path) -> None:
    if run.clock.is_wall:
        return
    for row in rows:
        if row.get("wall_time"):
            run.clock = Clock.of(wall_of(str(row["wall_time"]), f"{path}: wall_time"), float(row["time_s"]))
            return


def _of_frames(path: Path, run: Recording) -> Iterator[Entry]:
    before: float | None = None
    for row in _json_lines(path, run, ("tracks", "events")):
        if "time_s" in row:
            now = float(row["time_s"])
            run.see(now)
            if before is not None and now - before > GAP_S:
                run.gaps.append((before, now))
            before = now
        for event in row["events"]:
            data = dict(event.get("data", {}))
            name = data.pop("line", data.pop("zone", data.get("name")))
            told = {
                "name": name,
                "direction": data.pop("direction", None),
                "class": data.pop("class_name", None),
            }
            yield _entry({**data, **event, **told, **({"name": data["name"]} if "name" in data else {})})


def _take_tracks(run: Recording, path: Path) -> None:
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


def _table(path: Path, run: Recording) -> Iterator[Count]:
    """Read what ``--counts`` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        starts: set[float] = set()
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
            run.counted.setdefault(name, {}).setdefault(direction)
            if class_name:
                run.classes.setdefault(name, set()).add(class_name)
            starts.add(start)
            if len(starts) > 1:
                run.interval_s = end - start
            run.see(
                max(start, min(run.first_s, 0.0)), end
            )  # an interval on the round begins before a file does
            if not run.has_events:
                run.every_s = max(run.every_s, end - start)
            if many:
                yield Count(start, name, direction, class_name, many, doubtful)


def _is_counted(entry: Entry) -> bool:
    return entry.name is not None and entry.kind.partition(".")[0] not in UNCOUNTED


def _count(entry: Entry) -> Count:
    return Count(entry.time_s, str(entry.name), entry.way, entry.class_name, 1, int(entry.doubtful))


def _compare(run: Recording, table: list[Count], path: Path) -> None:
    """Refuse counts that are not of these events; a killed run has not written its last interval."""
    told, written = _totals(run.counts), _totals(table)
    for key, count in sorted(written.items()):
        if count > told[key]:
            raise InputError(
                f"{path}: counts {count} of {' '.join(key)}, but {run.path.name} has {told[key]}; "
                "these are of two runs"
            )
    missing = sum(told.values()) - sum(written.values())
    if missing:
        run.notes.append(
            f"{path.name} lacks {missing} events that {run.path.name} has; the events are counted"
        )


def _totals(counts: list[Count]) -> Counter[tuple[str, str, str]]:
    totals: Counter[tuple[str, str, str]] = Counter()
    for one in counts:
        totals[one.name, one.direction, one.class_name] += one.count
    return totals


def _check_record(run: Recording) -> None:
    """Refuse events that the run does not know of."""
    record, path = run.record, run.path
    shapes = {harmless(str(shape["name"])) for shape in record.get("shapes", ())}
    for entry in run.entries:
        if (
            entry.kind.partition(".")[0] in ("line", "zone")
            and entry.name not in shapes
            and "shapes" in record
        ):
            raise InputError(
                f"{path}: tells of {entry.name!r}, which is no line or zone of the run that "
                f"{record.get('source')} was; these are events of another run"
            )
    many = record.get("events")
    if run.has_events and record.get("ended") and many is not None and many != len(run.entries):
        raise InputError(
            f"{path}: has {len(run.entries)} events, but the run of {record.get('source')} wrote {many}; "
            "these are events of another run, or some are missing"
        )


def _take_source(run: Recording) -> None:
    """Take what happened to the source, and what overlaps, together."""
    lost: float | None = None
    for entry in run.entries:
        if entry.kind == "source.lost":
            lost = entry.time_s if lost is None else lost
        elif entry.kind == "source.back":
            since = entry.time_s - float(entry.data.get("gap_s", 0.0)) if lost is None else lost
            run.gaps.append((since, entry.time_s))
            lost = None
    merged: list[tuple[float, float]] = []
    for start, end in sorted(run.gaps):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    run.gaps = merged
