"""StrongSORT: DeepSORT with the parts of later years (Du et al. 2023, arXiv:2202.13514)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bytetrack.deepsort import DeepSORT
from bytetrack.kalman import Belief
from bytetrack.life import UsableDetections
from bytetrack.memory import Gallery
from bytetrack.types import FloatArray, IntArray


@dataclass(eq=False)
class StrongSORT(DeepSORT):
    """DeepSORT with a moving mean of looks, noise by score, and motion in the cost.

    - **EMA**: of a track one embedding is kept, the moving mean of its looks.
    - **NSA**: the surer the detector, the less noise a measurement has: its deviation is multiplied by
      1 - score. In the update only; the gate does as if the score were 0.
    - **MC**: the cost is 0.98 of the cosine distance and 0.02 of the squared Mahalanobis distance.
    - **woC**: without the cascade all tracks are matched at once (``cascade=False``, the paper's choice).
    - **ECC**, the camera's motion: whoever has the pictures calls ``warp``.

    In every frame it decides as the official code (dyhBUPT/StrongSORT), but puts out no track that is lost
    (``coast=1`` does so). Without the cascade a track may still be found in the frame in which it expires, as
    there. AFLink, which joins tracks afterwards, has no weights to be had. GSI fills gaps and smoothes by
    Gaussian processes; `track` has ``--refine`` in its place: straight lines and Whittaker's smoother.

    Measured beside the others in docs/trackers.md: with colours IDF1 78.5 on vtest.avi.
    """

    max_cosine_distance: float = 0.45  # 0.4, and 0.05 for the motion in it
    mean_share: float | None = 0.9  # of the old mean in the new one; None: DeepSORT's gallery
    looks_share: float = 0.98  # of the cosine distance in the cost; the rest is the motion's
    noise_by_score: bool = True  # NSA
    cascade: bool = False

    def _remember(self, gallery: Gallery, look: FloatArray) -> None:
        if self.mean_share is None:
            super()._remember(gallery, look)
        else:
            gallery.blend(look, self.mean_share)

    def _updated(self, rows: IntArray, matched: IntArray, usable: UsableDetections) -> Belief:
        """Return the beliefs (5, 4, K) of these tracks after these detections, the surer weighing more."""
        noise = 1.0 - usable.score[matched].astype(float) if self.noise_by_score else 1.0
        measured = self._measured(rows, matched, usable)
        return self.motion.update(self._table.belief.take(rows, 2), measured, noise)

    def _rounds(self, tracks: IntArray) -> tuple[IntArray, FloatArray]:
        """Return the confirmed tracks that are matched by looks, all at once without the cascade."""
        return super()._rounds(tracks) if self.cascade else (tracks, np.zeros(len(tracks)))

    def _with_motion(self, cost: FloatArray, distance: FloatArray) -> FloatArray:
        """Return the cost of a pair, given that of its looks and its squared Mahalanobis distance."""
        both: FloatArray = self.looks_share * cost + (1.0 - self.looks_share) * distance
        return both
