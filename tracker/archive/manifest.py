"""What has come of every file: a record for each camera, and one table of all of them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracker.archive.recordings import Camera
from tracker.archive.store import Store
from tracker.sinks.detections import library
from tracker.sources.video_file import CUT_OFF
from tracker.types import Json

CAMERAS, TABLE = "cameras", "manifest.parquet"
COMPLETE, SHORT, FAILED = "complete", "cut off", "failed"


@dataclass(frozen=True)
class Row:
    """What has come of one file."""

    camera: str
    file: str
    state: str  # COMPLETE, SHORT or FAILED
    road: str = ""  # "pieces", or "whole": decoded whole
    why_whole: str = ""
    pieces: int = 0
    frames: int = 0
    first_s: float | None = None  # in the camera's time
    last_s: float | None = None
    duration_s: float | None = None  # by its header
    error: str = ""
    notes: str = ""
    known: str = ""
    stamp: str = ""
    not_drawn: str = ""  # why its video could not be drawn; in the table only, for it is tried again

    @property
    def done(self) -> bool:
        """Whether nothing of it is missing."""
        return self.state == COMPLETE


def state_of(error: str, notes: Sequence[str]) -> str:
    """Return the state of a file by what was noted of it."""
    if error:
        return FAILED
    return SHORT if any(note.endswith(CUT_OFF) for note in notes) else COMPLETE


def save(store: Store, camera: Camera, settings: Json, rows: Sequence[Row]) -> None:
    """Keep what has come of a camera."""
    record = {"settings": mark(settings), "rows": [dataclasses.asdict(row) for row in rows]}
    store.write(f"{CAMERAS}/{camera.key}.json", json.dumps(record, indent=1, ensure_ascii=False).encode())


def load(store: Store, camera: Camera, settings: Json) -> list[Row]:
    """Return what an earlier run has kept of a camera with the same settings; none where there is nothing."""
    data = store.read(f"{CAMERAS}/{camera.key}.json")
    if data is None:
        return []
    try:
        record = json.loads(data)
        return [Row(**row) for row in record["rows"]] if record["settings"] == mark(settings) else []
    except (ValueError, KeyError, TypeError):
        return []  # it is made anew


def forget(store: Store, camera: Camera) -> None:
    """Remove the record of a camera, whose tables are about to be made anew."""
    store.delete(f"{CAMERAS}/{camera.key}.json")


def mark(settings: Json) -> str:
    """Return a short mark of what tables are made with."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def write_table(store: Store, rows: Iterable[Row]) -> None:
    """Store the table of all files."""
    polars = library()
    columns = {field.name: [] for field in dataclasses.fields(Row)}  # type: dict[str, list[Json]]
    for row in rows:
        for name, values in columns.items():
            values.append(getattr(row, name))
    types = {"pieces": polars.Int64, "frames": polars.Int64}
    types |= dict.fromkeys(("first_s", "last_s", "duration_s"), polars.Float64)
    table = polars.DataFrame(columns, schema={name: types.get(name, polars.String) for name in columns})
    with tempfile.TemporaryDirectory(prefix="track-") as folder:
        path = Path(folder) / TABLE
        table.write_parquet(path)
        store.put(path, TABLE)
