"""Changing a zone file by program: comments and order stay, earlier versions can be brought back."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from tracker.errors import OutputError, system_reason
from tracker.types import OptionError
from tracker.zones.file import MOST_LETTERS, ZoneFile, from_yaml
from tracker.zones.rewrite import Edited, rewritten

VERSIONS = 50  # earlier versions that are kept
MOST_BYTES = MOST_LETTERS
STAMP = "%Y%m%dT%H%M%S"


class ShapeError(OptionError):
    """A shape that cannot be used; ``index`` tells which of those given, None: the file as a whole."""

    def __init__(self, text: str, index: int | None = None) -> None:
        super().__init__(text)
        self.index = index


class ZoneDocument:
    """A zone file while it is edited, for a picture of ``size`` (width, height); it need not exist yet."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.path, self.size = path, size

    @property
    def version(self) -> str:
        """What tells this content from another; empty where there is no file, or none that can be read."""
        try:
            content = self._bytes()
        except OptionError:
            return ""
        return hashlib.sha256(content).hexdigest()[:16] if content else ""

    def read(self) -> ZoneFile:
        """Return what is in the file; raises ``OptionError``."""
        text = self._text()
        if not text.strip():
            return ZoneFile()
        return from_yaml(text, str(self.path), self.size, may_be_empty=True)

    def changed(self, shapes: Sequence[Edited]) -> str:
        """Return the text with these shapes and no others; raises ``ShapeError``."""
        seen: set[str] = set()
        for index, each in enumerate(shapes):
            if each.shape.name in seen:
                raise ShapeError(f"the name {each.shape.name!r} is taken; names must differ", index)
            seen.add(each.shape.name)
        known = {shape.name: shape for shape in self.read().shapes}
        text = rewritten(self._text(), shapes, known, self.size)
        try:  # with none, too: movements may name what is gone
            from_yaml(text, str(self.path), self.size, may_be_empty=True)
        except OptionError as error:
            raise ShapeError(str(error)) from error
        return text

    def save(self, text: str) -> None:
        """Write in one step, keeping what was there as an earlier version; raises ``OutputError``.

        Where there is no room for both, nothing has changed.
        """
        before, after = self._bytes(), text.encode()
        if before == after:
            return
        path = Path(os.path.realpath(self.path))
        kept: Path | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if before:
                kept = self._keep(before)
            replace_file(path, after)
        except OSError as error:
            if kept is not None:
                kept.unlink(missing_ok=True)
            raise OutputError(
                f"{self.path}: cannot be written ({system_reason(error)}); nothing was changed"
            ) from error
        for old in self.versions()[VERSIONS:]:
            with suppress(OSError):
                (self._folder() / f"{old}.yaml").unlink(missing_ok=True)

    def versions(self) -> list[str]:
        """Return the names of earlier versions, the newest first."""
        try:
            return sorted((path.stem for path in self._folder().glob("*.yaml")), reverse=True)
        except OSError:
            return []

    def earlier(self, name: str) -> str:
        """Return the text of an earlier version; raises ``OptionError``."""
        if name not in self.versions():
            raise OptionError(f"there is no version {name!r:.40}")
        return text_of(self._folder() / f"{name}.yaml")

    def _text(self) -> str:
        return text_of(self.path)

    def _bytes(self) -> bytes:
        return bytes_of(self.path)

    def _folder(self) -> Path:
        return self.path.with_name(f".{self.path.name}.versions")

    def _keep(self, content: bytes) -> Path:
        folder = self._folder()
        folder.mkdir(exist_ok=True)
        stamp, number = datetime.now().astimezone().strftime(STAMP), 0
        while (path := folder / f"{stamp}-{number:02}.yaml").exists():
            number += 1
        replace_file(path, content)
        return path


def bytes_of(path: Path) -> bytes:
    """Return what is in a zone file, nothing where there is none; raises ``OptionError``."""
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():  # it may have no end, or wait for one
            raise OptionError(f"{path}: is a device or a pipe; give the name of a file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise OptionError(f"{path}: cannot be read: {system_reason(error)}") from error
    if len(content) > MOST_BYTES:
        raise OptionError(f"{path}: is larger than {MOST_BYTES >> 20} MB; is this a zone file?")
    return content


def text_of(path: Path) -> str:
    """Return the text of a zone file, nothing where there is none; raises ``OptionError``."""
    try:
        return bytes_of(path).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise OptionError(f"{path}: cannot be read: not text in UTF-8; save it so") from error


def replace_file(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Write a file as a whole or, on a full disk, not at all; its rights stay. Raises ``OSError``.

    ``lasting``: wait until a power cut would leave it whole, too.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        os.chmod(temporary, mode)  # noqa: PTH101 - a name of tempfile's
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
