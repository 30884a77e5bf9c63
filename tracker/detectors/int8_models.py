"""The int8 models of the cache: one for each kind of source, and on what each was compared with fp32."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tracker.detectors.agreement import Agreement
from tracker.detectors.openvino_model import cache_path, stored

LEAST = 0.9  # agreement from which int8 is used; see docs/trouble.md
FEWEST = 30  # boxes that must have been looked for before that can be said
KEPT = 8  # models per weights, the newest
REMEMBERED = 200  # comparisons per model
CHECKED = "checked.json"


@dataclass(frozen=True)
class Kind:
    """What a model was made for: the same camera, or the recordings of one folder."""

    place: str  # a folder's path, or a camera's address without secrets; never written anywhere
    name: str  # to tell the user

    @property
    def key(self) -> str:
        """What it is called in the cache."""
        return hashlib.sha256(self.place.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def good(agreement: Agreement) -> bool | None:
    """Whether int8 may be used after this comparison; None: there was too little to compare."""
    return None if agreement.boxes < FEWEST else agreement.found >= LEAST


@dataclass(frozen=True)
class Int8Model:
    """A model in the cache, or the place for one."""

    folder: Path
    name: str  # of the source that it was made for

    def checked(self, recording: str, imgsz: int) -> Agreement | None:
        """Return what a comparison on this recording gave, if there was one."""
        found = self._checks().get(f"{recording} {imgsz}")
        try:
            return None if found is None else Agreement(**found)
        except TypeError:
            return None

    def remember(self, recording: str, imgsz: int, agreement: Agreement) -> None:
        """Keep the result of a comparison; a cache that cannot be written forgets it."""
        checks = {**self._checks(), f"{recording} {imgsz}": asdict(agreement)}
        _write(self.folder, {**_about(self.folder), "checks": dict([*checks.items()][-REMEMBERED:])})

    def is_of(self, recording: str | None) -> bool:
        """Whether it was made of this very recording."""
        return recording is not None and _about(self.folder).get("made_of") == recording

    def _checks(self) -> dict[str, Any]:
        checks = _about(self.folder).get("checks")
        return checks if isinstance(checks, dict) else {}


def place_for(weights: Path, kind: Kind) -> Int8Model:
    """Return where the model of this kind is, or would be."""
    exported = cache_path(weights, int8=True)
    return Int8Model(exported.with_name(f"{exported.name}-{kind.key}"), kind.name)


def candidates(weights: Path, kind: Kind) -> list[Int8Model]:
    """Return the models worth a try: of this kind, by ``track export``, and the newest of any other kind."""
    exported, own = cache_path(weights, int8=True), place_for(weights, kind)
    others = [one for one in _made(exported) if one.folder != own.folder]
    export = Int8Model(exported, "`track export`")
    return [one for one in (own, export, *others[:1]) if stored(one.folder) is not None]


def keep(weights: Path, made: Path, kind: Kind, recording: str | None) -> Int8Model | None:
    """Move a model that was made elsewhere into the cache; None where that cannot be written."""
    place = place_for(weights, kind)
    try:
        place.folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place.folder, ignore_errors=True)
        shutil.move(made, place.folder)
    except OSError:
        shutil.rmtree(place.folder, ignore_errors=True)  # what a full disk left of it
        return None
    _write(place.folder, {"name": kind.name, "made_of": recording})
    for old in _made(cache_path(weights, int8=True))[KEPT:]:
        shutil.rmtree(old.folder, ignore_errors=True)
    return place if stored(place.folder) is not None else None


def _made(exported: Path) -> list[Int8Model]:
    """Return the models of all kinds, the newest first."""
    try:
        folders = [path for path in exported.parent.glob(f"{exported.name}-*") if path.is_dir()]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return []
    return [Int8Model(path, str(_about(path).get("name", "another source"))) for path in folders]


def _write(folder: Path, about: dict[str, Any]) -> None:
    with suppress(OSError):  # then the next run compares again
        new = folder / f"{CHECKED}.new"
        new.write_text(json.dumps(about), encoding="utf-8")
        new.replace(folder / CHECKED)


def _about(folder: Path) -> dict[str, Any]:
    try:
        known = json.loads((folder / CHECKED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
