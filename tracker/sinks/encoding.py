"""How each kind of container is written, and how much work x264 puts into a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tracker.threads import cores


@dataclass(frozen=True)
class Encoding:
    """How one kind of container is written."""

    format: str  # libavformat's muxer
    video: str
    audio: str  # encoder for sound that cannot be copied
    sounds: frozenset[str] | None = None  # codecs that are copied; None: all that the muxer takes
    fragments: bool = False  # written in fragments, rewritten with the index in front at the end


_PLAYED = frozenset(("aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"))  # what players can play in MP4
_QUICKTIME = frozenset(
    "aac ac3 alac eac3 mp3 pcm_s16be pcm_s16le pcm_s24be pcm_s24le pcm_s32be pcm_s32le".split()  # noqa: SIM905
)
ENCODINGS = {
    ".mp4": Encoding("mp4", "libx264", "aac", _PLAYED, fragments=True),
    ".m4v": Encoding("mp4", "libx264", "aac", _PLAYED, fragments=True),
    ".mov": Encoding("mov", "libx264", "aac", _QUICKTIME, fragments=True),
    ".mkv": Encoding("matroska", "libx264", "aac"),
    ".webm": Encoding("webm", "libvpx-vp9", "libopus"),
}
EFFORTS = ("fast", "balanced", "small")


@dataclass(frozen=True)
class Effort:
    """How much work the encoders put into a picture."""

    preset: str  # of x264
    x264: str  # parameters of x264 that differ from its preset
    lookahead: int  # pictures over which x264 weighs what is seen again (mbtree); 0: it does not
    crf: int  # added to what the user asked for
    cpu_used: int  # of libvpx: 8 is its fastest
    vp9_crf: int  # added in WebM


# Measured at crf 23 by ``benchmarks.video``, CPU ms per frame / KB per frame / PSNR in dB:
#             1904x1080            768x576, a camera that stands still
#   small     78 / 12.2 / 40.5     10  / 4.3 / 36.3
#   full      25 / 14.7 / 40.5     4.6 / 6.0 / 36.9
#   light     16 / 15.5 / 40.3     3.4 / 6.5 / 36.6     (SSIM of luminance 0.969 beside 0.980 of "full")
#   least     13 / 15.9 / 38.9     3.1 / 6.4 / 35.6     for live sources that would drop frames
# Each parameter of "light" is worth its time: without mbtree files are twice as large, without cabac 25 %,
# without B-frames 40 %; without the deblocking filter pictures are 0.8 dB worse, without 8x8 transforms 0.4.
# More effort gives better pictures at the same crf; "small" gives that away for size.
STEPS: Mapping[str, Effort] = {
    "small": Effort("faster", "", 20, 3, 5, 3),
    "full": Effort("superfast", "", 10, 0, 8, 0),
    "light": Effort("ultrafast", "cabac=1:bframes=3:no-deblock=0:8x8dct=1:partitions=i8x8,i4x4", 5, 0, 8, 10),
    "least": Effort("ultrafast", "cabac=1:8x8dct=1:no-deblock=0", 0, 6, 8, 10),
}
# From here on x264 costs as much as a third of the network, unless there are cores that nobody else needs.
LARGE_PIXELS, MANY_CORES = 1280 * 720, 8
LOOKAHEAD_S = 0.4  # that a live encoder may hold back: at one frame per second, ten frames would be too many
# What x264 writes into the head of a file must be the same for all steps, so that one can follow another.
_LIVE = "stitchable=1:ref=1:weightp=0:cabac=1:8x8dct=1:bframes=0"


def first_step(effort: str, size: tuple[int, int]) -> str:
    """Return the step that ``--encode`` means for pictures of ``size`` (width, height) on this machine.

    "balanced" is "light" for large pictures unless the machine has many cores.
    """
    if effort == "balanced":
        return "light" if size[0] * size[1] >= LARGE_PIXELS and cores() < MANY_CORES else "full"
    return {"fast": "light", "small": "small"}[effort]


def next_step(step: str) -> str | None:
    """Return the step with the next less effort; None if there is none.

    >>> next_step("full"), next_step("least")
    ('light', None)
    """
    names = [*STEPS]
    return names[names.index(step) + 1] if step != names[-1] else None


def codec_options(codec: str, step: str, crf: int, fps: float, *, live: bool) -> dict[str, str]:
    """Return the options of an encoder; ``live`` ones hold back little."""
    effort = STEPS[step]
    more = effort.crf if codec == "libx264" else effort.vp9_crf
    quality = {"crf": str(min(crf + more, 51) if crf else 0)}  # 0 is lossless
    if codec != "libx264":
        lag = {"lag-in-frames": "0"} if live else {}
        speed = {"deadline": "realtime", "cpu-used": str(effort.cpu_used), "row-mt": "1", "b": "0"}
        return {**speed, **lag, **quality}
    ahead = min(int(LOOKAHEAD_S * fps), 10, effort.lookahead) if live else effort.lookahead
    given = [effort.x264] if effort.x264 else []
    given += [f"mbtree={int(ahead > 0)}:rc-lookahead={ahead}", *([_LIVE] if live else [])]
    tuned = {"tune": "zerolatency"} if live else {}
    return {"preset": effort.preset, "x264-params": ":".join(given), **tuned, **quality}
