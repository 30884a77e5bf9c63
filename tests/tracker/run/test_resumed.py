"""A film whose header ends before its pictures do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tracker.sources.test_times import H264, PICTURE, ffmpeg
from tracker import track
from tracker.types import InputError


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="the ffmpeg program makes the inputs")
def test_a_film_that_is_longer_than_its_header_is_resumed_at_its_end(tmp_path: Path, weights: Path) -> None:
    ffmpeg(PICTURE, H264, "-preset medium -bf 3", tmp_path / "whole.mp4")
    film = tmp_path / "cut.mp4"
    ffmpeg("-i", tmp_path / "whole.mp4", "-t 1.25 -c copy", film)
    options = {"state": tmp_path / "s.json", "weights": weights, "imgsz": 64, "resume": True}
    first = [result.frame.time for result in track(film, **options)]
    assert first[-1] > 1.25
    assert list(track(film, **options)) == []
    with pytest.raises(InputError, match="lies behind its end"):
        list(track(film, weights=weights, imgsz=64, start=first[-1] + 0.3))
