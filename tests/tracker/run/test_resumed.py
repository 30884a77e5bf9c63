"""A file that is read on from where an earlier run stopped."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.tracker.sources.test_times import H264, PICTURE, ffmpeg
from tracker import track
from tracker.contracts import Source
from tracker.run.checkpoint import Saved
from tracker.run.resumed import Resumed
from tracker.sources import open_source
from tracker.types import Frame, InputError


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="the ffmpeg program makes the inputs")
def test_a_film_that_is_longer_than_its_header_is_resumed_at_its_end(tmp_path: Path, weights: Path) -> None:
    ffmpeg(PICTURE, H264, "-preset medium -bf 3", tmp_path / "whole.mp4")
    film = tmp_path / "cut.mp4"
    ffmpeg("-i", tmp_path / "whole.mp4", "-t 1.25 -c copy", film)
    options = {"state": tmp_path / "s.json", "weights": weights, "imgsz": 64, "resume": True}
    first = [result.frame.time for result in track(film, **options)]
    assert first[-1] > 1.25
    assert list(track(film, **options)) == []
    with pytest.raises(InputError, match="is after its end"):
        list(track(film, weights=weights, imgsz=64, start=first[-1] + 0.3))


@pytest.mark.parametrize(
    ("last", "most", "left"),
    [(4, None, 7), (4, 3, 3), (4, 7, 7), (4, 50, 7), (10, None, 1), (11, None, 0), (4, 0, 0)],
)
def test_its_length_is_that_of_the_frames_that_were_not_seen_yet(
    make_video: Callable[..., Path], last: int, most: int | None, left: int
) -> None:
    saved = Saved("clip.mp4", [160, 96], False, False, last, last / 25, {}, {}, {}, {})
    with Resumed(open_source(make_video(frames=12), start_s=saved.time), saved, most) as source:
        assert source.length == left
        assert [frame.index for frame in source] == list(range(last + 1, last + 1 + left))


class Jumped(Source):
    """A source that begins in the middle of a film and can only guess how many frames came before."""

    fps, size = 25.0, (4, 3)

    def __init__(self, first_s: float, guess: int) -> None:
        super().__init__("jumped")
        self.first_s, self.guess = first_s, guess

    def __iter__(self) -> Iterator[Frame]:
        for k in range(5):
            yield Frame(np.zeros((3, 4, 3), np.uint8), self.guess + k, self.first_s + k / 25)


@pytest.mark.parametrize("guess", [0, 97, 100, 140])
def test_indices_go_on_from_the_frame_that_was_seen_last(guess: int) -> None:
    saved = Saved("jumped", [4, 3], False, False, 100, 4.0, {}, {}, {}, {})
    with Resumed(Jumped(4.0, guess), saved, None) as source:
        assert source.length is None
        assert [frame.index for frame in source] == [101, 102, 103, 104]
    with Resumed(Jumped(3.96, guess - 1), saved, 2) as source:
        assert source.length == 2
        assert [(frame.index, frame.time) for frame in source] == [(101, 4.04), (102, 4.08)]


def test_where_that_frame_is_gone_the_guess_is_kept() -> None:
    saved = Saved("jumped", [4, 3], False, False, 100, 3.9, {}, {}, {}, {})
    with Resumed(Jumped(4.0, 99), saved, 2) as source:
        assert [frame.index for frame in source] == [99, 100]
