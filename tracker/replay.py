"""Saved tracks as if they were followed just now: source, detector and tracker of a run without a model."""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bytetrack import Detections, Tracks
from tracker.types import Frame, Image, InputError

REQUIRED = ("frame", "x_min", "y_min", "x_max", "y_max", "tracker_id")
NOTHING = Detections.empty()  # what was found is in the tracks
MOT_CLASS = "object"  # MOTChallenge text knows no classes


class Row(NamedTuple):
    """One object in one frame; without an id: nothing was seen in this frame."""

    frame: int
    time: float
    track_id: int | None = None
    xyxy: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    score: float = 1.0
    class_id: int = 0


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
        """Read the file, column by column: a run of hours is millions of rows."""
        frames, times, ids, corners = array("q"), array("d"), array("q"), array("d")
        scores, classes, seen = array("d"), array("q"), array("b")
        last = None
        for frame, time, track_id, box, score, class_id in self._rows():
            if last is not None and frame < last:
                raise InputError(f"{self.path}: frame {frame} stands after {last}; sort by frame")
            last = frame
            frames.append(frame)
            times.append(time)
            seen.append(track_id is not None)
            ids.append(track_id or 0)
            corners.extend(box)
            scores.append(score)
            classes.append(class_id)
        if last is None:
            raise InputError(f"{self.path}: holds no tracks; write them with --save-csv")
        self._ids, self._scores, self._classes = np.array(ids), np.array(scores), np.array(classes)
        self._xyxy, self._seen = np.array(corners).reshape(-1, 4), np.array(seen, np.bool_)
        numbers, starts = np.unique(np.array(frames), return_index=True)
        self._index = numbers.tolist()  # frames that the file names ...
        self._time: list[float] = np.array(times)[starts].tolist()
        self._bounds = [*starts.tolist(), len(frames)]  # ... and which rows are theirs
        steps, passed = np.diff(numbers[:1000]), np.diff(self._time[:1000])
        self._step = math.gcd(*steps.tolist()) or 1
        rates = np.sort(steps[passed > 0] / passed[passed > 0])
        self.frame_rate = self.fps or (float(rates[len(rates) // 2]) if len(rates) else 30.0)
        self.length = (self._index[-1] - self._index[0]) // self._step + 1
        right, bottom = np.maximum(self._xyxy[:, 2:].max(axis=0), 0.0).tolist()
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
            self._now = Tracks.empty()
            if place < len(self._index) and self._index[place] == frame.index:
                if frame.time != self._time[place]:
                    frame = Frame(frame.image, frame.index, self._time[place])
                self._now = self._tracks(slice(self._bounds[place], self._bounds[place + 1]))
            yield frame, NOTHING

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        """Stand in for the tracker: return the tracks of the present frame."""
        return self._now

    def _tracks(self, rows: slice) -> Tracks:
        seen = self._seen[rows]
        if not seen.any():  # the row only says that there was a frame
            return Tracks.empty()
        score = self._scores[rows][seen]
        source = np.where(score == 0, -1, np.arange(len(score)))  # 0: was filled in by --refine
        return Tracks(self._ids[rows][seen], self._xyxy[rows][seen], score, self._classes[rows][seen], source)

    def _rows(self) -> Iterator[Row]:
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                start = file.readline()
                header = next(csv.reader([start]), [])
                if any(word.strip() == "tracker_id" for word in header):
                    yield from self._table(file, [word.strip() for word in header])
                else:
                    file.seek(0)
                    yield from self._mot(file)
        except (OSError, UnicodeDecodeError) as error:
            problem = getattr(error, "strerror", None) or error
            raise InputError(f"{self.path}: cannot be read: {problem}") from error

    def _table(self, lines: Iterable[str], header: list[str]) -> Iterator[Row]:
        missing = [name for name in REQUIRED if name not in header]
        if missing:
            raise InputError(f"{self.path}:1: the column {missing[0]!r} is missing; --save-csv writes it")
        at = [header.index(name) for name in REQUIRED]
        others = ("time_s", "confidence", "class_id", "class_name")
        time_at, score_at, class_at, name_at = (header.index(n) if n in header else -1 for n in others)
        for number, cells in enumerate(csv.reader(lines), 2):
            if not cells:
                continue
            try:
                frame, *box, track_id = (cells[n] for n in at)
                time = (
                    float(cells[time_at]) if time_at >= 0 and self.fps is None else self._time_of(int(frame))
                )
                if not track_id:
                    yield Row(int(frame), time)
                    continue
                class_id = int(cells[class_at]) if class_at >= 0 and cells[class_at] else 0
                if class_id not in self.names:
                    name = cells[name_at] if name_at >= 0 else str(class_id)
                    self.names = {**self.names, class_id: name}
                score = float(cells[score_at]) if score_at >= 0 and cells[score_at] else 1.0
                x, y, right, bottom = map(float, box)
                yield Row(int(frame), time, int(track_id), (x, y, right, bottom), score, class_id)
            except (ValueError, IndexError) as error:
                raise InputError(f"{self.path}:{number}: not a row of tracks: {error}") from error

    def _mot(self, lines: Iterable[str]) -> Iterator[Row]:
        self.names = {0: MOT_CLASS}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                frame, track_id, x, y, width, height, *rest = line.replace(",", " ").split()
                left, top = float(x), float(y)
                box = left, top, left + float(width), top + float(height)
                score = float(rest[0]) if rest else 1.0
                index = int(frame) - 1
                yield Row(index, self._time_of(index), int(track_id), box, score)
            except ValueError as error:
                raise InputError(
                    f"{self.path}:{number}: neither a table of tracks (--save-csv) nor MOTChallenge text"
                ) from error

    def _time_of(self, frame: int) -> float:
        if self.fps is None:
            raise InputError(f"{self.path}: has no times; give the recording with --video, or --fps")
        return frame / self.fps


def blank(size: tuple[int, int]) -> Image:
    """Return a black picture of this size that takes no memory."""
    picture: Image = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (size[1], size[0], 3))
    return picture
