"""What reading and writing a video costs: ``python -m benchmarks.video VIDEO [--frames N]``.

CPU milliseconds per frame of decoding to BGR, of making the encoder's colours, and of encoding by each step
of ``--encode``, for files and live; how large the files become, and how near to the original (PSNR of the
decoded file). Everything runs alone, one after the other.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np

from tracker.sinks.encoding import ENCODINGS, STEPS, first_step
from tracker.sinks.video_writer import VideoWriter
from tracker.sources import open_source
from tracker.types import Image


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video")
    parser.add_argument("--frames", type=int, default=150)
    options = parser.parse_args()
    with open_source(options.video) as source:
        fps, (width, height) = source.fps, source.size
        start = time.process_time()
        images = [frame.image for frame in itertools.islice(source, options.frames)]
    decoding = 1000 * (time.process_time() - start) / len(images)
    print(f"{Path(options.video).name}, {width}x{height}, {len(images)} frames; CPU ms per frame")
    print(f"\n| | ms |\n|---|---|\n| decoding to BGR | {decoding:.1f} |")
    print(f"| colours, OpenCV | {per_image(opencv, images):.1f} |")
    print(f"| colours, swscale | {per_image(swscale, images):.1f} |")
    print(f"\nthe default of x264 here is {first_step('balanced', (width, height))}\n")
    print("| x264 | ms, with colours | KB per frame | PSNR, dB |\n|---|---|---|---|")
    for live in (False, True):
        for step in STEPS:
            cells = encode(images, fps, step, live=live)
            print(f"| {step}{', live' if live else ''} | {' | '.join(cells)} |")


def opencv(image: Image) -> None:
    cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)


def swscale(image: Image) -> None:
    av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")


def per_image(work: Callable[[Image], None], images: Sequence[Image]) -> float:
    """Return CPU milliseconds per image."""
    start = time.process_time()
    for image in images:
        work(image)
    return 1000 * (time.process_time() - start) / len(images)


def encode(images: Sequence[Image], fps: float, step: str, *, live: bool) -> list[str]:
    """Return CPU milliseconds, size and likeness of one way to encode."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "out.mp4")
        start = time.process_time()
        size = images[0].shape[1], images[0].shape[0]
        file = VideoWriter(path, ENCODINGS[".mp4"], fps, size, 23, None, 0.0, [], step=step, live=live)
        for index, image in enumerate(images):
            file.add(image, index / fps)
        file.close()
        spent = 1000 * (time.process_time() - start) / len(images)
        kilobytes = path.stat().st_size / 1000 / len(images)
        with open_source(path) as written:
            error = [
                np.square(frame.image - image.astype(np.float32)).mean()
                for frame, image in zip(written, images, strict=False)
            ]
    return [f"{spent:.1f}", f"{kilobytes:.1f}", f"{10 * np.log10(255**2 / np.mean(error)):.1f}"]


if __name__ == "__main__":
    main()
