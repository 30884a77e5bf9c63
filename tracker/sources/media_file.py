"""A media file opened for its pictures or its sound: its streams, and its packets on one clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import av
from av.audio.stream import AudioStream
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from tracker.sources.limits import MAX_PIXELS, limit_decoder
from tracker.sources.timeline import Timeline

FPS = 25.0  # of a file that does not tell
MAX_FPS = 1000.0  # a header that tells more is wrong
OPEN_S = 20.0  # for a file behind HTTP
MAX_BAD_READS = 1000  # consecutive errors of the demuxer after which the file is taken to end
STILL = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
COVERS = frozenset(("mjpeg", "png", "webp", "bmp", "gif"))  # beside another video stream these are cover art
# Formats without timestamps: those that ffmpeg gives are invented.
RAW = frozenset(
    "h264 hevc vvc evc obu m4v h261 h263 mpegvideo mjpeg mjpeg_2000 cavsvideo avs2 avs3 dirac vc1".split()  # noqa: SIM905
)
# Until PyAV 19 metadata that is not UTF-8 is an error without this option; later versions do not know it.
LENIENT: dict[str, Any] = {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "replace"}


class MediaFile:
    """An open container.

    ``video_streams`` are those that may be shown, the likeliest first. ``file`` is read instead of the
    address where it is given; it stays open. Raises what PyAV raises.
    """

    def __init__(
        self,
        address: str,
        *,
        remote: bool = False,
        options: dict[str, str] | None = None,
        hardware: HWAccel | None = None,
        file: BinaryIO | None = None,
    ) -> None:
        unlog()
        if file is not None:
            file.seek(0)
        self.container: InputContainer = av.open(
            address if file is None else file,
            options={"max_pixels": str(MAX_PIXELS), **(options or {})},
            timeout=OPEN_S if remote else None,
            hwaccel=hardware,
            **LENIENT,
        )
        self.video_streams = _video_streams(self.container)
        for picture in self.video_streams:
            limit_decoder(picture)
        self.bad_reads = 0
        step_s = 1 / frame_rate(self.video_streams[0]) if self.video_streams else 1 / FPS
        self.timeline = Timeline(self.container.format.name, step_s)

    @property
    def kinds(self) -> str:
        """The kinds of streams in the file, as text."""
        kinds = {
            "cover art" if s.type == "video" and s.disposition & STILL else s.type
            for s in self.container.streams
        }
        return ", ".join(sorted(kinds)) or "nothing"

    @property
    def raw(self) -> bool:
        """Whether the format has no timestamps."""
        names = self.container.format.name.split(",")
        return not RAW.isdisjoint(names) or any(name.endswith("_pipe") for name in names)

    def packets(
        self, picture: VideoStream, *others: AudioStream, ended: Callable[[], bool] = lambda: False
    ) -> Iterator[Packet[Any]]:
        """Yield packets in the order of the file, the last of each stream empty; count bad reads.

        The timestamps of ``picture`` are those of the timeline.
        """
        bad_reads = 0
        while True:
            try:
                for packet in self.container.demux([picture, *others]):
                    if ended():
                        return
                    bad_reads = 0
                    if packet.stream.index == picture.index:
                        self.timeline.adjust(packet)
                    yield packet
                return
            except (av.error.FFmpegError, ValueError):
                bad_reads += 1  # most demuxers find the next packet after an error
                self.bad_reads += 1
                if bad_reads > MAX_BAD_READS:
                    return

    @property
    def guessed(self) -> bool:
        """Whether ffmpeg estimates the duration from the first and the last timestamp."""
        return not GUESSED.isdisjoint(self.container.format.name.split(","))

    def announced_s(self, stream: VideoStream) -> float | None:
        """Return the duration of the pictures in seconds; None if only that of the whole file is known."""
        told = re.fullmatch(r"(\d+):(\d\d):(\d\d\.\d+)", stream.metadata.get("DURATION", ""))  # Matroska
        if told:
            return 3600 * int(told[1]) + 60 * int(told[2]) + float(told[3])
        if stream.duration or not self.container.streams.audio:
            return self.duration_s(stream)
        return None

    def duration_s(self, stream: VideoStream) -> float | None:
        """Return the duration in the header, in seconds; None if there is none or it cannot be true."""
        container = self.container
        if self.raw:
            return None
        seconds = None
        if stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration:
            seconds = container.duration / av.time_base
        # An estimate from the first and the last timestamp is wrong if the clock jumped in between.
        size = container.size or 0  # None or negative if unknown
        if self.guessed and seconds and 0 < size < LEAST_BYTES * seconds:
            return None
        return seconds if seconds and seconds > 0 else None

    def close(self) -> None:
        """Close the file; never raises."""
        unlog()
        with suppress(av.error.FFmpegError):
            self.container.close()


def unlog() -> None:
    """Turn FFmpeg's log off, which is PyAV's default.

    torchvision before 0.26 turns it on when it is imported. Then a decoder's thread that logs waits for
    Python's lock, while the thread that holds the lock waits for the decoder's thread: a deadlock.
    """
    av.logging.set_level(None)


GUESSED = frozenset(("mpegts", "mpeg"))
LEAST_BYTES = 1000  # per second of a video; even MPEG-TS of a black picture takes more


def _video_streams(container: InputContainer) -> list[VideoStream]:
    """Return the streams of moving pictures that can be decoded, the likeliest to be meant first."""
    streams = [
        s for s in container.streams.video if s.codec_context is not None and not s.disposition & STILL
    ]
    return sorted(
        streams, key=lambda s: (s.frames == 1, s.codec_context.name in COVERS, -s.width * s.height, s.index)
    )


def frame_rate(stream: VideoStream) -> float:
    """Return a stream's nominal frames per second, 25 if it tells none."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= MAX_FPS:
            return float(rate)
    return FPS
