"""What an archive consists of: cameras, each a sequence of files that tell in their names when they began."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from tracker.archive.files import Found, file_system, files_below, is_object
from tracker.errors import InputError, OptionError
from tracker.sinks import output_file
from tracker.sources import address

SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".vob"),
    *(".flv", ".wmv", ".asf", ".3gp", ".mjpeg", ".mjpg", ".h264", ".264", ".h265", ".265", ".hevc"),
)
LISTS = (".txt", ".list")  # one path or address a line
NAMES = "{camera}_%Y-%m-%d_%H-%M-%S"  # as --segment names the files of a camera
FIELDS = {
    "Y": r"\d{4}",
    "m": r"\d\d",
    "d": r"\d\d",
    "H": r"\d\d",
    "M": r"\d\d",
    "S": r"\d\d",
    "y": r"\d\d",
    "j": r"\d{3}",
}
AGAIN = r"(?:-\d+)?"  # behind the time of a second file of that name: an hour is repeated in autumn
DATED = ("%d", "%j")  # one of them makes a time of day a moment


@dataclass(frozen=True)
class Recording:
    """One file of a camera."""

    uri: str
    name: str  # within its camera, no two alike; part of paths
    start_s: float | None = None  # by its name: Unix time, or seconds where the name has no date


@dataclass(frozen=True)
class Camera:
    """The files of one camera in the order in which they were recorded."""

    name: str
    recordings: tuple[Recording, ...]
    dated: bool = False  # whether `start_s` is Unix time

    @property
    def key(self) -> str:
        """The name as one part of a path.

        >>> Camera("gate/north 1", ()).key
        'gate%2Fnorth%201'
        """
        return quote(self.name, safe="")


class Names:
    """The pattern of the names of files: ``{camera}``, the fields of a time (%Y, %H ...), ``*`` for the rest.

    Raises ``OptionError`` for a pattern that cannot be used.
    """

    def __init__(self, text: str = NAMES) -> None:
        self.text = text
        parts = re.split(r"(\{camera\}|\*|%.)", text)
        pattern, form = "", []
        for part in parts:
            if part == "{camera}":
                pattern += r"(?P<camera>.+?)"
            elif part == "*":
                pattern += ".*?"
            elif part.startswith("%"):
                if part[1:] not in FIELDS:
                    raise OptionError(f"--names {text}: {part} is unknown; there are %{' %'.join(FIELDS)}")
                pattern += f"({FIELDS[part[1:]]})"
                form.append(part)
            else:
                pattern += re.escape(part)
        if parts.count("{camera}") != 1 or "%H" not in form:
            raise OptionError(f"--names {text}: needs {{camera}} once, and a time; such as {NAMES}")
        self._form = " ".join(form)
        self._pattern = re.compile(pattern + AGAIN)
        self.dated = any(field in form for field in DATED)

    def read(self, name: str) -> tuple[str, float] | None:
        """Return camera and start of a file's name without its ending, None where it is named otherwise.

        >>> Names("{camera}_%H-%M-%S").read("yard_01-00-05")
        ('yard', 3605.0)
        """
        found = self._pattern.fullmatch(name)
        if found is None:
            return None
        fields, camera = list(found.groups()), found["camera"]
        del fields[self._pattern.groupindex["camera"] - 1]
        try:
            began = datetime.strptime(" ".join(fields), self._form)
        except ValueError:
            return None
        if not self.dated:
            return camera, 3600.0 * began.hour + 60 * began.minute + began.second
        try:
            return camera, began.timestamp()  # of this machine's time zone, as --segment writes it
        except (OverflowError, OSError, ValueError):
            return None


def find(sources: Iterable[str], names: Names) -> list[Camera]:
    """Return the cameras among files, folders and lists; raises ``InputError`` and ``OptionError``."""
    cameras: dict[str, list[Recording]] = {}
    timed: dict[str, bool] = {}
    seen: set[str] = set()
    for found in _files(sources):
        if found.uri in seen:
            continue
        seen.add(found.uri)
        stem = found.name[: len(found.name) - len(_suffix(found.name))]
        told = names.read(stem)
        camera, start = told or (stem, None)
        if camera in cameras and not (timed[camera] and told):
            other = cameras[camera][0].uri
            raise OptionError(
                f"{address.redact(found.uri)} and {address.redact(other)} are both called {camera}; "
                "rename one, give the folder that holds both, or say with --names how files are named"
            )
        timed[camera] = told is not None
        name = quote(found.name, safe="")
        if any(other.name == name for other in cameras.get(camera, ())):
            raise OptionError(f"{found.name}: two files of one camera are called so; rename one")
        uri = found.uri if address.scheme(found.uri) else str(Path(found.uri).absolute())
        cameras.setdefault(camera, []).append(Recording(uri, name, start))
    return [
        Camera(name, tuple(sorted(files, key=lambda one: (one.start_s or 0.0, one.name))), names.dated)
        for name, files in sorted(cameras.items())
    ]


def _files(sources: Iterable[str]) -> Sequence[Found]:
    found: list[Found] = []
    for source in sources:
        text = source.removeprefix("file://")
        if not text.strip():
            raise InputError("a source is empty; give a folder, a file or an address")
        if address.scheme(text) in ("rtsp", "rtmp", "udp", "srt"):
            raise InputError(f"{address.redact(text)}: is live; an archive is of files")
        if (is_object(text) and not _suffix(text)) or (not is_object(text) and os.path.isdir(text)):  # noqa: PTH112
            inside = files_below(text, SUFFIXES)
            if not inside:
                raise InputError(f"{address.redact(text)}: contains no video")
            found += inside
        elif text.lower().endswith(LISTS):
            found += [Found(line, line.rsplit("/", 1)[-1]) for line in _lines(text)]
        else:
            if not address.scheme(text) and not output_file.exists(Path(text)):
                raise InputError(f"{text}: no such file or folder")
            if not address.scheme(text) and not output_file.is_file(Path(text)):
                raise InputError(f"{text}: is a device or a pipe; an archive is of files and folders")
            found.append(Found(text, text.rsplit("/", 1)[-1]))
    for one in {address.scheme(each.uri): each for each in found}.values():
        if is_object(one.uri):
            file_system(one.uri)  # workers would tell it of each file
    return found


def _lines(path: str) -> list[str]:
    try:
        if not Path(path).is_file():
            raise ValueError
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a list, one file or address a line") from error
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise InputError(f"{path}: names no file; give one file or address a line")
    beside = Path(path).parent
    return [line if address.scheme(line) else str(beside / line) for line in lines]


def _suffix(name: str) -> str:
    suffix = Path(name).suffix
    return suffix if suffix.lower() in SUFFIXES else ""
