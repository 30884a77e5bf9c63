"""The sound of a video file: the first stream that can be decoded, on the clock of the pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from tracker.errors import system_reason
from tracker.sources.media_file import MediaFile
from tracker.sources.timeline import BROADCAST

PROBED = 20_000  # packets of all streams that are searched for sound
TRIED = 200  # packets of one stream of which one must be decoded
COMPARED = 12  # packets whose times are compared with their durations
FALSE = 3  # times longer or shorter: then the timestamps are meaningless (AVI)
HELD = 1000  # most packets that wait for pictures of the same part of the clock
# By default ffmpeg probes five seconds, and would miss sound that begins later.
PATIENT = {"probesize": "50000000", "analyzeduration": "60000000"}


class DecodedPacket(NamedTuple):
    """The sound of one packet."""

    frame: AudioFrame  # the first one
    length_s: float  # of all frames
    pts: int | None


def _heard(packet: Packet[AudioStream]) -> list[DecodedPacket]:
    try:
        frames: list[AudioFrame] = packet.decode()
    except (av.error.FFmpegError, ValueError):
        return []
    if not frames or not frames[0].samples or not frames[0].sample_rate:
        return []
    return [DecodedPacket(frames[0], sum(f.samples for f in frames) / frames[0].sample_rate, packet.pts)]


class Sound:
    """The sound of a file, read once, in order.

    ``stream`` is None until `open`, and if there is no sound; if there is one that cannot be decoded,
    ``warnings`` tells so. ``sample`` is the first decoded frame.
    """

    def __init__(self, address: str, picture: int, origin_s: float, *, remote: bool = False) -> None:
        self._address, self._picture, self._remote = address, picture, remote
        self._origin_s = origin_s  # time of the first picture on the file's clock
        self._file: MediaFile | None = None
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        self._next: Packet[AudioStream] | None = None
        self._length_s: float | None = None  # of a packet, if its timestamps are meaningless
        self.stream: AudioStream | None = None
        self.sample: AudioFrame | None = None
        self.warnings: list[str] = []

    def open(self, first_s: float) -> None:
        """Choose a stream and go to ``first_s`` of the video; errors of the file become warnings."""
        try:
            index = self._choose()
            if index is None:
                return
            self._file = media = MediaFile(self._address, remote=self._remote, options=PATIENT)
            chosen = media.container.streams[index]
            assert isinstance(chosen, AudioStream)
            names = media.container.format.name.split(",")
            if (
                first_s > 1.0 and self._length_s is None and BROADCAST.isdisjoint(names)
            ):  # the same condition as for pictures
                with suppress(av.error.FFmpegError):
                    target = int((self._origin_s + first_s) * av.time_base)
                    media.container.seek(target, backward=True)
            self.stream = chosen
            self._packets = self._placed(media, chosen)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._leave_out(f"it cannot be read ({system_reason(error) or 'damaged'})")

    def peek(self) -> Packet[AudioStream] | None:
        """Return the next packet without taking it; its timestamps count from the first picture."""
        if self._next is None:
            self._next = next(self._packets, None)
        return self._next

    def take(self) -> None:
        """Advance to the next packet."""
        self._next = None

    def close(self) -> None:
        """Close the file."""
        media, self._file, self._packets = self._file, None, iter(())
        self.stream = self._next = None
        if media is not None:
            media.close()

    def _choose(self) -> int | None:
        """Return the first stream that can be decoded."""
        media = MediaFile(self._address, remote=self._remote, options=PATIENT)
        try:
            streams = list(media.container.streams.audio)
            fit = {s.index: s for s in streams if s.codec_context is not None and s.rate and s.channels}
            if not fit:
                if streams:
                    self._leave_out("no decoder is known for it, or its header says nothing")
                return None
            heard = self._decodable(media, fit)
            if heard is None:
                self._leave_out("nothing of it can be decoded")
            elif heard != streams[0].index:
                number = [s.index for s in streams].index(heard) + 1
                self.warnings.append(
                    f"the sound is stream {number} of {len(streams)}, the first that can be decoded"
                )
            return heard
        finally:
            media.close()

    def _decodable(self, media: MediaFile, fit: dict[int, AudioStream]) -> int | None:
        """Return the first stream that can be decoded, or one that has no packets yet."""
        tried = dict.fromkeys(fit, 0)
        heard: dict[int, list[DecodedPacket]] = {index: [] for index in fit}
        picture = media.container.streams.video[0]
        for count, packet in enumerate(media.packets(picture, *fit.values())):
            index = packet.stream.index
            if index in tried and packet.size:
                tried[index] += 1
                heard[index] += _heard(packet)
            first = next((i for i in fit if heard[i] or tried[i] < TRIED), None)
            if first is None or len(heard[first]) >= COMPARED or count >= PROBED:
                break
        chosen = next((i for i in fit if heard[i] or not tried[i]), None)
        if chosen is not None and heard[chosen]:
            self.sample = heard[chosen][0].frame
            self._length_s = _untold_length(heard[chosen], fit[chosen].time_base)
        return chosen

    def _leave_out(self, why: str) -> None:
        self.stream = None
        self.warnings.append(f"the sound was left out: {why}")

    def _placed(self, media: MediaFile, stream: AudioStream) -> Iterator[Packet[AudioStream]]:
        """Yield packets of sound with timestamps from the first picture on."""
        base = stream.time_base
        if base is None:
            return
        shift = -round(self._origin_s / base)
        picture = media.container.streams[self._picture]
        waiting: deque[Packet[AudioStream]] = deque()
        untold = self._length_s / base if self._length_s else None
        end: float | Fraction = 0
        for packet in media.packets(picture, stream):  # type: ignore[arg-type]
            if packet.stream.index == stream.index:
                if packet.size:
                    waiting.append(packet)
            elif not waiting:
                continue
            while waiting and (media.timeline.adjust_sound(waiting[0]) or len(waiting) > HELD):
                ready = waiting.popleft()
                stamp = ready.pts if ready.pts is not None else ready.dts
                at = end if stamp is None or untold else stamp + shift
                ready.pts = ready.dts = round(at)
                end = at + (untold or ready.duration or 0)
                yield ready


def _untold_length(heard: list[DecodedPacket], base: Any) -> float | None:
    """Return the duration of a packet if its timestamps contradict it; else None."""
    steps = [b.pts - a.pts for a, b in pairwise(heard) if a.pts is not None and b.pts is not None]
    if base is None or len(steps) < COMPARED // 2:
        return None
    length_s, step_s = median(h.length_s for h in heard), float(median(steps) * base)
    return None if length_s / FALSE <= step_s <= length_s * FALSE else length_s
