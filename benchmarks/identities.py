"""What each option for identities is worth, and what it costs.

    python -m benchmarks.identities [--cache vtest.npz] [--noise 5] [--only "vtest deepsort"]

Scores the trackers on the MOT17 validation halves (stored detections) and on vtest.avi (YOLOv8n) from
../shared with TrackEval, each over several runs on detections jittered by half a pixel: HOTA and IDF1 as mean
± standard deviation, identities given for those there are, and milliseconds of one thread per frame.
Detections of vtest.avi are kept in the cache; the network for appearance is used where it lies in ../shared.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections, Tracks
from tracker.contracts import PictureTracker
from tracker.offline.identities import join
from tracker.offline.looks import LookSampler
from tracker.offline.metrics import COMBINED, score
from tracker.offline.motchallenge import MotSequence, find_sequences, frames_of, read_rows, rows_of
from tracker.offline.refine import measured, refine
from tracker.options import Options
from tracker.sources import open_source
from tracker.trackers.make import TRACKERS, make_tracker
from tracker.trackers.settings import NEED_LOOKS
from tracker.types import Frame

SHARED = Path(__file__).parent.parent.parent / "shared"
VTEST = SHARED / "data/pets09-s2l1"
OSNET = SHARED / "weights/osnet_x0_25_msmt17.onnx"
JITTER = 0.5  # pixels, standard deviation
SHAKE = 3.8  # pixels per axis, standard deviation: a shift of 6.7 px from frame to frame
PAPER = Options(conf=0.6, new_track_thresh=0.7, match_thresh=0.9)  # of ByteTrack's own evaluation
STREET = Options()  # those of `track`, for a small detector, which is seldom sure


@dataclass
class Film:
    """One recording with its detections, and pictures where there are any."""

    truth: MotSequence
    found: list[Detections]
    fps: float
    pictures: Callable[[], Iterator[Frame]] | None = None
    shift: NDArray[np.float64] = field(default_factory=lambda: np.zeros((1, 2)))  # (F, 2) of a shaken camera


def halves() -> list[Film]:
    """Return the MOT17 validation halves."""
    return [
        Film(one, list(frames_of(read_rows(one.detections), one.frames)), one.fps)
        for one in find_sequences(SHARED / "data/mot17-val-half")
    ]


def vtest(cache: Path) -> Film:
    """Return vtest.avi with detections of people, from the cache or made for it."""
    (truth,) = find_sequences(VTEST)
    if not cache.is_file() or "features" not in np.load(cache).files:
        detect(VTEST / "vtest.avi", cache)
    with np.load(cache) as kept:
        people = kept["class_id"] == 0
        frame, xyxy, score_of, features = (
            kept[name][people] for name in ("frame", "xyxy", "score", "features")
        )
        fps = float(kept["fps"])
    rows = [np.flatnonzero(frame == index) for index in range(truth.frames)]
    found = [
        Detections(xyxy[r].astype(float), score_of[r], np.zeros(len(r), np.int64), features[r]) for r in rows
    ]
    return Film(truth, found, fps, lambda: watch(VTEST / "vtest.avi"))


def detect(video: Path, cache: Path) -> None:
    """Run the detector once and keep what it found."""
    from tracker.detectors import Settings, open_detector

    frame, parts = [], []
    with (
        open_source(video) as source,
        open_detector(
            settings=Settings(classes=["person"], precision="fp32", features=STREET.conf)
        ) as detector,
    ):
        for picture, boxes in detector.stream(source):
            if boxes is not None:
                frame += [picture.index] * len(boxes)
                parts.append(boxes)
        fps = source.fps
    columns = {
        name: np.concatenate([getattr(one, name) for one in parts])
        for name in ("xyxy", "score", "class_id", "features")
    }
    np.savez(cache, frame=np.array(frame), fps=fps, **columns)


def watch(video: Path) -> Iterator[Frame]:
    """Yield the frames of a video."""
    with open_source(video) as source:
        yield from source


def shaken(film: Film) -> Film:
    """Return the film as a trembling camera would have taken it."""
    shift = np.random.default_rng(1).normal(0, SHAKE, (len(film.found), 2))
    pictures = film.pictures
    assert pictures is not None

    def tremble() -> Iterator[Frame]:
        for frame, (x, y) in zip(pictures(), shift.tolist(), strict=True):
            move = np.array([[1, 0, x], [0, 1, y]])
            size = frame.image.shape[1], frame.image.shape[0]
            image = cv2.warpAffine(frame.image, move, size, borderMode=cv2.BORDER_REPLICATE)
            yield replace(frame, image=np.asarray(image, np.uint8))

    found = [
        replace(boxes, xyxy=boxes.xyxy + np.tile(by, 2)) for boxes, by in zip(film.found, shift, strict=True)
    ]
    return Film(film.truth, found, film.fps, tremble, shift)


def jittered(found: Sequence[Detections], seed: int) -> list[Detections]:
    """Return the detections, each coordinate off by about half a pixel; seed 0: as they are."""
    rng = np.random.default_rng(seed)
    scale = JITTER if seed else 0.0
    return [replace(d, xyxy=d.xyxy + rng.normal(0, scale, d.xyxy.shape)) for d in found]


def follow(film: Film, kind: str, options: Options, seeds: range) -> tuple[list[list[Tracks]], float]:
    """Return the tracks of every frame for each seed, and milliseconds per frame; pictures are read once."""
    trackers = [make_tracker(kind, options.tracker_settings, film.fps, film.truth.size) for _ in seeds]
    inputs = [jittered(film.found, seed) for seed in seeds]
    raw: list[list[Tracks]] = [[] for _ in seeds]
    spent = 0.0
    samplers = {
        number: LookSampler(tracker)
        for number, tracker in enumerate(trackers)
        if isinstance(tracker, PictureTracker)
    }
    frames = film.pictures() if samplers and film.pictures else [None] * len(film.found)
    for index, frame in enumerate(frames):
        for number, (tracker, boxes, out) in enumerate(zip(trackers, inputs, raw, strict=True)):
            start = time.thread_time()
            if frame is not None and isinstance(tracker, PictureTracker):
                tracker.observe(frame)
            tracks = tracker.update(boxes[index])
            if frame is not None and isinstance(tracker, PictureTracker) and options.refine:
                samplers[number].sample(index, frame, tracks, boxes[index])
            spent += time.thread_time() - start
            out.append(measured(tracks, boxes[index]) if options.refine else tracks)
    if options.refine:
        start = time.thread_time()
        times = np.arange(len(film.found)) / film.fps
        for number, sampler in samplers.items():
            raw[number] = join(raw[number], times, sampler.looks(), sampler.size)
        raw = [refine(out, times, detections=found) for out, found in zip(raw, inputs, strict=True)]
        spent += time.thread_time() - start
    return raw, 1e3 * spent / (len(film.found) * len(seeds))


def line(name: str, films: Sequence[Film], kind: str, options: Options, seeds: range) -> str:
    """Return one row of the table."""
    results = [follow(film, kind, options, seeds) for film in films]
    scores = []
    for number in range(len(seeds)):
        rows = {}
        for film, (tracks, _) in zip(films, results, strict=True):
            rows[film.truth.name] = rows_of(tracks[number])
            rows[film.truth.name][:, 2:4] -= film.shift[
                (rows[film.truth.name][:, 0].astype(int) - 1) % len(film.shift)
            ]
        scores.append(score([film.truth for film in films], rows)[COMBINED])
    hota, idf1, switches, ids = (
        np.array([one[key] for one in scores]) for key in ("HOTA", "IDF1", "IDSW", "IDs")
    )
    milliseconds = np.mean([spent for _, spent in results])
    return (
        f"{name:34} {hota.mean():6.2f} ± {hota.std():.2f} {idf1.mean():6.2f} ± {idf1.std():.2f} "
        f"{switches.mean():6.1f} {ids.mean():6.1f} / {scores[0]['GT_IDs']} {milliseconds:8.2f}"
    )


def rows(
    films: Sequence[Film], street: Film, moved: Film
) -> Iterator[tuple[str, Sequence[Film], str, Options]]:
    """Yield name, recordings, tracker and options of every row of the table."""
    networks = [str(OSNET)] if OSNET.is_file() else []
    for kind in [kind for kind in TRACKERS if kind not in NEED_LOOKS]:  # there are boxes only
        yield f"MOT17 {kind}", films, kind, PAPER
        yield f"MOT17 {kind} --refine", films, kind, replace(PAPER, refine=True)
    default = Options().tracker
    for kind in TRACKERS:
        looks = [] if kind in NEED_LOOKS else ["none"]
        for look in [*looks, *([] if kind in (default, "sort") else ["color", "self", *networks])]:
            name = f"vtest {kind}" if look == "none" else f"vtest {kind} {Path(look).stem[:11]}"
            yield name, [street], kind, replace(STREET, tracker=kind, appearance=look)
    second = replace(STREET, refine=True)
    yield f"vtest {default} --refine", [street], default, second
    for look in ("color", "self", *networks):
        name = f"vtest {default} {Path(look).stem[:11]}"
        yield name, [street], default, replace(STREET, appearance=look)
        yield f"{name} --refine", [street], default, replace(second, appearance=look)
    for camera in ("off", "on", "auto"):
        yield (
            f"vtest shaken {default} camera {camera}",
            [moved],
            default,
            replace(STREET, camera_motion=camera),
        )
    for look in ("color", "self"):
        yield f"vtest shaken {default} {look}", [moved], default, replace(STREET, appearance=look)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path("vtest.npz"), help="detections of vtest.avi")
    parser.add_argument("--noise", type=int, default=3, help="runs, all but the first on jittered detections")
    parser.add_argument("--only", default="", help="rows whose name matches this regular expression")
    arguments = parser.parse_args()
    seeds = range(arguments.noise)
    films, street = halves(), vtest(arguments.cache)
    moved = shaken(street)
    print(f"{'':34} {'HOTA':>13} {'IDF1':>13} {'switch':>6} {'ids':>11} {'ms/frame':>9}")
    for name, on, kind, options in rows(films, street, moved):
        if re.search(arguments.only, name):
            print(line(name, on, kind, options, seeds), flush=True)


if __name__ == "__main__":
    main()
