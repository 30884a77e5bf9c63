"""Convert sound for an encoder: sampling rate, channels, and times without gaps."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from numpy.typing import NDArray

FRAME = 1024  # samples per frame for encoders that take any number
SLACK_S = 0.05  # by which sound may be early or late without being noticed
SURE_HZ = 48_000  # a rate that every encoder takes


def encoder(name: str, stream: AudioStream, sample: AudioFrame | None) -> AudioCodecContext:
    """Return an open encoder for a stream's sound: the nearest rate that it supports, one or two channels.

    Raises ``ValueError`` or an error of PyAV where there is none.
    """
    rate = sample.sample_rate if sample is not None else stream.rate
    channels = len(sample.layout.channels) if sample is not None else stream.channels
    rates = av.Codec(name, "w").audio_rates or [rate]
    fitting = min((r for r in rates if r >= rate), default=max(rates))
    try:
        return _open(name, fitting, channels)
    except (av.error.FFmpegError, ValueError):
        return _open(name, SURE_HZ, channels)


def _open(name: str, rate: int, channels: int) -> AudioCodecContext:
    context = av.CodecContext.create(name, "w")
    if not isinstance(context, AudioCodecContext):
        raise ValueError(f"{name} encodes no sound")
    formats = [f.name for f in av.Codec(name, "w").audio_formats or ()]
    context.format = "fltp" if "fltp" in formats or not formats else "flt"
    context.sample_rate = rate
    context.layout = "mono" if channels == 1 else "stereo"
    context.open()
    return context


class Converter:
    """Feeds an encoder with samples at their times: gaps are filled with silence, overlaps are left out.

    Times are seconds of the output; ``begin_s`` is the time of the encoder's first sample.
    """

    def __init__(self, context: AudioCodecContext, begin_s: float = 0.0) -> None:
        self._context = context
        self._rate = context.sample_rate
        self._layout = context.layout.name
        self._channels = len(context.layout.channels)
        self._packed = not context.format.is_planar
        self._size = context.frame_size or FRAME
        self._begin = round(begin_s * self._rate)
        self._fed = self._begin  # samples of the output so far, including those that are not encoded yet
        self._encoded = self._begin
        self._ready: list[NDArray[np.float32]] = []  # (channels, n) each
        self._length = 0  # samples in them
        self._resampler: av.AudioResampler | None = None
        self._kind: tuple[str, str, int] | None = None

    def feed(self, frame: AudioFrame, at_s: float | None) -> list[Packet[AudioStream]]:
        """Take a decoded frame that begins at ``at_s``, None: at the end of the last one; return packets."""
        if not frame.samples or not frame.sample_rate:
            return []
        length = round(frame.samples * self._rate / frame.sample_rate)
        late = 0 if at_s is None else round(at_s * self._rate) - self._fed
        slack = max(SLACK_S * self._rate, length / 2)
        if late < -slack:
            return []
        if late > slack:
            self._drain()
            self._add(np.zeros((self._channels, late), np.float32))
            self._fed += late
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            self._drain()
            self._kind = kind
        if self._resampler is None:
            self._resampler = av.AudioResampler(format="fltp", layout=self._layout, rate=self._rate)
        frame.pts = None  # times are kept here
        for made in self._resampler.resample(frame):
            self._add(made.to_ndarray())
        self._fed += length
        return self._encode()

    def silence(self, until_s: float) -> list[Packet[AudioStream]]:
        """Fill with silence up to ``until_s``; return packets."""
        missing = round(until_s * self._rate) - self._fed
        if missing < self._size:
            return []
        self._drain()
        self._add(np.zeros((self._channels, missing), np.float32))
        self._fed += missing
        return self._encode()

    def finish(self) -> list[Packet[AudioStream]]:
        """Encode the rest; return packets."""
        self._drain()
        packets = self._encode(everything=True)
        return packets + list(self._context.encode(None))

    def _drain(self) -> None:
        """Flush the resampler."""
        if self._resampler is not None:
            for made in self._resampler.resample(None):
                self._add(made.to_ndarray())
            self._resampler = None

    def _add(self, samples: NDArray[Any]) -> None:
        self._ready.append(np.asarray(samples, np.float32))
        self._length += samples.shape[1]

    def _encode(self, *, everything: bool = False) -> list[Packet[AudioStream]]:
        if self._length < self._size and not (everything and self._length):
            return []
        whole = np.concatenate(self._ready, axis=1)
        packets: list[Packet[AudioStream]] = []
        begin = 0
        while len(rest := whole[0, begin : begin + self._size]) == self._size or (everything and len(rest)):
            packets += self._context.encode(self._frame(whole[:, begin : begin + self._size]))
            begin += len(rest)
        self._ready, self._length = [whole[:, begin:]], whole.shape[1] - begin
        return packets

    def _frame(self, samples: NDArray[np.float32]) -> AudioFrame:
        if self._packed:
            data = np.ascontiguousarray(samples.T).reshape(1, -1)
            frame = AudioFrame.from_ndarray(data, format="flt", layout=self._layout)
        else:
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._encoded, Fraction(1, self._rate)
        self._encoded += samples.shape[1]
        return frame
