"""Saved tracks in place of a source, a detector and a tracker: a run without a model."""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections, Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.contracts import Detector, Source
from tracker.offline.shapes_of_rows import OUTLINED, with_shapes
from tracker.offline.track_rows import MOT_CLASS, TrackRows
from tracker.types import Frame, Image, InputError

NO_DETECTIONS = Detections.empty()  # the tracks hold all that is known
NO_TRACKS = Tracks.empty()
MOST_MISSING = 5_000_000  # frames between those of a file, two days at 30 per second; more are an error
MOST_FPS = 1000.0


@dataclass
class SavedTracks(Detector):
    """The tracks of one file: what ``--save-csv`` or ``--save-mot`` wrote, or supervision's CSV.

    Stands in for source, detector and tracker in the frame loop. Frames that the file does not name had no
    tracks. ``fps`` is needed if the file has no times. Raises ``InputError``.
    """

    path: Path
    fps: float | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    length: int = 0  # number of frames
    frame_rate: float = 0.0
    extent: tuple[float, float] = (0.0, 0.0)  # greatest right and bottom of all boxes
    video_fps: float | None = None  # of the recording, where the file has no times and ``fps`` is not given
    warnings: list[str] = field(default_factory=list)  # one line each, for the user

    def __post_init__(self) -> None:
        """Read the file in blocks: a run of hours has millions of rows."""
        if self.fps is not None and not 0 < self.fps <= MOST_FPS:
            raise InputError(
                f"--fps {self.fps:g} is not a frame rate; give more than 0 and at most {MOST_FPS:g}"
            )
        rows = TrackRows(self.path)
        blocks = list(rows.blocks())
        if not blocks:
            raise InputError(f"{self.path}: contains no tracks; write them with --save-csv")
        (
            *(line, frames, times, seen, self._ids, self._xyxy, self._scores, self._classes),
            self._rotated,
            self._shapes,
        ) = (np.concatenate(column) for column in zip(*blocks, strict=True))
        del blocks
        if rows.unfollowed and not len(self._ids):
            raise InputError(f"{self.path}: contains detections, not tracks (every id is -1)")
        self.names, self.warnings, self.kind = rows.names, rows.warnings(), rows.kind
        self._outlined = True
        rate = self.fps or (None if rows.times else self.video_fps)
        if rate is not None:
            times = frames / rate
        elif not rows.times:
            raise InputError(f"{self.path}: has no times; give --video FILE or --fps")
        self._check(line, frames, times, seen)
        numbers, starts = np.unique(frames, return_index=True)
        self._index = numbers.tolist()  # of the frames that the file names, ...
        self._time: list[float] = times[starts].tolist()
        self._bounds = [
            *np.searchsorted(frames[seen], numbers).tolist(),
            len(self._ids),
        ]  # ... the bounds of their rows
        first = np.repeat(self._bounds[:-1], np.diff(self._bounds))
        self._source = np.where(
            self._scores == 0, -1, np.arange(len(first)) - first
        )  # score 0: filled by --refine
        steps, passed = np.diff(numbers[:1000]), np.diff(self._time[:1000])
        self._step = math.gcd(*steps.tolist()) or 1
        self._check_gaps(numbers, line[starts])
        rates = np.sort(steps[passed > 0] / passed[passed > 0])
        self.frame_rate = rate or (float(rates[len(rates) // 2]) if len(rates) else 30.0)
        self.length = (self._index[-1] - self._index[0]) // self._step + 1
        right, bottom = self._xyxy[:, 2:].max(axis=0, initial=0.0).tolist()
        self.extent = right, bottom

    @property
    def has_classes(self) -> bool:
        """Whether the file has classes; MOTChallenge text has none."""
        return dict(self.names) != {0: MOT_CLASS}

    def keep(self, class_ids: Iterable[int]) -> None:
        """Leave out the tracks of all other classes; the frames stay."""
        kept = np.isin(self._classes, list(class_ids))
        before = np.concatenate([[0], np.cumsum(kept)])
        self._bounds = before[self._bounds].tolist()
        self._ids, self._xyxy, self._scores, self._classes, self._source = (
            column[kept] for column in (self._ids, self._xyxy, self._scores, self._classes, self._source)
        )
        self._rotated, self._shapes = self._rotated[kept], self._shapes[kept]

    def frames(self, image: Image) -> Iterator[Frame]:
        """Yield the frames from the first to the last that the file names, each with the same ``image``."""
        last: tuple[int, float] | None = None
        for index, time in zip(self._index, self._time, strict=True):
            if last is not None:  # frames between two named ones had no tracks
                missing = range(last[0] + self._step, index, self._step)
                pace = (time - last[1]) / (index - last[0])
                yield from (Frame(image, n, last[1] + (n - last[0]) * pace) for n in missing)
            yield Frame(image, index, time)
            last = index, time

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return no detections: the tracks hold all that is known."""
        return [Detections.empty() for _ in images]

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Stand in for the detector: get the tracks of each frame ready, and give frames the saved time."""
        row = 0
        for frame in frames:
            while row < len(self._index) and self._index[row] < frame.index:
                row += 1
            self._current = NO_TRACKS
            if row < len(self._index) and self._index[row] == frame.index:
                if frame.time != self._time[row]:
                    frame = frame.at(frame.index, self._time[row])
                self._current = self._tracks(self._bounds[row], self._bounds[row + 1])
                self._current = self._timed(self._current, frame)
            yield frame, NO_DETECTIONS

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        """Stand in for the tracker: return the tracks of the current frame."""
        return self._current

    def bare(self) -> SavedTracks:
        """Return the same without masks and keypoints, for who needs boxes alone: they take time to read."""
        bare = copy(self)
        bare._outlined = False
        return bare

    def shaped(self, tracks: Tracks, frame: Frame) -> Tracks:
        """Return tracks of a frame, some of which the file has, with its masks or keypoints."""
        row = bisect_left(self._index, frame.index)
        named = row < len(self._index) and self._index[row] == frame.index
        if self.kind not in OUTLINED or not named or not len(tracks):
            return tracks
        rows = slice(self._bounds[row], self._bounds[row + 1])
        cell = dict(zip(self._ids[rows].tolist(), self._shapes[rows].tolist(), strict=True))
        cells = np.array([cell.get(one, "") for one in tracks.track_id.tolist()], object)
        return self._timed(with_shapes(tracks, self.kind, cells, self.path), frame)

    def _timed(self, tracks: Tracks, frame: Frame) -> Tracks:
        """Return tracks with the time of their shapes; raises ``InputError`` for masks of another picture."""
        if self.kind == "detect" or not len(tracks):
            return tracks
        width, height = frame.size
        if tracks.masks is not None and tracks.masks.size != (height, width):
            told = f"{tracks.masks.size[1]}x{tracks.masks.size[0]}"
            raise InputError(
                f"{self.path}: its masks are of pictures of {told}, and the picture is {width}x{height}"
            )
        return replace(tracks, shape_time=np.where(tracks.source >= 0, frame.time, np.nan))

    def _tracks(self, start: int, end: int) -> Tracks:
        if start == end:
            return NO_TRACKS
        columns = (self._ids, self._xyxy, self._scores, self._classes, self._source)
        ids, xyxy, scores, classes, source = (column[start:end] for column in columns)
        tracks = Tracks(ids, xyxy, scores, classes, source)
        if self.kind == "obb":
            return replace(tracks, rotated=self._rotated[start:end])
        if self.kind not in OUTLINED or not self._outlined:
            return tracks
        return with_shapes(tracks, self.kind, self._shapes[start:end], self.path)

    def _check(self, line: IntArray, frames: IntArray, times: FloatArray, seen: NDArray[np.bool_]) -> None:
        """Refuse rows that are not in order of frame and time, and an id that is twice in a frame."""
        back = np.flatnonzero(frames[1:] < frames[:-1]) + 1
        if len(back):
            n = back[0]
            raise InputError(
                f"{self.path}:{line[n]}: frame {frames[n]} comes after {frames[n - 1]}; sort by frame"
            )
        back = np.flatnonzero((times[1:] < times[:-1]) & (frames[1:] > frames[:-1])) + 1
        if len(back):
            n = back[0]
            raise InputError(
                f"{self.path}:{line[n]}: time {times[n]:g} s comes after {times[n - 1]:g} s; "
                "times must increase"
            )
        own_line, own_frame = line[seen], frames[seen]
        order = np.lexsort(
            (self._ids, own_frame)
        )  # frames are in order: only rows within a frame change places
        same = (np.diff(own_frame[order]) == 0) & (np.diff(self._ids[order]) == 0)
        if same.any():
            n = int(np.flatnonzero(same)[0])
            first, second = sorted(own_line[order[n : n + 2]].tolist())
            raise InputError(
                f"{self.path}:{second}: id {self._ids[order[n]]} is already in this frame, in line {first}; "
                "expected one row per object and frame"
            )

    def _check_gaps(self, numbers: IntArray, line: IntArray) -> None:
        """Refuse a frame number so far from the others that it is more likely a typing error."""
        missing = (np.diff(numbers) - 1) // self._step
        if missing.sum() > MOST_MISSING:
            n = int(missing.argmax()) + 1
            raise InputError(
                f"{self.path}:{line[n]}: frame {numbers[n]} comes directly after {numbers[n - 1]}; "
                f"at most {MOST_MISSING} frames may be missing"
            )


class SavedFrames(Source):
    """The frames of a table of tracks, with a picture of nothing; ``size`` is width and height."""

    def __init__(self, tracks: SavedTracks, size: tuple[int, int], stop: threading.Event) -> None:
        super().__init__(tracks.path.name)
        self.fps, self.size, self.length = tracks.frame_rate, size, tracks.length
        self._tracks, self._stop = tracks, stop

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames from the first to the last that the table names."""
        for frame in self._tracks.frames(blank(self.size)):
            if self._stop.is_set():
                return
            yield frame


def blank(size: tuple[int, int]) -> Image:
    """Return a black picture of this size that takes no memory."""
    picture: Image = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (size[1], size[0], 3))
    return picture
