"""The sources of one call: which they are, what each is called, and which options are its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tracker.errors import system_reason
from tracker.options import Options
from tracker.run.naming import distinct, name_of, output_in
from tracker.run.paths import WRITTEN
from tracker.run.session import Session
from tracker.sinks import output_file
from tracker.types import InputError, OptionError, TrackError

TABLES = ("state", *(name for name in WRITTEN if name != "output"))  # each source has its own
LINE = re.compile(r"(?:(?P<name>[\w.-]+)=)?(?P<uri>.+?)(?:\s+zones=(?P<zones>.+))?")


@dataclass
class Run:
    """One of the sources: what it is called, and how it is going."""

    uri: str
    name: str  # of its outputs; no two have the same
    zones: str | None = None  # a zone file of its own
    session: Session | None = None  # once it has been begun
    error: TrackError | None = None


def find_runs(sources: Sequence[str]) -> list[Run]:
    """Return a run for each source; ``NAME.streams`` stands for the sources that it lists.

    Raises ``InputError`` for a list that cannot be read or is empty.
    """
    runs = []
    for source in sources:
        listed = source.lower().endswith(".streams")
        runs += read_streams(Path(source)) if listed else [Run(source, name_of(source))]
    for run, name in zip(runs, distinct([run.name for run in runs]), strict=True):
        run.name = name
    return runs


def read_streams(path: Path) -> list[Run]:
    """Read a list of sources: one to a line, ``[NAME=]SOURCE [zones=FILE]``; ``#`` begins a comment line.

    Files are looked for beside the list.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = system_reason(error) or "not a text in UTF-8"
        raise InputError(f"{path}: cannot be read as a list of sources ({reason})") from error
    runs = []
    for line in map(str.strip, lines):
        if not line or line.startswith("#"):
            continue
        found = LINE.fullmatch(line)
        assert found is not None  # something stands there
        uri, zones = found["uri"], found["zones"]
        if output_file.exists(path.parent / uri):
            uri = str(path.parent / uri)
        runs.append(Run(uri, found["name"] or name_of(uri), zones and str(path.parent / zones)))
    if not runs:
        raise InputError(f"{path}: lists no sources; write one per line")
    return runs


def options_of(run: Run, options: Options, *, save: bool) -> Options:
    """Return the options of one source: each file gets its name, ``output`` is a folder.

    Raises ``OptionError``.
    """
    if options.detections is not None:
        raise OptionError("--detections belong to one video, and there are several; run them one by one")
    mine: dict[str, Any] = {}
    for table in TABLES:
        value = getattr(options, table)
        if value == "-":
            raise OptionError(
                f"--{table.replace('_', '-')} -: standard output can be used with one source only"
            )
        if value is not None:
            path = Path(value)
            mine[table] = str(output_file.beside(path, path.stem, f"_{run.name}{path.suffix}"))
    if run.zones is not None:
        if options.zones is not None:
            raise OptionError(f"--zones and zones={run.zones} of {run.name} cannot be combined; use one")
        mine["zones"] = run.zones
    if save:
        mine["output"] = str(output_in(Path(options.output or "."), run.name))
    return replace(options, **mine)
