"""What tiles find of far people, and what they cost: ``python -m benchmarks.tiles [--shrink 4]``.

Needs ../shared. Moments of PETS09-S2L1 are made smaller and put side by side, so that people are far away in
a picture of the size of one. Of the people of the ground truth, the share that is found (IoU 0.5, score 0.3
or more) is told for three heights, and the share of all boxes that are nobody; CPU is that of the whole
process, per picture.
"""

from __future__ import annotations

import argparse
import resource
from pathlib import Path

import cv2
import numpy as np

from bytetrack import Detections
from bytetrack.boxes import iou
from tracker.detectors import Settings, open_detector
from tracker.offline.motchallenge import read_rows
from tracker.sources import open_source
from tracker.types import Image

VTEST = Path(__file__).parent.parent.parent / "shared/data/pets09-s2l1"
WAYS: dict[str, dict[str, str | int]] = {
    "the whole picture": {},
    "`--imgsz 960`": {"imgsz": 960},
    "`--imgsz 1280`": {"imgsz": 1280},
    "`--tiles 2`": {"tiles": "2"},
    "`--tiles 3`": {"tiles": "3"},
}
SCORE, SAME = 0.3, 0.5


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--shrink", type=int, default=4, help="as many moments along each side")
    options = parser.parse_args()
    truth = read_rows(VTEST / "gt" / "gt.txt")
    images, people = far_away(truth, options.pictures, options.shrink)
    edges = np.quantile(np.concatenate(people)[:, 3], [1 / 3, 2 / 3])
    low, high = (f"{edge:.0f}" for edge in edges)
    print(f"{len(images)} pictures of {images[0].shape[1]}x{images[0].shape[0]}\n")
    heights = f"up to {low} px | {low} to {high} px | above {high} px"
    print(f"| | CPU ms | {heights} | nobody |\n|---|---|---|---|---|---|")
    for name, way in WAYS.items():
        settings = Settings(classes=["person"], backend="openvino", **way)  # type: ignore[arg-type]
        with open_detector(settings=settings) as detector:
            detector.detect(images[:2])
            before = cpu_s()
            found = detector.detect(images)
            spent = 1000 * (cpu_s() - before) / len(images)
        shares, nobody = compared(people, found, edges)
        told = " | ".join(f"{100 * share:.1f} %" for share in shares)
        print(f"| {name} | {spent:.0f} | {told} | {100 * nobody:.1f} % |", flush=True)


def far_away(truth: np.ndarray, count: int, shrink: int) -> tuple[list[Image], list[np.ndarray]]:
    """Return ``count`` pictures of ``shrink`` x ``shrink`` moments each, and the people in them, as ltwh."""
    last = int(truth[:, 0].max())
    stride = max(1, last // (count * shrink * shrink))
    images, people = [], []
    with open_source(str(VTEST / "vtest.avi"), stride=stride) as source:
        width, height = source.size[0] // shrink, source.size[1] // shrink
        frames = iter(source)
        for _ in range(count):
            image, found = np.empty((shrink * height, shrink * width, 3), np.uint8), []
            for row, column in np.ndindex(shrink, shrink):
                frame = next(frames)
                small = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
                y, x = row * height, column * width
                image[y : y + height, x : x + width] = small
                found.append(truth[truth[:, 0] == 1 + frame.index][:, 2:6] / shrink + [x, y, 0, 0])
            images.append(image)
            people.append(np.concatenate(found))
    return images, people


def compared(
    people: list[np.ndarray], found: list[Detections], edges: np.ndarray
) -> tuple[list[float], float]:
    """Return the share of people found, by height, and the share of boxes that are nobody."""
    seen: list[list[bool]] = [[], [], []]
    boxes = matched = 0
    for ltwh, one in zip(people, found, strict=True):
        one = one[one.score >= SCORE]
        overlap = iou(np.concatenate([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]], axis=1), one.xyxy)
        boxes += len(one)
        pairs = np.argwhere(overlap >= SAME)
        pairs = pairs[np.argsort(-overlap[pairs[:, 0], pairs[:, 1]])]
        person: set[int] = set()
        box: set[int] = set()
        for row, column in pairs.tolist():
            if row not in person and column not in box:
                person.add(row)
                box.add(column)
        matched += len(box)
        for row, height in enumerate(ltwh[:, 3]):
            seen[int(np.searchsorted(edges, height))].append(row in person)
    return [float(np.mean(each)) for each in seen], 1 - matched / max(1, boxes)


def cpu_s() -> float:
    """Return the seconds of CPU, user and system, that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
