"""Small videos that tests make: every frame tells its number by its brightness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation

from bytetrack import Detections, Tracks
from tracker.types import Frame, Image, Result, Scene

EXACT = Interpolation.BILINEAR | 0x40000  # SWS_ACCURATE_RND, which has a name from PyAV 18 on
STEP = 9  # grey levels between two frames
FLOOR = 30


def picture(index: int, size: tuple[int, int] = (64, 48)) -> Image:
    """Return picture ``index``: its brightness is its number, its upper left quarter is red."""
    width, height = size
    image = np.full((height, width, 3), FLOOR + STEP * (index % 24), np.uint8)
    image[: height // 4, : width // 4] = (0, 0, 255)
    return image


def plain(result: Result) -> Image:
    """Paint nothing."""
    return result.frame.image


def result(index: int, time: float | None = None, size: tuple[int, int] = (64, 48)) -> Result:
    """Return a result without tracks; ten a second where no time is given."""
    frame = Frame(picture(index, size), index, index / 10 if time is None else time)
    return Result(frame, Detections.empty(), Tracks.empty())


def scene(live: bool = False) -> Scene:
    return Scene("clip", (64, 48), 10.0, live, {})


def noise(seed: int = 1) -> Callable[[Result], Image]:
    """Return a painter whose pictures of some 10 kB cannot be compressed."""
    dice = np.random.default_rng(seed)
    return lambda _: dice.integers(0, 255, (120, 160, 3), np.uint8)


def number(image: Image) -> int:
    """Return the number (modulo 24) that a picture shows."""
    height, width = image.shape[:2]
    middle = image[height * 3 // 8 : height * 5 // 8, width * 3 // 8 : width * 5 // 8]
    return round((float(middle.mean()) - FLOOR) / STEP)


def red_corner(image: Image) -> str:
    """Return which corner is red: "top left", ..."""
    height, width = image.shape[:2]
    corners = {
        "top left": image[: height // 8, : width // 8],
        "top right": image[: height // 8, -(width // 8) :],
        "bottom left": image[-(height // 8) :, : width // 8],
        "bottom right": image[-(height // 8) :, -(width // 8) :],
    }
    return max(corners, key=lambda name: float(corners[name][..., 2].mean() - corners[name][..., 0].mean()))


def write_video(
    path: Path,
    frames: int = 20,
    *,
    size: tuple[int, int] = (64, 48),
    fps: int = 10,
    times_ms: Sequence[int] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rotate: int = 0,
    mirror: bool = False,
    aspect: Fraction | None = None,
    audio: str | None = None,
    options: dict[str, str] | None = None,
    gop: int = 5,
) -> Path:
    """Write a video; ``times_ms`` makes its frame rate variable, ``audio`` (a codec) adds a tone."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, pix_fmt, gop
        stream.bit_rate = 2_000_000  # the brightness must survive
        if times_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotate or mirror:
            stream.set_display_rotation(rotate, hflip=mirror)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        sound = container.add_stream(audio, rate=48_000, layout="mono") if audio else None
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index, size), "bgr24")
            frame = frame.reformat(format=pix_fmt, interpolation=EXACT)
            if times_ms is None:
                frame.pts, frame.time_base = index, Fraction(1, fps)
            else:
                frame.pts, frame.time_base = times_ms[index], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            seconds = frames / fps if times_ms is None else times_ms[-1] / 1000
            for packet in tone(sound, seconds):
                container.mux(packet)
    return path


def tone(stream: av.AudioStream, seconds: float) -> list[av.Packet]:
    """Encode a tone that is silent in every odd second, so that a shift in time can be heard."""
    rate, size = 48_000, stream.codec_context.frame_size or 1024
    at = np.arange(int(seconds * rate)) / rate
    wave = (0.5 * np.sin(2 * np.pi * 440 * at) * (at.astype(int) % 2 == 0)).astype(np.float32)
    packets = []
    resampler = av.AudioResampler(format=stream.codec_context.format or "s16", layout="mono", rate=rate)
    for begin in range(0, len(wave) - size + 1, size):
        frame = av.AudioFrame.from_ndarray(wave[None, begin : begin + size], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
        for ready in resampler.resample(frame):
            packets += stream.encode(ready)
    return packets + stream.encode()


def loudness(path: Path, step_s: float = 0.25) -> list[float]:
    """Return the loudness of a file's sound in steps of a quarter second from its time 0."""
    samples: list[tuple[float, float]] = []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.audio[0]):
            values = np.abs(frame.to_ndarray().astype(np.float64))
            values = values / (1.0 if frame.format.name.startswith("flt") else 32768.0)
            samples.append((float(frame.pts * frame.time_base), float(values.mean())))
    steps = int(max(t for t, _ in samples) / step_s) + 1
    return [
        float(np.mean([v for t, v in samples if step <= t / step_s < step + 1] or [0.0]))
        for step in range(steps)
    ]
