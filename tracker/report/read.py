"""From files to a run: each is read once, and what does not belong together is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from sys import intern

from tracker.report.clock import Clock, wall_of
from tracker.report.files import Files, record_of
from tracker.report.recording import GAP_S, Count, Entry, Recording
from tracker.report.renames import CHANGED, followed, told_shapes
from tracker.report.tables import compare, counts_table, take_tracks
from tracker.text import harmless
from tracker.types import InputError, Json

ZONE_WAYS = {"enter", "exit"}  # by which a table of counts tells a zone
MOVEMENTS = ("movement", "movement.incomplete")
UNCOUNTED = ("movement", "source", "shape")  # kinds whose name is none of a line or zone where one counts
UNSEEN = "?"  # where somebody came from or went to unseen
KNOWN = ("frame", "time_s", "wall_time", "kind", "name", "direction", "track_id", "class_id", "class")


def read(files: Files, began: datetime | None = None) -> Recording:
    """Read what a run left; raises ``InputError`` naming file and line.

    ``began`` is the clock's time at frame time 0, where the files do not tell.
    """
    run = Recording(files.first, pictures=list(files.pictures), notes=list(files.notes))
    if files.record is not None:
        _take_record(run, record_of(files.record))
    if files.events is not None:
        for row in _json_lines(files.events, run, ("kind", "time_s")):
            run.entries.append(_entry(row))
            _learn_clock(run, row, files.events)
    elif files.frames is not None:
        run.entries = list(_of_frames(files.frames, run))
    run.has_events = files.events is not None or files.frames is not None
    if files.tracks is not None:
        take_tracks(run, files.tracks)
    table = list(counts_table(files.counts, run)) if files.counts is not None else []
    told = [_count(entry) for entry in run.entries if _is_counted(entry)]
    if run.has_events and files.counts is not None:
        compare(run, told, table, files.counts)
    if run.record:
        _check_record(run)
    _follow_names(run)
    told = [_count(entry) for entry in run.entries if _is_counted(entry)]
    run.shapes.take(told if run.has_events else table)
    _take_movements(run)
    _take_source(run)
    for entry in run.entries:
        run.see(entry.time_s)
        if entry.kind.startswith("zone.") and entry.name is not None:
            run.zones.add(entry.name)
        for key in ("since_s", "start_s"):
            if isinstance(entry.data.get(key), int | float):
                run.see(float(entry.data[key]))
    run.zones |= {name for name, ways in run.shapes.ways.items() if ways.keys() >= ZONE_WAYS}
    if began is not None:
        run.clock = Clock.of(began, 0.0)
    if not run.entries and not run.shapes.ways and not run.record.get("objects"):
        raise InputError(f"{run.path}: no events and no counts; give what --events or --counts wrote, too")
    if run.first_s > run.last_s:
        run.see(0.0)
    return run


def _take_record(run: Recording, record: Mapping[str, Json]) -> None:
    run.record = record
    for shape in record.get("shapes", ()):
        name = harmless(str(shape["name"]))
        run.shapes.expect(name, map(harmless, shape["directions"]), map(harmless, shape["classes"]))
        if shape["kind"] == "zone":
            run.zones.add(name)
    if record.get("began"):
        run.clock = Clock.of(wall_of(record["began"], f"{run.path}: began"), float(record["began_s"]))
    if record.get("first_s") is not None:
        run.see(float(record["first_s"]), float(record["last_s"]))
    run.gaps += [(float(a), float(b)) for a, b in record.get("gaps", ())]
    run.interval_s = record.get("interval_s")
    for junction in record.get("movements", ()):
        sections = [harmless(str(each)) for each in junction["sections"]]
        pairs = [f"{a} > {b}" for a in sections for b in sections]
        run.movements.expect(
            harmless(str(junction["name"])), pairs, map(harmless, junction.get("classes", ()))
        )
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
                    run.is_cut = True
                    run.notes.append(f"{path.name} ends in the middle of line {number}: the run was killed")
                    return
                expected = " and ".join(map(repr, needed))
                raise InputError(f"{path}:{number}: is no JSON object with {expected}") from None
            yield row


def _entry(row: Mapping[str, Json]) -> Entry:
    """Return an event; the words that all have in common are kept once: there may be a month of them."""
    name, known = row.get("name"), row.get("class")
    return Entry(
        time_s=float(row["time_s"]),
        frame=int(row.get("frame") or 0),
        kind=intern(str(row["kind"])),
        name=None if name is None else intern(harmless(str(name))),
        direction=row.get("direction"),
        track_id=row.get("track_id"),
        class_name=intern(harmless(str(row.get("class_id") if known is None else known))),
        data={intern(key): value for key, value in row.items() if key not in KNOWN},
    )


def _learn_clock(run: Recording, row: Mapping[str, Json], path: Path) -> None:
    """Set the clock by the first event that tells the time of day."""
    if row.get("wall_time") and not run.clock.is_wall:
        run.clock = Clock.of(wall_of(str(row["wall_time"]), f"{path}: wall_time"), float(row["time_s"]))


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


def _is_counted(entry: Entry) -> bool:
    return entry.name is not None and entry.kind.partition(".")[0] not in UNCOUNTED


def _follow_names(run: Recording) -> None:
    """Call lines and zones by their newest names."""
    run.entries, gone = followed(run.entries)
    for name in gone:  # it would have a row of zeros
        run.shapes.ways.pop(name, None)
        run.shapes.classes.pop(name, None)
        run.zones.discard(name)


def _count(entry: Entry) -> Count:
    return Count(entry.time_s, str(entry.name), entry.way, entry.class_name, 1, int(entry.doubtful))


def _movement(entry: Entry) -> Count:
    """Return a movement as a count: when it came in or, where nobody saw that, left."""
    since, left = entry.data.get("since_s"), entry.data.get("left_s")
    when = next((float(each) for each in (since, left) if each is not None), entry.time_s)
    name = harmless(str(entry.data.get("movement", "junction")))
    return Count(when, name, way_of(entry), entry.class_name, 1, int(entry.doubtful))


def _take_movements(run: Recording) -> None:
    """Count movements; every way between two sections that anybody used is one, also where nobody took it."""
    seen = [_movement(entry) for entry in run.entries if entry.kind in MOVEMENTS]
    for name in sorted({one.name for one in seen} - run.movements.ways.keys()):
        used = {end for one in seen if one.name == name for end in one.direction.split(" > ")} - {UNSEEN}
        run.movements.expect(name, (f"{a} > {b}" for a in sorted(used) for b in sorted(used) if a != b))
    run.movements.take(seen)


def way_of(entry: Entry) -> str:
    """Return from where to where a movement led; what nobody saw is "?"."""
    ends = (harmless(str(entry.data.get(end) or UNSEEN)) for end in ("from", "to"))
    return " > ".join(ends)


def _check_record(run: Recording) -> None:
    """Refuse events that the run does not know of."""
    record, path = run.record, run.path
    shapes = {harmless(str(shape["name"])) for shape in record.get("shapes", ())}
    for entry in run.entries:  # and those that were drawn, renamed or removed while it went on
        if entry.kind == CHANGED:
            shapes |= {shape.name for shape in told_shapes(entry) if shape is not None}
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
