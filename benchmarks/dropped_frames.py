"""What knowing the time is worth when frames are missing: ``python -m benchmarks.dropped_frames``.

Of each MOT17 validation half in ../shared 30 % of the frames are dropped at random. One tracker is told how
much time passed between the frames that are left, the other believes that they follow each other evenly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks import mot17
from bytetrack import BYTETracker, Detections

GOLDEN = {"track_thresh": 0.6, "match_thresh": 0.9, "new_track_thresh": 0.7}


def compare(
    seen: dict[str, list[Detections]], seed: int, drop: float = 0.3
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Return TrackEval's scores, by sequence, of the tracker that knows the time and of the other."""
    rng = np.random.default_rng(seed)
    kept: dict[str, Sequence[int]] = {}
    aware, unaware = {}, {}
    for name, frames in seen.items():
        kept[name] = (1 + (rng.random(len(frames)) >= drop).nonzero()[0]).tolist()
        chosen = [frames[frame - 1] for frame in kept[name]]
        steps = np.diff(kept[name], prepend=kept[name][0] - 1).tolist()
        knowing, believing = BYTETracker(**GOLDEN), BYTETracker(**GOLDEN)
        aware[name] = mot17.as_rows(knowing.update(d, dt=dt) for d, dt in zip(chosen, steps, strict=True))
        unaware[name] = mot17.as_rows(believing.update(d) for d in chosen)
    return mot17.score(aware, kept), mot17.score(unaware, kept)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drop", type=float, default=0.3, help="share of frames dropped")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    if not mot17.FOLDER.is_dir():
        sys.exit("needs the MOT17 validation halves in ../shared, which are not here")
    seen = {name: mot17.detections(name) for name in mot17.SEQUENCES}
    runs = [compare(seen, seed, arguments.drop) for seed in range(arguments.seeds)]
    print(f"mean of {arguments.seeds} random drops of {arguments.drop:.0%}; better: how often IDF1 is higher")
    print(
        f"{'':<10}{'IDF1: aware':>12}{'unaware':>9}{'gain':>7}{'better':>8}{'HOTA: aware':>13}{'unaware':>9}"
    )
    for name in (*seen, "COMBINED"):
        idf1 = np.array([[scores[name]["IDF1"] for scores in run] for run in runs])
        hota = np.array([[scores[name]["HOTA"] for scores in run] for run in runs])
        gain = idf1[:, 0] - idf1[:, 1]
        print(
            f"{name:<10}{idf1[:, 0].mean():12.2f}{idf1[:, 1].mean():9.2f}{gain.mean():+7.2f}"
            f"{(gain > 0).mean():8.0%}{hota[:, 0].mean():13.2f}{hota[:, 1].mean():9.2f}"
        )


if __name__ == "__main__":
    main()
