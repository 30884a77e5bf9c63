from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import Detections, Tracks
from tests.tracker.fakes import CountingPlugin, ListDetector, frames, walker
from tracker import pipeline
from tracker.types import PluginError


class EchoTracker:
    """Every detection is a track; remembers the time steps it was given."""

    frame_rate = 25.0

    def __init__(self) -> None:
        self.steps: list[float] = []

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        self.steps.append(dt)
        rows = np.arange(len(detections))
        return Tracks(rows + 1, detections.xyxy, detections.score, detections.class_id, rows)


def test_one_result_per_frame_in_order() -> None:
    results = list(pipeline.run(frames(5), ListDetector(walker(5)), EchoTracker()))
    assert [r.frame.index for r in results] == [0, 1, 2, 3, 4]
    assert [float(r.detections.xyxy[0, 0]) for r in results] == [0, 2, 4, 6, 8]
    assert all(r.tracks.track_id.tolist() == [1] for r in results)


def test_no_frames_no_results() -> None:
    assert list(pipeline.run([], ListDetector([]), EchoTracker())) == []


def test_plugins_see_every_frame_and_their_events_and_marks_travel_with_it() -> None:
    plugin = CountingPlugin()
    results = list(pipeline.run(frames(3), ListDetector(walker(3)), EchoTracker(), [plugin]))
    assert [[e.frame for e in r.events] for r in results] == [[0], [1], [2]]
    assert [r.marks[0].arguments["text"] for r in results] == ["1", "2", "3"]
    assert pipeline.finish([plugin])[0].data == {"frames": 3}


def test_nothing_is_drawn_when_nobody_looks() -> None:
    results = list(
        pipeline.run(frames(2), ListDetector(walker(2)), EchoTracker(), [CountingPlugin()], sketch=False)
    )
    assert all(r.marks == () for r in results)


@pytest.mark.parametrize("method", ["update", "draw"])
def test_a_plugin_that_raises_is_named_with_frame_and_time(method: str) -> None:
    class Broken(CountingPlugin):
        pass

    def fail(self: object, *_: object) -> None:
        raise ValueError("no such thing")

    setattr(Broken, method, fail)
    with pytest.raises(
        PluginError, match=rf"Broken\.{method} failed at frame 0 \(0\.00 s\): ValueError: no such"
    ):
        list(pipeline.run(frames(2), ListDetector(walker(2)), EchoTracker(), [Broken()]))


def test_the_tracker_learns_the_time_that_passed() -> None:
    tracker = EchoTracker()
    sparse = [f for f in frames(10) if f.index in (0, 1, 4, 5)]
    list(pipeline.run(sparse, ListDetector(walker(4)), tracker))
    assert tracker.steps == [1.0, 1.0, 3.0, 1.0]


@given(st.integers(1, 1000), st.floats(1, 240), st.floats(0, 1e6))
def test_rounded_timestamps_still_make_whole_frames(count: int, fps: float, start: float) -> None:
    """Matroska rounds to 1 ms: half of it is at most 5 % of a frame up to 100 fps."""
    now = start + count / fps
    digits = 3 if fps <= 50 else 6
    passed = pipeline.frames_passed(round(start, digits), round(now, digits), fps)
    assert passed == pytest.approx(count, abs=0.06)
    if fps <= 40:
        assert passed == count


@pytest.mark.parametrize("whole", [1, 2, 7, 100])
@pytest.mark.parametrize("off", [0.049, 0.051, -0.049, -0.051])
def test_what_is_within_5_percent_of_whole_frames_is_whole_frames(whole: int, off: float) -> None:
    passed = pipeline.frames_passed(3.0, 3.0 + (whole + off) / 30, 30.0)
    assert passed == (whole if abs(off) < 0.05 else pytest.approx(whole + off))


def test_less_than_a_frame_is_no_frame() -> None:
    assert pipeline.frames_passed(0.0, 0.03 / 30, 30.0) == pytest.approx(0.03)
    assert pipeline.frames_passed(2.0, 2.0, 30.0) == 1.0, "a clock that stands"


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_time_never_runs_backwards(before: float, now: float) -> None:
    assert pipeline.frames_passed(before, now, 30.0) > 0
