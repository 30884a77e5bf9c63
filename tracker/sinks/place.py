"""Output files: checked before the run, written under a temporary name, moved into place when complete."""

from __future__ import annotations

import errno
from pathlib import Path

from tracker.types import OutputError

FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


class DiskFullError(OutputError):
    """There is no room for more; there may be again."""


def check(path: Path, overwrite: bool, never: Path | None = None) -> None:
    """Raise ``OutputError`` where ``path`` cannot or must not be written; ``never`` is the run's input."""
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; create it first")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give a file name")
    if path.exists():
        if never is not None and never.exists() and path.samefile(never):
            raise OutputError(f"{path}: is the input itself; choose another output with -o")
        if not overwrite:
            raise OutputError(f"{path}: exists; add --overwrite, or choose another name with -o")


def another(path: str | Path) -> Path:
    """Return ``path``, or ``out-2.mp4`` and so on where that exists: a run that goes on replaces nothing."""
    first = path = Path(path)
    count = 1
    while path.exists():
        count += 1
        path = first.with_name(f"{first.stem}-{count}{first.suffix}")
    return path


def temporary(path: Path) -> Path:
    """Create and return an empty file beside ``path`` that is nobody else's: ``out.part.mp4``."""
    for count in range(1, 1000):
        part = path.with_name(f"{path.stem}.part{count if count > 1 else ''}{path.suffix}")
        try:
            part.open("xb").close()
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno in FULL:
                raise DiskFullError(f"{path}: the disk is full; free space, or use -o") from error
            raise OutputError(
                f"{path}: cannot be written ({error.strerror}); choose another folder with -o"
            ) from error
        return part
    raise OutputError(f"{path}: a thousand unfinished files named {path.stem}.part* beside it; remove them")


def settle(part: Path, path: Path) -> None:
    """Move a finished file into place."""
    try:
        part.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be moved into place ({error.strerror}); the result is {part}"
        ) from error
