"""The tables of a camera in the store: Parquet, a file for each day, ``tracks/camera=KEY/day=YYYY-MM-DD``."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tracker.archive import typed
from tracker.archive.store import Store
from tracker.sinks.detections import ROW_GROUP, library
from tracker.types import Json, Scene

# What a run writes, and what of it is in the archive.
WRITTEN = {
    "tracks": "tracks.csv",
    "events": "events.jsonl",
    "counts": "counts.csv",
    "movements": "movements.csv",
}
NAMED = ("tracks", "counts", "movements")  # whose first line tells the columns
BLOCK = 1 << 20
LINES = "csv"  # folder of the very lines that plain `track` writes, with --csv


@dataclass(frozen=True)
class Rows:
    """The rows of one day's table."""

    lasting: int  # so many have been written when the last frame was through; others say that the run ends
    all: int


NO_ROWS = Rows(0, 0)


@dataclass
class Stored:
    """What is stored of the tables of a camera, so that a later run can go on behind it."""

    rows: dict[str, dict[str, Rows]] = field(default_factory=dict)  # kind -> day -> rows
    lines: dict[str, int] = field(default_factory=dict)  # kind -> lasting bytes of what a run writes

    def to_json(self) -> Json:
        """Return it for a record."""
        rows = {
            kind: {day: [each.lasting, each.all] for day, each in days.items()}
            for kind, days in self.rows.items()
        }
        return {"rows": rows, "lines": self.lines}

    @classmethod
    def from_json(cls, told: Mapping[str, Json]) -> Stored:
        """Read what `to_json` returned."""
        rows = {
            kind: {day: Rows(*map(int, each)) for day, each in days.items()}
            for kind, days in told["rows"].items()
        }
        return cls(rows, dict(told["lines"]))


def name_of(kind: str, key: str, day: str) -> str:
    """Return the name of a table in the store.

    >>> name_of("tracks", "gate", "2026-03-01")
    'tracks/camera=gate/day=2026-03-01/tracks.parquet'
    """
    return f"{kind}/camera={key}/day={day}/{kind}.parquet"


class Publisher:
    """Puts the tables of a run, which are in ``folder``, into the store.

    ``before`` is what an earlier run has stored, behind whose lasting rows those of this run belong;
    ``lasting`` tells how many bytes of each table were written when the last frame was through.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        key: str,
        scene: Scene,
        before: Stored | None = None,
        lasting: Mapping[str, int] | None = None,
    ) -> None:
        self._store, self._folder, self._key, self._scene = store, folder, key, scene
        self._before, self._lasting = before or Stored(), lasting or {}
        self.names: list[str] = []  # of everything that is stored of this camera's tables
        self.stored = Stored()

    def publish(self, span: tuple[float, float], *, lines: bool) -> None:
        """Store everything; what is there besides goes away.

        ``span`` are the times of the first and the last frame of this run; ``lines``: what the run wrote
        is stored as it is, too.
        """
        days = typed.days(self._scene, *span)
        for kind, name in WRITTEN.items():
            path = self._folder / name
            if path.is_file():
                self._publish(kind, path, days)
                if lines:
                    self._keep_lines(kind, path)
        withdraw(self._store, self._key, keep=self.names)

    def _publish(self, kind: str, path: Path, days: typed.Days) -> None:
        pl = library()
        table = typed.table(kind, path, self._scene, days, self._folder)
        lasting = _lines(path, self._lasting.get(kind, 0), kind)
        counted = (
            table.with_row_index("row")
            .group_by("day")
            .agg(pl.len().alias("all"), (pl.col("row") < lasting).sum().alias("lasting"))
        )
        new = {day: Rows(some, every) for day, every, some in counted.collect().iter_rows()}
        old = self._before.rows.get(kind, {})
        rows = self.stored.rows[kind] = {}
        for day in sorted({*new, *old, *self.stored.rows["tracks"]}):  # a table for each day of tracks
            there, more = old.get(day, NO_ROWS), new.get(day, NO_ROWS)
            goal = name_of(kind, self._key, day)
            self.names.append(goal)
            rows[day] = Rows(there.lasting + more.lasting, there.lasting + more.all)
            if day in old and there.lasting == there.all and not more.all:
                continue
            with ExitStack() as stack:
                parts = [table.filter(pl.col("day") == day).drop("day")]
                if there.lasting:
                    known = stack.enter_context(self._store.local(goal))
                    parts.insert(
                        0, pl.scan_parquet(known, glob=False, hive_partitioning=False).head(there.lasting)
                    )
                part = self._folder / "table.parquet"
                pl.concat(parts).sink_parquet(part, row_group_size=ROW_GROUP, maintain_order=True)
                self._store.put(part, goal)

    def _keep_lines(self, kind: str, path: Path) -> None:
        """Store what the run wrote, behind what lasts of an earlier one."""
        goal = f"{LINES}/camera={self._key}/{WRITTEN[kind]}"
        self.names.append(goal)
        kept, lasting = self._before.lines.get(kind, 0), self._lasting.get(kind, 0)
        if kept:
            joined = self._folder / f"joined-{path.name}"
            with self._store.local(goal) as known, joined.open("wb") as whole, path.open("rb") as new:
                with known.open("rb") as old:
                    shutil.copyfileobj(old, whole)
                whole.truncate(kept)
                whole.seek(kept)
                header = len(new.readline()) if kind in NAMED else 0
                new.seek(header)
                shutil.copyfileobj(new, whole)
            path, lasting = joined, kept + lasting - header
        self.stored.lines[kind] = lasting
        self._store.put(path, goal)


def withdraw(store: Store, key: str, keep: Collection[str] = ()) -> None:
    """Remove the tables of a camera, but those to keep."""
    for kind in (*WRITTEN, LINES):
        for name in store.below(f"{kind}/camera={key}"):
            if name not in keep:
                store.delete(name)


def _lines(path: Path, size: int, kind: str) -> int:
    """Return how many rows the first bytes of a table hold; no cell of ours holds a line end."""
    count, left = 0, size
    with path.open("rb") as table:
        while left and (data := table.read(min(left, BLOCK))):
            count, left = count + data.count(b"\n"), left - len(data)
    return max(count - (kind in NAMED), 0)
