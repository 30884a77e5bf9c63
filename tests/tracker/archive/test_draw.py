"""Annotated videos of an archive beside those of a plain run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.tracker.archive.test_films import alike, packets, pictures
from tests.tracker.archive.world import COUNTED, clip, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
DRAWN = (*COUNTED, "--plugin", "route", "--color-by", "class", "--blur", "car", "--precision", "fp32")


def test_videos_are_those_of_a_plain_run(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACK_WEIGHTS_DIR", str(weights.parent))
    video, out = clip(tmp_path / "clip.mp4"), tmp_path / "out"
    expected = tmp_path / "plain.mp4"
    assert run(video, "-o", expected, "-q", "--look", "all", *DRAWN).returncode == 0
    once = ("archive", video, "-o", out, *DRAWN, "--piece", "1.5", "--workers", "2", "--draw")
    done = run(*once)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "drawn now     1 videos, 60 frames" in done.stdout
    made = out / "videos/camera=clip/clip.mp4"
    alike(made, expected, least_db=30)
    told = pictures(made), pictures(video)
    assert np.mean([np.abs(a.astype(int) - b).mean() for (_, a), (_, b) in zip(*told, strict=True)]) > 1
    assert len(packets(made, "video")) == 60
