"""Video files of every container ffmpeg reads, through PyAV."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.sources import address
from tracker.sources.ahead import FrameSelection, LazyFrame, ReadAhead
from tracker.sources.frame_times import EvenTimes, dts_is_steadier
from tracker.sources.limits import MAX_PIXELS
from tracker.sources.media_file import FPS, MAX_FPS, MediaFile, frame_rate
from tracker.sources.orientation import orientation_of
from tracker.sources.recorded import recorded
from tracker.sources.sound import Sound
from tracker.sources.timeline import BROADCAST
from tracker.threads import plan
from tracker.types import InputError, Stopwatch

PROBED_FRAMES = 12  # pictures by which the better clock is chosen: more than a decoder holds back
SEARCHED_S = 60.0  # no two key frames are farther apart; a seek that lands earlier went astray
UNSURE_S = 1.0  # by which a header may be shorter than its pictures, as of a media cut without coding it anew
MOST_HELD = 1000  # packets kept while the start is looked for


class VideoFile(ReadAhead):
    """A video file: true timestamps from 0, upright with square pixels, every frame that can be decoded.

    ``Frame.index`` counts every frame from the file's first; a packet that cannot be decoded counts as one
    frame that is missing. After a seek (``start_s``) it is the time in nominal frames, which is exact where
    the frame rate is constant. Frames without a usable timestamp lie evenly between their neighbours, and
    jumps of the clock are closed. ``fps`` overrules the file: each frame follows the last by 1 / fps.
    """

    def __init__(
        self,
        path: str | Path,
        selection: FrameSelection | None = None,
        stop: threading.Event | None = None,
        stopwatch: Stopwatch | None = None,
        *,
        fps: float | None = None,
    ) -> None:
        remote = address.is_http(str(path))
        self._path = None if remote else Path(path)
        self._address = str(path) if remote else f"file:{path}"  # else a name such as 12:30.mp4 is a protocol
        self._shown = address.redact(str(path))
        super().__init__(Path(self._shown).name, selection or FrameSelection(), stop, stopwatch)
        self._asked_fps = fps
        self._file: MediaFile | None = None
        self._choice = 0  # of the streams that may be the film
        self._by_dts = False
        self._undecoded = 0

    def _open(self) -> None:
        if self._path is not None and not self._path.exists():
            raise InputError(f"{self._shown}: no such file")
        if self._path is not None and self._path.stat().st_size == 0:
            raise InputError(f"{self._shown}: the file is empty")
        try:
            first = self._choose()
        except PermissionError:
            raise InputError(f"{self._shown}: no permission to read it") from None
        except (av.error.FFmpegError, ValueError) as error:
            cause = error if self._path is not None else None  # its text holds the address
            raise InputError(self._unreadable(error)) from cause
        if first is None:
            raise InputError(
                f"{self._shown}: not one frame of its video stream can be decoded: damaged, "
                f"or larger than {MAX_PIXELS / 1e6:.0f} million pixels"
            )
        media, stream = self._opened, self._stream
        self._counted = media.raw or self._asked_fps is not None  # time is the number of the frame
        self.fps = self._asked_fps or self._told_rate()
        self._origin = self._stamp(first) or 0
        begin = stream.start_time if stream.start_time is not None else self._origin
        self._late_s = float(
            (0 if self._by_dts else max(0, self._origin - begin)) * (stream.time_base or 0)
        )  # the first of them decoded
        # Decoding times are late by what the decoder holds back; sound begins with the first of them.
        origin_s = float((begin if self._by_dts else self._origin) * (stream.time_base or 0))
        self._orientation = orientation_of(first, stream.sample_aspect_ratio)
        self.size = self._orientation.size
        self.recorded = recorded(media.container.metadata, stream.metadata)
        self._duration, self._announced = media.duration_s(stream), media.announced_s(stream)
        frames = stream.frames or (round(self._duration * frame_rate(stream)) if self._duration else 0)
        if self._by_dts and self._duration:
            frames = min(frames, math.ceil(self._duration * self.fps))  # AVI counts empty packets, too
        if self._asked_fps and frames:
            self._duration = self._announced = frames / self.fps
        self.length = self.selection.length(frames, self.fps) if frames else None
        start = self.selection.start_s
        if start is not None and self._duration and start >= self._duration + UNSURE_S and not media.guessed:
            raise self._behind_the_end(self._duration)
        if not self._counted:
            self.sound = Sound(self._address, stream.index, origin_s, remote=self._path is None)
        elif self._asked_fps is not None and media.container.streams.audio:
            self.warnings.append("the sound was left out: with --fps it would not fit the picture")

    def _behind_the_end(self, end_s: float) -> InputError:
        start = self.selection.start_s
        return InputError(f"{self._shown}: --start {start} s lies behind its end ({end_s:.1f} s)")

    def _choose(self) -> VideoFrame | None:
        """Choose the stream and the clock by the first pictures; return the first."""
        self._rewind()
        while self._choice < len(self._opened.video_streams):
            frames = list(islice(self._decoded(), PROBED_FRAMES))
            self._by_dts = self._opened.container.format.name == "avi" or dts_is_steadier(frames)
            if frames:
                if self._by_dts:
                    self._rewind()
                    return next(self._decoded(), None)
                return frames[0]
            self._choice += 1
            self._rewind()
        self._choice = 0
        return None

    def _stamp(self, frame: VideoFrame) -> int | None:
        """Return the time of a picture by the clock that was chosen."""
        return frame.dts if self._by_dts else frame.pts

    @property
    def _opened(self) -> MediaFile:
        assert self._file is not None
        return self._file

    def _rewind(self) -> None:
        self._close()
        self._undecoded = 0
        self._file = MediaFile(self._address, remote=self._path is None)
        if not self._file.video_streams:
            raise InputError(
                f"{self._shown}: contains no video that can be decoded (only {self._file.kinds})"
            )
        choice = min(self._choice, len(self._file.video_streams) - 1)
        self._stream: VideoStream = self._file.video_streams[choice]
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = plan().decoder

    def _told_rate(self) -> float:
        """Return the nominal rate; of bare pictures what the codec's own header says, else a guess."""
        if not self._opened.raw:
            guessed = self._stream.guessed_rate  # an AVI whose clock ticks by fields tells twice the rate
            halved = self._by_dts and guessed and 0 < guessed < frame_rate(self._stream)
            return float(guessed) if halved and guessed else frame_rate(self._stream)
        told = self._stream.codec_context.framerate
        if self._stream.codec_context.name in CLOCKED and told and 0 < told <= MAX_FPS:
            return float(told)
        self.warnings.append(f"{self.name} does not tell its frame rate; {FPS:g} is a guess: give --fps")
        return FPS

    def _unreadable(self, error: Exception) -> str:
        head = b""
        if self._path is not None and self._path.is_file():
            with self._path.open("rb") as file:
                head = file.read(64)
        if b"ftyp" in head[:12]:
            return f"{self._shown}: an MP4/MOV without its index (moov): cut off while written; try untrunc"
        reason = getattr(error, "strerror", None) or type(error).__name__
        return f"{self._shown}: not a video that can be read ({reason})"

    @property
    def _corrupt(self) -> int:
        return self._undecoded + self._opened.bad_reads

    def _packets(self) -> Iterator[Packet[Any]]:
        for packet in self._opened.packets(self._stream, ended=self._ended):
            if self._by_dts:
                packet.pts = None
            yield packet

    def _decoded(self, packets: Iterator[Packet[Any]] | None = None) -> Iterator[VideoFrame]:
        """Yield decoded frames; what cannot be decoded is counted."""
        for packet in self._packets() if packets is None else packets:
            try:
                yield from packet.decode()
            except (av.error.FFmpegError, ValueError):
                self._undecoded += 1

    def _frames(self) -> Iterator[LazyFrame]:
        start = self.selection.start_s
        packets, sought = None, False
        if start is not None and start > 1.0 and not self._counted:  # a second is decoded as fast as sought
            names = self._opened.container.format.name.split(",")
            if not BROADCAST.isdisjoint(names):  # seconds of a clock that may jump cannot be sought
                self._rewind()
                packets, sought = self._from_key_frame(start), True
            else:
                sought = self._seek(start)
        if not sought:
            self._rewind()
        self._damaged, self._complete = 0, False
        try:
            yield from self._timed(sought, packets)
            self._complete = not self._ended()
            if self._complete and start and not self.selection.after_start(self._last or 0.0, self.fps):
                raise self._behind_the_end((self._last or 0.0) + 1 / self.fps)
        finally:
            self._add_warnings()

    def _seek(self, start_s: float) -> bool:
        """Go to a key frame at or before ``start_s``; False where the container cannot."""
        container, base = self._opened.container, self._stream.time_base
        if base is None:
            return False
        self._rewind()
        container = self._opened.container
        goal = self._origin + int(start_s / base)
        try:
            container.seek(goal, stream=self._stream, backward=True)
            first = next((f for f in self._decoded() if f.pts is not None), None)
            if first is None or first.pts is None or not goal - SEARCHED_S / base < first.pts <= goal:
                return False
            self._rewind()
            self._opened.container.seek(goal, stream=self._stream, backward=True)
        except av.error.FFmpegError:
            return False
        return True

    def _from_key_frame(self, start_s: float) -> Iterator[Packet[Any]]:
        """Read on to ``start_s`` and yield packets from the last but one key frame before it."""
        held: list[Packet[Any]] = []
        keys: list[int] = []
        packets = self._packets()
        for packet in packets:
            base = packet.time_base
            stamp = packet.dts if packet.dts is not None else packet.pts
            if packet.is_keyframe:
                keys.append(len(held))
                if len(keys) > 2:  # the one before: pictures shown before a key frame may need it
                    del held[: keys[-2]]
                    keys = [0, keys[-1] - keys[-2]]
            held.append(packet)
            late = stamp is not None and base is not None and (stamp - self._origin) * base >= start_s - 1
            if late or len(held) >= MOST_HELD or packet.size == 0:
                break
        yield from held
        yield from packets

    def _timed(self, sought: bool, packets: Iterator[Packet[Any]] | None) -> Iterator[LazyFrame]:
        even: EvenTimes[tuple[int, VideoFrame]] = EvenTimes(1 / self.fps)
        base = self._stream.time_base
        index = -1
        self._last: float | None = None
        lost = self._corrupt
        for frame in self._decoded(packets):
            stamp = self._stamp(frame)
            time = None if stamp is None or base is None else float((stamp - self._origin) * base)
            index += 1 + self._corrupt - lost
            lost = self._corrupt
            if self._last is None:
                index = round(max(time or 0.0, 0.0) * self.fps) if sought else 0
            self._damaged += bool(frame.is_corrupt)
            if self._counted:
                self._last = index / self.fps
                yield index, self._last, functools.partial(self._orientation.bgr, frame)
                continue
            yield from self._given(even.put((index, frame), time))
            self._last = time if self._last is None else self._last
        yield from self._given(even.flush())

    def _given(self, timed: Iterator[tuple[float, tuple[int, VideoFrame]]]) -> Iterator[LazyFrame]:
        for time, (index, frame) in timed:
            self._last = time
            yield index, time, functools.partial(self._orientation.bgr, frame)

    def _add_warnings(self) -> None:
        if self._file is None:
            return
        if self._corrupt:
            self.warnings.append(f"{self._corrupt} corrupt packets skipped")
        if self._damaged:
            self.warnings.append(f"{self._damaged} damaged frames, used as far as they could be decoded")
        jumped = list(self._file.timeline.warnings())
        if not self._counted:
            self.warnings += jumped
        last, stated = self._last, self._announced
        if self._complete and stated is not None and last is not None and not jumped:
            missing = stated - self._late_s - last - 1 / self.fps
            if missing > max(1.0, 0.02 * stated) or (self._stream.frames and missing > 2.5 / self.fps):
                self.warnings.append(
                    f"the file ends at {last:.1f} s although it announces {stated:.1f} s: cut off?"
                )

    def _close(self) -> None:
        media, self._file = self._file, None
        if media is not None:
            media.close()


# Codecs whose own header may tell the rate; others repeat ffmpeg's guess.
CLOCKED = frozenset(("h264", "hevc", "vvc", "av1", "mpeg1video", "mpeg2video", "mpeg4", "vc1"))
