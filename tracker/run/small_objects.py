"""Whether most objects are so small that others of their kind are missed, and what to try."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from bytetrack.types import FloatArray

SMALL = 32.0  # side of a square of this area, in the network's pixels: COCO's "small" (Lin et al. 2014)
MOST = 0.5  # of the boxes
LEAST = 20  # boxes from which anything is said
STEP = 32  # pixels: sides that networks take
ENLARGED = 2  # times the picture's own size: beyond that there is nothing more to see


@dataclass
class FarAway:
    """Counts boxes, and those that are small for the network."""

    size: tuple[int, int]  # of the picture: width, height
    imgsz: int  # longer side of the network's input
    boxes: int = field(init=False, default=0)
    small: int = field(init=False, default=0)

    def add(self, xyxy: FloatArray) -> None:
        """Take the boxes (N, 4) of a frame."""
        sides = (xyxy[:, 2:] - xyxy[:, :2]) * (self.imgsz / max(self.size))
        self.boxes += len(xyxy)
        self.small += int(np.count_nonzero(sides[:, 0] * sides[:, 1] < SMALL**2))

    def rows(self) -> list[tuple[str, str]]:
        """Return the row for the table at the end, where there is something to say.

        >>> far = FarAway((1280, 704), 640)
        >>> far.add(np.array([[0.0, 0, 30, 30]] * 20))
        >>> far.rows()[0][1]
        '100 % of the boxes, others may be missed: try --imgsz 1280'
        """
        if self.boxes < LEAST or self.small <= MOST * self.boxes:
            return []
        part = f"{100 * self.small / self.boxes:.0f} % of the boxes, others may be missed"
        most = STEP * math.ceil(ENLARGED * max(self.size) / STEP)
        wider = min(2 * self.imgsz, most)
        advice = (
            f"try --imgsz {wider}" if wider > self.imgsz else "a nearer camera or more pixels would see more"
        )
        return [("small", f"{part}: {advice}")]
