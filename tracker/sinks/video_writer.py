"""One encoded file: container, video encoder and sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av import library_versions
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.contracts import Sound
from tracker.errors import system_reason
from tracker.sinks.audio import AudioWriter
from tracker.threads import plan
from tracker.types import Image

CLOCK_HZ = 90_000  # of MPEG; the time base is the smallest multiple of the frame rate that is as fine
# Codes of ITU-T H.273. OpenCV converts by the matrix of BT.601, as JPEG does, in an eighth of the time that
# swscale takes (1904x1080: 2.3 against 19 ms of CPU). The file names the matrix, and players use it.
BT601_MATRIX, BT709_COLORS = 6, 1


@dataclass(frozen=True)
class Encoding:
    """How one kind of container is written."""

    format: str  # libavformat's muxer
    video: str
    audio: str  # encoder for sound that cannot be copied
    options: Mapping[str, str] = field(default_factory=dict)  # of the video encoder
    sounds: frozenset[str] | None = None  # codecs that are copied; None: all that the muxer takes
    fragments: bool = False  # written in fragments, rewritten with the index in front at the end


_PLAYED = frozenset(("aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"))  # what players can play in MP4
_QUICKTIME = frozenset(
    "aac ac3 alac eac3 mp3 pcm_s16be pcm_s16le pcm_s24be pcm_s24le pcm_s32be pcm_s32le".split()  # noqa: SIM905
)
# Beside veryfast, measured at crf 23: 26 against 50 ms of CPU per frame of 1904x1080 (4.5 against 7 at
# 768x576), files 8 (18) % larger, SSIM 0.991 against 0.992 (0.966, 0.967); without mbtree 60 to 90 % larger.
_X264 = {"preset": "superfast", "x264-params": "mbtree=1:rc-lookahead=10"}
_VP9 = {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "b": "0"}
ENCODINGS = {
    ".mp4": Encoding("mp4", "libx264", "aac", _X264, _PLAYED, fragments=True),
    ".m4v": Encoding("mp4", "libx264", "aac", _X264, _PLAYED, fragments=True),
    ".mov": Encoding("mov", "libx264", "aac", _X264, _QUICKTIME, fragments=True),
    ".mkv": Encoding("matroska", "libx264", "aac", _X264),
    ".webm": Encoding("webm", "libvpx-vp9", "libopus", _VP9),
}
# One fragment per second, the most that kill -9 or a full disk can cost. delay_moov puts the first picture
# at time 0.
_FRAGMENTS = {"movflags": "+delay_moov+default_base_moof", "frag_duration": "1000000"}
# Hybrid fragments become an ordinary file on close without a copy, but their index grows in memory: good for
# segments only. Before FFmpeg 8.1 (PyAV 17) the index was empty.
_HYBRID = "+hybrid_fragmented" if library_versions["libavformat"] >= (62, 12) else ""
_CLUSTERS = {"cluster_time_limit": "1000"}  # the same for Matroska, whose default is five seconds
INTERLEAVED_US = "1000000"  # the longest that pictures wait in memory for sound: kill -9 would cost them
LOOKAHEAD_S = 0.4  # that a live encoder may hold back: at one frame per second, ten frames would be too many
WHOLE = {"movflags": "+faststart"}


class VideoWriter:
    """An open container with its video encoder and, where there is sound, its audio writer."""

    def __init__(
        self,
        part: Path,
        encoding: Encoding,
        fps: float,
        image: Image,
        crf: int,
        sound: Sound | None,  # open
        first_s: float,
        warnings: list[str],
        *,
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
        tuned = _low_delay(encoding.video, fps) if live else {}
        stream = self._container.add_stream(
            encoding.video, rate=rate, options={**encoding.options, **tuned, "crf": str(crf)}
        )
        assert isinstance(stream, VideoStream)
        height, width = image.shape[:2]
        self._size = (width, height)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = self._base
        context.thread_count = plan().encoder
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = (
            1,
            BT601_MATRIX,
            BT709_COLORS,
            BT709_COLORS,
        )
        self._stream = stream
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

    def add(self, image: Image, time_s: float) -> None:
        """Encode one picture that is shown at ``time_s``."""
        if (image.shape[1], image.shape[0]) != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        right, bottom = self._size[0] % 2, self._size[1] % 2
        if right or bottom:
            image = np.asarray(cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint8)
        planes = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.colorspace, frame.color_range = BT601_MATRIX, 1
        pts = round((time_s - self._first_s) / self._base)
        if pts <= self._before:
            pts = self._before + 1
        self._step = pts - self._before if self._before >= 0 else self._step
        frame.pts, frame.time_base = pts, self._base
        self._before = pts
        self.pictures += 1
        self._container.mux(self._stream.encode(frame))
        self.seconds = float((pts + self._step) * self._base)
        if self._audio is not None:
            self._audio.advance(self.seconds)

    def close(self) -> None:
        """Flush the encoder, and write the trailer; the file is closed even after an error."""
        try:
            self._container.mux(self._stream.encode(None))
            if self._audio is not None:
                self._audio.close(self.seconds)
        finally:
            self._container.close()
            if self._audio is not None:
                self._warnings += self._audio.warnings


def _low_delay(codec: str, fps: float) -> dict[str, str]:
    """Return options for little delay; the parameters of x264 take precedence over its tune."""
    if codec != "libx264":
        return {"lag-in-frames": "0"}
    ahead = min(int(LOOKAHEAD_S * fps), 10)
    return {"tune": "zerolatency", "x264-params": f"mbtree={int(ahead > 0)}:rc-lookahead={ahead}"}


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
