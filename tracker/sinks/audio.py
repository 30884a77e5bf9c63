"""The sound of the source, beside the annotated picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

OPUS_HZ = 48_000  # the clock of every Opus stream (RFC 6716)


class Audio:
    """Copies the first audio stream of a file; transcodes where the container cannot hold it.

    ``advance`` muxes what belongs before a time, so that sound and picture stay interleaved.
    ``first_s`` is the source time of the first picture written, ``fallback`` the encoder where the codec is
    not among ``copied`` (None: all that the container takes).
    """

    def __init__(
        self,
        path: Path,
        output: OutputContainer,
        first_s: float,
        fallback: str,
        copied: frozenset[str] | None = None,
    ) -> None:
        self._input = av.open(str(path), metadata_errors="replace")
        try:
            self._source: AudioStream = self._input.streams.audio[0]
            origin = _start_s(self._input)
            self._shift_s = -(origin + first_s)
            if first_s > 1.0:
                with suppress(av.error.FFmpegError):
                    self._input.seek(int((origin + first_s) * av.time_base), backward=True)
            self._output = output
            codec = self._source.codec_context.codec.canonical_name
            if codec in (output.supported_codecs if copied is None else copied):
                self._stream: AudioStream = output.add_stream_from_template(self._source)
                self._copy = True
            else:
                rate = OPUS_HZ if fallback == "libopus" else self._source.rate
                added = output.add_stream(fallback, rate=rate)
                assert isinstance(added, AudioStream)
                self._stream = added
                self._stream.layout = "mono" if self._source.channels == 1 else "stereo"
                self._stream.codec_context.open()
                self._copy = False
            self._packets = self._copied() if self._copy else self._transcoded()
        except BaseException:
            self._input.close()
            raise
        self._next: tuple[float, Packet[AudioStream]] | None = None
        self._ended = False

    def advance(self, until_s: float) -> None:
        """Mux every packet that starts before ``until_s``, in seconds of the output."""
        while not self._ended:
            if self._next is None:
                self._next = next(self._packets, None)
            if self._next is None:
                self._ended = True
            elif self._next[0] >= until_s:
                return
            else:
                self._output.mux(self._next[1])
                self._next = None

    def close(self) -> None:
        """Close the file it reads."""
        self._input.close()

    def _copied(self) -> Iterator[tuple[float, Packet[AudioStream]]]:
        base = self._source.time_base
        assert base is not None
        shift = round(self._shift_s / base)
        before: int | None = None
        for packet in self._demuxed():
            if packet.pts is None or packet.size == 0:
                continue
            pts = packet.pts + shift
            if (pts + (packet.duration or 0)) * base <= 0 or (before is not None and pts <= before):
                continue
            packet.pts = packet.dts = before = pts
            packet.stream = self._stream
            yield float(pts * base), packet

    def _transcoded(self) -> Iterator[tuple[float, Packet[AudioStream]]]:
        context = self._stream.codec_context
        resampler = av.AudioResampler(
            format=context.format.name if context.format else "fltp",
            layout=self._stream.layout.name,
            rate=self._stream.rate,
            frame_size=context.frame_size or None,
        )
        for frame in self._resampled(resampler):
            yield from self._timed(self._stream.encode(frame))
        yield from self._timed(self._stream.encode(None))

    def _resampled(self, resampler: av.AudioResampler) -> Iterator[AudioFrame]:
        for packet in self._demuxed():
            frames: list[AudioFrame] = []
            with suppress(av.error.FFmpegError):
                frames = packet.decode()
            for frame in frames:
                if frame.pts is None or frame.time_base is None:
                    continue
                frame.pts += round(self._shift_s / frame.time_base)
                if frame.pts >= 0:
                    yield from resampler.resample(frame)
        yield from resampler.resample(None)

    def _timed(self, packets: list[Packet[AudioStream]]) -> Iterator[tuple[float, Packet[AudioStream]]]:
        for packet in packets:
            yield float((packet.pts or 0) * (packet.time_base or 0)), packet

    def _demuxed(self) -> Iterator[Packet[AudioStream]]:
        with suppress(av.error.FFmpegError):  # sound that breaks off is no reason to lose the picture
            yield from self._input.demux(self._source)


def has_audio(path: Path) -> bool:
    """Whether a file holds sound that can be read."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            return any(s.codec_context is not None for s in container.streams.audio)
    except (av.error.FFmpegError, OSError, ValueError):
        return False


def _start_s(container: av.container.InputContainer) -> float:
    """Return the time of the first picture: where the source's clock starts."""
    for stream in container.streams.video:
        if stream.start_time is not None and stream.time_base is not None:
            return float(stream.start_time * stream.time_base)
    return (container.start_time or 0) / av.time_base
