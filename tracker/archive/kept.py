"""Where the run of a camera stands, kept so that a later one goes on with new files of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tracker.archive.arrivals import Reached
from tracker.archive.manifest import CAMERAS
from tracker.archive.store import Store
from tracker.archive.tables import LINES, WRITTEN, Stored, name_of
from tracker.run import sealed
from tracker.types import Json


@dataclass(frozen=True)
class Whose:
    """Of which camera something is kept."""

    key: str
    made_with: tuple[str, ...]  # version and settings
    parts: list[tuple[str, str]]  # its recordings and their folders, in order


@dataclass(frozen=True)
class Kept:
    """What a run of a camera knew when the last frame was through, before anybody said their last."""

    run: dict[str, Json]  # as ``--state`` keeps it, but with the names of tables alone
    reached: Reached
    stored: Stored  # what its tables hold

    def restore(self, folder: Path) -> Path:
        """Write the state file of a run whose tables are in ``folder``; they begin with what is new."""
        sinks = {}
        for name, state in self.run["sinks"].items():
            kind, _, table = name.partition(" ")
            (folder / table).touch()
            sinks[f"{kind} {folder / table}"] = {**state, "bytes": 0, "file": None, "sample": None}
        path = state_file(folder)
        path.write_text(sealed.seal(sealed.dump(**{**self.run, "sinks": sinks})), encoding="utf-8")
        return path


def state_file(folder: Path) -> Path:
    """Return where the run that writes to ``folder`` keeps its state."""
    return folder / "state.json"


def taken(folder: Path, plugins: int) -> tuple[dict[str, Json], dict[str, int]] | None:
    """Return what the run knows by now, and how many bytes of each table are written; call it between frames.

    None where that is not all: some of the ``plugins`` have no state to keep.
    """
    run = sealed.read(state_file(folder))
    if run is None or len(run["plugins"]) < plugins:
        return None
    of_table = {table: kind for kind, table in WRITTEN.items()}
    sinks, lasting = {}, {}
    for name, state in run["sinks"].items():
        kind, _, path = name.partition(" ")
        table = Path(path).name
        sinks[f"{kind} {table}"], lasting[of_table[table]] = state, int(state["bytes"])
    return {**run, "sinks": sinks, "left": {}}, lasting


def save(store: Store, whose: Whose, kept: Kept) -> None:
    """Keep it in the store."""
    record = {
        "made_with": whose.made_with,
        "parts": whose.parts,
        "reached": asdict(kept.reached),
        "stored": kept.stored.to_json(),
        "run": kept.run,
    }
    store.write(_name(whose.key), sealed.dump(**record).encode())


def load(store: Store, whose: Whose) -> Kept | None:
    """Return where an earlier run of the same files and settings stands, if there are more files now.

    None where one of its files or tables is another one now, or gone: then all is followed anew.
    """
    data = store.read(_name(whose.key))
    try:
        record = json.loads(data or b"")
        made_with, known = tuple(record["made_with"]), [*map(tuple, record["parts"])]
        more = len(known) < len(whose.parts) and known == whose.parts[: len(known)]
        if made_with != whose.made_with or not more:
            return None
        kept = Kept(record["run"], Reached(**record["reached"]), Stored.from_json(record["stored"]))
    except (ValueError, KeyError, TypeError):
        return None
    return kept if _all_there(store, whose.key, kept.stored) else None


def forget(store: Store, key: str) -> None:
    """Remove it, since tables are about to be made anew."""
    store.delete(_name(key))


def _name(key: str) -> str:
    return f"{CAMERAS}/{key}.state.json"


def _all_there(store: Store, key: str, stored: Stored) -> bool:
    names = {name_of(kind, key, day) for kind, days in stored.rows.items() for day in days}
    names |= {f"{LINES}/camera={key}/{WRITTEN[kind]}" for kind in stored.lines}
    there = {name for kind in (*WRITTEN, LINES) for name in store.below(f"{kind}/camera={key}")}
    return names <= there
