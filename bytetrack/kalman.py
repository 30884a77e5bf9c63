"""The Kalman filter of SORT and ByteTrack for all tracks at once.

Every function takes a belief and returns a new one; nothing is kept in between.

The textbook filter keeps per track an (8,) mean and an (8, 8) covariance. Here every coordinate moves with
its own velocity alone, and the noise of motion and measurement is diagonal; so a covariance that starts
diagonal never couples two coordinates, and always consists of four blocks

    | p  c |    of one coordinate: variance p of its position, v of its velocity, and their covariance c.
    | c  v |

Written out for one coordinate with position x and velocity x', transition F = [[1, dt], [0, 1]], H = [1, 0],
motion noise q_p and q_v per nominal frame, measurement z with noise r:

    predict   x += dt x'       p += dt (2 c + dt v) + dt q_p      c += dt v      v += dt q_v
    update    s = p + r        k = p / s      k' = c / s          e = z - x
              x += k e         x' += k' e     v -= k' c           c -= k c       p -= k p

which is all of F P F' + Q and (I - K H) P without a matrix product, element by element for all tracks. The
noise grows linearly with dt, as the variance of a random walk does. A belief is the mean and covariance of
T tracks as one array (5, 4, T): x, x', p, c, v, each (4, T), a column per track.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bytetrack.boxes import xyah_to_xyxy, xywh_to_xyxy, xyxy_to_xyah, xyxy_to_xywh
from bytetrack.types import FloatArray

Belief: TypeAlias = NDArray[np.float64]  # (5, 4, T): position, velocity, p, c, v
Each: TypeAlias = tuple[float, ...]  # of the coordinates: four, and the angle of a rotated box


@dataclass(frozen=True)
class MotionModel:
    """A box moving at constant velocity: its four coordinates, or five where it is rotated, and their noise.

    Standard deviations (per nominal frame where it is the noise of motion) are multiples of the current value
    of the coordinate that ``noise_scale`` names for them, or plain numbers where ``noise_scale`` is None.
    """

    from_xyxy: Callable[[FloatArray], FloatArray]  # (4, T) corners -> (4, T) coordinates
    to_xyxy: Callable[[FloatArray], FloatArray]  # and back
    noise_scale: tuple[int | None, ...]  # index of a coordinate
    frozen_when_lost: slice  # the coordinates whose velocity is set to 0 when a track is lost
    position: Each  # standard deviation of the motion's noise
    velocity: Each
    measurement: Each
    first_position: Each  # standard deviation of a belief made from one measurement
    first_velocity: Each

    @cached_property
    def _motion_variance(self) -> FloatArray:  # (2, 4, 1) q_p, q_v
        return np.square((self.position, self.velocity))[:, :, None]

    @cached_property
    def _measurement_variance(self) -> FloatArray:  # (4, 1) r
        return np.square(self.measurement)[:, None]

    @cached_property
    def _first_variance(self) -> FloatArray:  # (2, 4, 1) p, v
        return np.square((self.first_position, self.first_velocity))[:, :, None]

    @cached_property
    def _scale_rows(self) -> NDArray[np.intp]:
        return np.array([row if scale is None else scale for row, scale in enumerate(self.noise_scale)])

    @cached_property
    def _unscaled_rows(self) -> list[int]:
        return [row for row, scale in enumerate(self.noise_scale) if scale is None]

    def _scale_squared(self, position: FloatArray) -> FloatArray:
        scale: FloatArray = position.take(self._scale_rows, 0)
        for row in self._unscaled_rows:
            scale[row] = 1.0
        scale *= scale
        return scale

    def initiate(self, measured: FloatArray) -> Belief:
        """Return the belief after one measurement (4, T) of each object, with velocity 0."""
        belief = np.zeros((5, *measured.shape))
        belief[0] = measured
        belief[2::2] = self._first_variance * self._scale_squared(measured)
        return belief

    def predict(self, belief: Belief, dt: float | FloatArray = 1.0) -> Belief:
        """Return the belief ``dt`` nominal frames later; ``dt`` may be (T,), one per track."""
        later: Belief = belief.copy()
        later[0::3] += belief[1::3] * dt  # x += dt x' and c += dt v
        later[2] += (belief[3] + later[3]) * dt  # p += dt (c before + c after), which is dt (2 c + dt v)
        later[2::2] += self._motion_variance * (self._scale_squared(belief[0]) * dt)  # p and v
        return later

    def measurement_variance(self, belief: Belief) -> FloatArray:
        """Return the variance (4, T) of a measurement of each object."""
        variance = self._scale_squared(belief[0])
        variance *= self._measurement_variance
        return variance

    def update(self, belief: Belief, measured: FloatArray, noise: float | FloatArray = 1.0) -> Belief:
        """Return the belief after one measurement (4, T) of each object.

        ``noise``, which may be (T,), multiplies the standard deviation of the measurement.
        """
        return self.corrected(belief, *self.innovation(belief, measured, noise))

    def innovation(
        self, belief: Belief, measured: FloatArray, noise: float | FloatArray = 1.0
    ) -> tuple[FloatArray, FloatArray]:
        """Return how far measurements (4, T) are from what was expected, e, and the variance s of that."""
        s = self.measurement_variance(belief)
        s *= np.square(noise)
        s += belief[2]
        return measured - belief[0], s

    def corrected(self, belief: Belief, e: FloatArray, s: FloatArray) -> Belief:
        """Return the belief after a measurement, by its `innovation`."""
        gain = belief[2:4] / s  # k and k'
        later: Belief = belief.copy()
        later[:2] += gain * e
        later[3:] -= gain * belief[3]  # c -= k c and v -= k' c
        later[2] -= gain[0] * belief[2]
        return later


XYAH = MotionModel(
    # The official ByteTrack (ifzhang/ByteTrack, yolox/tracker/kalman_filter.py): centre, aspect ratio,
    # height. Deviations are 1/20 and 1/160 of the height, and plain numbers for the aspect ratio.
    from_xyxy=xyxy_to_xyah,
    to_xyxy=xyah_to_xyxy,
    noise_scale=(3, 3, None, 3),
    frozen_when_lost=slice(3, 4),
    position=(1 / 20, 1 / 20, 1e-2, 1 / 20),
    velocity=(1 / 160, 1 / 160, 1e-5, 1 / 160),
    measurement=(1 / 20, 1 / 20, 1e-1, 1 / 20),
    first_position=(2 / 20, 2 / 20, 1e-2, 2 / 20),
    first_velocity=(10 / 160, 10 / 160, 1e-5, 10 / 160),
)

XYWH = MotionModel(
    # BoT-SORT (NirAharon/BoT-SORT, tracker/kalman_filter.py): centre, width, height. Deviations of x and
    # width are parts of the width, those of y and height parts of the height.
    from_xyxy=xyxy_to_xywh,
    to_xyxy=xywh_to_xyxy,
    noise_scale=(2, 3, 2, 3),
    frozen_when_lost=slice(2, 4),
    position=(1 / 20,) * 4,
    velocity=(1 / 160,) * 4,
    measurement=(1 / 20,) * 4,
    first_position=(2 / 20,) * 4,
    first_velocity=(10 / 160,) * 4,
)
