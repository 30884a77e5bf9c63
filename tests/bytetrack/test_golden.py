"""The official codes' own results, and what TrackEval says of ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks import mot17
from benchmarks.dropped_frames import GOLDEN, compare
from bytetrack import BoTSORT, BYTETracker, DeepSORT, Detections, StrongSORT, Tracks
from bytetrack.looks import LooksTracker

pytestmark = pytest.mark.usefixtures("shared")


PETS = mot17.SHARED / "data/pets09-s2l1/golden"


def follow(name: str, kind: type[BYTETracker] = BYTETracker) -> list[Tracks]:
    tracker = kind(**GOLDEN)
    return [tracker.update(detections) for detections in mot17.detections(name)]


def walkers(tracker: LooksTracker) -> Iterator[Tracks]:
    """Yield the tracks of the people in vtest.avi, of whom boxes and OSNet's features are kept."""
    with np.load(PETS / "features.npz") as kept:
        frame, xyxy, score, feature = (kept[name] for name in ("frame", "xyxy", "score", "feature"))
    for number in range(1, 796):
        rows = np.flatnonzero(frame == number)
        found = Detections(xyxy[rows], score[rows], np.zeros(len(rows), np.int64))
        looks = feature[rows]
        yield tracker.update(found, embed=looks.__getitem__)


def assert_equal(found: Iterable[Tracks], golden: Path, *, scores: bool = True) -> None:
    """Compare every frame: boxes to a hundredth of a pixel, ids one to one over all frames."""
    rows = np.loadtxt(golden, delimiter=",")
    rows[:, 4:6] += rows[:, 2:4]
    ours_of: dict[int, int] = {}
    frame = 0
    for frame, tracks in enumerate(found, start=1):
        truth = rows[rows[:, 0] == frame]
        assert len(truth) == len(tracks), f"frame {frame}"
        if len(truth) == 0:
            continue
        distance = np.abs(truth[:, None, 2:6] - tracks.xyxy[None]).max(axis=2)
        nearest = distance.argmin(axis=1)
        assert len(set(nearest)) == len(truth), f"frame {frame}: not one to one"
        assert distance.min(axis=1).max() < 0.01, f"frame {frame}: boxes differ"
        if scores:
            np.testing.assert_allclose(tracks.score[nearest], truth[:, 6], atol=1e-4)
        for theirs, mine in zip(truth[:, 1].astype(int), tracks.track_id[nearest].tolist(), strict=True):
            assert ours_of.setdefault(theirs, mine) == mine, (
                f"frame {frame}: id {theirs} was {ours_of[theirs]}"
            )
    assert rows[:, 0].max() <= frame
    assert sorted(ours_of.values()) == list(range(1, len(ours_of) + 1)), "one to one and without holes"


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("name", mot17.SEQUENCES)
def test_equals_the_official_code_in_every_frame(name: str) -> None:
    assert_equal(follow(name), mot17.FOLDER / name / "golden/bytetrack.txt")


@pytest.mark.slow
@pytest.mark.parametrize("name", mot17.SEQUENCES)
def test_botsort_equals_the_official_code_in_every_frame(name: str) -> None:
    assert_equal(follow(name, BoTSORT), mot17.FOLDER / name / "golden/botsort.txt")


@pytest.mark.slow
@pytest.mark.parametrize("tracker", [DeepSORT(coast=1), StrongSORT(coast=1, cascade=True)])
def test_those_with_looks_equal_the_official_code_in_every_frame(tracker: DeepSORT) -> None:
    golden = PETS / f"{type(tracker).__name__.lower()}.txt"
    assert_equal(walkers(tracker), golden, scores=False)


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
