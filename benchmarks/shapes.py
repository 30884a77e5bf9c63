"""What drawing and blurring cost, by what there is to draw: ``python -m benchmarks.shapes``.

Twenty people of 80 x 200 pixels walk over a picture of 1920 x 1080 in the codec's own colours. All kinds are
drawn in each frame, one after the other, by the processor's time of one thread: other programs do not count.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from bytetrack import Detections, Tracks
from bytetrack.masks import Crop, Masks
from bytetrack.types import FloatArray
from tracker.drawing.annotate import DrawOptions, draw_pixels
from tracker.drawing.blur import Blurring
from tracker.planes import BT709, Planes
from tracker.types import Frame, Result

SIZE, PEOPLE, WIDTH, HEIGHT = (1920, 1080), 20, 80, 200
NAMES = {0: "person"}
PLAIN = DrawOptions()
OPTIONS = {
    "boxes": PLAIN,
    "masks": PLAIN,
    "skeletons": PLAIN,
    "rotated boxes": PLAIN,
    "boxes, people blurred": replace(PLAIN, blurring=Blurring(frozenset({0}))),
    "masks, people blurred": replace(PLAIN, blurring=Blurring(frozenset({0}))),
    "skeletons, faces blurred": replace(PLAIN, blurring=Blurring(faces=True)),
}


def silhouette() -> Crop:
    """Return somebody: a head on a body with two legs."""
    inside = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(inside, (40, 18), 16, 1, -1)
    cv2.ellipse(inside, (40, 82), (32, 54), 0, 0, 360, 1, -1)
    for x in (28, 52):
        cv2.line(inside, (x, 120), (x, 196), 1, 16)
    return Crop(0, 0, inside.astype(bool))


def shapes(kind: str, place: FloatArray) -> dict[str, Any]:
    """Return what people at ``place`` (N, 2), top left, have beside their boxes."""
    if kind.startswith("masks"):
        somebody = silhouette().inside
        return {"masks": Masks.of([Crop(int(x), int(y), somebody) for x, y in place], SIZE[::-1])}
    if kind.startswith("skeletons"):
        body = np.random.default_rng(2).uniform(0.1, 0.9, (17, 2)) * (WIDTH, HEIGHT)
        body[:5] = [(40, 21), (36, 18), (44, 18), (32, 20), (48, 20)]
        sure = np.full((PEOPLE, 17, 1), 0.9)
        return {"keypoints": np.concatenate([place[:, None] + body, sure], axis=2)}
    if kind.startswith("rotated"):
        angle = np.linspace(-1.5, 1.5, PEOPLE)
        sides = np.tile([HEIGHT, WIDTH], (PEOPLE, 1))
        return {"rotated": np.column_stack([np.add(place, (40, 100)), sides, angle])}
    return {}


def walk(frames: int) -> Iterator[FloatArray]:
    """Yield where people are."""
    chance = np.random.default_rng(1)
    place = chance.uniform((0, 0), (SIZE[0] - WIDTH, SIZE[1] - HEIGHT), (PEOPLE, 2))
    step = chance.uniform(-3, 3, (PEOPLE, 2))
    for _ in range(frames):
        place = np.clip(place + step, 0, (SIZE[0] - WIDTH, SIZE[1] - HEIGHT))
        yield np.floor(place)


def cost(frames: int) -> dict[str, float]:
    """Return the milliseconds of the median frame, by what is drawn."""
    width, height = SIZE
    grain = np.random.default_rng(0)
    y = grain.integers(40, 200, (height, width), np.uint8)
    u, v = (grain.integers(100, 156, (height // 2, width // 2), np.uint8) for _ in "uv")
    rows = np.arange(PEOPLE)
    spent: dict[str, list[float]] = {kind: [] for kind in OPTIONS}
    for index, place in enumerate(walk(frames)):
        boxes = np.hstack([place, np.add(place, (WIDTH, HEIGHT))])
        for kind, options in OPTIONS.items():
            tracks = Tracks(rows + 1, boxes, np.full(PEOPLE, 0.9), rows * 0, rows, **shapes(kind, place))
            frame = Frame.of(Planes(y, u, v, BT709), index, index / 25)
            result = Result(frame, Detections.empty(), tracks)
            begin = time.thread_time_ns()
            draw_pixels(result, NAMES, options)
            spent[kind].append((time.thread_time_ns() - begin) / 1e6)
    return {kind: statistics.median(each) for kind, each in spent.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"| {PEOPLE} people at {SIZE[0]} x {SIZE[1]} | ms a frame |\n|---|---:|")
    for kind, each in cost(arguments.frames).items():
        print(f"| {kind} | {each:.1f} |")


if __name__ == "__main__":
    main()
