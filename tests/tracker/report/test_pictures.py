"""Pictures of doubtful crossings: where it was, at which line, and how many there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.tracker.report.runs import crossing, record, write
from tracker.report.gather import gather
from tracker.report.page import page
from tracker.report.pictures import MOST_THUMBNAILS
from tracker.types import Image


def black(time_s: float) -> Image:
    return np.zeros((480, 640, 3), np.uint8)


@pytest.mark.parametrize("moved_px", [0, 50])
def test_the_line_is_drawn_where_it_was_crossed(tmp_path: Path, moved_px: int) -> None:
    """Not where it was moved to since."""
    run = write(tmp_path, [crossing(3.0, sure=0.6, why="low score", x=300.0, y=200.0)], 10)
    at, ways = 200 + moved_px, {"directions": ["in", "out"], "classes": ["person"]}
    record(tmp_path, shapes=[{"kind": "line", "name": "door", "points": [[0, at], [640, at]], **ways}])
    ((_, image),) = gather([run], frame_at=black).thumbnails
    longest = int((image > 0).any(axis=2).sum(axis=1).max())
    assert (longest == image.shape[1]) == (moved_px == 0)


def test_the_page_says_how_many_are_shown(tmp_path: Path) -> None:
    doubtful = [crossing(n / 2, sure=0.6, why="low score", x=300.0, y=200.0) for n in range(1, 32)]
    report = gather([write(tmp_path, doubtful, 20)], frame_at=black)
    assert len(report.thumbnails) == MOST_THUMBNAILS
    assert f"{MOST_THUMBNAILS} of 31 are shown" in page(report)
