"""Output files: checked before the run, written under a temporary name, moved into place when complete.

Whatever is written passes through here, so that nothing is replaced that the run did not make: a temporary
file is created by nobody else (and never through a link), and moved to where nothing stands unless the user
said ``--overwrite``.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tracker.types import OutputError

FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
LONGEST = 255  # bytes of a name, on nearly every file system
UNFINISHED = 1000  # temporary files of one name, after which somebody should tidy up


class DiskFullError(OutputError):
    """There is no room for more; there may be again."""


class FolderGoneError(OutputError):
    """The folder of ``path`` was deleted during the run; whoever else wrote there need not say so again."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: its folder was deleted while the run wrote it")
        self.folder = path.parent


def each_folder_once(errors: Iterable[BaseException]) -> list[BaseException]:
    """Return errors, of every folder that is gone the last only: sinks end after what plugins leave."""
    folders: set[Path] = set()
    told: list[BaseException] = []
    for error in reversed([*errors]):
        if isinstance(error, FolderGoneError):
            if error.folder in folders:
                continue
            folders.add(error.folder)
        told.insert(0, error)
    return told


def check(path: Path, overwrite: bool, never: Path | None = None) -> None:
    """Raise ``OutputError`` where ``path`` cannot or must not be written; ``never`` is the run's input.

    Devices and pipes hold nothing that could be lost.
    """
    try:
        if not path.parent.is_dir():
            raise OutputError(f"{path}: the folder {path.parent} does not exist; create it first")
        if path.is_dir():
            raise OutputError(f"{path}: is a folder; give a file name")
        if not os.path.lexists(path) or _is_special(path):
            return
        if never is not None and never.exists() and path.exists() and path.samefile(never):
            raise OutputError(f"{path}: is the input itself; choose another output with -o")
    except OSError as error:
        raise failure(path, error) from error
    if not overwrite:
        raise OutputError(f"{path}: exists; add --overwrite, or choose another name with -o")


def exists(path: Path) -> bool:
    """Whether a file or folder stands there; a name that no file system takes is none."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def failure(path: Path, error: OSError) -> OutputError:
    """Return the error of a place that cannot be written, in words."""
    if error.errno in FULL:
        return DiskFullError(f"{path}: the disk is full; free space, or use -o")
    if error.errno == errno.ENAMETOOLONG:
        return OutputError(f"{path.name[:40]}...: the name is too long; give a shorter one with -o")
    return OutputError(f"{path}: cannot be written ({error.strerror}); choose another place with -o")


def beside(path: Path, stem: str, tail: str) -> Path:
    """Return ``stem`` + ``tail`` in the folder of ``path``.

    A stem that makes a name longer than a file system takes is cut; a few letters that stand for the whole
    of it keep two that begin alike apart.

    >>> beside(Path("a/film.mp4"), "film", "_heatmap.png").name
    'film_heatmap.png'
    >>> len(beside(Path("film.mp4"), "x" * 251, "_output.mp4").name)
    255
    """
    whole = os.fsencode(stem)
    room = LONGEST - len(os.fsencode(tail))
    if len(whole) > room:
        mark = "~" + hashlib.sha256(whole).hexdigest()[:8]
        while len(os.fsencode(stem)) > room - len(mark):
            stem = stem[:-1]
        stem += mark
    return path.with_name(stem + tail)


def another(path: str | Path, taken: Callable[[Path], bool] = os.path.lexists) -> Path:
    """Return ``path``, or ``out-2.mp4`` and so on where that is taken."""
    first = path = Path(path)
    count = 1
    while taken(path):
        count += 1
        path = beside(first, first.stem, f"-{count}{first.suffix}")
    return path


def temporary(path: Path) -> Path:
    """Create and return an empty file beside ``path`` that is nobody else's: ``out.part.mp4``."""
    for count in range(1, UNFINISHED):
        part = beside(path, path.stem, f".part{count if count > 1 else ''}{path.suffix}")
        try:
            exclusive(part)
        except FileExistsError:
            continue
        except OSError as error:
            raise failure(path, error) from error
        return part
    raise OutputError(f"{path}: a thousand unfinished files named {path.stem}.part* beside it; remove them")


def exclusive(path: Path) -> None:
    """Create an empty file; raises ``FileExistsError`` where anything stands, a link to nothing too."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(path, flags, 0o666))


def lock_of(path: Path) -> Path:
    """Return the file whose lock says who writes ``path``, the same for every link to it."""
    with suppress(OSError, RuntimeError):  # a link to itself, which is told when it is opened
        path = path.resolve()
    return beside(path, path.name, ".lock")


def is_temporary(path: Path, of: Path) -> bool:
    """Whether a name is one that is used while ``of`` is written.

    >>> is_temporary(Path("out.part2.mp4"), Path("out.mp4")), is_temporary(Path("out.mp4"), Path("out.mp4"))
    (True, False)
    """
    stem, suffix = re.escape(of.stem), re.escape(of.suffix)
    return re.fullmatch(f"{stem}\\.part\\d*{suffix}|{stem}{suffix}\\.lock", path.name) is not None


def unfinished(part: Path, path: Path) -> dict[str, Any] | None:
    """Return what `rescue` takes of a file that is being written, None where it is gone."""
    try:
        return {"part": str(part), "goal": str(path), "file": part.stat().st_ino}
    except OSError:
        return None


def rescue(left: Mapping[str, Any]) -> Path | None:
    """Move what a killed run was writing into place, or to a free name; None where there is nothing of it."""
    part, goal = Path(left["part"]), Path(left["goal"])
    try:
        found = part.lstat()
        if found.st_ino != left["file"] or not stat.S_ISREG(found.st_mode):
            return None
        if not found.st_size:
            part.unlink()
            return None
    except OSError:
        return None
    return settle(part, goal, overwrite=False)


def settle(part: Path, path: Path, overwrite: bool = True) -> Path:
    """Move a finished file into place; return where it is.

    Without ``overwrite`` it takes the next free name where something has come to stand there meanwhile.
    """
    goal = path
    while True:
        try:
            if not overwrite:
                exclusive(goal)  # ours from here on, if only empty
            part.replace(goal)
        except FileExistsError:
            goal = another(path)
        except OSError as error:
            if not part.exists():
                raise OutputError(f"{path}: was deleted while it was written, or its folder was") from error
            raise OutputError(
                f"{path}: cannot be moved into place ({error.strerror}); the result is {part}"
            ) from error
        else:
            return goal


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk, as far as the system can do that."""
    folder = path.is_dir()
    if folder and os.name == "nt":
        return
    file = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # pipes, some network drives
            raise
    finally:
        os.close(file)


def write(path: Path, data: bytes, *, overwrite: bool) -> Path:
    """Write a whole file at once, or nothing; return where it is. Raises ``OutputError``."""
    check(path, overwrite)
    part = temporary(path)
    try:
        part.write_bytes(data)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise failure(path, error) from error
    return settle(part, path, overwrite)


def _is_special(path: Path) -> bool:
    return path.exists() and not stat.S_ISREG(path.stat().st_mode)
