"""The official code's own results, and what TrackEval says of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bytetrack import BYTETracker, Detections, Tracks

SEQUENCES = ("MOT17-02", "MOT17-05", "MOT17-09", "MOT17-11")


def by_frame(path: Path, frames: int) -> Iterator[NDArray[np.float64]]:
    rows = np.loadtxt(path, delimiter=",")
    rows[:, 4:6] += rows[:, 2:4]  # left, top, width, height -> corners
    for frame in range(1, frames + 1):
        yield rows[rows[:, 0] == frame]


def follow(folder: Path, frames: int) -> Iterator[Tracks]:
    tracker = BYTETracker(track_thresh=0.6, match_thresh=0.9, new_track_thresh=0.7)
    for rows in by_frame(folder / "det/det.txt", frames):
        yield tracker.update(Detections(rows[:, 2:6], rows[:, 6], np.zeros(len(rows), int)))


def length(folder: Path) -> int:
    (line,) = (line for line in (folder / "seqinfo.ini").read_text().splitlines() if "seqLength" in line)
    return int(line.split("=")[1])


@pytest.mark.parametrize("name", SEQUENCES)
def test_equals_the_official_code_in_every_frame(shared: Path, name: str) -> None:
    folder = shared / "data/mot17-val-half" / name
    frames = length(folder)
    ours_of: dict[int, int] = {}
    golden = by_frame(folder / "golden/bytetrack.txt", frames)
    for frame, (truth, tracks) in enumerate(zip(golden, follow(folder, frames), strict=True), start=1):
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
