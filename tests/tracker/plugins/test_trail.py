"""Laws of the ring of points and of the mean along a path."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from walks import scene

from bytetrack import Tracks
from tracker.plugins._shared.plugin_state import PluginState
from tracker.plugins._shared.trail import EARLY, Trail, smoothed

steps_s = st.lists(st.sampled_from([0.001, 0.02, 0.04, 0.0400001, 0.5]), min_size=1, max_size=120)


def pushed(trail: Trail, times: list[float]) -> PluginState:
    memory = PluginState(scene(lost_s=1e9), columns=trail.columns)
    one = Tracks(np.array([7]), np.array([[0.0, 0, 10, 10]]), np.ones(1), np.zeros(1, int), np.zeros(1, int))
    for now in times:
        memory.update(now, one)
        trail.push(memory.own, memory.found, now, np.array([[now, -now]]))
    return memory


@given(steps=steps_s, seconds=st.sampled_from([0.1, 1.0, 4.0]), fps=st.sampled_from([1.0, 25.0, 60.0]))
def test_a_window_is_in_order_ends_now_and_reaches_back(
    steps: list[float], seconds: float, fps: float
) -> None:
    trail = Trail(seconds, fps, points=32)
    times = np.cumsum(steps).tolist()
    memory = pushed(trail, times)
    (got,), (points,) = trail.window(memory.own, memory.alive(), times[-1] - seconds)
    kept = got[~np.isnan(got)]
    assert np.isnan(got[: len(got) - len(kept)]).all()
    assert kept[-1] == times[-1]
    assert (np.diff(kept) > 0).all()
    assert set(kept) <= set(times)
    assert (points[-len(kept) :] == np.column_stack([kept, -kept])).all()
    longest_gap = max(steps) + trail.step_s
    assert kept[0] <= max(times[0], times[-1] - seconds + longest_gap) + 1e-9


def test_an_even_clock_is_kept_frame_by_frame() -> None:
    trail = Trail(1.0, 25.0)
    times = [i / 25 for i in range(100)]
    (got,), _ = trail.window(pushed(trail, times).own, np.array([0]), times[-1] - 1.0 - 1e-9)
    np.testing.assert_array_equal(got[~np.isnan(got)], times[-26:])
    assert trail.length < 26 / EARLY + 3


@pytest.mark.slow
@given(
    paths=st.lists(arrays(np.float64, st.tuples(st.integers(1, 20), st.just(2)), elements=st.floats(-99, 99)))
)
def test_smoothing_is_a_mean_within_each_path(paths: list[np.ndarray]) -> None:
    lengths = np.array([len(path) for path in paths], np.int64)
    together = np.concatenate([np.empty((0, 2)), *paths])
    got = smoothed(together, lengths, 3)
    start = 0
    for path in paths:
        mine = got[start : start + len(path)]
        np.testing.assert_allclose(mine[[0, -1]], path[[0, -1]], atol=1e-9)
        for i in range(len(path)):
            reach = min(i, len(path) - 1 - i, 3)
            np.testing.assert_allclose(mine[i], path[i - reach : i + reach + 1].mean(axis=0), atol=1e-9)
        start += len(path)
