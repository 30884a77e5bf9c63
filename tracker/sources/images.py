"""Images of a folder, a glob pattern or a single file as the frames of a video."""

from __future__ import annotations

import configparser
import glob
import re
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from tracker.sources import limits
from tracker.sources.ahead import FrameSelection, LazyFrame, ReadAhead
from tracker.sources.picture_file import BitDepth, Page, count, pages
from tracker.types import Image, InputError, Stopwatch

SUFFIXES = frozenset(
    ".avif .bmp .dib .exr .hdr .jp2 .jpe .jpeg .jpg .pbm .pgm .png .ppm .tif .tiff .webp".split()  # noqa: SIM905
)

PROBED_FRAMES = 12  # images by which rate and bit depth are chosen at the start
FPS = 25.0  # images have no times; a MOTChallenge seqinfo.ini in their folder tells the rate


class Images(ReadAhead):
    """Images in natural order (2 before 10), all scaled to the size of the first.

    Every frame of an animation and every page of a TIFF file counts. A single animation has its own times;
    else the rate is ``fps``, or ``frameRate`` of a MOTChallenge ``seqinfo.ini`` in the folder or above it, or
    25 with a warning. An image that cannot be read is left out with its index, and counted in ``warnings``.
    """

    def __init__(
        self,
        uri: str,
        selection: FrameSelection | None = None,
        stop: threading.Event | None = None,
        stopwatch: Stopwatch | None = None,
        *,
        fps: float | None = None,
    ) -> None:
        path = Path(uri)
        super().__init__(path.name or uri, selection or FrameSelection(), stop, stopwatch)
        self._uri, self._asked_fps = uri, fps
        self._paths: list[Path] = []
        self._depth = BitDepth()

    def _open(self) -> None:
        self._paths = find(self._uri)
        if not self._paths:
            other = next((path.name for path in matching(self._uri) if path.is_file()), None)
            if other is not None:
                raise InputError(
                    f"{self._uri}: no images here, but {other}; give videos by name, or the folder to "
                    "track archive; images end in .jpg, .png, .bmp, .webp, .tif, …"
                )
            raise InputError(
                f"{self._uri}: no images here; expected files ending in .jpg, .png, .bmp, .webp, .tif, …"
            )
        first = next((page for path in self._paths for page in pages(path)), None)
        if first is None:
            why = next((f" ({path.name} {why})" for path in self._paths if (why := limits.problem(path))), "")
            raise InputError(f"{self._uri}: none of its {len(self._paths)} images can be read{why}")
        self.size = (first.pixels.shape[1], first.pixels.shape[0])
        frames = count(self._paths[0]) if len(self._paths) == 1 else len(self._paths)
        self._clocked = len(self._paths) == 1 and first.duration_s is not None and self._asked_fps is None
        self.fps = self._rate(frames)
        self.length = self.selection.length(frames, self.fps)
        if first.pixels.dtype == np.uint16:
            for path in self._paths[:: -(-len(self._paths) // PROBED_FRAMES)]:
                for page in islice(pages(path), PROBED_FRAMES):
                    self._depth.observe(page.pixels)

    def _rate(self, frames: int) -> float:
        told = self._asked_fps or _frame_rate(self._paths[0].parent)
        if self._clocked:
            lengths = [p.duration_s for p in islice(pages(self._paths[0]), PROBED_FRAMES) if p.duration_s]
            told = 1 / median(lengths)
        elif told is None and frames > 1:
            self.warnings.append(f"images have no frame rate; {FPS:g} per second is assumed: give --fps")
        return told or FPS

    def _frames(self) -> Iterator[LazyFrame]:
        self._unreadable = self._resized = 0
        self._index, time = 0, 0.0
        try:
            for path in self._paths:
                before = self._index
                if len(self._paths) > 1 and not self.selection.after_start(before / self.fps, self.fps):
                    self._index += count(path)
                    continue
                for page in pages(path):
                    yield self._index, time if self._clocked else self._index / self.fps, self._pixels(page)
                    time += page.duration_s or 1 / self.fps
                    self._index += 1
                if self._index == before:
                    self._unreadable += 1
                    self._index += 1
        finally:
            self._add_warnings()

    def _pixels(self, page: Page) -> Callable[[], Image]:
        """Return a function that returns the pixels as bytes, in the size of the first image."""
        other = (page.pixels.shape[1], page.pixels.shape[0]) != self.size
        self._resized += other

        def image() -> Image:
            made = self._depth.image(page.pixels)
            return np.asarray(cv2.resize(made, self.size, interpolation=cv2.INTER_AREA)) if other else made

        return image

    def _add_warnings(self) -> None:
        if self._unreadable:
            total = len(self._paths)
            self.warnings.append(f"{self._unreadable} of {total} images could not be read and were left out")
        if self._resized:
            width, height = self.size
            self.warnings.append(f"{self._resized} images of another size were scaled to {width}x{height}")
        self.warnings += self._depth.warnings()

    def _close(self) -> None:
        pass


def find(uri: str) -> list[Path]:
    """Return the images a folder, glob pattern or file name stands for, in natural order."""
    found = (path for path in matching(uri) if path.suffix.lower() in SUFFIXES)
    return sorted(found, key=lambda path: natural(str(path)))


def matching(uri: str) -> list[Path]:
    """Return the files a folder, glob pattern or file name stands for."""
    path = Path(uri)
    if path.is_dir():
        return [entry for entry in path.iterdir() if entry.is_file()]
    if path.is_file():
        return [path]
    return [Path(entry) for entry in glob.glob(uri, recursive=True)]  # noqa: PTH207 - also absolute patterns


def natural(text: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers in names by value.

    >>> sorted(["b10", "b2", "a"], key=natural)
    ['a', 'b2', 'b10']
    """
    parts = re.split(r"(\d+)", text.casefold())
    return [(int(part), part) if part.isdecimal() else (-1, part) for part in parts]


def read(path: Path) -> Image | None:
    """Return the first image of a file as BGR bytes, or None if it cannot be read or is too large."""
    page = next(pages(path), None)
    return None if page is None else BitDepth().image(page.pixels)


def _frame_rate(folder: Path) -> float | None:
    for parent in (folder, folder.parent):
        ini = configparser.ConfigParser()
        try:
            ini.read(parent / "seqinfo.ini", encoding="utf-8")
            rate = ini.getfloat("Sequence", "frameRate")
        except (configparser.Error, ValueError, UnicodeDecodeError):
            continue
        if 0 < rate < 1e4:
            return rate
    return None
