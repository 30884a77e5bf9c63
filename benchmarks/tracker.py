"""Milliseconds per frame of ByteTrack implementations: ``python -m benchmarks.tracker``.

Every tracker sees the same detections, frame by frame in turn, so that whatever else the machine does hits
all alike, and the clock is the thread's own, which stands while others run. Inputs are prepared in each
tracker's own form beforehand; only ``update`` is timed. Printed are medians after a warm-up. Further rows:
the density of 100 objects on 1920x1080 at other counts, and MOT17-02 where ../shared lies beside the clone.
"plain" is the default, "motion", without the camera told from the boxes and without the reunion of the lone.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import mot17
from bytetrack import SORT, BoTSORT, BYTETracker, DeepSORT, Detections, MotionTracker, StrongSORT
from bytetrack.looks import LooksTracker
from bytetrack.types import FloatArray

WARM_UP = 15  # frames
Update = Callable[[Any], Any]
Prepare = Callable[[Detections], Any]
THRESHOLDS = {"track": 0.6, "new": 0.7, "match": 0.9}


def crowd(objects: int, frames: int, width: float = 1920, height: float = 1080) -> Iterator[Detections]:
    """People of 60 to 180 px walking about: boxes jitter by 2 %, 7 % are missed, 5 % are clutter."""
    rng = np.random.default_rng(objects)
    tall = rng.uniform(60, 180, objects)
    size = np.stack((0.41 * tall, tall), 1)
    center = rng.uniform(0, (width, height), (objects, 2))
    velocity = rng.normal(0, 2, (objects, 2))
    for _ in range(frames):
        center += velocity
        beyond = (center < 0) | (center > (width, height))
        velocity[beyond] *= -1
        seen = rng.random(objects) > 0.07
        clutter = rng.binomial(objects, 0.05)
        at = np.vstack((center, rng.uniform(0, (width, height), (clutter, 2))))
        extent = np.vstack((size, rng.uniform(30, 150, (clutter, 2))))
        box = np.hstack((at - extent / 2, at + extent / 2))
        box += rng.normal(0, 1, box.shape) * 0.02 * np.hstack((extent, extent))
        score = np.append(rng.beta(8, 2, objects), rng.uniform(0.1, 0.9, clutter))
        keep = np.append(seen, np.ones(clutter, bool))
        yield Detections(box[keep], score[keep], np.zeros(keep.sum(), np.int64))


def as_rows(detections: Detections) -> NDArray[np.float64]:
    return np.column_stack((detections.xyxy, detections.score, detections.class_id))


FEATURES = 512  # numbers in an embedding, as OSNet's


def with_looks(kind: type[LooksTracker]) -> tuple[Prepare, Callable[[], Update]]:
    """Return a tracker that is given embeddings, like where boxes are alike; making them would cost extra."""
    base = np.random.default_rng(0).normal(0, 1, (4, FEATURES)).astype(np.float32)

    def prepare(detections: Detections) -> tuple[Detections, FloatArray]:
        return detections, np.asarray(np.sin(detections.xyxy / 150).astype(np.float32) @ base)

    def make() -> Update:
        tracker = kind(
            track_thresh=THRESHOLDS["track"],
            new_track_thresh=THRESHOLDS["new"],
            match_thresh=THRESHOLDS["match"],
        )
        return lambda given: tracker.update(given[0], embed=given[1].__getitem__)

    return prepare, make


def ours(kind: type[BYTETracker] = BYTETracker) -> tuple[Prepare, Callable[[], Update]]:
    def make() -> Update:
        return kind(
            track_thresh=THRESHOLDS["track"],
            new_track_thresh=THRESHOLDS["new"],
            match_thresh=THRESHOLDS["match"],
        ).update

    return lambda detections: detections, make


class Plain(MotionTracker):
    """The default tracker as it would be without what it does for moving cameras and for the lone."""

    _associate = BYTETracker._associate
    _updated = BYTETracker._updated
    _births = BYTETracker._births


def ultralytics() -> tuple[Prepare, Callable[[], Update]]:
    from ultralytics.engine.results import Boxes
    from ultralytics.trackers.byte_tracker import BYTETracker as Theirs

    options = SimpleNamespace(
        track_high_thresh=THRESHOLDS["track"],
        track_low_thresh=0.1,
        new_track_thresh=THRESHOLDS["new"],
        match_thresh=THRESHOLDS["match"],
        track_buffer=30,
        fuse_score=True,
    )
    return lambda detections: Boxes(as_rows(detections), (1080, 1920)), lambda: Theirs(options).update


def trackers() -> tuple[Prepare, Callable[[], Update]]:
    import supervision
    from trackers import ByteTrackTracker

    def prepare(detections: Detections) -> Any:
        return supervision.Detections(
            xyxy=detections.xyxy, confidence=detections.score, class_id=detections.class_id
        )

    def make() -> Update:
        update: Update = ByteTrackTracker(
            track_activation_threshold=THRESHOLDS["new"], high_conf_det_threshold=THRESHOLDS["track"]
        ).update
        return update

    return prepare, make


def boxmot() -> tuple[Prepare, Callable[[], Update]]:
    from boxmot import ByteTrack

    picture = np.zeros((1080, 1920, 3), np.uint8)

    def make() -> Update:
        tracker = ByteTrack(
            track_thresh=THRESHOLDS["track"], match_thresh=THRESHOLDS["match"], track_buffer=30
        )
        return lambda rows: tracker.update(rows, picture)

    return as_rows, make


PEERS = {"ultralytics": ultralytics, "trackers": trackers, "boxmot": boxmot}


def measure(
    frames: list[Detections], systems: dict[str, tuple[Prepare, Callable[[], Update]]]
) -> dict[str, float]:
    """Return the median milliseconds of one update, by system."""
    updates = {name: make() for name, (_, make) in systems.items()}
    inputs = {name: [prepare(frame) for frame in frames] for name, (prepare, _) in systems.items()}
    spent: dict[str, list[float]] = {name: [] for name in systems}
    for index in range(len(frames)):
        # There and back in turns: who comes after a tracker that is alike finds its code in the cache.
        for name, update in list(updates.items())[:: 1 if index % 2 else -1]:
            argument = inputs[name][index]
            begin = time.thread_time()
            update(argument)
            spent[name].append(time.thread_time() - begin)
    return {name: 1e3 * float(np.median(times[WARM_UP:])) for name, times in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, help="frames per row (default: fewer for more objects)")
    parser.add_argument("--alone", action="store_true", help="measure our own trackers only")
    arguments = parser.parse_args()
    systems = {
        "ours": ours(),
        "motion": ours(MotionTracker),
        "plain": ours(Plain),
        "botsort": ours(BoTSORT),
        "sort": ours(SORT),
        "botsort+looks": with_looks(BoTSORT),
        "deepsort": with_looks(DeepSORT),
        "strongsort": with_looks(StrongSORT),
    }
    for name, peer in PEERS.items():
        if arguments.alone:
            continue
        if importlib.util.find_spec(name) is None:
            print(f"{name} is not installed (pip install {name}): left out")
            continue
        systems[name] = peer()

    def row(label: str, frames: list[Detections]) -> float:
        times = measure(frames, systems)
        cells = [f"{times['ours']:10.3f}"]
        cells += [f"{times[n]:10.3f} ({times[n] / times['ours']:4.1f}x)" for n in systems if n != "ours"]
        print(f"{label:<26}" + "  ".join(cells), flush=True)
        return times["ours"]

    print("median ms per update, in brackets how many times slower than ours; up to strongsort all are ours")
    print(f"{'':<26}{'ours':>10}  " + "  ".join(f"{name:>18}" for name in systems if name != "ours"))
    counts = {10: 400, 100: 200, 300: 80, 1000: 50}
    for objects, default in counts.items():
        row(f"{objects} on 1920x1080", list(crowd(objects, arguments.frames or default)))
    constant = {}
    for objects, default in counts.items():
        scale = (objects / 100) ** 0.5
        frames = list(crowd(objects, arguments.frames or default, 1920 * scale, 1080 * scale))
        constant[objects] = row(f"{objects} at constant density", frames)
    if mot17.FOLDER.is_dir():
        row("MOT17-02", mot17.detections("MOT17-02"))
    print(f"growth of ours from 100 to 1000 at constant density: {constant[1000] / constant[100]:.1f}x")


if __name__ == "__main__":
    main()
