"""What was counted, for hours, days and weeks: events and minutes in SQLite."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tracker.errors import OutputError
from tracker.sinks import output_file
from tracker.types import Json, to_json

EVENTS_S, MINUTES_S = 90 * 86400.0, 2 * 366 * 86400.0  # how long they are kept
CLEAN_EVERY_S = 3600.0
MOST_ROWS = 1000  # of an answer
MOST_STEPS = 5000
MOST_NUMBER = 2**63 - 1  # that SQLite has
FORMAT = 1
FILM_S = 1e8  # a time below is a second of a film, which does not grow old
TABLES = """
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, wall REAL NOT NULL, kind TEXT NOT NULL, name TEXT,
  direction TEXT, class TEXT, track_id INTEGER, why TEXT, row TEXT NOT NULL, frame INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS events_when ON events (source, wall);
CREATE TABLE IF NOT EXISTS minutes (
  source TEXT NOT NULL, minute INTEGER NOT NULL, name TEXT NOT NULL, direction TEXT NOT NULL,
  class TEXT NOT NULL, count INTEGER NOT NULL, doubtful INTEGER NOT NULL,
  PRIMARY KEY (source, minute, name, direction, class)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pictures (event INTEGER PRIMARY KEY, jpeg BLOB NOT NULL);
"""


class Happened(NamedTuple):
    """An event as it is kept; ``row`` is that of the event log."""

    wall: float  # Unix time
    frame: int
    counted_as: tuple[str, str, str] | None  # name, direction, class
    row: dict[str, Json]
    jpeg: bytes | None = None  # its picture


class History:
    """The events of all sources; used by any thread. ``path`` None: in memory, gone with the process.

    Raises ``OutputError`` for a file that cannot be opened or is none of ours, and whatever is asked for when
    the disk fails or somebody has damaged the file meanwhile.
    """

    def __init__(
        self, path: Path | None, *, keep_s: float = EVENTS_S, keep_minutes_s: float = MINUTES_S
    ) -> None:
        self.path, self._keep_s, self._keep_minutes_s = path, keep_s, keep_minutes_s
        self._lock = threading.Lock()
        self._cleaned = 0.0
        try:
            if path is not None:
                output_file.make_folder(path.parent)
            self._open = sqlite3.connect(path or ":memory:", check_same_thread=False, timeout=10)
        except sqlite3.Error as error:
            raise OutputError(f"{path}: cannot be opened as a history ({error}); give another -o") from error
        try:
            self._open.execute("PRAGMA journal_mode=WAL")
            self._open.execute("PRAGMA synchronous=NORMAL")
            version = self._open.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, FORMAT):
                raise OutputError(f"{path}: a history of another version of track; give another -o")
            self._open.executescript(TABLES)
            self._open.execute(f"PRAGMA user_version={FORMAT}")
            self._open.commit()
        except sqlite3.Error as error:
            self._open.close()
            raise OutputError(f"{path}: cannot be used as a history ({error}); give another -o") from error
        except OutputError:
            self._open.close()
            raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._open.close()

    def add(self, source: str, happened: Sequence[Happened]) -> list[int]:
        """Keep events, and count them into their minutes; return their numbers."""
        ids = []
        with self._writing() as database:
            for each in happened:
                row = each.row
                cursor = database.execute(
                    "INSERT INTO events"
                    " (source, wall, kind, name, direction, class, track_id, why, row, frame)"
                    " VALUES (?,?,?,?,?,?,?,?,?,?)",
                    (source, each.wall, row["kind"], row.get("name"), row.get("direction"), row.get("class"),
                     row.get("track_id"), row.get("why") and str(row["why"]),
                     json.dumps(row, default=to_json), each.frame),
                )  # fmt: skip
                ids.append(int(cursor.lastrowid or 0))
                if each.jpeg is not None:
                    database.execute("INSERT INTO pictures VALUES (?,?)", (ids[-1], each.jpeg))
                if each.counted_as is not None:
                    database.execute(
                        "INSERT INTO minutes VALUES (?,?,?,?,?,1,?) ON CONFLICT DO UPDATE"
                        " SET count = count + 1, doubtful = doubtful + excluded.doubtful",
                        (source, int(each.wall // 60), *each.counted_as, int("why" in row)),
                    )
        self._clean()
        return ids

    def picture(self, source: str, event: int) -> bytes | None:
        """Return the picture of an event, None where none was kept."""
        if event > MOST_NUMBER:
            return None
        rows = self._ask(
            "SELECT jpeg FROM pictures JOIN events ON events.id = pictures.event"
            " WHERE pictures.event = ? AND source = ?",
            (event, source),
        )
        return bytes(rows[0][0]) if rows else None

    def forget_after(self, source: str, wall: float) -> None:
        """Remove what is later: a run goes on from a state that was saved then, and tells it once more."""
        with self._writing() as database:
            gone = database.execute(
                "SELECT wall, name, direction, class, why, kind FROM events WHERE source = ? AND wall > ?",
                (source, wall),
            ).fetchall()
            less: Counter[tuple[int, str, str, str]] = Counter()
            doubtful: Counter[tuple[int, str, str, str]] = Counter()
            for when, name, direction, class_name, why, kind in gone:
                if name is None or kind == "shape.changed":
                    continue
                key = (int(when // 60), name, direction or kind.rpartition(".")[2], str(class_name))
                less[key] += 1
                doubtful[key] += why is not None
            for key, count in less.items():
                database.execute(
                    "UPDATE minutes SET count = count - ?, doubtful = doubtful - ?"
                    " WHERE source = ? AND minute = ? AND name = ? AND direction = ? AND class = ?",
                    (count, doubtful[key], source, *key),
                )
            database.execute("DELETE FROM minutes WHERE source = ? AND count <= 0", (source,))
            database.execute(
                "DELETE FROM pictures WHERE event IN (SELECT id FROM events WHERE source = ? AND wall > ?)",
                (source, wall),
            )
            database.execute("DELETE FROM events WHERE source = ? AND wall > ?", (source, wall))

    def counts(
        self, source: str, since: float, until: float, step: float, offset_s: float = 0.0
    ) -> list[dict[str, Json]]:
        """Return rows of start, name, direction, class, count, doubtful; steps of whole minutes.

        Steps begin at multiples of ``step`` of the local time, which is ``offset_s`` before UTC. Raises
        ``ValueError`` for more than ``MOST_STEPS`` of them.
        """
        minutes = max(round(step / 60), 1)
        if (until - since) / (60 * minutes) > MOST_STEPS:
            raise ValueError(f"more than {MOST_STEPS} steps; ask for a longer step or less time")
        shift = round(offset_s / 60)
        rows = self._ask(
            "SELECT ((minute + ?) / ?) * ? - ? AS start, name, direction, class, SUM(count), SUM(doubtful)"
            " FROM minutes WHERE source = ? AND minute >= ? AND minute < ?"
            " GROUP BY start, name, direction, class ORDER BY start, name, direction, class",
            (shift, minutes, minutes, shift, source, int(since // 60), -int(-until // 60)),
        )
        keys = ("start", "name", "direction", "class", "count", "doubtful")
        return [dict(zip(keys, (row[0] * 60, *row[1:]), strict=True)) for row in rows]

    def events(
        self, source: str, *, since: float | None = None, until: float | None = None,
        before: int | None = None, after: int | None = None, doubtful: bool = False, most: int = 200,
    ) -> list[dict[str, Json]]:  # fmt: skip
        """Return events, the newest first; ``before`` and ``after`` are numbers of events to read on from."""
        tests, values = ["source = ?"], [source]  # type: tuple[list[str], list[Json]]
        for test, value in (
            ("wall >= ?", since), ("wall < ?", until), ("events.id < ?", before), ("events.id > ?", after)
        ):  # fmt: skip
            if value is not None:
                tests.append(test)
                values.append(value)
        if doubtful:
            tests.append("why IS NOT NULL")
        rows = self._ask(
            "SELECT events.id, wall, row, pictures.event IS NOT NULL FROM events"
            " LEFT JOIN pictures ON pictures.event = events.id"
            f" WHERE {' AND '.join(tests)} ORDER BY events.id DESC LIMIT ?",
            (*values, min(max(most, 0), MOST_ROWS)),
        )
        try:
            return [
                {
                    **json.loads(row),
                    "id": number,
                    "wall": wall,
                    "picture": bool(picture),
                }  # not that of a shape
                for number, wall, row, picture in rows
            ]
        except (ValueError, TypeError) as error:
            raise self._unreadable(error) from error

    def _ask(self, question: str, values: Iterable[Json]) -> list[tuple[Json, ...]]:
        with self._lock:
            try:
                return self._open.execute(question, tuple(values)).fetchall()
            except sqlite3.Error as error:
                raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> OutputError:
        return OutputError(f"{self.path}: the history cannot be read ({error}); counting goes on")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                with self._open:
                    yield self._open
            except sqlite3.Error as error:
                raise OutputError(f"{self.path}: the history cannot be written ({error})") from error

    def _clean(self) -> None:
        now = time.time()
        if now - self._cleaned < CLEAN_EVERY_S:
            return
        self._cleaned = now
        old = "wall BETWEEN ? AND ?"
        span = (FILM_S, now - self._keep_s)
        minutes = (int(FILM_S // 60), int((now - self._keep_minutes_s) // 60))
        with self._writing() as database:
            database.execute(f"DELETE FROM pictures WHERE event IN (SELECT id FROM events WHERE {old})", span)
            database.execute(f"DELETE FROM events WHERE {old}", span)
            database.execute("DELETE FROM minutes WHERE minute BETWEEN ? AND ?", minutes)
