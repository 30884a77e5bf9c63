"""Which paths a run reads and writes: those that its options name, and those of its plugins."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from tracker.arguments.option_spec import specs
from tracker.options import Options
from tracker.plugin_host import Host
from tracker.run.claims import Claims
from tracker.sinks import output_file
from tracker.types import OutputError

READ = {
    "zones": "the zone file",
    "weights": "the weights",
    "detections": "the stored detections",
    "appearance": "the network of --appearance",
    "background": "the picture of --background",
}
WRITTEN = (
    "output",
    "crop",
    "events",
    "counts",
    "movements",
    "save_mot",
    "save_mots",
    "save_coco",
    "save_cvat",
    "save_csv",
    "save_json",
    "save_detections",
    "save_run",
    "report",
)


def claim_inputs(claims: Claims, options: Options) -> None:
    """Claim what a run reads beside its source, as far as its options tell."""
    for field, what in READ.items():
        for path in _places(field, getattr(options, field)):
            claims.read(what, path)


def claim_outputs(claims: Claims, options: Options, whose: str = "") -> None:
    """Claim what a run writes, as far as its options tell; ``whose`` names the run where there are many."""
    if options.state is not None:
        claims.write(f"--state{whose}", options.state, lock=False)
    for field in WRITTEN:
        value = getattr(options, field)
        if value is not None:
            claims.write(f"{flag(field)}{whose}", value)


def claim_source(claims: Claims, source: str, what: str = "the input") -> None:
    """Claim what is read: a file, the pictures of a folder or a glob; cameras and streams are no files."""
    text = source.removeprefix("file://")
    path = Path(text)
    if "://" in text or (text.isdecimal() and not output_file.exists(path)):
        return
    there = output_file.exists(path)
    if there and not path.is_dir():
        claims.read(what, path)
    elif there or any(letter in text for letter in "*?["):
        from tracker.sources.images import find

        claims.read_all(what, find(text))


def claim_leaves(
    claims: Claims,
    host: Host,
    prefix: Path | None,
    *,
    overwrite: bool,
    mine: Mapping[str, str] | None = None,
) -> None:
    """Claim what plugins read and what they say they will leave, as `leave_files` names it.

    Files that their options name, such as a picture of the empty scene, are read. Raises ``OutputError`` for
    what exists, unless it may be overwritten or is among ``mine`` (path: SHA-256).
    """
    for member in host.members:
        name = member.name.lower()
        for field, value in getattr(member.given, "__dict__", {}).items():  # one with slots has none
            if isinstance(value, str | Path) and str(value) and output_file.exists(Path(value)):
                claims.read(f"the {field} of {name}", value)
        if prefix is None:
            continue
        for suffix in host.leaves(member):
            path = leaf(prefix, suffix)
            claims.write(f"--plugin {name}", path)
            output_file.check(path, overwrite or is_mine(path, mine or {}))
            if not os.access(path.parent, os.W_OK):
                raise OutputError(f"{path}: its folder cannot be written; choose another with -o")


def leaf(prefix: Path, suffix: str) -> Path:
    """Return the path of what a plugin leaves.

    >>> leaf(Path("out/street"), "heatmap.png").name
    'street_heatmap.png'
    """
    return output_file.beside(prefix, prefix.name, f"_{suffix}")


def is_mine(path: Path, mine: Mapping[str, str]) -> bool:
    """Whether a file is one of ``mine`` (path: SHA-256), and as it was left."""
    known = mine.get(str(path))
    try:
        return known is not None and hashlib.sha256(path.read_bytes()).hexdigest() == known
    except OSError:
        return False


def flag(field: str) -> str:
    """Return how the user calls an option.

    >>> flag("save_csv"), flag("output")
    ('--save-csv', '-o')
    """
    return specs(Options)[field].flags[0]


def _places(field: str, value: object) -> Iterator[Path]:
    if isinstance(value, str | Path) and str(value):
        yield Path(value).expanduser()
        if field == "weights" and os.environ.get("TRACK_WEIGHTS_DIR"):
            yield Path(os.environ["TRACK_WEIGHTS_DIR"], value)
