"""The lines that a run writes as tables of typed columns, the same in every file of an archive."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker.sinks import counts, csv_table, movements
from tracker.sinks.detections import library
from tracker.sinks.shape_text import COLUMNS as SHAPE_COLUMNS
from tracker.types import Json, Scene

if TYPE_CHECKING:  # importing it takes its time
    import polars

UNDATED = "__HIVE_DEFAULT_PARTITION__"  # what readers of such folders take for a day that is not known
WHOLE = ("frame", "class_id", "tracker_id", "track_id", "count", "doubtful")
REAL = (
    *("time_s", "start_s", "end_s", "x_min", "y_min", "x_max", "y_max", "confidence"),
    *("x", "y", "w", "h", "angle"),
)
EVENT = ("frame", "time_s", "wall_time", "kind", "name", "direction", "track_id", "class_id", "class", "data")
WALL = "%Y-%m-%dT%H:%M:%S%.f%:z"  # ISO 8601 with offset, as events and counts tell it
DAY = 10  # letters of it
EVENTS = 100_000  # that are in memory at once
Days = Mapping[str, float]  # day -> seconds of the camera's time


def days(scene: Scene, first_s: float, last_s: float) -> dict[str, float]:
    """Return the days between two times of a camera, where it was recorded, with the times they begin at.

    >>> scene = Scene("gate", (9, 9), 25.0, False, {}, start_wall=86390.0, utc_offset_s=0.0)
    >>> days(scene, 0.0, 20.0)
    {'1970-01-01': -inf, '1970-01-02': 10.0}
    >>> days(Scene("gate", (9, 9), 25.0, False, {}), 0.0, 9.0)
    {'__HIVE_DEFAULT_PARTITION__': -inf}
    """
    first, last = scene.wall(first_s), scene.wall(last_s)
    if first is None or last is None or scene.start_wall is None:
        return {UNDATED: -math.inf}
    count = (last.date() - first.date()).days + 1
    dates = [first.date() + timedelta(days=number) for number in range(count)]
    starts = [-math.inf, *(round(_midnight(scene, day) - scene.start_wall, 6) for day in dates[1:])]
    return {day.isoformat(): start for day, start in zip(dates, starts, strict=True)}


def _midnight(scene: Scene, day: date) -> float:
    """Return the Unix time at which a day begins where a scene was recorded."""
    zone = None if scene.utc_offset_s is None else timezone(timedelta(seconds=scene.utc_offset_s))
    return datetime.combine(day, time.min, zone).timestamp()


def table(kind: str, path: Path, scene: Scene, spans: Days, folder: Path) -> polars.LazyFrame:
    """Return the rows of what a run wrote, in order, each with the ``day`` to which it belongs.

    ``kind`` is "tracks", "events", "counts" or "movements"; ``folder`` may hold files for as long as the
    table is read. What tells a moment is a time of UTC, and empty where the clock's time is not known.
    """
    pl = library()
    if kind == "events":
        return _dated(_events(path, folder), "wall_time")
    if kind == "counts":
        return _dated(_read(path, counts.COLUMNS), "start")
    if kind == "movements":
        return _movements(_read(path, movements.COLUMNS), scene)
    rows = _read(path, (*csv_table.COLUMNS, *SHAPE_COLUMNS[scene.kind]))
    day = pl.lit(next(iter(spans)))
    for name, start in [*spans.items()][1:]:
        day = pl.when(pl.col("time_s") >= start).then(pl.lit(name)).otherwise(day)
    wall = pl.lit(None, pl.Int64)
    if scene.start_wall is not None:
        wall = ((pl.col("time_s") + scene.start_wall) * 1e6).round().cast(pl.Int64)
    wall = wall.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return rows.with_columns(wall.alias("wall_time"), day.alias("day"))


def _read(path: Path, columns: Sequence[str]) -> polars.LazyFrame:
    return library().scan_csv(path, schema=_types(columns), glob=False)  # type: ignore[no-any-return]


def _types(columns: Iterable[str]) -> dict[str, Any]:
    pl = library()
    types = {**dict.fromkeys(WHOLE, pl.Int64), **dict.fromkeys(REAL, pl.Float64)}
    return {name: types.get(name, pl.String) for name in columns}


def _dated(rows: polars.LazyFrame, name: str) -> polars.LazyFrame:
    """Make a time of UTC of a column of text, and the day of its first letters, which is the local one."""
    pl = library()
    day = pl.col(name).str.slice(0, DAY).fill_null(UNDATED)
    return rows.with_columns(_moment(name), day.alias("day"))


def _moment(name: str) -> polars.Expr:
    return library().col(name).str.to_datetime(WALL, time_unit="us", time_zone="UTC")  # type: ignore[no-any-return]


def _movements(rows: polars.LazyFrame, scene: Scene) -> polars.LazyFrame:
    """Tell seconds and moments of what has either, so that all files have the same columns."""
    pl = library()
    names = [name for name in movements.COLUMNS if name not in ("start", "end")]
    order = ("start_s", "end_s", "start", "end", *names, "day")
    if scene.start_wall is None:
        seconds = [pl.col(name).cast(pl.Float64).alias(f"{name}_s") for name in ("start", "end")]
        never = pl.lit(None, pl.Datetime("us")).dt.replace_time_zone("UTC")
        rows = rows.with_columns(seconds).with_columns(
            never.alias("start"), never.alias("end"), pl.lit(UNDATED).alias("day")
        )
        return rows.select(order)
    rows = _dated(rows.with_columns(_moment("end")), "start")
    seconds = [
        (pl.col(name).dt.epoch("us") / 1e6 - scene.start_wall).round(3).alias(f"{name}_s")
        for name in ("start", "end")
    ]
    return rows.with_columns(seconds).select(order)


def _events(path: Path, folder: Path) -> polars.LazyFrame:
    """Return events as rows; what only some kinds of them tell is JSON, in ``data``."""
    pl = library()
    schema = _types(EVENT)
    parts: list[Path] = []
    with path.open(encoding="utf-8") as lines:
        while True:
            some = [_event(json.loads(line)) for line in islice(lines, EVENTS)]
            if some or not parts:
                parts.append(folder / f"events-{len(parts)}.parquet")
                pl.DataFrame(some, schema=schema, orient="row").write_parquet(parts[-1])
            if len(some) < EVENTS:
                return pl.scan_parquet(parts, glob=False)  # type: ignore[no-any-return]


def _event(told: dict[str, Json]) -> list[Json]:
    row = [told.pop(name, None) for name in EVENT[:-1]]
    return [*row, json.dumps(told, ensure_ascii=False)]
