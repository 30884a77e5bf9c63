"""Video files of every container that ffmpeg reads, through PyAV."""

from __future__ import annotations

import functools
import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.errors import system_reason
from tracker.sources import address
from tracker.sources.ahead import FrameSelection, LazyFrame, ReadAhead
from tracker.sources.frame_times import EvenTimes
from tracker.sources.limits import MAX_PIXELS
from tracker.sources.media_file import FPS, frame_rate
from tracker.sources.orientation import orientation_of
from tracker.sources.recorded import recorded
from tracker.sources.sound import Sound
from tracker.sources.video_decoder import VideoDecoder
from tracker.types import InputError, Stopwatch

CUT_OFF = "cut off?"  # ends the warning of a file that is shorter than its header says
UNSURE_S = 1.0  # by which the duration in a header may be too short, as after a cut without encoding


class VideoFile(ReadAhead):
    """A video file: timestamps from 0, rotated upright, square pixels, every frame that can be decoded.

    ``Frame.index`` counts every frame from the first of the file; a packet that cannot be decoded counts as
    one missing frame. After a seek (``start_s``) the index is the time in nominal frames, which is exact if
    the frame rate is constant. Frames without a usable timestamp are spaced evenly between their neighbours,
    and jumps of the clock are closed. With ``fps`` each frame follows the last by 1 / fps, whatever the file
    tells. ``file`` is an open file, of an object store for example, that is read instead of ``path``; it
    has no sound.
    """

    def __init__(
        self,
        path: str | Path,
        selection: FrameSelection | None = None,
        stop: threading.Event | None = None,
        stopwatch: Stopwatch | None = None,
        *,
        fps: float | None = None,
        decode: str = "auto",
        file: BinaryIO | None = None,
    ) -> None:
        remote = file is None and address.is_http(str(path))
        self._path = None if remote or file is not None else Path(path)
        self._address = (
            str(path) if self._path is None else f"file:{path}"
        )  # else a name such as 12:30.mp4 is a protocol
        self._shown = address.redact(str(path))
        super().__init__(Path(self._shown).name, selection or FrameSelection(), stop, stopwatch)
        self._asked_fps = fps
        self._decoder = VideoDecoder(
            self._address, self._shown, remote=remote, ended=self._ended, decode=decode, file=file
        )
        self._reading: dict[str, Any] = {"fps": fps, "decode": decode, "file": file}

    def _open(self) -> None:
        first = self._first_frame()
        decoder = self._decoder
        media, stream = decoder.media, decoder.stream
        self._counted = media.raw or self._asked_fps is not None  # time is the number of the frame
        self.fps = self._asked_fps or self._nominal_rate()
        begin = stream.start_time if stream.start_time is not None else decoder.origin
        base = stream.time_base or 0
        # By how much the first frame that could be decoded is later than the first packet.
        self._late_s = 0.0 if decoder.by_dts else float(max(0, decoder.origin - begin) * base)
        # Decoding times are late by what the decoder holds back; sound begins with the first of them.
        origin_s = float((begin if decoder.by_dts else decoder.origin) * base)
        self._orientation = orientation_of(first, stream.sample_aspect_ratio)
        self.size = self._orientation.size
        self.recorded = recorded(media.container.metadata, stream.metadata)
        self._duration, self._announced = media.duration_s(stream), media.announced_s(stream)
        frames = stream.frames or (round(self._duration * frame_rate(stream)) if self._duration else 0)
        if decoder.by_dts and self._duration:
            frames = min(frames, math.ceil(self._duration * self.fps))  # AVI also counts empty packets
        if self._asked_fps and frames:
            self._duration = self._announced = frames / self.fps
        self.length = self.selection.length(frames, self.fps) if frames else None
        start = self.selection.start_s
        if start is not None and self._duration and start >= self._duration + UNSURE_S and not media.guessed:
            raise self._behind_the_end(self._duration)
        if not self._counted and self._reading["file"] is None:
            self.sound = Sound(self._address, stream.index, origin_s, remote=self._path is None)
        elif self._asked_fps is not None and media.container.streams.audio:
            self.warnings.append("the sound was left out: with --fps it would not match the picture")

    @property
    def duration_s(self) -> float | None:
        """Its duration by its header, once it is open; None where it tells none, or frames have no times."""
        return None if self._counted else self._duration

    def _first_frame(self) -> VideoFrame:
        """Open the file and return its first frame; raises ``InputError``."""
        if self._path is not None and not self._path.exists():
            raise InputError(f"{self._shown}: no such file")
        if self._path is not None and self._path.is_fifo():
            raise InputError(f"{self._shown}: is a pipe, which can be read only once; write it to a file")
        if self._path is not None and self._path.stat().st_size == 0:
            raise InputError(f"{self._shown}: the file is empty")
        try:
            first = self._decoder.choose()
        except PermissionError:
            if self._path is not None and os.access(self._path, os.R_OK):
                raise InputError(f"{self._shown}: names other files, which are not read for it") from None
            raise InputError(f"{self._shown}: no permission to read it") from None
        except (av.error.FFmpegError, ValueError) as error:
            cause = error if self._path is not None else None  # its text holds the address
            raise InputError(self._unreadable(error)) from cause
        if first is None:
            raise InputError(
                f"{self._shown}: not one frame of its video stream can be decoded: damaged, "
                f"or larger than {MAX_PIXELS / 1e6:.0f} million pixels"
            )
        return first

    def _behind_the_end(self, end_s: float) -> InputError:
        start = self.selection.start_s
        return InputError(f"{self._shown}: --start {start} s is after its end ({end_s:.1f} s)")

    def _nominal_rate(self) -> float:
        rate = self._decoder.nominal_rate()
        if rate is None:
            self.warnings.append(f"{self.name} has no frame rate; {FPS:g} is assumed: give --fps")
        return rate or FPS

    def _unreadable(self, error: Exception) -> str:
        head = b""
        if self._path is not None and self._path.is_file():
            with self._path.open("rb") as file:
                head = file.read(64)
        if b"ftyp" in head[:12]:
            return f"{self._shown}: an MP4/MOV without its index (moov): cut off while written; try untrunc"
        reason = system_reason(error) or type(error).__name__
        return f"{self._shown}: not a video that can be read ({reason})"

    def _frames(self) -> Iterator[LazyFrame]:
        start, decoder = self.selection.start_s, self._decoder
        packets, sought = None, False
        if start is not None and start > 1.0 and not self._counted:  # one second is decoded as fast as sought
            if decoder.broadcast:
                decoder.rewind()
                packets, sought = decoder.packets_from(start), True
            else:
                sought = decoder.seek(start)
        if not sought:
            decoder.rewind()
        self._damaged, self._complete = 0, False
        try:
            yield from self._timed(sought, packets)
            self._complete = not self._ended()
            if self._complete and start and not self.selection.after_start(self._last or 0.0, self.fps):
                raise self._behind_the_end((self._last or 0.0) + 1 / self.fps)
        finally:
            self._add_warnings()

    def _timed(self, sought: bool, packets: Iterator[Packet[VideoStream]] | None) -> Iterator[LazyFrame]:
        even: EvenTimes[tuple[int, VideoFrame]] = EvenTimes(1 / self.fps)
        decoder = self._decoder
        index = -1
        self._last: float | None = None
        corrupt = decoder.corrupt
        for frame in decoder.frames(packets):
            time = decoder.seconds(frame)
            index += 1 + decoder.corrupt - corrupt
            corrupt = decoder.corrupt
            if self._last is None:
                index = round(max(time or 0.0, 0.0) * self.fps) if sought else 0
            self._damaged += bool(frame.is_corrupt)
            if self._counted:
                self._last = index / self.fps
                yield index, self._last, functools.partial(self._orientation.pixels, frame)
                continue
            yield from self._given(even.put((index, frame), time))
            self._last = time if self._last is None else self._last
        yield from self._given(even.flush())

    def _given(self, timed: Iterator[tuple[float, tuple[int, VideoFrame]]]) -> Iterator[LazyFrame]:
        for time, (index, frame) in timed:
            self._last = time
            yield index, time, functools.partial(self._orientation.pixels, frame)

    def _add_warnings(self) -> None:
        decoder = self._decoder
        if not decoder.is_open:
            return
        if decoder.corrupt:
            self.warnings.append(f"{decoder.corrupt} corrupt packets skipped")
        if self._damaged:
            self.warnings.append(f"{self._damaged} damaged frames, used as far as they could be decoded")
        jumped = list(decoder.media.timeline.warnings())
        if not self._counted:
            self.warnings += jumped
        last, stated = self._last, self._announced
        if self._complete and stated is not None and last is not None and not jumped:
            missing = stated - self._late_s - last - 1 / self.fps
            if missing > max(1.0, 0.02 * stated) or (decoder.stream.frames and missing > 2.5 / self.fps):
                self.warnings.append(
                    f"the file ends at {last:.1f} s although its header says {stated:.1f} s: {CUT_OFF}"
                )

    def _close(self) -> None:
        self._decoder.close()
