"""The form of a state file: what a run knows as JSON, with a seal by which damage is noticed."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from tracker.sinks import output_file
from tracker.types import Json, to_json

FORMAT, VERSION = "track state", 1


def read(path: Path) -> dict[str, Json] | None:
    """Return what a file holds, None where there is none; raises ``ValueError`` that says what it is."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError("is not a state file") from error
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise ValueError(content["format"])
        version, run = int(content["version"]), dict(content["run"])
        intact = content["sha256"] == _digest(dump(**run))
    except (KeyError, TypeError, ValueError, RecursionError) as error:  # not JSON, or JSON of somebody else
        raise ValueError("is not a state file, or is damaged") from error
    if version != VERSION:
        raise ValueError(f"was written by another version of track (format {version}, not {VERSION})")
    if not intact:
        raise ValueError("is damaged")
    return run


def seal(run: str) -> str:
    """Return the text of a file that holds ``run``, which `dump` made."""
    head = json.dumps({"format": FORMAT, "version": VERSION, "sha256": _digest(run)})
    return f'{head[:-1]},\n"run": {run}}}\n'


def part(path: Path) -> Path:
    """Create and return an empty file beside ``path``, in place of what a killed run has left."""
    new = output_file.beside(path, path.name, ".part")
    with suppress(OSError):
        if new.is_file() and not new.is_symlink():
            with new.open("rb") as file:
                begun = file.read(64)
            if begun.startswith(f'{{"format": "{FORMAT}"'.encode()) or not begun:
                new.unlink()
    try:
        output_file.create_exclusive(new)
    except FileExistsError:
        return output_file.create_temporary(path)
    return new


def dump(**run: Json) -> str:
    """Return what a run knows as one line; raises what `json.dumps` raises."""
    return json.dumps(run, default=to_json, separators=(",", ":"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
