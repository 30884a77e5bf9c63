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

When the camera drives on or zooms, e also grows with the distance from the middle of the boxes, by a factor
k. What remains of e beyond v gives k by weighted least squares. Boxes that walk as they like often seem to
move apart, too; but where a camera drives on, they do so frame after frame. So k is shrunk by the moving
average of the product of two k that follow each other, in which chance cancels:

    k  <-  k · t / (t + u)        t is the moving average of k · (k before), 0 where that is below

Where boxes surely move apart in this frame and no k is believed, nothing is followed: something else goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from bytetrack.types import FloatArray, IntArray

LEAST_PAIRS = 2  # one box alone moves for reasons of its own
LEAST_APART, LEAST_ZOOM = 3, 4  # boxes by which moving apart is told, and a zoom followed
SURE_ZOOM, SURE_APART = 2.0, 3.0  # deviations
HUBER = 2.0  # deviations from the median, beyond which a box counts less
NEGLIGIBLE = 0.1  # deviations of one box: a shift that no box feels
AGREE = 0.75  # share of the boxes that missed to the same side
MEMORY = 0.1  # weight of the newest frame in what is known of the camera
LEARNT = 0.05  # part of a common shift that becomes velocity: in a pan, who is hidden goes on with the rest
TINY = 1e-12  # pixels²; keeps a scatter of 0 from dividing by 0


class Shared(NamedTuple):
    """How everything in the picture moved: x by ``shift[0] + zoom · x``, and y alike."""

    shift: FloatArray  # (2,) pixels
    zoom: float

    def of(self, place: FloatArray) -> FloatArray:
        """Return how far (2, K) what is at a place (2, K) moved."""
        return self.shift[:, None] + self.zoom * place


@dataclass(eq=False)
class CommonMotion:
    """Estimates the motion that the boxes of a frame share, from predictions and detections."""

    variance: FloatArray = field(default_factory=lambda: np.zeros(2))  # t of the shift, pixels² per axis
    zoom_variance: float = 0.0  # t of the zoom
    last_zoom: float = 0.0  # as it was estimated in the frame before, 0 without

    def estimate(
        self, missed: FloatArray, expected: FloatArray, sure: IntArray, place: FloatArray
    ) -> Shared | None:
        """Return the motion of this frame; None where there is none worth following.

        ``missed`` (2, K) is how far K detections are from the predictions of their tracks, ``expected``
        (2, K) the variance of that, ``place`` (2, K) where they are; only those count that are ``sure``
        (K,), 1 or 0.
        """
        before, self.last_zoom = self.last_zoom, 0.0
        self.zoom_variance *= 1 - MEMORY
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
            missed, place = missed.take(chosen, 1), place.take(chosen, 1)
            weight = weight.take(chosen, 1)
        shift, doubt = _robust_mean(missed, weight)
        zoom = 0.0
        if n >= LEAST_APART:
            middle = (weight * place).sum(1) / total
            away = place - middle[:, None]
            zoom, apart = self._zoom(missed - shift[:, None], weight, away, before)
            if apart and not zoom:
                return None
            if zoom:
                missed = missed - zoom * away
                shift, doubt = _robust_mean(missed, weight)
        squared = shift * shift
        self.variance += MEMORY * np.maximum(squared - doubt, 0.0)
        shift *= self.variance / (self.variance + doubt) * np.maximum(1 - doubt / (squared + TINY), 0.0)
        shift *= np.count_nonzero(missed * shift[:, None] > 0, 1) >= AGREE * n
        if zoom:
            return Shared(shift - zoom * middle, zoom)
        negligible = shift * shift * total < NEGLIGIBLE**2 * n
        return None if negligible.all() else Shared(shift, 0.0)

    def _zoom(
        self, missed: FloatArray, weight: FloatArray, away: FloatArray, before: float
    ) -> tuple[float, bool]:
        """Return the part k of ``away`` (2, K) by which the boxes moved apart, 0 where that may be chance.

        And whether they surely did in this frame.
        """
        rest: FloatArray = missed
        robust: FloatArray = weight
        for _ in range(2):
            robust = weight * (HUBER / np.maximum(np.abs(rest) * np.sqrt(weight), HUBER))
            leverage = robust * away
            total = float((leverage * away).sum()) + TINY
            zoom = float((leverage * missed).sum()) / total
            rest = missed - zoom * away
        freedom = 2 * missed.shape[1] - 3
        doubt = max(float((robust * rest * rest).sum()) / freedom, 1.0) / total
        self.last_zoom = zoom
        self.zoom_variance += MEMORY * zoom * before
        lever = np.abs(away) * np.sqrt(robust)
        agree = float(lever[missed * away * zoom > 0].sum()) >= AGREE * float(lever.sum())
        squared = zoom * zoom
        apart = squared > SURE_APART**2 * doubt
        believed = agree and self.zoom_variance > 0 and squared >= SURE_ZOOM**2 * doubt
        if not believed or missed.shape[1] < LEAST_ZOOM:
            return 0.0, apart
        return zoom * self.zoom_variance / (self.zoom_variance + doubt) * (1 - doubt / squared), apart

    def state(self) -> list[float]:
        """Return everything as plain numbers."""
        return [*self.variance.tolist(), self.zoom_variance, self.last_zoom]

    @classmethod
    def from_state(cls, state: list[Any]) -> CommonMotion:
        """Rebuild from what ``state`` returned."""
        x, y, zoom_variance, last_zoom = (*state, 0.0, 0.0)[:4]  # older states know of no zoom
        return cls(np.array([x, y], np.float64), zoom_variance, last_zoom)


@dataclass(eq=False)
class Pan:
    """How far the scene itself moves through the picture, for what is remembered and no longer followed.

    A shift that lasts becomes velocity of the tracks, and then nobody misses anything: that part is kept
    here, as far as the tracks still have it.
    """

    velocity: FloatArray = field(default_factory=lambda: np.zeros(2))  # pixels per frame

    def move(self, shift: FloatArray, tracks: FloatArray, dt: float) -> FloatArray:
        """Return how far (2,) the scene moved, from this frame's shift and the tracks' velocities (2, K)."""
        velocity = self.velocity + shift * (LEARNT / dt)
        common = np.median(tracks, 1) if tracks.shape[1] else np.zeros(2)
        at_most = np.minimum(np.abs(velocity), np.abs(common))
        self.velocity = np.where(velocity * common > 0, np.copysign(at_most, velocity), 0.0)
        moved: FloatArray = shift + self.velocity * dt
        return moved


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
