"""Output files: checked before the run, written under a temporary name, moved into place when complete.

Everything that is written passes through here, so that no file is replaced that the run did not make: a
temporary file is always new (and never reached through a link), and it replaces an existing file only with
``--overwrite``.
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
UNFINISHED = 1000  # temporary files of one name, which no run can have left without being noticed


class DiskFullError(OutputError):
    """The disk is full; there may be room again later."""


class FolderGoneError(OutputError):
    """The folder of ``path`` was deleted during the run; one message is enough for all files in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: its folder was deleted while the run wrote it")
        self.folder = path.parent


def each_folder_once(errors: Iterable[BaseException]) -> list[BaseException]:
    """Return the errors, with only the last one of every folder that was deleted."""
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

    Devices and pipes may always be written: they hold nothing that could be lost.
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
        raise write_error(path, error) from error
    if not overwrite:
        raise OutputError(f"{path}: exists; add --overwrite, or choose another name with -o")


def make_folder(folder: Path) -> None:
    """Create the folder of ``-o`` where it is missing; raises ``OutputError``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: the folder cannot be created ({error.strerror}); choose another -o"
        ) from error


def exists(path: Path) -> bool:
    """Whether there is a file or folder; False for names that the file system refuses."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether there is a file that has an end; False for names and folders that the system refuses."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def write_error(path: Path, error: OSError) -> OutputError:
    """Return the error for the user when ``path`` cannot be written."""
    if error.errno in FULL:
        return DiskFullError(f"{path}: the disk is full; free space, or use -o")
    if error.errno == errno.ENAMETOOLONG:
        return OutputError(f"{path.name[:40]}...: the name is too long; give a shorter one with -o")
    return OutputError(f"{path}: cannot be written ({error.strerror}); choose another place with -o")


def beside(path: Path, stem: str, tail: str) -> Path:
    """Return ``stem`` + ``tail`` in the folder of ``path``.

    A stem that would make the name too long for a file system is cut; a few letters of its hash keep the
    names of two stems with the same beginning different.

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


def next_free(path: str | Path, taken: Callable[[Path], bool] = os.path.lexists) -> Path:
    """Return ``path``, or the first free one of ``out-2.mp4``, ``out-3.mp4`` and so on."""
    first = path = Path(path)
    count = 1
    while taken(path):
        count += 1
        path = beside(first, first.stem, f"-{count}{first.suffix}")
    return path


def create_temporary(path: Path) -> Path:
    """Create and return a new, empty file in the folder of ``path``: ``out.part.mp4``.

    Raises ``OutputError`` where none can be, and for what is no file: it would replace a device.
    """
    if _is_special(path):
        raise OutputError(f"{path}: is a device or a pipe; give the name of a file")
    if str(path) == "-":
        raise OutputError(
            "-: what is whole only at the end is not for standard output; give the name of a file"
        )
    for count in range(1, UNFINISHED):
        part = beside(path, path.stem, f".part{count if count > 1 else ''}{path.suffix}")
        try:
            create_exclusive(part)
        except FileExistsError:
            continue
        except OSError as error:
            raise write_error(path, error) from error
        return part
    raise OutputError(
        f"{path}: there are a thousand unfinished files {path.stem}.part* beside it; remove them"
    )


def create_exclusive(path: Path) -> None:
    """Create an empty file; raises ``FileExistsError`` if the name exists, even as a broken link."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)  # not on Windows
    os.close(os.open(path, flags, 0o666))


def lock_path(path: Path) -> Path:
    """Return the file whose lock shows that a run writes ``path``, the same for every link to it."""
    with suppress(OSError, RuntimeError):  # a link to itself, which is an error when it is opened
        path = path.resolve()
    return beside(path, path.name, ".lock")


def is_temporary(path: Path, of: Path) -> bool:
    """Whether ``path`` is one of the names used while ``of`` is written.

    >>> is_temporary(Path("out.part2.mp4"), Path("out.mp4")), is_temporary(Path("out.mp4"), Path("out.mp4"))
    (True, False)
    """
    stem, suffix = re.escape(of.stem), re.escape(of.suffix)
    return re.fullmatch(f"{stem}\\.part\\d*{suffix}|{stem}{suffix}\\.lock", path.name) is not None


def unfinished(part: Path, path: Path) -> dict[str, Any] | None:
    """Return what `rescue` needs to find a file that is being written; None if it is gone."""
    try:
        return {"part": str(part), "goal": str(path), "file": part.stat().st_ino}
    except OSError:
        return None


def rescue(left: Mapping[str, Any]) -> Path | None:
    """Move the unfinished file of a killed run into place, or to a free name; None if there is nothing."""
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
    return move_into_place(part, goal, overwrite=False)


def move_into_place(part: Path, path: Path, overwrite: bool = True) -> Path:
    """Move a finished file into place; return where it is.

    Without ``overwrite`` it takes the next free name if the name exists by now.
    """
    goal = path
    while True:
        try:
            if not overwrite:
                create_exclusive(goal)  # from here on the name is ours, with an empty file
            part.replace(goal)
        except FileExistsError:
            goal = next_free(path)
        except OSError as error:
            if not part.exists():
                raise OutputError(f"{path}: was deleted while it was written, or its folder was") from error
            raise OutputError(
                f"{path}: cannot rename the finished file ({error.strerror}); the result is {part}"
            ) from error
        else:
            return goal


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are stored on the disk, where the system can do that."""
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
    """Write a complete file or none; return where it is. Raises ``OutputError``."""
    check(path, overwrite)
    part = create_temporary(path)
    try:
        part.write_bytes(data)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise write_error(path, error) from error
    return move_into_place(part, path, overwrite)


def _is_special(path: Path) -> bool:
    return path.exists() and not stat.S_ISREG(path.stat().st_mode)
