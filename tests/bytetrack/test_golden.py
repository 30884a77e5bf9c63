"""The official code's own results, and what TrackEval says of ours."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from benchmarks import mot17
from benchmarks.dropped_frames import GOLDEN, compare
from bytetrack import BYTETracker, Tracks

pytestmark = pytest.mark.usefixtures("shared")


def follow(name: str) -> list[Tracks]:
    tracker = BYTETracker(**GOLDEN)
    return [tracker.update(detections) for detections in mot17.detections(name)]


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("name", mot17.SEQUENCES)
def test_equals_the_official_code_in_every_frame(name: str) -> None:
    golden = np.loadtxt(mot17.FOLDER / name / "golden/bytetrack.txt", delimiter=",")
    golden[:, 4:6] += golden[:, 2:4]
    assert golden[:, 0].max() <= mot17.length(name)
    ours_of: dict[int, int] = {}
    for frame, tracks in enumerate(follow(name), start=1):
        truth = golden[golden[:, 0] == frame]
        assert len(truth) == len(tracks), f"frame {frame}"
        if len(truth) == 0:
            continue
        distance = np.abs(truth[:, None, 2:6] - tracks.xyxy[None]).max(axis=2)
        nearest = distance.argmin(axis=1)
        assert len(set(nearest)) == len(truth), f"frame {frame}: not one to one"
        assert distance.min(axis=1).max() < 0.01, f"frame {frame}: boxes differ"
        np.testing.assert_allclose(tracks.score[nearest], truth[:, 6], atol=1e-4)
        for theirs, mine in zip(truth[:, 1].astype(int), tracks.track_id[nearest].tolist(), strict=True):
            assert ours_of.setdefault(theirs, mine) == mine, (
                f"frame {frame}: id {theirs} was {ours_of[theirs]}"
            )
    assert sorted(ours_of.values()) == list(range(1, len(ours_of) + 1)), "one to one and without holes"


@pytest.mark.slow
def test_trackeval_gives_the_official_figures(shared: Path) -> None:
    pytest.importorskip("trackeval")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TrackEval's own
        scores = mot17.score({name: mot17.as_rows(follow(name)) for name in mot17.SEQUENCES})
    table = (shared / "data/mot17-val-half/README.md").read_text(encoding="utf-8").splitlines()
    for name in mot17.SEQUENCES:
        (line,) = (line for line in table if line.startswith(f"| {name}"))
        hota, mota, idf1, switches = (float(cell) for cell in line.strip("| ").split("|")[1:])
        found = [scores[name][key] for key in ("HOTA", "MOTA", "IDF1", "IDSW")]
        np.testing.assert_allclose(found, [hota, mota, idf1, switches], atol=0.0051)


@pytest.mark.slow
def test_knowing_the_time_pays_where_frames_are_missing() -> None:
    pytest.importorskip("trackeval")
    seen = {"MOT17-09": mot17.detections("MOT17-09")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TrackEval's own
        runs = [compare(seen, seed) for seed in range(4)]
    aware, unaware = ([run[kind]["MOT17-09"]["IDF1"] for run in runs] for kind in (0, 1))
    assert np.mean(aware) > np.mean(unaware) + 0.5
