"""Score tracks against ground truth in MOTChallenge layout, by the TrackEval library.

HOTA: Luiten et al. 2021 (arXiv:2009.07736); MOTA: Bernardin and Stiefelhagen 2008; IDF1: Ristani et al. 2016.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bytetrack.types import FloatArray
from tracker.offline.motchallenge import CLASS, FRAME, MotSequence, read_tracks
from tracker.types import InputError, OptionError

BENCHMARKS = ("MOT15", "MOT16", "MOT17", "MOT20")
COMBINED = "COMBINED"
PEDESTRIAN_CLASSES = range(1, 14)  # of MOT16 to MOT20; MOT15 has a world coordinate in that column

Scores: TypeAlias = dict[str, dict[str, float]]  # sequence or COMBINED -> metric -> value


def benchmark_of(name: str, truth: FloatArray) -> str:
    """Guess whose rules apply: by the name, else by whether the ground truth has classes."""
    known = re.match(r"MOT(15|16|17|20)", name)
    if known:
        return known[0]
    return "MOT17" if np.isin(truth[:, CLASS], PEDESTRIAN_CLASSES).all() and len(truth) else "MOT15"


def score(
    truths: Sequence[MotSequence], results: Mapping[str, FloatArray], benchmark: str = "auto"
) -> Scores:
    """Score ``results`` (sequence name -> rows of `read_tracks`) per sequence and combined.

    In MOT16, 17 and 20 only pedestrians count, and a track on a distractor is no error; in MOT15 every row
    counts. Raises ``OptionError`` when TrackEval is not installed, ``InputError`` for what it rejects.
    """
    try:
        import trackeval
    except ModuleNotFoundError as error:
        raise OptionError(
            "track eval needs TrackEval; install it: pip install 'track-anything-in-video[eval]'"
        ) from error
    metrics = [
        trackeval.metrics.HOTA(),
        trackeval.metrics.CLEAR({"PRINT_CONFIG": False}),
        trackeval.metrics.Identity({"PRINT_CONFIG": False}),
        trackeval.metrics.Count(),
    ]
    raw: list[dict[str, Any]] = [{} for _ in metrics]
    with tempfile.TemporaryDirectory(prefix="track-eval-") as folder:
        for one in truths:
            truth = read_tracks(one.truth)
            data = _prepare(Path(folder), one, truth, results[one.name], benchmark, trackeval)
            for metric, values in zip(metrics, raw, strict=True):
                values[one.name] = metric.eval_sequence(data)
    for metric, values in zip(metrics, raw, strict=True):
        values[COMBINED] = metric.combine_sequences(dict(values))
    return {name: _figures(*(values[name] for values in raw)) for name in raw[0]}


def _prepare(
    folder: Path, one: MotSequence, truth: FloatArray, rows: FloatArray, benchmark: str, trackeval: Any
) -> Any:
    """Return a sequence in the form of TrackEval's metrics, which read it from files."""
    outside = rows[(rows[:, FRAME] < 1) | (rows[:, FRAME] > one.frames)]
    if len(outside):
        raise InputError(
            f"results of {one.name} have frame {outside[0, FRAME]:g}; it has frames 1 to {one.frames}"
        )
    rows = rows.copy()
    rows[:, 7:] = -1  # results have no class: every track counts
    for path, table in (
        (folder / "gt" / one.name / "gt" / "gt.txt", truth[truth[:, FRAME] <= one.frames]),
        (folder / "results" / "ours" / "data" / f"{one.name}.txt", rows),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(path, table, fmt=["%d", "%d", *["%.17g"] * 8], delimiter=",")
    try:
        dataset = trackeval.datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": str(folder / "gt"),
                "TRACKERS_FOLDER": str(folder / "results"),
                "SKIP_SPLIT_FOL": True,
                "SEQ_INFO": {one.name: one.frames},
                "BENCHMARK": benchmark_of(one.name, truth) if benchmark == "auto" else benchmark,
                "TRACKERS_TO_EVAL": ["ours"],
                "PRINT_CONFIG": False,
            }
        )
        return dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("ours", one.name), "pedestrian")
    except trackeval.utils.TrackEvalException as error:
        raise InputError(f"{one.name} cannot be scored: {error}") from error


def _figures(hota: Any, clear: Any, identity: Any, count: Any) -> dict[str, float]:
    shares = {
        "HOTA": hota["HOTA"].mean(),
        "DetA": hota["DetA"].mean(),
        "AssA": hota["AssA"].mean(),
        "MOTA": clear["MOTA"],
        "IDF1": identity["IDF1"],
    }
    numbers = {
        "IDSW": clear["IDSW"],
        "IDs": count["IDs"],
        "GT_IDs": count["GT_IDs"],
        "FP": clear["CLR_FP"],
        "FN": clear["CLR_FN"],
        "Frag": clear["Frag"],
        "MT": clear["MT"],
        "ML": clear["ML"],
    }
    percent = {name: round(100 * float(value), 4) for name, value in shares.items()}
    return {**percent, **{name: int(value) for name, value in numbers.items()}}


def table(scores: Scores) -> str:
    """Return the scores as text, a row per sequence; ratios in percent."""
    width = max(map(len, scores))
    first = next(iter(scores.values()))
    lines = [f"{'':{width}}" + "".join(f"{name:>8}" for name in first)]
    for name, row in scores.items():
        cells = (f"{value:8d}" if isinstance(value, int) else f"{value:8.2f}" for value in row.values())
        lines.append(f"{name:{width}}" + "".join(cells))
    return "\n".join(lines)
