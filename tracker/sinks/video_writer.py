"""One encoded file: container, video encoder and sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av import library_versions
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.contracts import Sound
from tracker.errors import system_reason
from tracker.planes import BT601
from tracker.sinks.audio import AudioWriter
from tracker.sinks.encoding import Encoding, codec_options, next_step
from tracker.threads import plan
from tracker.types import Pixels, Planes, as_bgr

CLOCK_HZ = 90_000  # of MPEG; the time base is the smallest multiple of the frame rate that is as fine
# OpenCV converts by the matrix of BT.601, as JPEG does, in an eighth of the time that swscale takes
# (1904x1080: 2.3 against 19 ms of CPU). The file names the matrix, and players use it. Pictures that come as
# planes keep theirs.
BT709_COLORS, LIMITED_RANGE = 1, 1  # codes of ITU-T H.273
# One fragment per second, the most that kill -9 or a full disk can cost. delay_moov puts the first picture
# at time 0.
_FRAGMENTS = {"movflags": "+delay_moov+default_base_moof", "frag_duration": "1000000"}
# Hybrid fragments become an ordinary file on close without a copy, but their index grows in memory: good for
# segments only. Before FFmpeg 8.1 (PyAV 17) the index was empty.
_HYBRID = "+hybrid_fragmented" if library_versions["libavformat"] >= (62, 12) else ""
_CLUSTERS = {"cluster_time_limit": "1000"}  # the same for Matroska, whose default is five seconds
INTERLEAVED_US = "1000000"  # the longest that pictures wait in memory for sound: kill -9 would cost them
WHOLE = {"movflags": "+faststart"}


class VideoWriter:
    """An open container with its video encoder and, where there is sound, its audio writer."""

    def __init__(
        self,
        part: Path,
        encoding: Encoding,
        fps: float,
        size: tuple[int, int],  # width, height in pixels
        crf: int,
        sound: Sound | None,  # open
        first_s: float,
        warnings: list[str],
        *,
        step: str = "full",  # of `tracker.sinks.encoding`
        matrix: int = BT601,  # of the first picture; later ones are converted if theirs is another
        live: bool = False,
        segment: bool = False,
    ) -> None:
        self.seconds = 0.0
        self.pictures = 0
        self._first_s = first_s
        options = {"flush_packets": "1", "max_interleave_delta": INTERLEAVED_US}
        if encoding.fragments:
            options |= _FRAGMENTS
            options["movflags"] += _HYBRID if segment else ""
        else:
            options |= _CLUSTERS
        self._container: OutputContainer = av.open(
            f"file:{part}", "w", format=encoding.format, options=options
        )
        rate = Fraction(fps).limit_denominator(1001)
        ticks = rate.numerator * -(-CLOCK_HZ // rate.numerator)  # 30000/1001 gives 90000: 3003 per frame
        self._base = Fraction(1, ticks)
        self._step = max(round(ticks / fps), 1)
        self._codec, self._crf, self._fps, self._live = encoding.video, crf, fps, live
        self._size, self.step, self._matrix = size, step, matrix
        stream = self._container.add_stream(encoding.video, rate=rate, options=self._options())
        assert isinstance(stream, VideoStream)
        self._stream, self._context = stream, stream.codec_context
        self._prepare(self._context)
        self._audio: AudioWriter | None = None
        self._warnings = warnings
        if sound is not None and sound.stream is not None:
            try:
                self._audio = AudioWriter(
                    sound,
                    self._container,
                    first_s,
                    encoding.audio,
                    encoding.sounds,
                    options,
                    at_once=encoding.fragments,
                )
            except (av.error.FFmpegError, ValueError, AssertionError) as error:
                warnings.append(f"the sound was left out ({system_reason(error) or error})")
        self._before = -1
        self._held: Packet[VideoStream] | None = None  # until the next one tells how long it lasts
        self._fragments = encoding.fragments

    def _options(self) -> dict[str, str]:
        return codec_options(self._codec, self.step, self._crf, self._fps, live=self._live)

    def _prepare(self, context: VideoCodecContext) -> None:
        width, height = self._size
        context.width, context.height = width + width % 2, height + height % 2
        context.pix_fmt = "yuv420p"
        context.time_base = self._base
        context.thread_count = plan().encoder
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = (
            LIMITED_RANGE,
            self._matrix,
            BT709_COLORS,
            BT709_COLORS,
        )

    @property
    def extradata(self) -> bytes:
        """What the encoder in use would write into the head of the file; known after the first picture."""
        return self._context.extradata or b""

    def step_down(self) -> bool:
        """Encode what follows with less effort, from a key frame on; False if that is not possible.

        The file stays one: all steps of a live encoder share what its head tells.
        """
        lower = next_step(self.step)
        if self._codec != "libx264" or not self._live or lower is None:
            return False
        self._mux(None)
        self.step = lower
        context = av.CodecContext.create(self._codec, "w")
        assert isinstance(context, VideoCodecContext)
        self._prepare(context)
        context.framerate = self._stream.codec_context.framerate
        context.flags |= self._stream.codec_context.flags & Flags.global_header
        context.options = self._options()
        self._context = context
        return True

    def _mux(self, frame: VideoFrame | None) -> None:
        """Encode a picture, or flush the encoder; a packet is written when the next one is there.

        The first one of a fragment stands where the last one before it ends, whatever its own time is.
        """
        for packet in self._context.encode(frame):
            held, self._held = self._held, packet
            if held is not None:
                if self._fragments and held.dts is not None and packet.dts is not None:
                    held.duration = max(packet.dts - held.dts, 1)
                self._write(held)

    def _write(self, packet: Packet[VideoStream]) -> None:
        packet.stream = self._stream
        self._container.mux(packet)

    def add(self, image: Pixels, time_s: float) -> None:
        """Encode one picture that is shown at ``time_s``."""
        frame = self._frame(image)
        frame.colorspace, frame.color_range = self._matrix, LIMITED_RANGE
        pts = round((time_s - self._first_s) / self._base)
        if pts <= self._before:
            pts = self._before + 1
        self._step = pts - self._before if self._before >= 0 else self._step
        frame.pts, frame.time_base = pts, self._base
        self._before = pts
        self.pictures += 1
        self._mux(frame)
        self.seconds = float((pts + self._step) * self._base)
        if self._audio is not None:
            self._audio.advance(self.seconds)

    def _frame(self, image: Pixels) -> VideoFrame:
        """Return a picture as the encoder takes it: planes of even size."""
        if isinstance(image, Planes) and image.matrix == self._matrix and image.shape[1::-1] == self._size:
            return _planes_frame(image)
        image = as_bgr(image)
        if (image.shape[1], image.shape[0]) != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        right, bottom = self._size[0] % 2, self._size[1] % 2
        if right or bottom:
            image = np.asarray(cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint8)
        if self._matrix == BT601:
            return VideoFrame.from_ndarray(
                np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8), format="yuv420p"
            )
        return _planes_frame(Planes.of(image, self._matrix))

    def close(self) -> None:
        """Flush the encoder, and write the trailer; the file is closed even after an error."""
        try:
            self._mux(None)
            if self._held is not None:
                self._write(self._held)
            if self._audio is not None:
                self._audio.close(self.seconds)
        finally:
            self._container.close()
            if self._audio is not None:
                self._warnings += self._audio.warnings


def _planes_frame(planes: Planes) -> VideoFrame:
    height, width = planes.shape[:2]
    frame = VideoFrame(width, height, "yuv420p")
    for plane, pixels in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
        buffer: Any = plane  # which it is; only newer releases of PyAV tell
        memory = np.frombuffer(buffer, np.uint8)
        memory.reshape(-1, plane.line_size)[: plane.height, : plane.width] = pixels
    return frame


def remux(part: Path, whole: Path, format_name: str) -> None:
    """Copy every packet of ``part`` into ``whole``, with the index in front."""
    with (
        av.open(f"file:{part}") as source,
        av.open(f"file:{whole}", "w", format=format_name, options=dict(WHOLE)) as target,
    ):
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None and packet.size:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
