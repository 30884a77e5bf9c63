"""The motion that all boxes share: when the camera moves, everything in the picture moves alike.

No picture is needed to see it. A track missed its detection by e (x, y), and the Kalman filter tells how much
it expects to miss: the variance s = p + r, see `bytetrack.kalman`. Had the camera alone moved, by v, then
every e would be v and noise of this variance. So v is estimated by the mean of e weighted by 1 / s, with
Huber's weights (1964) for what is far from the median; its variance u is 1 / (sum of weights), times Birge's
ratio (1932) where the e scatter more than s says. People walk as they like, and such a mean is never quite 0.
Therefore it is shrunk by what is known of this camera, as is the empirical Bayes estimate of a mean (Efron
and Morris 1973):

    v  <-  v · t / (t + u)        t is the moving average of max(0, v² - u), per axis

A camera that stands still has t near 0, and its v is ignored; one that trembles is believed, and a v far
beyond its u brings t up in the same frame. Of this only the part that is beyond chance is followed, by the
factor 1 - u / v² of James and Stein (1961), and only along an axis where nearly all boxes missed to the same
side: when the camera drives on, boxes move apart instead of alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bytetrack.types import FloatArray, IntArray

LEAST_PAIRS = 2  # one box alone moves for reasons of its own
HUBER = 2.0  # deviations from the median, beyond which a box counts less
NEGLIGIBLE = 0.1  # deviations of one box: a shift that no box feels
AGREE = 0.75  # share of the boxes that missed to the same side
MEMORY = 0.1  # weight of the newest frame in what is known of the camera
TINY = 1e-12  # pixels²; keeps a scatter of 0 from dividing by 0


@dataclass(eq=False)
class CommonMotion:
    """Estimates the motion that the boxes of a frame share, from predictions and detections."""

    variance: FloatArray = field(default_factory=lambda: np.zeros(2))  # t, pixels² per axis

    def estimate(self, missed: FloatArray, expected: FloatArray, sure: IntArray) -> FloatArray | None:
        """Return the shift (2,) x, y of this frame in pixels; None where there is none worth following.

        ``missed`` (2, K) is how far K detections are from the predictions of their tracks, ``expected``
        (2, K) the variance of that; only those count that are ``sure`` (K,), 1 or 0.
        """
        n = np.count_nonzero(sure)
        if n < LEAST_PAIRS:
            return None
        weight = sure / expected
        self.variance *= 1 - MEMORY
        total = np.add.reduce(weight, 1)
        if _is_noise(np.add.reduce(weight * missed, 1), total):
            return None
        if n < len(sure):
            chosen = sure.nonzero()[0]
            missed, weight = missed.take(chosen, 1), weight.take(chosen, 1)
        shift, doubt = _robust_mean(missed, weight)
        squared = shift * shift
        self.variance += MEMORY * np.maximum(squared - doubt, 0.0)
        shift *= self.variance / (self.variance + doubt) * np.maximum(1 - doubt / (squared + TINY), 0.0)
        shift *= np.count_nonzero(missed * shift[:, None] > 0, 1) >= AGREE * n
        negligible = shift * shift * total < NEGLIGIBLE**2 * n
        return None if negligible.all() else shift


def _is_noise(weighted: FloatArray, total: FloatArray) -> bool:
    """Return whether both weighted sums (2,) are within a deviation, so that no motion could be told."""
    (x, y), (x_total, y_total) = weighted.tolist(), total.tolist()
    return bool(x * x < x_total and y * y < y_total)


def _robust_mean(values: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the weighted mean of (2, K) values and its variance, (2,) each."""
    n = values.shape[1]
    ordered = np.sort(values, 1)
    off = values - (ordered[:, (n - 1) // 2, None] + ordered[:, n // 2, None]) / 2
    weight = weight * (HUBER / np.maximum(np.abs(off) * np.sqrt(weight), HUBER))
    total = weight.sum(1)
    mean: FloatArray = (weight * values).sum(1) / total
    off = values - mean[:, None]
    off *= off
    birge = np.maximum((weight * off).sum(1) / (n - 1), 1.0)
    return mean, birge / total + TINY
