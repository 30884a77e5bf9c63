"""Pictures of a folder, a glob or a single file, as if they were a video."""

from __future__ import annotations

import configparser
import glob
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from tracker.sources import limits
from tracker.sources.ahead import Picture, ReadAhead, Wanted
from tracker.types import Image, InputError, Stopwatch

SUFFIXES = frozenset(
    ".avif .bmp .dib .exr .hdr .jp2 .jpe .jpeg .jpg .pbm .pgm .png .ppm .tif .tiff .webp".split()  # noqa: SIM905
)

FPS = 25.0  # pictures carry no clock; a MOTChallenge seqinfo.ini beside them does


class Images(ReadAhead):
    """Pictures in natural order (2 before 10), all scaled to the size of the first.

    Their rate is ``fps``, or ``frameRate`` of a MOTChallenge ``seqinfo.ini`` in their folder or above it,
    else 25 with a note. A picture that cannot be read is left out, its index with it, and counted in
    ``notes``.
    """

    def __init__(
        self,
        uri: str,
        wanted: Wanted | None = None,
        stop: threading.Event | None = None,
        stopwatch: Stopwatch | None = None,
        *,
        fps: float | None = None,
    ) -> None:
        path = Path(uri)
        super().__init__(path.name or uri, wanted or Wanted(), stop, stopwatch)
        self._uri, self._asked_fps = uri, fps
        self._paths: list[Path] = []

    def _open(self) -> None:
        self._paths = find(self._uri)
        if not self._paths:
            raise InputError(
                f"{self._uri}: no images here; expected files ending in .jpg, .png, .bmp, .webp, .tif, …"
            )
        told = self._asked_fps or _frame_rate(self._paths[0].parent)
        if told is None and len(self._paths) > 1:
            self.notes.append(f"pictures do not tell their rate; {FPS:g} per second is a guess: give --fps")
        self.fps = told or FPS
        first = next((image for image in map(read, self._paths) if image is not None), None)
        if first is None:
            why = next((f" ({path.name} {why})" for path in self._paths if (why := limits.problem(path))), "")
            raise InputError(f"{self._uri}: none of its {len(self._paths)} images can be read{why}")
        self.size = (first.shape[1], first.shape[0])
        self.length = self.wanted.length(len(self._paths), self.fps)

    def _pictures(self) -> Iterator[Picture]:
        unreadable = resized = 0
        try:
            for index, path in enumerate(self._paths):
                time = index / self.fps
                if not self.wanted.after_start(time, self.fps):
                    continue
                image = read(path)
                if image is None:
                    unreadable += 1
                    continue
                if (image.shape[1], image.shape[0]) != self.size:
                    resized += 1
                    image = np.asarray(cv2.resize(image, self.size, interpolation=cv2.INTER_AREA), np.uint8)
                yield index, time, image.view
        finally:
            if unreadable:
                self.notes.append(
                    f"{unreadable} of {len(self._paths)} images could not be read and were left out"
                )
            if resized:
                self.notes.append(
                    f"{resized} images of another size were scaled to {self.size[0]}x{self.size[1]}"
                )

    def _close(self) -> None:
        pass


def find(uri: str) -> list[Path]:
    """Return the images a folder, glob pattern or file name stands for, in natural order."""
    path = Path(uri)
    if path.is_dir():
        found = [entry for entry in path.iterdir() if entry.is_file()]
    elif path.is_file():
        found = [path]
    else:
        found = [Path(entry) for entry in glob.glob(uri, recursive=True)]  # noqa: PTH207 - also absolute patterns
    return sorted((p for p in found if p.suffix.lower() in SUFFIXES), key=lambda p: natural(str(p)))


def natural(text: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers by value.

    >>> sorted(["b10", "b2", "a"], key=natural)
    ['a', 'b2', 'b10']
    """
    parts = re.split(r"(\d+)", text.casefold())
    return [(int(part), part) if part.isdecimal() else (-1, part) for part in parts]


def read(path: Path) -> Image | None:
    """Return the picture upright (EXIF) as BGR, or None where it cannot be read or is too large."""
    if limits.problem(path):
        return None
    try:
        data = np.fromfile(path, np.uint8)  # imread cannot open every Windows path
    except OSError:
        return None
    if not data.size:
        return None
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)


def _frame_rate(folder: Path) -> float | None:
    for place in (folder, folder.parent):
        ini = configparser.ConfigParser()
        try:
            ini.read(place / "seqinfo.ini", encoding="utf-8")
            rate = ini.getfloat("Sequence", "frameRate")
        except (configparser.Error, ValueError, UnicodeDecodeError):
            continue
        if 0 < rate < 1e4:
            return rate
    return None
