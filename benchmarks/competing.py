"""Who is who where people overlap: ``python -m benchmarks.competing``.

Made scenes of people with limbs, some in front of others: dancers, two streams that cross, a queue. What a
network would see is made of what is not hidden: boxes and masks of the visible parts, and keypoints that are
unsure and inexact where they are hidden, and sometimes those of who stands in front. ``--noise 3`` makes
shapes, not boxes, three times as bad. Printed are IDF1 (mean over seeds and its standard error) and switches,
by boxes alone and with ``--match-by``. The constants of `bytetrack.competing` were chosen on seeds 0 to 3 of
scenes like these; others are printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from bytetrack import SORT, BYTETracker, Detections, MotionTracker
from bytetrack.boxes import iou
from bytetrack.competing import SHAPES, by_shapes
from bytetrack.masks import Crop, Masks
from tracker.trackers.settings import TrackerSettings

SIZE = 320, 240
FRAMES, FPS = 200, 25.0
LIMBS = ((5, 7), (7, 9), (6, 8), (8, 10), (11, 13), (13, 15), (12, 14), (14, 16), (5, 6), (11, 12))
Array = NDArray[np.float64]
Plane = NDArray[np.uint8]
Random = np.random.Generator
Range = tuple[float, float]


class Person(NamedTuple):
    x: Array  # (T,) of the feet, pixels
    y: Array
    height: float
    tempo: float  # of the limbs, radians a frame
    swing: float  # radians
    phase: Array

    def skeleton(self, t: int) -> Array:
        """Return (17, 2) keypoints in COCO's order."""
        h, points = self.height, np.zeros((17, 2))
        a = self.swing * np.sin(self.tempo * t + self.phase)  # (9,) of arms, legs and trunk
        lean = 0.15 * a[8]
        hip = np.array([self.x[t] + 0.04 * h * a[8], self.y[t] - 0.48 * h])
        up, side = np.array([np.sin(lean), -np.cos(lean)]), np.array([np.cos(lean), np.sin(lean)])
        points[:5] = hip + 0.44 * h * up + np.outer([0, 0.015, -0.015, 0.035, -0.035], h * side)
        points[5:7] = hip + 0.32 * h * up + np.outer([0.1, -0.1], h * side)
        points[11:13] = hip + np.outer([0.06, -0.06], h * side)
        for n, way in ((0, 1), (1, -1)):
            arm, leg = way * 0.3 + 1.5 * a[n], way * 0.05 + 0.6 * a[4 + n]
            arms = ((7, 5, arm, 0.16), (9, 7, arm + 1.2 * a[2 + n], 0.15))
            legs = ((13, 11, leg, 0.24), (15, 13, leg - 0.4 * abs(a[6 + n]), 0.24))
            for end, start, angle, length in (*arms, *legs):
                points[end + n] = points[start + n] + length * h * np.array([np.sin(angle), np.cos(angle)])
        return points


def silhouette(points: Array, height: float) -> Plane:
    plane = np.zeros(SIZE[::-1], np.uint8)
    corners = np.round(points).astype(np.int32)
    cv2.fillConvexPoly(plane, cv2.convexHull(corners[[5, 6, 12, 11]]), 1)
    cv2.circle(plane, corners[0].tolist(), round(0.065 * height), 1, -1)
    for one, other in LIMBS:
        cv2.line(plane, corners[one].tolist(), corners[other].tolist(), 1, max(2, round(0.07 * height)))
    return np.asarray(plane, np.uint8)


def stroll(random: Random, step: float, ease: float = 0.08) -> Array:
    """Return a smooth random way (T,) of about ``step`` pixels a frame."""
    speed = np.zeros(FRAMES)
    for t in range(1, FRAMES):
        speed[t] = speed[t - 1] * (1 - ease) + random.normal(0, 1) * np.sqrt(2 * ease)
    return np.cumsum(speed * step)


def person(random: Random, x: Array, y: Array, tempo: Range, swing: Range) -> Person:
    height = 75 * (0.6 + 0.4 * y[0] / 200) * random.uniform(0.9, 1.1)
    return Person(x, y, height, random.uniform(*tempo), random.uniform(*swing), random.uniform(0, 6.3, 9))


def dancers(random: Random) -> list[Person]:
    """Ten in a crowd, who come past each other."""
    found = []
    for _ in range(10):
        x, y = random.uniform(75, 245) + stroll(random, 1.5), random.uniform(150, 210) + stroll(random, 0.2)
        found.append(person(random, np.clip(x, 30, 290), np.clip(y, 120, 230), (0.15, 0.35), (0.5, 1.0)))
    return found


def streams(random: Random) -> list[Person]:
    """Twelve who walk to and fro, past each other."""
    found = []
    for n in range(12):
        x = random.uniform(-50, 370) + (1 if n % 2 else -1) * random.uniform(0.8, 1.8) * np.arange(FRAMES)
        x = 160 + 145 * (2 / np.pi) * np.arcsin(np.sin((x - 160) / 145 * np.pi / 2))
        found.append(person(random, x, np.full(FRAMES, random.uniform(150, 215)), (0.2, 0.3), (0.4, 0.4)))
    return found


def queue(random: Random) -> list[Person]:
    """Eight behind each other, who come on by fits and starts."""
    behind = random.uniform(9, 18, 8).cumsum()
    on = np.cumsum(np.maximum(0, np.sin(np.arange(FRAMES) / 25 + random.uniform(0, 6))) * 0.6)
    found = []
    for n, gap in enumerate(behind):
        x = 200 - gap + on - on.mean() + stroll(random, 0.4)
        found.append(person(random, x, np.full(FRAMES, 200.0 - 4 * n), (0.05, 0.15), (0.25, 0.25)))
    return found


SCENES: dict[str, Callable[[Random], list[Person]]] = {"dancers": dancers, "streams": streams, "queue": queue}


def look(people: list[Person], t: int, random: Random, noise: float) -> tuple[Detections, Array]:
    """Return what a network would find in one frame, and who that is (N,)."""
    taken, before = np.zeros(SIZE[::-1], np.uint8), np.zeros(SIZE[::-1], np.uint8)
    front: list[Array] = []
    boxes, scores, masks, skeletons, who = [], [], [], [], []
    for n in sorted(range(len(people)), key=lambda n: -people[n].y[t]):  # the nearest first
        h, points = people[n].height, people[n].skeleton(t)
        whole = silhouette(points, h)
        visible = whole & (1 - taken)
        share = visible.sum() / max(whole.sum(), 1)
        x, y = np.clip(np.round(points).astype(int), 0, (SIZE[0] - 1, SIZE[1] - 1)).T
        hidden = taken[y, x] > 0
        sure = np.where(hidden, random.normal(0.35, 0.15, 17), random.normal(0.9, 0.06, 17))
        told = points + random.normal(0, noise, (17, 2)) * np.where(hidden, 0.08, 0.015)[:, None] * h
        if front and random.random() < min(0.5 * noise, 1):  # of who stands in front
            nearest = min(front, key=lambda other: abs(float(other[:, 0].mean() - points[:, 0].mean())))
            stolen = hidden & (random.random(17) < 0.4)
            told[stolen], sure[stolen] = nearest[stolen], random.normal(0.7, 0.1, int(stolen.sum()))
        front.append(points)
        ys, xs = np.nonzero(visible)
        if share >= 0.15 and len(xs) >= 8 and random.random() >= 0.02 + 0.25 * (1 - share) ** 2:
            left, top, right, bottom = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
            mask = visible[top:bottom, left:right].copy()
            if random.random() < (noise - 1) / 4:  # a mask takes in who is beside
                mask |= before[top:bottom, left:right]
            boxes.append(np.array([left, top, right, bottom]) + random.normal(0, 0.015 * h, 4))
            scores.append(float(np.clip(0.3 + 0.6 * share + random.normal(0, 0.05), 0.05, 0.98)))
            masks.append(Crop(int(left), int(top), mask > 0))
            skeletons.append(np.column_stack((told, sure.clip(0, 1))))
            who.append(n)
        before, taken = whole, taken | whole
    kept = suppressed(np.array(boxes), np.array(scores))
    found = Detections(
        np.array(boxes)[kept],
        np.array(scores)[kept],
        np.zeros(len(kept), int),
        keypoints=np.array(skeletons)[kept],
        masks=Masks.of([masks[n] for n in kept], SIZE[::-1]),
    )
    return found, np.array(who)[kept]


def suppressed(xyxy: Array, score: Array) -> list[int]:
    """Return the rows that a network's own suppression keeps."""
    kept: list[int] = []
    overlap = iou(xyxy, xyxy)
    for n in np.argsort(-score).tolist():
        if all(overlap[n, other] <= 0.7 for other in kept):
            kept.append(n)
    return sorted(kept)


def follow(tracker: BYTETracker, film: list[tuple[Detections, Array]], people: int) -> tuple[float, int]:
    """Return IDF1 in percent, and switches."""
    both: dict[tuple[int, int], int] = {}
    last: dict[int, int] = {}
    switches = told = 0
    for found, who in film:
        tracks = tracker.update(found)
        told += len(tracks)
        for track_id, n in zip(tracks.track_id.tolist(), who[tracks.source].tolist(), strict=True):
            both[n, track_id] = both.get((n, track_id), 0) + 1
            switches += last.get(n, track_id) != track_id
            last[n] = track_id
    matrix = np.zeros((people, max((one for _, one in both), default=0) + 1))
    for pair, count in both.items():
        matrix[pair] = count
    row, column = linear_sum_assignment(matrix, maximize=True)
    return 200 * float(matrix[row, column].sum()) / (people * len(film) + told), switches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seeds", type=int, nargs=2, default=(20, 26), help="first, and the one behind the last"
    )
    parser.add_argument("--noise", type=float, default=1.0, help="of the shapes")
    given = parser.parse_args()
    films = {}
    for scene, make in SCENES.items():
        for seed in range(*given.seeds):
            random = np.random.default_rng(seed)
            people = make(random)
            films[scene, seed] = [look(people, t, random, given.noise) for t in range(FRAMES)], len(people)
    settings = TrackerSettings()
    print(f"{'':12} {'--match-by':10}" + "".join(f"{scene:>22}" for scene in SCENES))
    for kind in (MotionTracker, BYTETracker, SORT):
        for shapes in ("boxes", *SHAPES):
            text = f"{kind.__name__ if shapes == 'boxes' else '':13}{shapes:10}"
            for scene in SCENES:
                figures = []
                for seed in range(*given.seeds):
                    maker = kind if shapes == "boxes" else by_shapes(kind, shapes)
                    tracker = maker(
                        track_thresh=settings.track_thresh,
                        new_track_thresh=settings.new_track_thresh,
                        match_thresh=settings.match_thresh,
                        track_buffer=30 * settings.lost_s,
                        frame_rate=FPS,
                    )
                    figures.append(follow(tracker, *films[scene, seed]))
                idf1, switches = np.array(figures, float).T
                error = idf1.std(ddof=1) / np.sqrt(len(idf1))
                text += f"{idf1.mean():10.1f} ± {error:.1f} {switches.sum():5.0f}"
            print(text, flush=True)


if __name__ == "__main__":
    main()
