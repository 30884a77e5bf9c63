"""A piece of a video file, with the very frames that reading the whole file gives, or word that it cannot."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from av.video.frame import VideoFrame

from tracker.planes import Pixels, Planes
from tracker.sources.ahead import FrameSelection, LazyFrame
from tracker.sources.frame_times import MAX_GAP_S
from tracker.sources.video_file import VideoFile
from tracker.types import Stopwatch

BACK_S = (
    0.0,
    2.0,
    10.0,
    60.0,
)  # before the start, where a seek is tried; then the file is read from its beginning
SEAM = 8  # frames of a neighbour that both pieces tell: more than a picture's references reach
MOST_UNSURE = 1000  # frames without a key frame after which a seek has failed


class Seen(NamedTuple):
    """A frame at a seam: its time in the file, and a hash of its pixels."""

    time_s: float
    digest: str


class VideoPiece(VideoFile):
    """The frames of a file from ``start_s`` on and before ``end_s``; None: to its end.

    Their times are those of the whole file. ``Frame.index`` counts from 0: what the pieces before have is
    added by whoever joins them. Two pieces that follow each other fit if the frames that this one has `seen`
    after its end are those with which the other begins (`fits`), and if neither has a `fault`: a reason why
    the file cannot be cut, which ends the iteration.
    """

    def __init__(
        self,
        path: str | Path,
        start_s: float,
        end_s: float | None,
        stop: threading.Event | None = None,
        stopwatch: Stopwatch | None = None,
        *,
        fps: float | None = None,
        decode: str = "auto",
        file: BinaryIO | None = None,
    ) -> None:
        super().__init__(path, FrameSelection(), stop, stopwatch, fps=fps, decode=decode, file=file)
        self.start_s, self.end_s = start_s, end_s
        self.first: list[Seen] = []  # the first frames, `SEAM` at most
        self.after: list[Seen] = []  # those behind its end
        self.fault: str | None = None

    @classmethod
    def of(cls, video: VideoFile, start_s: float, end_s: float | None) -> VideoPiece:
        """Return the piece of a file that is read as ``video`` is."""
        path = video._address if video._path is None else video._path
        return cls(path, start_s, end_s, video._stop, video._watch, **video._reading)

    def _open(self) -> None:
        super()._open()
        self.length = None  # of the whole file

    def _frames(self) -> Iterator[LazyFrame]:
        if self._counted:
            self.fault = "its frames have no times"
            return
        self._damaged, self._complete = 0, False
        self._last: float | None = None
        count = 0
        for frame, time in self._from_start():
            if self.end_s is not None and time >= self.end_s:
                self.after.append(Seen(time, digest(self._orientation.pixels(frame))))
                if len(self.after) == SEAM:
                    return
                continue
            if count < SEAM:
                self.first.append(Seen(time, digest(self._orientation.pixels(frame))))
            yield count, time, functools.partial(self._orientation.pixels, frame)
            count += 1
        if self.fault is None and self.end_s is None and not self._ended():
            self._complete = True
            self._add_warnings()

    def _from_start(self) -> Iterator[tuple[VideoFrame, float]]:
        """Yield the frames from the start on with their times; stop at a fault."""
        decoder = self._decoder
        frames, corrupt = self._sought(), 0
        begun = False
        for frame in frames:
            time = decoder.seconds(frame)
            if not begun and time is not None and time < self.start_s:
                continue
            if not begun:
                begun, corrupt = True, decoder.corrupt if self.start_s > 0 else 0
            self.fault = self._fault(frame, time, corrupt)
            if self.fault is not None or time is None:
                return
            self._last = time
            yield frame, time
        if decoder.corrupt > (corrupt if begun or self.start_s > 0 else 0):
            self.fault = "it has packets that cannot be decoded"

    def _fault(self, frame: VideoFrame, time: float | None, corrupt: int) -> str | None:
        decoder = self._decoder
        if time is None or time < 0:
            return "it has frames without a time"
        if decoder.media.timeline.jumps:
            return "its clock jumps"
        if self._last is not None and not self._last < time < self._last + MAX_GAP_S:
            return "its times do not increase"
        if decoder.corrupt > corrupt:
            return "it has packets that cannot be decoded"
        return "it has damaged frames" if frame.is_corrupt else None

    def _sought(self) -> Iterator[VideoFrame]:
        """Yield frames from a key frame at or before the start, or from the beginning of the file."""
        decoder = self._decoder
        for back_s in BACK_S:
            goal = self.start_s - back_s
            if goal <= 0:
                break
            if not decoder.go_to(goal):
                continue
            frames = decoder.frames()
            key = self._key_frame(frames)
            if key is not None:
                yield key
                yield from frames
                return
        decoder.rewind()
        yield from decoder.frames()

    def _key_frame(self, frames: Iterator[VideoFrame]) -> VideoFrame | None:
        """Return the first key frame if it is not behind the start.

        What a decoder gives before it, it may have made of pictures that it has not seen.
        """
        for _, frame in zip(range(MOST_UNSURE), frames, strict=False):
            time = self._decoder.seconds(frame)
            if time is None or time > self.start_s or self._decoder.media.timeline.jumps:
                return None
            if frame.key_frame:
                return frame
        return None


def fits(before: VideoPiece | Seams, behind: VideoPiece | Seams) -> bool:
    """Whether the frames that one piece saw behind its end are those with which the next one begins."""
    there = [seen for seen in before.after if behind.end_s is None or seen.time_s < behind.end_s]
    begun = behind.first[: len(there)]
    whole = len(there) < SEAM  # it saw the whole next piece, or its end
    return begun == there and (not whole or len(behind.first) == len(there))


class Seams(NamedTuple):
    """What is kept of a piece to see whether its neighbours fit."""

    end_s: float | None
    first: list[Seen]
    after: list[Seen]


def digest(pixels: Pixels) -> str:
    """Return a hash of a picture."""
    parts = (pixels.y, pixels.u, pixels.v) if isinstance(pixels, Planes) else (pixels,)
    summed = hashlib.blake2b(digest_size=16)
    for part in parts:
        summed.update(np.ascontiguousarray(part).data)
    return summed.hexdigest()
