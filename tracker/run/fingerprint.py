"""Whether a recording is the one of an earlier run: by what is in it, not by what it is called."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tracker.types import Json

SPOTS, SPOT_BYTES = 32, 1 << 16  # places of a file that are looked at, its beginning and its end among them


def fingerprint(source: str, length: int | None = None) -> Json:
    """Return what a file or a series of pictures is known again by; None for cameras and what lies elsewhere.

    ``length`` is that of an earlier fingerprint (bytes, or pictures): a recording that has grown since then
    still has the same one at that length.
    """
    text = source.removeprefix("file://")
    path = Path(text)
    try:
        if path.is_file():
            return _of_file(path, length)
        if path.is_dir() or any(letter in path.name for letter in "*?["):
            return _of_pictures(text, length)
    except (OSError, ValueError):
        pass
    return None


def is_same(known: Json, source: str) -> bool | None:
    """Whether ``source`` is, or begins with, what ``known`` was taken of; None: cannot be told."""
    if not known:
        return None
    now = fingerprint(source, known["length"])
    return None if now is None else bool(now == known)


def _of_file(path: Path, length: int | None) -> Json:
    size = path.stat().st_size
    if length is None or length > size:
        length = size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        last = max(length - SPOT_BYTES, 0)
        for start in sorted({last * spot // (SPOTS - 1) for spot in range(SPOTS)}):
            file.seek(start)
            digest.update(file.read(min(SPOT_BYTES, length - start)))
    return {"length": length, "sha256": digest.hexdigest()}


def _of_pictures(text: str, length: int | None) -> Json:
    from tracker.sources.images import find

    paths = find(text)
    if length is None or length > len(paths):
        length = len(paths)
    digest = hashlib.sha256()
    for index in sorted({(length - 1) * spot // (SPOTS - 1) for spot in range(SPOTS)} if length else ()):
        digest.update(paths[index].name.encode("utf-8", "surrogateescape"))
        digest.update(paths[index].read_bytes())
    return {"length": length, "sha256": digest.hexdigest()}
