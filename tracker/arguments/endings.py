"""Names of output files that promise another format: no spreadsheet program opens a CSV named .xlsx."""

from __future__ import annotations

from pathlib import PurePath

from tracker.errors import OptionError

KNOWN = frozenset(".csv .json .jsonl .ndjson .xlsx .xls .ods .parquet .html .htm .pdf .xml".split())  # noqa: SIM905
# What each option writes, and the endings that are let pass for it, the usual one first.
OWN: dict[str, tuple[str, tuple[str, ...]]] = {
    "--counts": ("CSV", (".csv",)),
    "--movements": ("CSV", (".csv",)),
    "--save-csv": ("CSV", (".csv",)),
    "--events": ("JSON lines", (".jsonl", ".ndjson", ".json", ".csv")),
    "--save-json": ("JSON lines", (".jsonl", ".ndjson", ".json", ".csv")),
    "--save-mot": ("MOTChallenge text", (".txt", ".csv")),
    "--save-mots": ("MOTS text", (".txt",)),
    "--save-coco": ("COCO JSON", (".json",)),
    "--save-cvat": ("CVAT XML", (".xml",)),
    "--save-detections": ("Parquet", (".parquet",)),
    "--save-run": ("JSON", (".json",)),
    "--report": ("an HTML page", (".html", ".htm")),
}
SHEETS = (".xlsx", ".xls", ".ods")


def check(flag: str, name: str) -> None:
    """Raise ``OptionError`` if the file ``name`` of the option ``flag`` ends as one of another known format.

    Any other ending may be chosen, or none.

    >>> check("--counts", "door.csv"), check("--counts", "door.txt"), check("--save-mot", "/dev/stdout")
    (None, None, None)
    """
    ending = PurePath(name).suffix.lower()
    if flag not in OWN or ending not in KNOWN or ending in OWN[flag][1]:
        return
    what, (usual, *_) = OWN[flag]
    better = PurePath(name).with_suffix(usual)
    other = ""
    if ending in SHEETS:
        other = ", or make a spreadsheet of --save-run run.json: track report run.json --xlsx FILE"
    elif ending == ".pdf":
        other = ", or make a PDF of --save-run run.json: track report run.json --pdf FILE"
    raise OptionError(f"{flag} {name}: this option writes {what}; name it {better}{other}")
