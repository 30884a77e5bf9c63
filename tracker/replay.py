"""Saved tracks as if they were followed just now: source, detector and tracker of a run without a model."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections, Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.types import Frame, Image, InputError

REQUIRED = ("frame", "x_min", "y_min", "x_max", "y_max", "tracker_id")
NOTHING = Detections.empty()  # what was found is in the tracks
NOBODY = Tracks.empty()
MOT_CLASS = "object"  # MOTChallenge text knows no classes
NEITHER = "neither a table of tracks (--save-csv) nor MOTChallenge text"
BLOCK = 5_000  # rows parsed at once


class Columns(NamedTuple):
    """Rows of a file; those without an id only say that there was a frame, and have no more."""

    frame: IntArray  # (N,)
    time: FloatArray  # (N,)
    seen: NDArray[np.bool_]  # (N,) which M rows have an id
    track_id: IntArray  # (M,)
    xyxy: FloatArray  # (M, 4)
    score: FloatArray  # (M,)
    class_id: IntArray  # (M,)


@dataclass
class SavedTracks:
    """The tracks of one file: what ``--save-csv`` or ``--save-mot`` wrote, or supervision's CSV.

    It stands in for source, detector and tracker of the frame loop. Frames that the file does not name had
    nothing in them. ``fps`` is needed where the file has no times. Raises ``InputError``.
    """

    path: Path
    fps: float | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    length: int = 0  # number of frames that will come
    frame_rate: float = 0.0
    extent: tuple[float, float] = (0.0, 0.0)  # right and bottom of all boxes

    def __post_init__(self) -> None:
        """Read the file, in blocks: a run of hours is millions of rows."""
        blocks = list(self._blocks())
        if not blocks:
            raise InputError(f"{self.path}: holds no tracks; write them with --save-csv")
        frames, times, seen, self._ids, self._xyxy, self._scores, self._classes = (
            np.concatenate(column) for column in zip(*blocks, strict=True)
        )
        back = np.flatnonzero(frames[1:] < frames[:-1])
        if len(back):
            raise InputError(
                f"{self.path}: frame {frames[back[0] + 1]} stands after {frames[back[0]]}; sort by frame"
            )
        numbers, starts = np.unique(frames, return_index=True)
        self._index = numbers.tolist()  # frames that the file names ...
        self._time: list[float] = times[starts].tolist()
        self._bounds = [*np.searchsorted(frames[seen], numbers).tolist(), len(self._ids)]  # ... their rows
        first = np.repeat(self._bounds[:-1], np.diff(self._bounds))
        self._source = np.where(self._scores == 0, -1, np.arange(len(first)) - first)  # 0: by --refine
        steps, passed = np.diff(numbers[:1000]), np.diff(self._time[:1000])
        self._step = math.gcd(*steps.tolist()) or 1
        rates = np.sort(steps[passed > 0] / passed[passed > 0])
        self.frame_rate = self.fps or (float(rates[len(rates) // 2]) if len(rates) else 30.0)
        self.length = (self._index[-1] - self._index[0]) // self._step + 1
        right, bottom = self._xyxy[:, 2:].max(axis=0, initial=0.0).tolist()
        self.extent = right, bottom

    def frames(self, image: Image) -> Iterator[Frame]:
        """Yield the frames from the first to the last that the file names, with a picture of nothing."""
        last: tuple[int, float] | None = None
        for index, time in zip(self._index, self._time, strict=True):
            if last is not None:  # frames between two that are named had nothing in them
                missing = range(last[0] + self._step, index, self._step)
                pace = (time - last[1]) / (index - last[0])
                yield from (Frame(image, n, last[1] + (n - last[0]) * pace) for n in missing)
            yield Frame(image, index, time)
            last = index, time

    def __enter__(self) -> SavedTracks:
        """Return itself: the file is opened for each reading."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Find nothing: what was found is in the tracks."""
        return [Detections.empty() for _ in images]

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Stand in for the detector: hold the tracks of each frame ready, and give them their time."""
        place = 0
        for frame in frames:
            while place < len(self._index) and self._index[place] < frame.index:
                place += 1
            self._now = NOBODY
            if place < len(self._index) and self._index[place] == frame.index:
                if frame.time != self._time[place]:
                    frame = Frame(frame.image, frame.index, self._time[place])
                self._now = self._tracks(self._bounds[place], self._bounds[place + 1])
            yield frame, NOTHING

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        """Stand in for the tracker: return the tracks of the present frame."""
        return self._now

    def _tracks(self, start: int, end: int) -> Tracks:
        if start == end:
            return NOBODY
        columns = (self._ids, self._xyxy, self._scores, self._classes, self._source)
        return Tracks(*(column[start:end] for column in columns))

    def _blocks(self) -> Iterator[Columns]:
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                start = file.readline()
                header = [word.strip() for word in next(csv.reader([start]), [])]
                if "tracker_id" in header:
                    missing = [name for name in REQUIRED if name not in header]
                    if missing:
                        raise InputError(
                            f"{self.path}:1: the column {missing[0]!r} is missing; --save-csv writes it"
                        )
                    yield from self._read(file, 2, lambda lines: self._table(lines, header))
                else:
                    file.seek(0)
                    self.names = {0: MOT_CLASS}
                    yield from self._read(file, 1, self._mot)
        except (OSError, UnicodeDecodeError) as error:
            problem = getattr(error, "strerror", None) or error
            raise InputError(f"{self.path}: cannot be read: {problem}") from error

    def _read(
        self, file: Iterable[str], number: int, parse: Callable[[list[str]], Columns]
    ) -> Iterator[Columns]:
        """Parse many lines at once; one by one where that fails, to tell which one is wrong."""
        lines = iter(file)
        while block := list(islice(lines, BLOCK)):
            try:
                yield parse([line for line in block if not line.isspace()])
            except (ValueError, IndexError):
                for n, line in enumerate(block, number):
                    try:
                        if not line.isspace():
                            yield parse([line])
                    except (ValueError, IndexError) as error:
                        what = "not a row of tracks" if parse != self._mot else NEITHER
                        raise InputError(f"{self.path}:{n}: {what}: {error}") from error
            number += len(block)

    def _table(self, lines: list[str], header: list[str]) -> Columns:
        try:
            return self._numbers(lines, header)
        except (ValueError, IndexError):  # a cell without a value, or one that is wrong
            return self._cells(list(csv.reader(lines)), header)

    def _numbers(self, lines: list[str], header: list[str]) -> Columns:
        """Parse lines in which nothing is left out, as ``--save-csv`` writes them."""
        use = [*REQUIRED, *(name for name in ("time_s", "confidence", "class_id") if name in header)]
        table = np.loadtxt(
            lines,
            delimiter=",",
            usecols=[header.index(n) for n in use],
            comments=None,
            quotechar='"',
            ndmin=2,
        )
        if not np.isfinite(table).all():
            raise ValueError("not a number")
        column = dict(zip(use, table.T, strict=True))
        frame, n = column["frame"].astype(np.int64), len(table)
        class_id = column.get("class_id", np.zeros(n)).astype(np.int64)
        first = dict(zip(*(found.tolist() for found in np.unique(class_id, return_index=True)), strict=True))
        new = [lines[row] for known, row in first.items() if known not in self.names]
        if new:
            self._cells(list(csv.reader(new)), header)  # for the names
        return Columns(
            frame,
            column["time_s"] if "time_s" in column and self.fps is None else self._times_of(frame),
            np.ones(n, np.bool_),
            column["tracker_id"].astype(np.int64),
            table[:, 1:5],
            column.get("confidence", np.ones(n)),
            class_id,
        )

    def _cells(self, rows: list[list[str]], header: list[str]) -> Columns:
        place = {name: n for n, name in enumerate(header)}
        id_at = place["tracker_id"]
        seen = [bool(cells[id_at]) for cells in rows]
        frame = np.array([int(cells[place["frame"]]) for cells in rows], np.int64)
        if "time_s" in place and self.fps is None:
            time = np.array([float(cells[place["time_s"]]) for cells in rows])
        else:
            time = self._times_of(frame)
        told = rows if all(seen) else list(compress(rows, seen))
        columns = list(zip(*told, strict=True))

        def column(name: str, kind: type[float] | type[int], blank: float) -> NDArray[Any]:
            cells = columns[place[name]] if name in place and columns else ()
            if cells and "" in cells and name not in REQUIRED:
                return np.array([kind(cell) if cell else blank for cell in cells], kind)
            return np.array([*map(kind, cells)], kind) if cells else np.full(len(told), blank, kind)

        class_id = column("class_id", int, 0)
        names = columns[place["class_name"]] if "class_name" in place and columns else class_id.tolist()
        found = dict(zip(reversed(class_id.tolist()), reversed(names), strict=True))  # the first name counts
        self.names = {**{n: str(name) for n, name in found.items()}, **self.names}
        xyxy = np.stack([column(name, float, 0.0) for name in REQUIRED[1:5]], axis=1)
        score = column("confidence", float, 1.0)
        return Columns(
            frame, time, np.array(seen, np.bool_), column("tracker_id", int, 0), xyxy, score, class_id
        )

    def _mot(self, lines: list[str]) -> Columns:
        rows = [line.replace(",", " ").split() for line in lines]
        frame, track_id, *numbers = zip(*rows, strict=True)
        index = np.array([*map(int, frame)], np.int64) - 1
        x, y, width, height, *rest = (np.array([*map(float, column)]) for column in numbers[:5])
        xyxy = np.stack([x, y, x + width, y + height], axis=1)
        n = len(rows)
        score = rest[0] if rest else np.ones(n)
        ids = np.array([*map(int, track_id)], np.int64)
        return Columns(
            index, self._times_of(index), np.ones(n, np.bool_), ids, xyxy, score, np.zeros(n, np.int64)
        )

    def _times_of(self, frame: IntArray) -> FloatArray:
        if self.fps is None:
            raise InputError(f"{self.path}: has no times; give the recording with --video, or --fps")
        return frame / self.fps


def blank(size: tuple[int, int]) -> Image:
    """Return a black picture of this size that takes no memory."""
    picture: Image = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (size[1], size[0], 3))
    return picture
