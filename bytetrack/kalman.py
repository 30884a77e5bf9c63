"""The Kalman filter of SORT and ByteTrack for all tracks at once: pure, belief in, belief out.

The textbook filter keeps per track an (8,) mean and an (8, 8) covariance. Here every coordinate moves with
its own velocity alone, and the noise of motion and measurement is diagonal; so a covariance that starts
diagonal never couples two coordinates, and stays for ever four blocks

    | p  c |    of one coordinate: variance p of its position, v of its velocity, and their covariance c.
    | c  v |

Written out for one coordinate with position x and velocity x', transition F = [[1, dt], [0, 1]], H = [1, 0],
motion noise q_p and q_v per nominal frame, measurement z with noise r:

    predict   x += dt x'       p += dt (2 c + dt v) + dt q_p      c += dt v      v += dt q_v
    update    s = p + r        k = p / s      k' = c / s          e = z - x
              x += k e         x' += k' e     v -= k' c           c -= k c       p -= k p

which is all of F P F' + Q and (I - K H) P without a matrix product, element by element for all tracks. The
noise grows linearly with dt, as the variance of a random walk does. A belief is one array (5, 4, N):
x, x', p, c, v, each (4, N), a column per track.
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

Belief: TypeAlias = NDArray[np.float64]  # (5, 4, N): position, velocity, p, c, v
Four: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True)
class MotionModel:
    """A box moving at constant velocity: its four coordinates, and how far each may be off.

    Standard deviations (per nominal frame where it is motion) are multiples of the coordinate that ``unit``
    names for them at that moment, or plain numbers where ``unit`` is None.
    """

    from_xyxy: Callable[[FloatArray], FloatArray]  # (4, N) corners -> (4, N) coordinates
    to_xyxy: Callable[[FloatArray], FloatArray]  # and back
    unit: tuple[int | None, int | None, int | None, int | None]
    growth: slice  # the coordinates that stop changing while the object is not seen
    position: Four  # std of motion
    velocity: Four
    measurement: Four
    first_position: Four  # std of a belief made from one measurement
    first_velocity: Four

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
    def _unit_rows(self) -> NDArray[np.intp]:
        return np.array([row if unit is None else unit for row, unit in enumerate(self.unit)])

    @cached_property
    def _absolute(self) -> list[int]:
        return [row for row, unit in enumerate(self.unit) if unit is None]

    def _unit_squared(self, position: FloatArray) -> FloatArray:
        unit: FloatArray = position.take(self._unit_rows, 0)
        for row in self._absolute:
            unit[row] = 1.0
        unit *= unit
        return unit

    def initiate(self, measured: FloatArray) -> Belief:
        """Return the belief after one measurement (4, N) of each object, at rest."""
        belief = np.zeros((5, *measured.shape))
        belief[0] = measured
        belief[2::2] = self._first_variance * self._unit_squared(measured)
        return belief

    def predict(self, belief: Belief, dt: float | FloatArray = 1.0) -> Belief:
        """Return the belief ``dt`` nominal frames later; ``dt`` may be (N,), one per track."""
        later: Belief = belief.copy()
        later[0::3] += belief[1::3] * dt  # x += dt x' and c += dt v
        later[2] += (belief[3] + later[3]) * dt  # p += dt (c before + c after), which is dt (2 c + dt v)
        later[2::2] += self._motion_variance * (self._unit_squared(belief[0]) * dt)  # p and v
        return later

    def update(self, belief: Belief, measured: FloatArray) -> Belief:
        """Return the belief after one measurement (4, N) of each object."""
        s = self._unit_squared(belief[0])
        s *= self._measurement_variance
        s += belief[2]
        gain = belief[2:4] / s  # k and k'
        later: Belief = belief.copy()
        later[:2] += gain * (measured - belief[0])
        later[3:] -= gain * belief[3]  # c -= k c and v -= k' c
        later[2] -= gain[0] * belief[2]
        return later


XYAH = MotionModel(
    # The official ByteTrack (ifzhang/ByteTrack, yolox/tracker/kalman_filter.py): centre, aspect ratio,
    # height; 1/20 and 1/160 of the height, absolute numbers for the aspect ratio.
    from_xyxy=xyxy_to_xyah,
    to_xyxy=xyah_to_xyxy,
    unit=(3, 3, None, 3),
    growth=slice(3, 4),
    position=(1 / 20, 1 / 20, 1e-2, 1 / 20),
    velocity=(1 / 160, 1 / 160, 1e-5, 1 / 160),
    measurement=(1 / 20, 1 / 20, 1e-1, 1 / 20),
    first_position=(2 / 20, 2 / 20, 1e-2, 2 / 20),
    first_velocity=(10 / 160, 10 / 160, 1e-5, 10 / 160),
)

XYWH = MotionModel(
    # BoT-SORT (NirAharon/BoT-SORT, tracker/kalman_filter.py): centre, width, height; x and width in units
    # of the width, y and height in units of the height.
    from_xyxy=xyxy_to_xywh,
    to_xyxy=xywh_to_xyxy,
    unit=(2, 3, 2, 3),
    growth=slice(2, 4),
    position=(1 / 20,) * 4,
    velocity=(1 / 160,) * 4,
    measurement=(1 / 20,) * 4,
    first_position=(2 / 20,) * 4,
    first_velocity=(10 / 160,) * 4,
)
