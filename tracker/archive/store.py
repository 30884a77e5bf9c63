"""Where an archive lies: a folder, or an object store (s3://, gs://, ...) by fsspec.

A file is there whole or not at all. Names are relative to the root, with ``/`` between folders.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.archive.files import file_system, is_object, reason
from tracker.errors import InputError, OutputError
from tracker.sinks import output_file
from tracker.sources import address

if TYPE_CHECKING:
    pass


class Store:
    """The files of one archive; raises ``OutputError`` where one cannot be written or read."""

    def __init__(self, root: str) -> None:
        self.root = root

    def names(self, folder: str) -> set[str]:
        """Return the names of the files in a folder, without it; none where it does not exist."""
        raise NotImplementedError

    def below(self, folder: str) -> list[str]:
        """Return the names of all files in a folder and in those in it."""
        raise NotImplementedError

    def put(self, path: Path, name: str) -> None:
        """Take a local file; it replaces one of that name in one step. The local one may be gone after."""
        raise NotImplementedError

    def read(self, name: str) -> bytes | None:
        """Return what is in a file, None where there is none."""
        raise NotImplementedError

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """Give a local file with what is in a file, for the time of the ``with``."""
        raise NotImplementedError
        yield

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        raise NotImplementedError

    def tidy(self, folder: str) -> None:
        """Remove a folder that is empty now, and into which nobody writes; an object store has none."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file in one step."""
        with tempfile.TemporaryDirectory(prefix="track-") as folder:
            path = Path(folder) / "data"
            path.write_bytes(data)
            self.put(path, name)

    def shown(self, name: str = "") -> str:
        """Return the place of a file for the user."""
        return "/".join(filter(None, (address.redact(self.root).rstrip("/"), name)))


class Folder(Store):
    """A folder of this machine, or one that several machines share."""

    def names(self, folder: str) -> set[str]:
        """Return the names of the files in a folder."""
        try:
            return {path.name for path in self._path(folder).iterdir() if path.is_file()}
        except OSError:
            return set()

    def below(self, folder: str) -> list[str]:
        """Return the names of all files below a folder."""
        start, root = self._path(folder), Path(self.root)
        return sorted(path.relative_to(root).as_posix() for path in start.rglob("*") if path.is_file())

    def put(self, path: Path, name: str) -> None:
        """Move a local file into place: beside it first, where it lies on another disk."""
        goal = self._path(name)
        try:
            goal.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=goal.parent, prefix=".part-", delete=False) as part:
                beside = Path(part.name)
            try:
                shutil.copyfile(path, beside)
                beside.chmod(0o644)
                beside.replace(goal)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise output_file.write_error(goal, error) from error

    def read(self, name: str) -> bytes | None:
        """Return what is in a file."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{self.shown(name)}: cannot be read ({error.strerror})") from error

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """Give the file itself."""
        yield self._path(name)

    def delete(self, name: str) -> None:
        """Remove a file."""
        with suppress(FileNotFoundError):
            self._path(name).unlink()

    def tidy(self, folder: str) -> None:
        """Remove a folder that is empty, and the one it is in where that is, too."""
        with suppress(OSError):
            for path in (self._path(folder), self._path(folder).parent, self._path(folder).parent.parent):
                path.rmdir()

    def _path(self, name: str) -> Path:
        return Path(self.root, *name.split("/"))


class ObjectStore(Store):
    """A prefix of an object store, whose objects are written whole."""

    def __init__(self, root: str) -> None:
        super().__init__(root.rstrip("/"))
        self._files = file_system(root)

    def names(self, folder: str) -> set[str]:
        """Return the names of the objects under a prefix."""
        with self._told(folder):
            try:
                found = self._files.ls(self._key(folder), detail=True)
            except FileNotFoundError:
                return set()
            return {each["name"].rsplit("/", 1)[-1] for each in found if each["type"] == "file"}

    def below(self, folder: str) -> list[str]:
        """Return the names of all objects under a prefix."""
        with self._told(folder):
            root = self._files._strip_protocol(self.root)  # as `find` returns them
            found = self._files.find(self._key(folder))
            return sorted(str(name)[len(root) :].lstrip("/") for name in found)

    def put(self, path: Path, name: str) -> None:
        """Upload a local file."""
        with self._told(name):
            self._files.put_file(str(path), self._key(name))

    def read(self, name: str) -> bytes | None:
        """Return what is in an object."""
        with self._told(name):
            try:
                return bytes(self._files.cat_file(self._key(name)))
            except FileNotFoundError:
                return None

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """Give a copy on this machine."""
        with tempfile.TemporaryDirectory(prefix="track-") as folder:
            path = Path(folder) / name.rsplit("/", 1)[-1]
            with self._told(name):
                self._files.get_file(self._key(name), str(path))
            yield path

    def delete(self, name: str) -> None:
        """Remove an object."""
        with self._told(name), suppress(FileNotFoundError):
            self._files.rm_file(self._key(name))

    def _key(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        try:
            yield
        except (OutputError, InputError):
            raise
        except Exception as error:  # each store has errors of its own
            raise OutputError(f"{self.shown(name)}: {reason(error)}") from error


def open_store(root: str) -> Store:
    """Return the store of a folder or an address; raises ``OptionError`` without the packages it needs."""
    return ObjectStore(root) if is_object(root) else Folder(root.removeprefix("file://"))
