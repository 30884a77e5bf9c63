"""The sound of the source in the annotated video: copied, or converted where it cannot be copied."""

from __future__ import annotations

import errno
import io
import math
from collections.abc import Mapping
from typing import Any, cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags2
from av.container import OutputContainer
from av.packet import Packet

from tracker.contracts import Sound
from tracker.errors import system_code, system_reason
from tracker.sinks import adts
from tracker.sinks.convert import SLACK_S, Converter, encoder

LATE_S = 1.0  # fragmented MP4 is written once every stream has begun: sound that begins later gets silence
AHEAD_S = 0.5  # between the silence written in a long pause and the picture
PRIMING = 4096  # most samples that encoders put before the sound; 1024 and 2112 are usual
# Errors of a muxer for a packet that it cannot take; every other error is one of the disk.
REFUSED = (errno.EINVAL, errno.EPERM, errno.ENOSYS, errno.ERANGE)


class AudioWriter:
    """Writes sound into a container; whatever the sound is like, the pictures are written.

    ``advance`` muxes the packets before a time, so that sound and pictures are interleaved. Packets that
    cannot be written are left out and counted in ``warnings``.
    """

    def __init__(
        self,
        sound: Sound,
        output: OutputContainer,
        first_s: float,  # time of the first picture written
        fallback: str,  # the encoder where the codec is not among ``copied``
        copied: frozenset[str] | None,  # None: all that the container takes
        options: Mapping[str, str],  # of the container
        *,
        at_once: bool = False,  # every stream must begin with the first picture
    ) -> None:
        assert sound.stream is not None
        self._sound, self._output, self._first_s = sound, output, first_s
        self._source = sound.stream
        self.warnings: list[str] = []
        self._ended = False
        self._before: float | None = None  # time of the last packet in the source
        self._pts = self._end = -(1 << 62)  # begin and end of the last copied packet, in its ticks
        self._undecoded = self._refused = 0
        self._converter: Converter | None = None
        self._converted_s = -math.inf  # time at which the output changes from copied to converted sound
        self._config: bytes | None = None
        codec = self._source.codec_context.codec.canonical_name
        self._trial: TrialContainer | None = None
        packet = self._first()
        cut = _skipped(self._source) > PRIMING
        if (
            cut
        ):  # sound before the first picture is skipped here, and must not be skipped by the decoder again
            self._source.codec_context.flags2 |= Flags2.skip_manual
        late = packet is not None and at_once and _seconds(packet) - first_s > LATE_S
        if (
            codec in (output.supported_codecs if copied is None else copied)
            and packet is not None
            and not late
            and not cut
        ):
            self._config = adts.config(bytes(packet)) if codec == "aac" else None
            trial = TrialContainer(self._source, output.format.name, options, self._config)
            if trial.takes(self._plain(packet, 0)):
                self._trial = trial
        if self._trial is not None:
            self._stream = output.add_stream_from_template(self._source)
            if self._config is not None:
                self._stream.codec_context.extradata = self._config
        else:
            self._fallback = fallback
            context = encoder(fallback, self._source, sound.sample)  # raises before the stream is added
            self._stream = output.add_stream(fallback, rate=context.sample_rate)  # type: ignore[assignment]
            self._stream.layout = context.layout
            self._stream.codec_context.open()
            self._converter = Converter(self._stream.codec_context)

    def advance(self, until_s: float) -> None:
        """Mux every packet that starts before ``until_s``, in seconds of the output."""
        while not self._ended:
            packet = self._sound.peek()
            if packet is None:
                return self._finish()
            if _seconds(packet) - self._first_s >= until_s:
                if self._converter is not None:
                    self._write(self._converter.silence(until_s - AHEAD_S))
                return
            self._sound.take()
            self._take(packet)

    def close(self, until_s: float) -> None:
        """Write the rest up to ``until_s``, and flush the encoder."""
        self.advance(until_s)
        self._finish()

    def _finish(self) -> None:
        if not self._ended and self._converter is not None:
            self._write(self._converter.finish())
        self._ended = True
        if self._undecoded:
            self.warnings.append(
                f"{self._undecoded} packets of the sound could not be decoded and were left out"
            )
        if self._refused:
            self.warnings.append(
                f"{self._refused} packets of the sound could not be written and were left out"
            )
        self._undecoded = self._refused = 0

    def _first(self) -> Packet[AudioStream] | None:
        """Return the first packet that ends after the first picture begins."""
        while (packet := self._sound.peek()) is not None:
            if _seconds(packet) + _length(packet) > self._first_s:
                break
            self._sound.take()
        return packet

    def _take(self, packet: Packet[AudioStream]) -> None:
        at = _seconds(packet)
        backwards = self._before is not None and at < self._before
        self._before = at
        if self._config is not None and self._converter is None:
            self._check_config(packet)
        if self._converter is not None:
            self._convert(packet, None if backwards else at - self._first_s)
        else:
            self._copy(packet, backwards)

    def _copy(self, packet: Packet[AudioStream], backwards: bool) -> None:
        base, length = self._source.time_base, packet.duration or 0
        assert base is not None and self._trial is not None
        pts = self._end if backwards else (packet.pts or 0) - round(self._first_s / base)
        if pts + length // 2 < 0 or pts < self._end - max(round(SLACK_S / base), length // 2):
            return  # before the first picture, or where two recordings overlap
        pts = max(pts, 0)  # with a negative time Matroska would delay the pictures
        if pts < self._end - 1:  # more than rounding
            pts = self._end
        pts = max(pts, self._pts)
        if not self._trial.takes(self._plain(packet, pts)):
            pts += 1  # some containers refuse two packets of one time
            if not self._trial.takes(self._plain(packet, pts)):
                self._refused += 1
                return
        self._pts, self._end = pts, pts + length
        ready = packet if self._config is None else self._plain(packet, pts)
        ready.pts = ready.dts = pts
        self._write([ready])

    def _plain(self, packet: Packet[AudioStream], pts: int) -> Packet[AudioStream]:
        """Return a copy at another time, without the header that AAC has in streams."""
        data = bytes(packet)
        copy = av.Packet(adts.payload(data) if self._config is not None else data)
        plain = cast("Packet[AudioStream]", copy)
        plain.pts = plain.dts = pts
        plain.duration, plain.time_base = packet.duration or 0, packet.time_base
        plain.is_keyframe = True
        return plain

    def _check_config(self, packet: Packet[AudioStream]) -> None:
        """Convert from here on if the configuration of AAC differs from that of the stream's beginning."""
        config = adts.config(bytes(packet))
        if config is None or config == self._config:
            return
        assert self._config is not None
        self._before = None
        at_s = float(max(self._end, 0) * self._source.time_base) if self._source.time_base else 0.0
        self._converter, self._converted_s = Converter(adts.encoder(self._config), at_s), at_s
        self.warnings.append(f"the sound changes at {at_s:.1f} s and was converted from there on")

    def _convert(self, packet: Packet[AudioStream], at_s: float | None) -> None:
        assert self._converter is not None
        try:
            frames: list[AudioFrame] = packet.decode()
        except (av.error.FFmpegError, ValueError):
            self._undecoded += 1
            return
        for number, frame in enumerate(frames):
            self._write(self._converter.feed(frame, at_s if number == 0 else None))

    def _write(self, packets: list[Packet[AudioStream]]) -> None:
        for packet in packets:
            if self._ended:
                return
            if _seconds(packet) < self._converted_s:  # the encoder's priming
                continue
            packet.stream = self._stream
            try:
                self._output.mux(packet)
            except (av.error.FFmpegError, ValueError) as error:
                code = system_code(error) or errno.EINVAL
                if code not in REFUSED and not isinstance(error, av.error.InvalidDataError):
                    raise
                self._ended = True
                reason = system_reason(error) or error
                self.warnings.append(f"the sound was left out from {self._before or 0:.1f} s on ({reason})")


def _skipped(source: AudioStream) -> int:
    """Return how many samples at the beginning are not played: more than priming in an MP4 that was cut.

    Matroska and decoders would skip as many once more. Known from PyAV 19 on; before, FFmpeg did not pass
    the number on.
    """
    return getattr(source.codec_context, "initial_padding", 0)


class TrialContainer:
    """A container that writes to nowhere, to test what the real one accepts."""

    def __init__(
        self, template: AudioStream, format_name: str, options: Mapping[str, str], config: bytes | None
    ) -> None:
        self._container = av.open(_Nowhere(), "w", format=format_name, options=dict(options))
        self._stream = self._container.add_stream_from_template(template)
        if config is not None:
            self._stream.codec_context.extradata = config

    def takes(self, packet: Packet[AudioStream]) -> bool:
        """Whether a packet can be written; the packet cannot be used again."""
        packet.stream = self._stream
        try:
            self._container.mux(packet)
        except (av.error.FFmpegError, ValueError):
            return False
        return True


class _Nowhere(io.RawIOBase):
    """A file that stores nothing."""

    def __init__(self) -> None:
        self._at = self._size = 0

    def write(self, data: Any) -> int:
        self._at += len(data)
        self._size = max(self._size, self._at)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def _seconds(packet: Packet[AudioStream]) -> float:
    return float((packet.pts or 0) * (packet.time_base or 0))


def _length(packet: Packet[AudioStream]) -> float:
    return float((packet.duration or 0) * (packet.time_base or 0))
