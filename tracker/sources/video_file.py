"""Video files of every container ffmpeg reads, through PyAV."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.sources import address
from tracker.sources.ahead import Picture, ReadAhead, Wanted
from tracker.sources.upright import upright
from tracker.threads import plan
from tracker.types import InputError, Stopwatch

FPS = 25.0  # where a file does not say
MAX_FPS = 1000.0  # beyond it a header lies
MAX_PIXELS = 1 << 27  # 16k x 8k; a damaged header must not make the decoder ask for all memory
MAX_GAP_S = 86_400.0  # a longer jump is a broken clock, not a pause
OPEN_S = 20.0  # for a file behind HTTP
MAX_BAD_READS = 1000  # consecutive failures of the demuxer after which the rest is given up


class VideoFile(ReadAhead):
    """A video file: true timestamps from 0, upright with square pixels, every frame that can be decoded.

    ``Frame.index`` counts every frame from the file's first; a packet that cannot be decoded counts as one
    frame that is missing. After a seek (``start_s``) it is the time in nominal frames, which is exact where
    the frame rate is constant. A frame without a usable timestamp follows its predecessor by 1 / fps.
    """

    def __init__(
        self,
        path: str | Path,
        wanted: Wanted | None = None,
        stop: threading.Event | None = None,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        remote = address.is_remote_file(str(path))
        self._path = None if remote else Path(path)
        self._address = str(path) if remote else f"file:{path}"  # else a name such as 12:30.mp4 is a protocol
        self._shown = address.redact(str(path))
        super().__init__(Path(self._shown).name, wanted or Wanted(), stop, stopwatch)
        self._container: InputContainer | None = None
        self._corrupt = 0

    def _open(self) -> None:
        if self._path is not None and not self._path.exists():
            raise InputError(f"{self._shown}: no such file")
        if self._path is not None and self._path.stat().st_size == 0:
            raise InputError(f"{self._shown}: the file is empty")
        try:
            self._rewind()
            first = next(self._decoded(), None)
        except PermissionError:
            raise InputError(f"{self._shown}: no permission to read it") from None
        except (av.error.FFmpegError, ValueError) as error:
            cause = error if self._path is not None else None  # its text holds the address
            raise InputError(self._unreadable(error)) from cause
        if first is None:
            raise InputError(f"{self._shown}: not one frame of its video stream can be decoded")
        stream = self._stream
        self.fps = frame_rate(stream)
        self._origin = first.pts or 0
        self._upright = upright(first, stream.sample_aspect_ratio)
        self.size = self._upright.size
        self._duration = self._stated_duration()
        frames = stream.frames or (round(self._duration * self.fps) if self._duration else 0)
        self.length = self.wanted.length(frames, self.fps) if frames else None
        if self.wanted.start_s is not None and self._duration and self.wanted.start_s >= self._duration:
            raise InputError(
                f"{self._shown}: --start {self.wanted.start_s} s lies behind its end ({self._duration:.1f} s)"
            )

    def _rewind(self) -> None:
        self._close()
        self._corrupt = 0
        self._container = av.open(
            self._address,
            metadata_errors="replace",
            options={"max_pixels": str(MAX_PIXELS)},
            timeout=OPEN_S if self._path is None else None,
        )
        videos = [s for s in self._container.streams.video if s.codec_context is not None]
        if not videos:
            kinds = ", ".join(sorted({s.type for s in self._container.streams})) or "nothing"
            raise InputError(f"{self._shown}: contains no video that can be decoded (only {kinds})")
        self._stream: VideoStream = max(videos, key=lambda s: s.width * s.height)  # cover art is small
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = plan().decoder

    def _unreadable(self, error: Exception) -> str:
        head = b""
        if self._path is not None and self._path.is_file():
            with self._path.open("rb") as file:
                head = file.read(64)
        if b"ftyp" in head[:12]:
            return f"{self._shown}: an MP4/MOV without its index (moov): cut off while written; try untrunc"
        reason = getattr(error, "strerror", None) or type(error).__name__
        return f"{self._shown}: not a video that can be read ({reason})"

    def _stated_duration(self) -> float | None:
        """Return what the header says, in seconds, None where it is silent."""
        stream, container = self._stream, self._container
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        if container is not None and container.duration:
            return container.duration / av.time_base
        return None

    def _decoded(self) -> Iterator[VideoFrame]:
        """Yield decoded frames; what cannot be decoded is counted."""
        assert self._container is not None
        bad_reads = 0
        while True:
            packets = self._container.demux(self._stream)
            try:
                for packet in packets:
                    if self._ended():
                        return
                    bad_reads = 0
                    try:
                        yield from packet.decode()
                    except (av.error.FFmpegError, ValueError):
                        self._corrupt += 1
                return
            except av.error.FFmpegError:
                bad_reads += 1  # most demuxers find the next packet themselves
                self._corrupt += 1
                if bad_reads > MAX_BAD_READS:
                    return

    def _pictures(self) -> Iterator[Picture]:
        start = self.wanted.start_s
        sought = False
        if start is not None and start > 1.0:  # decoding a second takes no longer than a seek
            sought = self._seek(start)
        if not sought:
            self._rewind()
        self._damaged, self._complete = 0, False
        try:
            yield from self._timed(sought)
            self._complete = not self._ended()
        finally:
            self._take_notes()

    def _seek(self, start_s: float) -> bool:
        """Go to a key frame at or before ``start_s``; False where the container cannot."""
        assert self._container is not None and self._stream.time_base is not None
        target = self._origin + int(start_s / self._stream.time_base)
        try:
            self._container.seek(target, stream=self._stream, backward=True)
            first = next((f for f in self._decoded() if f.pts is not None), None)
            if first is None or first.pts is None or first.pts > target:
                return False
            self._container.seek(target, stream=self._stream, backward=True)
        except av.error.FFmpegError:
            return False
        return True

    def _timed(self, sought: bool) -> Iterator[Picture]:
        base, step = self._stream.time_base, 1 / self.fps
        index, before = -1, None
        self._last: float | None = None
        lost = self._corrupt
        for frame in self._decoded():
            time = None if frame.pts is None or base is None else float((frame.pts - self._origin) * base)
            if before is None:
                time = max(time or 0.0, 0.0)
                index = round(time * self.fps) if sought else 0
            else:
                if time is None or not 0 < time - before < MAX_GAP_S:
                    time = before + step
                index += 1 + self._corrupt - lost
            self._damaged += bool(frame.is_corrupt)
            before = self._last = time
            lost = self._corrupt
            yield index, time, functools.partial(self._upright.bgr, frame)

    def _take_notes(self) -> None:
        if self._corrupt:
            self.notes.append(f"{self._corrupt} corrupt packets skipped")
        if self._damaged:
            self.notes.append(f"{self._damaged} damaged frames, used as far as they could be decoded")
        last, stated = self._last, self._duration
        if self._complete and stated is not None and last is not None:
            missing = stated - last - 1 / self.fps
            if missing > max(1.0, 0.02 * stated) or (self._stream.frames and missing > 2.5 / self.fps):
                self.notes.append(
                    f"the file ends at {last:.1f} s although it announces {stated:.1f} s: cut off?"
                )

    def _close(self) -> None:
        if self._container is not None:
            with suppress(av.error.FFmpegError):
                self._container.close()
            self._container = None


def frame_rate(stream: VideoStream) -> float:
    """Return a stream's nominal frames per second, 25 where it does not say."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= MAX_FPS:
            return float(rate)
    return FPS
