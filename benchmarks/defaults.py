"""Why the defaults are what they are: ``python -m benchmarks.defaults [--draws N] [--conf 0.2,0.3 ...]``.

Identities (vtest against the ground truth of PETS09-S2L1) and counts (every line of the truth in ../shared)
are measured together, over detections that are made once with the default detector and kept in ``--cache``.
Without options every default is changed alone; with options all their combinations are run. A row is one
setting: exact detections first, then mean and spread over draws in which boxes and scores jitter. A setting
is worth having where its neighbours are as good, not where it wins by luck.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.counting import SHARED, SIGN, unmatched
from bytetrack import Detections
from tracker.coco import COCO
from tracker.evaluation import score
from tracker.motchallenge import recordings, rows_of
from tracker.options import TRACKER_KINDS, Options
from tracker.pipeline import frames_passed
from tracker.plugins.line import Line
from tracker.trackers import make_tracker
from tracker.types import Frame, Scene

VTEST = SHARED / "data/pets09-s2l1"
BOX_JITTER = 0.01  # standard deviation of every edge, in parts of the box's size
SCORE_JITTER = 0.02
AROUND: dict[str, tuple[Any, ...]] = {  # of each default, what else might have been
    "conf": (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6),
    "new_track_thresh": (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7),
    "match_thresh": (0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
    "lost": (0.5, 1.0, 1.5, 2.0, 3.0, 4.0),
}


@dataclass(frozen=True, eq=False)
class Film:
    """A recording as the detector saw it."""

    path: Path
    fps: float
    size: tuple[int, int]
    time: list[float]
    found: list[Detections]

    def jittered(self, rng: np.random.Generator) -> Film:
        return replace(self, found=[jittered(found, rng) for found in self.found])


def jittered(found: Detections, rng: np.random.Generator) -> Detections:
    """Move every edge and score a little, as another run of another network would."""
    size = np.tile(found.xyxy[:, 2:] - found.xyxy[:, :2], 2)
    xyxy = found.xyxy + rng.normal(0, BOX_JITTER, size.shape) * size
    unsure = found.score + rng.normal(0, SCORE_JITTER, len(found))
    return Detections(xyxy, np.clip(unsure, 0.0, 1.0), found.class_id)


def film(path: Path, cache: Path) -> Film:
    """Return what the detector finds in a recording; kept in ``cache`` from the first time on."""
    kept = cache / f"{path.stem}.npz"
    if not kept.is_file():
        _detect(path, kept)
    data = np.load(kept)
    bounds = np.searchsorted(data["frame"], np.arange(len(data["time"]) + 1))
    found = [
        Detections(data["xyxy"][a:b], data["score"][a:b], data["class_id"][a:b])
        for a, b in itertools.pairwise(bounds.tolist())
    ]
    width, height = data["size"].tolist()
    return Film(path, float(data["fps"]), (width, height), data["time"].tolist(), found)


def _detect(path: Path, kept: Path) -> None:
    from tracker.detectors import open_detector
    from tracker.sources import open_source

    with (
        open_source(str(path)) as source,
        open_detector(str(SHARED / "weights/yolov8n.pt"), precision="fp32") as detector,
    ):
        frames = [(frame.time, found) for frame, found in detector.stream(source) if found is not None]
        about = {"fps": source.fps, "size": source.size}
    found = [f for _, f in frames]
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        kept,
        frame=np.repeat(np.arange(len(found)), [len(f) for f in found]),
        xyxy=np.concatenate([f.xyxy for f in found]),
        score=np.concatenate([f.score for f in found]),
        class_id=np.concatenate([f.class_id for f in found]),
        time=[time for time, _ in frames],
        **about,
    )


def identities(vtest: Film, options: Options) -> dict[str, float]:
    """Return what TrackEval says of people on vtest."""
    tracker = make_tracker(options.tracker, options, vtest.fps)
    people = (found[found.class_id == 0] for found in vtest.found)
    rows = rows_of([tracker.update(found) for found in people])
    (truth,) = recordings(VTEST)
    return score([truth], {truth.name: rows}, "MOT15")[truth.name]


def mistakes(one: Film, truths: Sequence[dict[str, Any]], options: Options) -> list[int]:
    """Return false and missed crossings of each line, added."""
    tracker = make_tracker(options.tracker, options, one.fps)
    lines = [Line([t["line"][:2], t["line"][2:]]) for t in truths]
    scene = Scene(one.path.name, one.size, one.fps, False, COCO, lost_s=options.lost)
    image = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (one.size[1], one.size[0], 3))
    told: list[list[tuple[int, str]]] = [[] for _ in lines]
    for line in lines:
        line.start(scene)
    before = None
    for index, (time, found) in enumerate(zip(one.time, one.found, strict=True)):
        tracks = tracker.update(found, frames_passed(before, time, one.fps))
        before = time
        for line, events in zip(lines, told, strict=True):
            events += [(e.frame, SIGN[e.kind]) for e in line.update(Frame(image, index, time), tracks)]
    wrong = []
    for events, truth in zip(told, truths, strict=True):
        true = [(frame, sign) for frame, sign in truth["event_frames"]]
        wrong.append(sum(map(len, unmatched(true, events, truth["event_match_tolerance_frames"]))))
    return wrong


@dataclass(frozen=True, eq=False)
class Bench:
    """The recordings and what is true about them."""

    draws: list[dict[str, Film]]  # the first is exact
    truth: dict[str, list[dict[str, Any]]]  # recording -> its lines

    def row(self, options: Options) -> str:
        figures, wrong = [], []
        for films in self.draws:
            found = identities(films["vtest.avi"], options)
            figures.append([found[name] for name in ("HOTA", "MOTA", "IDF1", "IDSW")])
            wrong.append(
                [n for clip, lines in self.truth.items() for n in mistakes(films[clip], lines, options)]
            )
        exact, others = np.array(figures[0]), np.array(figures[1:])
        text = "  ".join(f"{value:5.1f}" for value in exact)
        text += "   " + " ".join(map(str, wrong[0]))
        if len(others):
            mean, spread = others.mean(0), others.std(0)
            text += "   " + "  ".join(
                f"{m:4.1f} ± {s:.1f}" for m, s in zip(mean[:3], spread[:3], strict=True)
            )
            text += f"   {np.sum(wrong[1:], axis=1).mean():.1f}"
        return text


def settings(given: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield the settings to run: combinations of what is given, else each default changed alone."""
    if given:
        for values in itertools.product(*given.values()):
            yield dict(zip(given, values, strict=True))
        return
    for kind in TRACKER_KINDS:
        yield {"tracker": kind}
    for name, values in AROUND.items():
        yield from ({name: value} for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=3, help="runs over jittered detections per setting")
    parser.add_argument("--cache", type=Path, default=Path("build/detections"), help="keeps the detections")
    parser.add_argument("--tracker", type=lambda text: text.split(","), help="kinds, comma separated")
    for name in AROUND:
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=lambda text: [float(part) for part in text.split(",")]
        )
    arguments = vars(parser.parse_args())
    truth: dict[str, list[dict[str, Any]]] = {}
    for line in json.loads((SHARED / "data/truth.json").read_text())["lines"]:
        truth.setdefault(line["clip"], []).append(line)
    places = {
        clip: next(p for p in (VTEST / clip, SHARED / "data/videos" / clip) if p.exists()) for clip in truth
    }
    exact = {clip: film(place, arguments["cache"]) for clip, place in places.items()}
    rng = np.random.default_rng(0)
    draws = [{clip: one.jittered(rng) for clip, one in exact.items()} for _ in range(arguments["draws"])]
    bench = Bench([exact, *draws], truth)
    lines = ", ".join(f"{clip} {line['axis']}" for clip, of_clip in truth.items() for line in of_clip)
    print(f"HOTA MOTA IDF1 switches of vtest; false + missed crossings of {lines}; then mean ± spread of")
    print(f"HOTA MOTA IDF1 and mean of all mistakes over {arguments['draws']} draws of jittered detections")
    known = {field.name for field in fields(Options)}
    given = {name: values for name, values in arguments.items() if name in known and values is not None}
    for setting in settings(given):
        label = " ".join(f"{name}={value}" for name, value in setting.items())
        print(f"{label:<48}{bench.row(Options(**setting))}", flush=True)


if __name__ == "__main__":
    main()
