"""Every path that a call reads and writes: no two of them one file, and none that another run is writing."""

from __future__ import annotations

import functools
import os
import stat
import tempfile
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO

from tracker.run.lock import Lock, hold
from tracker.sinks import output_file
from tracker.types import OptionError, OutputError

STANDARD_OUTPUT = "-"
MANY = 10_000  # files of a folder that is read: what holds more is given by mistake, such as /


@dataclass(frozen=True)
class Claim:
    """A path, and what it is to the user: ``the input``, ``--save-csv``."""

    what: str
    path: Path
    file: tuple[int, int] | None  # device and number of the file, where it exists: one for all its names
    folder: tuple[int, int] | None  # of the folder it stands in, links resolved ...
    name: str  # ... and what it is called there

    @classmethod
    def of(cls, what: str, path: Path) -> Claim:
        """Look at a path; raises ``OutputError`` for one that leads nowhere."""
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError) as error:  # a link to itself
            raise OutputError(f"{what} {path}: is a broken link; give another name") from error
        return cls(what, path, _number(resolved), _number(resolved.parent), resolved.name)

    def is_one_with(self, other: Claim) -> bool:
        """Whether both are one file, now or as soon as they are written."""
        if self.file is not None and other.file is not None:
            return self.file == other.file  # hard links and letters of either case, too
        if self.folder is None or self.folder != other.folder:
            return False
        if self.name == other.name:
            return True
        return _folded(self.name) == _folded(other.name) and _are_one_name(
            self.path.resolve().parent, self.name, other.name
        )


@dataclass(frozen=True)
class Many:
    """Files that are read together, such as a folder of pictures."""

    what: str
    paths: list[Path]

    @functools.cached_property
    def files(self) -> set[tuple[int, int] | None]:
        """Device and number of each; looked up when something is written that exists already."""
        return set(map(_number, self.paths))


class Claims:
    """What one call reads and writes, of all its sources together; opened by ``with``.

    A claim is compared with every other when it is made. What is written is locked against other runs until
    the end. Raises ``OptionError`` for two claims that are one file, ``OutputError`` for a file that another
    run has.
    """

    def __init__(self) -> None:
        self._reads: list[Claim] = []
        self._writes: list[Claim] = []
        self._many: list[Many] = []
        self._held: list[Lock | IO[bytes]] = []
        self._streams = 0  # outputs that go to standard output
        self._mutex = threading.Lock()  # several sources of one call claim at the same time

    def __enter__(self) -> Claims:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let others have the files."""
        held, self._held = self._held, []
        for each in reversed(held):
            each.release() if isinstance(each, Lock) else each.close()

    def read(self, what: str, path: str | Path) -> None:
        """Claim what is read: a file, a folder with everything in it, or nothing where nothing is there."""
        path = Path(path)
        if path.is_dir():
            inside = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
            self.read_all(what, islice(inside, MANY))
            return
        with self._mutex:
            if output_file.exists(path):
                claim = Claim.of(what, path)
                for other in self._writes:
                    self._refuse_input(other, claim)
                self._reads.append(claim)
                if stat.S_ISREG(path.stat().st_mode):
                    self._hold(claim, alone=False)

    def read_all(self, what: str, paths: Iterable[Path]) -> None:
        """Claim many files that are read, such as the pictures of a glob."""
        with self._mutex:
            self._many.append(Many(what, list(paths)))
            for claim in self._writes:
                self._refuse_pictures(claim)

    def write(self, what: str, path: str | Path, *, lock: bool = True) -> None:
        """Claim what is written; without ``lock`` whoever writes it keeps others away himself."""
        with self._mutex:
            if str(path) == STANDARD_OUTPUT:
                self._streams += 1
                if self._streams > 1:
                    raise OptionError(f"{what} -: only one output can be standard output; give a file")
                return
            claim = Claim.of(what, Path(path))
            if claim.file is not None and not claim.path.is_file():  # a device or a pipe; folders: told later
                return
            for other in self._reads:
                self._refuse_input(claim, other)
            self._refuse_pictures(claim)
            for other in self._writes:
                if claim.is_one_with(other):
                    raise OptionError(
                        f"{other.what} and {what} would both write {path}; give each its own file"
                    )
                for one, two in ((claim, other), (other, claim)):
                    if one.folder == two.folder and output_file.is_temporary(one.path, two.path):
                        raise OptionError(
                            f"{one.what} {one.path}: {two.what} has this name while it is being written; "
                            "give another name"
                        )
            self._writes.append(claim)
            if lock:
                self._lock(claim)

    def is_taken(self, path: Path) -> bool:
        """Whether something stands there, or will."""
        if os.path.lexists(path):
            return True
        claim = Claim.of("", path)
        return any(claim.is_one_with(other) for other in self._writes)

    def another(self, path: Path) -> Path:
        """Return ``path`` or, where that is taken, a free name beside it, which is claimed."""
        if not os.path.lexists(path):
            return path  # claimed under its own name
        free = output_file.next_free(path, self.is_taken)
        with self._mutex:
            self._writes.append(Claim.of(str(path), free))
        return free

    def _refuse_input(self, written: Claim, read: Claim) -> None:
        if written.is_one_with(read):
            raise OptionError(
                f"{written.what} {written.path}: is {read.what} itself; choose another name for it"
            )

    def _refuse_pictures(self, written: Claim) -> None:
        if written.file is None:  # what does not exist is not read
            return
        for many in self._many:
            if written.file in many.files:
                raise OptionError(f"{written.what} {written.path}: belongs to {many.what}; give another name")

    def _lock(self, claim: Claim) -> None:
        lock = Lock(output_file.lock_path(claim.path))
        if not lock.acquire():
            raise OutputError(f"{claim.path}: another run is writing it; end that run, or give another name")
        self._held.append(lock)
        if claim.file is not None:
            self._hold(claim, alone=True)

    def _hold(self, claim: Claim, *, alone: bool) -> None:
        try:
            file = hold(claim.path, alone=alone)
        except BlockingIOError:
            if alone:
                raise OutputError(
                    f"{claim.path}: another run is using it; end that run, or give another name"
                ) from None
            return  # reading what somebody writes harms nobody
        if file is not None:
            self._held.append(file)


def _number(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _are_one_name(folder: Path, one: str, two: str) -> bool:
    """Ask the file system itself whether it takes two names for one, as those of macOS and Windows do."""
    try:
        with tempfile.TemporaryDirectory(prefix=".track-", dir=folder) as probe:
            Path(probe, one).touch()
            return os.path.lexists(Path(probe, two))
    except OSError:
        return True  # rather ask for another name than lose a file
