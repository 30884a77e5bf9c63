from __future__ import annotations

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bytetrack.boxes import columns, xyxy_to_xyah
from bytetrack.kalman import XYAH
from tests.bytetrack.crowd import random_boxes
from tests.quick import examples

seeds = st.integers(0, 2**32 - 1)


def official_std(scale_position: float, scale_velocity: float, h: float) -> NDArray[np.float64]:
    """Standard deviations as the official code writes them, with its literals."""
    p, v = scale_position / 20 * h, scale_velocity / 160 * h
    return np.array([p, p, 1e-2, p, v, v, 1e-5, v])


def textbook(measured: NDArray[np.float64]) -> KalmanFilter:
    kf = KalmanFilter(dim_x=8, dim_z=4)
    kf.x = np.r_[measured, np.zeros(4)][:, None]
    kf.P = np.diag(official_std(2, 10, measured[3]) ** 2)
    kf.H = np.eye(4, 8)
    return kf


def textbook_predict(kf: KalmanFilter, dt: float) -> None:
    f = np.eye(8)
    f[:4, 4:] = dt * np.eye(4)
    kf.predict(F=f, Q=dt * np.diag(official_std(1, 1, kf.x[3, 0]) ** 2))


def textbook_update(kf: KalmanFilter, measured: NDArray[np.float64], noise: float = 1.0) -> None:
    h = kf.x[3, 0]
    kf.update(measured, R=np.diag((noise * np.array([h / 20, h / 20, 1e-1, h / 20])) ** 2))


def full(belief: NDArray[np.float64], track: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The (8,) mean and (8, 8) covariance that a belief stands for."""
    x, velocity, p, c, v = belief[:, :, track]
    return np.r_[x, velocity], np.block([[np.diag(p), np.diag(c)], [np.diag(c), np.diag(v)]])


@examples(30)
@given(seeds, st.lists(st.tuples(st.sampled_from([1.0, 1.0, 2.0, 0.4]), st.booleans()), max_size=8))
def test_equals_filterpy(seed: int, steps: list[tuple[float, bool]]) -> None:
    rng = np.random.default_rng(seed)
    measured = xyxy_to_xyah(columns(random_boxes(rng, 3)))
    belief, filters = XYAH.initiate(measured), [textbook(z) for z in measured.T]
    for dt, seen in steps:
        belief = XYAH.predict(belief, dt)
        for kf in filters:
            textbook_predict(kf, dt)
        if seen:
            measured = measured + rng.normal(0, 1, measured.shape) * [[5], [5], [0.01], [3]]
            noise = rng.choice([1.0, rng.uniform(0, 2)], 3)
            belief = XYAH.update(belief, measured, noise)
            for kf, z, factor in zip(filters, measured.T, noise, strict=True):
                textbook_update(kf, z, factor)
        for track, kf in enumerate(filters):
            mean, covariance = full(belief, track)
            np.testing.assert_allclose(mean, kf.x.ravel(), rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(covariance, kf.P, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_covariance_stays_positive_definite_for_ten_thousand_steps() -> None:
    rng = np.random.default_rng(3)
    measured = xyxy_to_xyah(columns(random_boxes(rng, 5)))
    belief = XYAH.initiate(measured)
    for step in range(10_000):
        belief = XYAH.predict(belief)
        if step % 7 < 4:
            belief = XYAH.update(
                belief, measured + rng.normal(0, 1, measured.shape) * [[3], [3], [0.01], [2]]
            )
        _, _, p, c, v = belief
        assert (p > 0).all() and (p * v > c * c).all(), f"not positive definite at step {step}"
    assert np.isfinite(belief).all()


@given(seeds, st.floats(0.1, 5), st.floats(0.1, 5))
def test_the_mean_after_two_predictions_is_that_of_one_over_both_times(seed: int, a: float, b: float) -> None:
    rng = np.random.default_rng(seed)
    belief = XYAH.initiate(xyxy_to_xyah(columns(random_boxes(rng, 4))))
    belief[1] = rng.normal(0, 3, belief[1].shape)
    twice = XYAH.predict(XYAH.predict(belief, a), b)
    np.testing.assert_allclose(twice[:2], XYAH.predict(belief, a + b)[:2], rtol=1e-12, atol=1e-9)


def test_time_may_differ_by_track_and_stand_still() -> None:
    belief = XYAH.initiate(xyxy_to_xyah(columns(random_boxes(np.random.default_rng(0), 3))))
    belief[1] = 2.0
    later = XYAH.predict(belief, np.array([0.0, 1.0, 2.5]))
    np.testing.assert_array_equal(later[:, :, 0], belief[:, :, 0])
    np.testing.assert_allclose(later[:, :, 2], XYAH.predict(belief, 2.5)[:, :, 2], rtol=1e-15)


@pytest.mark.parametrize("step", ["predict", "update"])
def test_a_belief_is_never_written_to(step: str) -> None:
    measured = xyxy_to_xyah(columns(random_boxes(np.random.default_rng(0), 3)))
    belief = XYAH.initiate(measured)
    belief.flags.writeable = measured.flags.writeable = False
    assert (
        XYAH.predict(belief) is not belief
        if step == "predict"
        else XYAH.update(belief, measured) is not belief
    )
