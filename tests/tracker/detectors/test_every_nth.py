from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import BYTETracker, Detections
from tests.tracker.fakes import ListDetector, frames, walker
from tracker import pipeline
from tracker.detectors.every_nth import EveryNth
from tracker.types import Frame


class Ahead(ListDetector):
    """Takes two frames before it gives the first, as a detector with two in flight does."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        before: list[tuple[Frame, Detections]] = []
        for pair in super().stream(frames):
            before.append(pair)
            if len(before) == 2:
                yield before.pop(0)
        yield from before


@given(st.integers(0, 20), st.integers(1, 7), st.booleans())
def test_every_frame_comes_once_in_order_and_every_nth_is_looked_at(
    count: int, every: int, ahead: bool
) -> None:
    given_frames = frames(count)
    inner = (Ahead if ahead else ListDetector)(walker(count)[::every])
    answers = list(EveryNth(inner, every).stream(given_frames))
    assert [frame for frame, _ in answers] == given_frames
    assert [found is not None for _, found in answers] == [i % every == 0 for i in range(count)]


def test_a_prompt_one_gives_each_frame_before_it_takes_the_next() -> None:
    taken: list[int] = []

    def source() -> Iterator[Frame]:
        for frame in frames(6):
            taken.append(frame.index)
            yield frame

    for frame, _ in EveryNth(ListDetector(walker(6)), 3, prompt=True).stream(source()):
        assert taken[-1] == frame.index


@pytest.mark.parametrize("every", [1, 2, 3])
def test_tracks_go_on_between_looks_and_say_that_they_are_supposed(every: int) -> None:
    boxes = walker(30)
    detector = ListDetector(boxes[::every])
    results = list(pipeline.run(frames(30), EveryNth(detector, every), BYTETracker(frame_rate=25)))
    last = results[-every:]
    assert {tuple(result.tracks.track_id) for result in last} == {(1,)}
    assert [bool((result.tracks.source >= 0).all()) for result in last] == [True] + [False] * (every - 1)
    for result in last:
        truth = boxes[result.frame.index].xyxy[0]
        np.testing.assert_allclose(result.tracks.xyxy[0], truth, atol=1.5)
        assert len(result.detections) == (result.frame.index % every == 0)
