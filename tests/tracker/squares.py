"""A detector that needs no network: it finds the bright square of the videos that ``make_video`` writes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bytetrack import Detections
from tracker.contracts import Detector
from tracker.types import Image

BRIGHT = 130


@dataclass
class SquareDetector(Detector):
    """One box around everything bright, after ``seconds`` of work."""

    names: dict[int, str] = field(default_factory=lambda: {0: "person"})
    seconds: float = 0.0

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        return [self._look(image) for image in images]

    def _look(self, image: Image) -> Detections:
        time.sleep(self.seconds)
        rows, columns = (image[..., 0] > BRIGHT).nonzero()
        if not len(rows):
            return Detections.empty()
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(np.array([box], np.float64), np.array([0.9]), np.array([0]))
