"""Decode the video stream of a file: choose the stream and its clock, seek, and read frames in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import BinaryIO

import av
from av.codec.hwaccel import HWAccel
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.sources.frame_times import dts_is_steadier
from tracker.sources.hardware import accelerated
from tracker.sources.media_file import MAX_FPS, MediaFile, frame_rate
from tracker.sources.timeline import BROADCAST
from tracker.threads import cores, plan
from tracker.types import InputError

PROBED_FRAMES = 12  # by which the steadier clock is chosen: more than a decoder holds back
MOST_KEY_FRAME_S = 60.0  # between two key frames; a seek that lands farther before its goal has failed
MOST_HELD = 1000  # packets kept while the start is searched
DECODERS = ("auto", "cpu")
LARGE_PIXELS = 3840 * 2160  # from here on decoding can take as long as the network, and gets more threads
MOST_THREADS, FRAMES_BYTES = 8, 400_000_000
# Codecs whose header may tell the frame rate; those of others repeat ffmpeg's guess.
TELLING_CODECS = frozenset(("h264", "hevc", "vvc", "av1", "mpeg1video", "mpeg2video", "mpeg4", "vc1"))


def decoding_threads(width: int, height: int) -> int:
    """Return how many threads decode pictures of this size: each holds a frame while it works on it.

    >>> decoding_threads(64, 48) == plan().decoder, decoding_threads(16384, 8192) <= 2
    (True, True)
    """
    large = width * height >= LARGE_PIXELS
    count = min(cores(), MOST_THREADS) if large else plan().decoder
    return max(min(count, FRAMES_BYTES // max(width * height * 3 // 2, 1)), 1)


class VideoDecoder:
    """The frames of one video stream, in the order in which they are shown.

    Call `choose` first. ``ended`` tells that the run ends, and stops reading. Raises what PyAV raises, and
    ``InputError`` for a file without video.
    """

    def __init__(
        self,
        address: str,
        shown: str,
        *,
        remote: bool,
        ended: Callable[[], bool],
        decode: str = "cpu",
        file: BinaryIO | None = None,
    ) -> None:
        self._address, self._shown, self._remote, self._ended = address, shown, remote, ended
        self._file = file  # what is read instead of the address
        self._media: MediaFile | None = None
        self._decode = decode  # one of DECODERS
        self._hardware: HWAccel | None = None
        self._choice = 0  # index among the streams that may be meant
        self._undecoded = 0
        self.by_dts = False  # whether the decoding times are the clock, not the presentation times
        self.origin = 0  # time of the first frame, in ticks of the stream

    @property
    def media(self) -> MediaFile:
        """The open file."""
        assert self._media is not None
        return self._media

    @property
    def is_open(self) -> bool:
        """Whether the file is open."""
        return self._media is not None

    @property
    def corrupt(self) -> int:
        """How many packets could not be read or decoded."""
        return self._undecoded + (0 if self._media is None else self._media.bad_reads)

    @property
    def broadcast(self) -> bool:
        """Whether the clock of the format may jump, so that a time in seconds cannot be sought."""
        return not BROADCAST.isdisjoint(self.media.container.format.name.split(","))

    def choose(self) -> VideoFrame | None:
        """Choose the stream and its clock by the first frames; return the first, None if there is none.

        Hardware decodes the file only if it can decode these; what it cannot do later, PyAV does on the CPU.
        """
        self.rewind()
        if self._decode == "auto":
            context = self.stream.codec_context
            self._hardware = accelerated(context.name, context.width, context.height)
            if self._hardware is not None:
                first = self._try_hardware()
                if first is not None:
                    return first
                self._hardware, self._choice = None, 0
                self.rewind()
        return self._choose()

    def _try_hardware(self) -> VideoFrame | None:
        try:
            self.rewind()
            return self._choose()
        except (av.error.FFmpegError, OSError, ValueError, RuntimeError):
            return None

    def _choose(self) -> VideoFrame | None:
        while self._choice < len(self.media.video_streams):
            frames = list(islice(self.frames(), PROBED_FRAMES))
            self.by_dts = self.media.container.format.name == "avi" or dts_is_steadier(frames)
            if frames:
                if self.by_dts:
                    self.rewind()
                first = next(self.frames(), None) if self.by_dts else frames[0]
                self.origin = 0 if first is None else self.ticks(first) or 0
                return first
            self._choice += 1
            self.rewind()
        self._choice = 0
        return None

    def rewind(self) -> None:
        """Open the file anew, at its beginning."""
        self.close()
        self._undecoded = 0
        self._media = MediaFile(self._address, remote=self._remote, hardware=self._hardware, file=self._file)
        if not self._media.video_streams:
            raise InputError(
                f"{self._shown}: contains no video that can be decoded (only {self._media.kinds})"
            )
        choice = min(self._choice, len(self._media.video_streams) - 1)
        self.stream: VideoStream = self._media.video_streams[choice]
        self.stream.thread_type = "AUTO"
        context = self.stream.codec_context
        context.thread_count = decoding_threads(context.width, context.height)

    def ticks(self, frame: VideoFrame) -> int | None:
        """Return the time of a frame by the chosen clock, in ticks of the stream."""
        return frame.dts if self.by_dts else frame.pts

    def seconds(self, frame: VideoFrame) -> float | None:
        """Return the time of a frame from the first one on; None if it has none."""
        ticks, base = self.ticks(frame), self.stream.time_base
        return None if ticks is None or base is None else float((ticks - self.origin) * base)

    def nominal_rate(self) -> float | None:
        """Return the frame rate of the file, of the codec if the format has none; None if unknown."""
        if not self.media.raw:
            guessed = self.stream.guessed_rate  # the clock of an interlaced AVI counts fields: twice the rate
            halved = self.by_dts and guessed and 0 < guessed < frame_rate(self.stream)
            return float(guessed) if halved and guessed else frame_rate(self.stream)
        told = self.stream.codec_context.framerate
        telling = self.stream.codec_context.name in TELLING_CODECS
        return float(told) if telling and told and 0 < told <= MAX_FPS else None

    def frames(self, packets: Iterator[Packet[VideoStream]] | None = None) -> Iterator[VideoFrame]:
        """Yield the frames of ``packets``, by default of all that follow; count what cannot be decoded."""
        for packet in self._packets() if packets is None else packets:
            try:
                yield from packet.decode()
            except (av.error.FFmpegError, ValueError):
                self._undecoded += 1

    def seek(self, start_s: float) -> bool:
        """Go to a key frame at or before ``start_s``; False if the container cannot."""
        base = self.stream.time_base
        if base is None:
            return False
        self.rewind()
        goal = self.origin + int(start_s / base)
        try:
            self.media.container.seek(goal, stream=self.stream, backward=True)
            first = next((f for f in self.frames() if f.pts is not None), None)
            if first is None or first.pts is None or not goal - MOST_KEY_FRAME_S / base < first.pts <= goal:
                return False
            self.rewind()
            self.media.container.seek(goal, stream=self.stream, backward=True)
        except av.error.FFmpegError:
            return False
        return True

    def go_to(self, time_s: float) -> bool:
        """Open anew and go to where the container believes ``time_s`` to be; False if it cannot.

        Where that is, the frames tell: some containers guess, and some land behind the goal.
        """
        self.rewind()
        if self.stream.time_base is None:
            return False
        try:
            goal = self.origin + int(time_s / self.stream.time_base)
            self.media.container.seek(goal, stream=self.stream, backward=True)
        except av.error.FFmpegError:
            return False
        return True

    def packets_from(self, start_s: float) -> Iterator[Packet[VideoStream]]:
        """Read on to ``start_s``, and yield packets from the last key frame but one before it."""
        held: list[Packet[VideoStream]] = []
        keys: list[int] = []
        packets = self._packets()
        for packet in packets:
            base = packet.time_base
            ticks = packet.dts if packet.dts is not None else packet.pts
            if packet.is_keyframe:
                keys.append(len(held))
                if len(keys) > 2:  # frames that are shown before a key frame may need the one before it
                    del held[: keys[-2]]
                    keys = [0, keys[-1] - keys[-2]]
            held.append(packet)
            late = ticks is not None and base is not None and (ticks - self.origin) * base >= start_s - 1
            if late or len(held) >= MOST_HELD or packet.size == 0:
                break
        yield from held
        yield from packets

    def close(self) -> None:
        """Close the file."""
        media, self._media = self._media, None
        if media is not None:
            media.close()

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        for packet in self.media.packets(self.stream, ended=self._ended):
            if self.by_dts:
                packet.pts = None
            yield packet
