"""Which files are those of a run: by what is in them, and by what the run says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tracker.types import InputError, Json

LOOK = 1 << 16  # bytes at the beginning by which a file is known
RECORD = "track_run"  # the key that makes a JSON file the record of a run
COUNTS = "start_s,end_s,start,name,direction,class,count"
WRITTEN = ("events", "counts", "tracks", "frames")
PICTURES = ("_routes", "_heatmap", "_heatmap_standing")
EXPECTED = "give what --save-run, --events, --counts, --save-csv or --save-json wrote, or their folder"


@dataclass
class Files:
    """What one run left."""

    record: Path | None = None
    events: Path | None = None
    counts: Path | None = None
    tracks: Path | None = None
    frames: Path | None = None  # of --save-json
    pictures: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it can be counted."""
        return not any((self.record, self.events, self.counts, self.frames, self.tracks))

    @property
    def first(self) -> Path:
        """Return the file that stands for the run in errors."""
        return next(p for p in (self.events, self.record, self.counts, self.frames, self.tracks) if p)


def find(runs: Sequence[Path]) -> list[Files]:
    """Return the files of each run that ``runs``, folders and files, mean; raises ``InputError``."""
    found: list[Files] = []
    loose: list[Path] = []
    for path in runs:
        if path.is_dir():
            inside = [each for each in sorted(path.iterdir()) if each.is_file() and kind_of(each)]
            found += _grouped(inside, path)
        elif not path.is_file():
            raise InputError(f"{path}: no such file or folder; {EXPECTED}")
        elif kind_of(path) is None:
            raise InputError(f"{path}: its first line is none of a run's ({_why(path)}); {EXPECTED}")
        else:
            loose.append(path)
    found += _grouped(loose, None) if loose else []
    return found


def kind_of(path: Path) -> str | None:
    """Return what a file of a run is: the name of a field of `Files`; None for anything else."""
    if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
        return "pictures" if path.stem.endswith(PICTURES) else None
    try:
        with path.open("rb") as file:
            text = file.read(LOOK).decode("utf-8-sig", "replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    first = text.split("\n", 1)[0].strip()
    if first.startswith(COUNTS):
        return "counts"
    if "tracker_id" in first.split(","):
        return "tracks"
    if not text:
        return "events" if path.suffix == ".jsonl" else None
    if text.lstrip().startswith("{") and f'"{RECORD}"' in text:
        return "record"
    try:
        row = json.loads(first)
    except ValueError:
        return None
    if not isinstance(row, dict):
        return None
    return "events" if "kind" in row else "frames" if "tracks" in row else None


def record_of(path: Path) -> dict[str, Json]:
    """Return what a run wrote of itself; raises ``InputError``."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is no whole JSON file; was the run that wrote it killed?") from error
    if not isinstance(record, dict) or record.get(RECORD) != 1:
        raise InputError(f"{path}: is not what --save-run wrote, or a later release wrote it")
    return record


def _grouped(paths: Iterable[Path], folder: Path | None) -> list[Files]:
    """Divide files that lie together among runs."""
    by: dict[str, list[Path]] = {}
    for path in paths:
        by.setdefault(str(kind_of(path)), []).append(path)
    runs: list[Files] = []
    for record in by.pop("record", []):
        run = Files(record=record)
        written = record_of(record)
        for kind, name in written.get("files", {}).items():
            path = record.parent / Path(str(name)).name
            path = path if path.is_file() else Path(str(name))
            if kind in WRITTEN and path.is_file():
                setattr(run, kind, path)
                by[kind] = [other for other in by.get(kind, ()) if not other.samefile(path)]
        left = [record.parent / Path(str(name)).name for name in written.get("left", ())]
        run.pictures = [p for p in left if p.is_file() and kind_of(p) == "pictures"]
        by["pictures"] = [p for p in by.get("pictures", ()) if p not in run.pictures]
        runs.append(run)
    if not runs:
        runs = [Files(events=path) for path in by.pop("events", [])] or [Files()]
    for kind, several in by.items():
        if not several:
            continue
        if len(runs) > 1:
            names = ", ".join(path.name for path in several)
            runs[0].notes.append(f"left out: {names}, for nothing tells which of {len(runs)} runs wrote it")
        elif kind == "pictures":
            runs[0].pictures += several
        elif len(several) > 1 or getattr(runs[0], kind) is not None:
            raise InputError(f"{several[-1]}: is a second {kind} file of one run; give each run a folder")
        else:
            setattr(runs[0], kind, several[0])
    if any(run.is_empty for run in runs):
        raise InputError(f"{folder or 'RUN'}: holds nothing that a run wrote; {EXPECTED}")
    return runs


def _why(path: Path) -> str:
    with path.open("rb") as file:
        first = file.readline(200).decode("utf-8", "replace").strip()
    return f"{first[:40]!r} is not a JSON line" if first else "it is empty"
