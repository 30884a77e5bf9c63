"""What looking only where something changed saves: ``python -m benchmarks.look [--minutes M]``.

Needs ../shared; its recordings are looked at whole and with ``--look changed``, in turn. Printed are the
share of the pictures looked at and the CPU time of reading and detecting. First comes an empty corridor of
``--minutes``, made by a law: noise, daylight that goes slowly, a clock in the corner, encoded by x264. Ten
minutes of it are made, after which the daylight begins anew, and shown as often as needed; whole, only the
first minute is looked at. What it costs in accuracy is told by ``benchmarks.accuracy`` and
``benchmarks.counting --look changed``.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np

from tracker.detectors import Settings, open_detector
from tracker.detectors.batched import Network
from tracker.detectors.look import Looking
from tracker.sources import open_source
from tracker.types import Frame, Image

SHARED = Path(__file__).parent.parent.parent / "shared"
FPS, SIZE = 10, (480, 640)
NOISE = 4.0  # levels, standard deviation
DAYLIGHT = 0.3  # part by which it gets brighter and darker
PERIOD_MIN = 10  # in which it does


def corridor(minutes: float) -> Iterator[Image]:
    """Yield pictures of an empty corridor."""
    random = np.random.default_rng(0)
    height, width = SIZE
    y, x = np.mgrid[:height, :width]
    depth = np.maximum(abs(x - width / 2) / width, abs(y - height / 2) / height)
    still = 60 + 160 * depth + 12 * ((np.log(depth + 0.01) * 8) % 2 > 1)
    grain = random.normal(0, NOISE, (16, *SIZE))
    for index in range(round(minutes * 60 * FPS)):
        light = 1 + DAYLIGHT * math.sin(2 * math.pi * index / FPS / (60 * PERIOD_MIN))
        picture = np.clip(still * light + np.roll(grain[index % 16], index * 37, axis=1), 0, 255).astype(
            np.uint8
        )
        image = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        seconds = index // FPS
        told = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        cv2.putText(image, told, (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
        yield image


def encode(images: Iterator[Image], path: Path) -> None:
    """Write pictures as a camera would send them: x264, a key frame every two seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", FPS, {"crf": "26", "preset": "veryfast", "g": str(2 * FPS)})
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
        container.mux(stream.encode())


def again_and_again(video: Path, minutes: float) -> Iterator[Frame]:
    """Yield the frames of a video for so many minutes, as one recording that begins again and again."""
    index = 0
    while index < round(minutes * 60 * FPS):
        with open_source(video) as source:
            for frame in source:
                if index < round(minutes * 60 * FPS):
                    yield frame.at(index, index / FPS)
                index += 1


def look(
    video: Path, weights: str, *, changed: bool, minutes: float | None = None
) -> tuple[float, float, list[tuple[str, str]]]:
    """Return CPU and wall milliseconds a frame of reading and detecting, and the table's row."""
    detector = open_detector(weights, Settings())
    if changed:
        assert isinstance(detector, Network)
        detector = Looking(detector)
    with open_source(video) as source, detector:
        given = source if minutes is None else again_and_again(video, minutes)
        cpu, wall, frames = time.process_time(), time.perf_counter(), 0
        for _ in detector.stream(given):
            frames += 1
    took = time.process_time() - cpu, time.perf_counter() - wall
    return 1000 * took[0] / frames, 1000 * took[1] / frames, list(detector.summary())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--weights", default=str(SHARED / "weights" / "yolov8n.pt"))
    parser.add_argument("--corridor-only", action="store_true")
    options = parser.parse_args()
    print("| recording | CPU, ms a frame, whole | changed | looked at |\n|---|---|---|---|")
    with TemporaryDirectory() as folder:
        made = Path(folder, f"corridor of {options.minutes:g} minutes.mp4")
        encode(corridor(min(options.minutes, PERIOD_MIN)), made)
        videos = [made]
        if not options.corridor_only:
            videos += [SHARED / "data/pets09-s2l1/vtest.avi", *sorted((SHARED / "data/videos").iterdir())]
        for video in videos:
            long, short = (options.minutes, min(options.minutes, 1)) if video == made else (None, None)
            whole, _, _ = look(video, options.weights, changed=False, minutes=short)
            changed, _, rows = look(video, options.weights, changed=True, minutes=long)
            print(f"| {video.name} | {whole:.1f} | {changed:.1f} | {rows[0][1]} |", flush=True)


if __name__ == "__main__":
    main()
