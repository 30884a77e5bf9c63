"""What ``--refine`` gains and costs, and what each rule of it is worth: ``python -m benchmarks.second_pass``.

Needs ../shared; detections of vtest.avi are kept in ``--cache``. Each row is one rule changed; each cell is
HOTA / MOTA / IDF1 against the same tracks not refined, the mean over the boxes as they are and over
``--draws`` runs jittered by half a pixel.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.identities import PAPER, SHARED, STREET, Film, halves, jittered, vtest
from bytetrack import Detections, Tracks
from tracker.offline.gaps import Evidence
from tracker.offline.metrics import COMBINED, score
from tracker.offline.motchallenge import find_sequences, frames_of, read_rows, rows_of
from tracker.offline.refine import Refinement, measured, refine
from tracker.options import Options
from tracker.trackers.make import make_tracker

RULES = {
    "as it is": Refinement(),
    "every gap is filled": Refinement(evidence=Evidence(supported=0, unsupported=0, seen_s=0)),
    "none is filled": Refinement(gap_s=0),
    "support counts for nothing": Refinement(evidence=Evidence(supported=3)),
    "support is not needed": Refinement(evidence=Evidence(unsupported=1)),
    "six times as long without": Refinement(evidence=Evidence(unsupported=6)),
    "no least time": Refinement(evidence=Evidence(seen_s=0)),
    "no weak boxes": Refinement(evidence=Evidence(weak_iou=2)),
    "nobody in front": Refinement(evidence=Evidence(hidden=2)),
}
FIGURES = ("HOTA", "MOTA", "IDF1")
Run = tuple[Film, list[Detections], list[Tracks]]


def groups(cache: Path) -> dict[str, tuple[list[Film], Options]]:
    """Return the recordings, by what they are scored with, and the thresholds of their detector."""
    others = [
        Film(one, list(frames_of(read_rows(one.detections), one.frames)), one.fps)
        for one in find_sequences(SHARED / "data/mot15")
    ]
    found = {"MOT17": (halves(), PAPER), "vtest": ([vtest(cache)], STREET)}
    return found | {film.truth.name: ([film], PAPER) for film in others}


def figures(films: Sequence[Film], tracks: Sequence[list[Tracks]]) -> list[float]:
    rows = {film.truth.name: rows_of(own) for film, own in zip(films, tracks, strict=True)}
    found = score([film.truth for film in films], rows)[COMBINED]
    return [found[name] for name in FIGURES]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path("vtest.npz"), help="detections of vtest.avi")
    parser.add_argument("--draws", type=int, default=1, help="runs on jittered detections")
    arguments = parser.parse_args()
    known = groups(arguments.cache)
    print(f"| HOTA / MOTA / IDF1 | {' | '.join(known)} |\n|{'---|' * (len(known) + 1)}")
    runs: dict[str, list[list[Run]]] = {}
    for name, (films, options) in known.items():
        runs[name] = [[] for _ in range(arguments.draws + 1)]
        for seed, film in ((seed, film) for seed in range(arguments.draws + 1) for film in films):
            tracker = make_tracker(Options().tracker, options.tracker_settings, film.fps, film.truth.size)
            found = jittered(film.found, seed)
            runs[name][seed].append((film, found, [tracker.update(boxes) for boxes in found]))
    plain = {
        name: [figures([run[0] for run in own], [run[2] for run in own]) for own in draws]
        for name, draws in runs.items()
    }
    for rule, refinement in RULES.items():
        cells = []
        for name, draws in runs.items():
            gains = []
            for own, before in zip(draws, plain[name], strict=True):
                refined = []
                for film, found, tracks in own:
                    raw = [measured(seen, boxes) for seen, boxes in zip(tracks, found, strict=True)]
                    times = np.arange(len(raw)) / film.fps
                    refined.append(refine(raw, times, refinement, detections=found))
                gains.append(np.subtract(figures([run[0] for run in own], refined), before))
            cells.append(" / ".join(f"{gain:+.1f}" for gain in np.mean(gains, axis=0)))
        print(f"| {rule} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
