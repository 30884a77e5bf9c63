"""The MOT17 validation halves that lie in ../shared, and what TrackEval says of tracks on them."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections, Tracks

SHARED = Path(__file__).parent.parent.parent / "shared"
FOLDER = SHARED / "data/mot17-val-half"
SEQUENCES = ("MOT17-02", "MOT17-05", "MOT17-09", "MOT17-11")
Rows = NDArray[np.float64]


def length(name: str) -> int:
    """Return the number of frames of a sequence."""
    (line,) = (
        line for line in (FOLDER / name / "seqinfo.ini").read_text().splitlines() if "seqLength" in line
    )
    return int(line.split("=")[1])


def detections(name: str) -> list[Detections]:
    """Return the detections of every frame, empty ones too."""
    rows = np.loadtxt(FOLDER / name / "det/det.txt", delimiter=",")
    rows[:, 4:6] += rows[:, 2:4]  # left, top, width, height -> corners
    frames = (rows[rows[:, 0] == frame] for frame in range(1, length(name) + 1))
    return [Detections(r[:, 2:6], r[:, 6], np.zeros(len(r), np.int64)) for r in frames]


def as_rows(results: Iterable[Tracks]) -> Rows:
    """Return tracks, one ``Tracks`` per frame, as rows of a MOTChallenge file."""
    parts = [np.empty((0, 10))]
    for frame, tracks in enumerate(results, start=1):
        rows = np.full((len(tracks), 10), -1.0)
        rows[:, 0], rows[:, 1], rows[:, 6] = frame, tracks.track_id, tracks.score
        rows[:, 2:4], rows[:, 4:6] = tracks.xyxy[:, :2], tracks.xyxy[:, 2:] - tracks.xyxy[:, :2]
        parts.append(rows)
    return np.vstack(parts)


def score(results: Mapping[str, Rows], kept: Mapping[str, Sequence[int]] | None = None) -> dict[str, Any]:
    """Score rows by sequence; returns ``{name or "COMBINED": {"HOTA": ..., "IDF1": ...}}`` in percent.

    ``kept`` names the frames (from 1) that the tracker was given, where others were dropped: frame n of
    the results is the n-th of these, and the truth is reduced to them.
    """
    spec = importlib.util.spec_from_file_location("moteval", SHARED / "tools/moteval.py")
    assert spec is not None and spec.loader is not None
    moteval = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(moteval)
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in results.items():
            truth = np.loadtxt(FOLDER / name / "gt/gt.txt", delimiter=",")
            frames = np.arange(1, length(name) + 1) if kept is None else np.asarray(kept[name])
            truth = truth[np.isin(truth[:, 0], frames)]
            truth[:, 0] = np.searchsorted(frames, truth[:, 0]) + 1
            place = Path(folder) / "gt" / name
            (place / "gt").mkdir(parents=True)
            np.savetxt(place / "gt/gt.txt", truth, delimiter=",", fmt="%g")
            (place / "seqinfo.ini").write_text(f"[Sequence]\nname={name}\nseqLength={len(frames)}\n")
            out = Path(folder) / "results" / f"{name}.txt"
            out.parent.mkdir(exist_ok=True)
            np.savetxt(out, rows, delimiter=",", fmt="%.4f")
        scores: dict[str, Any] = moteval.evaluate(f"{folder}/gt", f"{folder}/results", list(results))
    return scores
