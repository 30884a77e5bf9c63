"""The tables of a camera in the store: a file for each day, under ``tracks/camera=NAME/day=YYYY-MM-DD``."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from tracker.archive.store import Store
from tracker.types import Scene

UNDATED = "__HIVE_DEFAULT_PARTITION__"  # what readers of such folders take for a day that is not known
FILES = {
    "tracks": "tracks.csv",
    "events": "events.jsonl",
    "counts": "counts.csv",
    "movements": "movements.csv",
}
TIMES = {"tracks": 1, "counts": 0, "movements": 0}  # column of the time in seconds


def publish(store: Store, folder: Path, key: str, scene: Scene, span: tuple[float, float]) -> list[str]:
    """Put the tables of a run, which are in ``folder``, into the store; return their names.

    ``span`` are the times of the first and the last frame. The lines of a table keep their order; each day's
    file of a CSV table has the line of names. Days of an earlier run that are not there any more go away.
    """
    days = _day(scene, span[0]), _day(scene, span[1])
    written = []
    for kind, name in FILES.items():
        path = folder / name
        if not path.is_file():
            continue
        parts = {days[0]: path}
        if days[0] != days[1]:
            parts = _split(path, kind, folder / f"{kind}-days", lambda time: _day(scene, time))
        for day, part in parts.items():
            goal = f"{kind}/camera={key}/day={day}/{name}"
            store.put(part, goal)
            written.append(goal)
    withdraw(store, key, keep=written)
    return written


def withdraw(store: Store, key: str, keep: list[str] | None = None) -> None:
    """Remove the tables of a camera, but those to keep."""
    kept = {*(keep or ())}
    for kind in FILES:
        for name in store.below(f"{kind}/camera={key}"):
            if name not in kept:
                store.delete(name)


def _day(scene: Scene, time: float) -> str:
    wall = scene.wall(time)
    return UNDATED if wall is None else wall.date().isoformat()


def _split(path: Path, kind: str, folder: Path, day_of: Callable[[float], str]) -> dict[str, Path]:
    """Write the lines of a table into a file for each day; return these by day."""
    folder.mkdir()
    found: dict[str, Path] = {}
    open_now: tuple[str, TextIO] | None = None
    try:
        with path.open(encoding="utf-8", newline="") as table:
            header = table.readline() if kind in TIMES else ""
            for time, line in _timed(table, kind):
                day = day_of(time)
                if open_now is None or open_now[0] != day:
                    if open_now is not None:
                        open_now[1].close()
                    new = day not in found
                    part = found.setdefault(day, folder / f"{day}{path.suffix}")
                    open_now = day, part.open("a", encoding="utf-8", newline="")
                    if new:
                        open_now[1].write(header)
                open_now[1].write(line)
    finally:
        if open_now is not None:
            open_now[1].close()
    return found


def _timed(table: TextIO, kind: str) -> Iterator[tuple[float, str]]:
    """Yield the lines with the seconds that they tell; no cell of ours holds a line end."""
    for line in table:
        if kind in TIMES:
            yield float(next(csv.reader([line]))[TIMES[kind]]), line
        else:
            yield float(json.loads(line)["time_s"]), line
