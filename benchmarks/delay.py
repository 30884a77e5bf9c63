"""Delay of an RTSP camera, from the moment a picture is made to its result, minute by minute.

    python -m benchmarks.delay [VIDEO] [--minutes 5] [--fps 25] [--imgsz 640] [--transport udp]

A server in a process of its own sends VIDEO (vtest.avi of the shared recordings) in a circle. In each picture
stands the time of day at which it was handed to the encoder, one block per bit; the result's age is measured
against that, so that encoding, network, decoding, waiting, network of the detector and tracker are all in it.
The detector should be slower than the stream, which is the case that makes others fall behind.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.end_to_end import machine
from tests.tracker.sources.gst import GstServer, find_python
from tests.tracker.sources.rtsp import BITS, RtspServer, stamp, stamped
from tracker.options import Options
from tracker.run.session import Session
from tracker.sources import open_source
from tracker.types import Image

VTEST = Path(__file__).parents[2] / "shared" / "data" / "pets09-s2l1" / "vtest.avi"
STRIP = 24  # pixels at the top that bear the time
PERIOD_S = 2**32 / 1000  # after which the time in the picture repeats


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", nargs="?", type=Path, default=VTEST)
    parser.add_argument("--minutes", type=int, default=5)
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--transport", choices=("tcp", "udp"), default="tcp")
    parser.add_argument(
        "--server",
        choices=("gstreamer", "own"),
        default="gstreamer" if find_python() else "own",
        help="whose RTSP: GStreamer's where it is installed, or that of the tests",
    )
    parser.add_argument("--weights", default="yolov8n.pt")
    parser.add_argument("--imgsz", type=int, default=640, help="of the network: larger is slower")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given)
    else:
        measure(given)


def serve(given: argparse.Namespace) -> None:
    """Send the video until standard input ends."""
    server = GstServer if given.server == "gstreamer" else RtspServer
    with server(circle(given.video), fps=given.fps) as running:
        print(running.url, flush=True)
        sys.stdin.read()


def circle(video: Path) -> Callable[[], Image]:
    """Return a function that gives the next picture, with the time in it, at a width that bears it."""
    with open_source(video, max_frames=250) as source:
        width = source.size[0] // BITS * BITS
        height = round(source.size[1] * width / source.size[0]) // 2 * 2
        pictures = itertools.cycle([cv2.resize(frame.image, (width, height)) for frame in source])

    def following() -> Image:
        image = np.array(next(pictures), np.uint8)
        image[:STRIP] = stamped((width, STRIP))
        return image

    return following


def age_s(image: Image) -> float:
    """Return seconds since the picture was made."""
    age = time.time() - stamp(image[:STRIP])
    return (age + PERIOD_S / 2) % PERIOD_S - PERIOD_S / 2


def measure(given: argparse.Namespace) -> None:
    """Follow the stream and print what each minute was like."""
    command = [sys.executable, "-m", "benchmarks.delay", *sys.argv[1:], "--serve"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None and server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        print(
            f"{machine()}; {given.server}'s RTSP over {given.transport}, {given.fps} pictures a second, "
            f"network at {given.imgsz}"
        )
        print("minute  results/s  dropped/s   median ms   p95 ms   most ms   told ms  load of the machine")
        medians = follow(url, given)
    finally:
        server.stdin.close()
        server.wait()
    growth = np.polyfit(np.arange(len(medians)), medians, 1)[0] if len(medians) > 1 else 0.0
    print(f"median of the medians {np.median(medians):.0f} ms, growing by {growth:+.1f} ms a minute")


def follow(url: str, given: argparse.Namespace) -> list[float]:
    """Print a line a minute; return the medians in milliseconds."""
    options = Options(rtsp_transport=given.transport, weights=given.weights, imgsz=given.imgsz)
    medians: list[float] = []
    ages: list[float] = []
    with Session(url, options, stop=threading.Event()) as session:
        source = session.source
        begun = time.monotonic()
        dropped = 0
        for result in session:
            ages.append(1000 * age_s(result.frame.image))
            if time.monotonic() - begun < 60 * (len(medians) + 1):
                continue
            medians.append(float(np.median(ages)))
            lost = source.dropped - dropped  # type: ignore[attr-defined]
            dropped += lost
            told = 1000 * source.delay_s  # type: ignore[attr-defined]
            print(
                f"{len(medians):6d} {len(ages) / 60:10.1f} {lost / 60:10.1f} {medians[-1]:11.0f} "
                f"{np.percentile(ages, 95):8.0f} {max(ages):9.0f} {told:9.0f} {os.getloadavg()[0]:6.1f}",
                flush=True,
            )
            ages.clear()
            if len(medians) == given.minutes:
                break
    return medians


if __name__ == "__main__":
    main()
