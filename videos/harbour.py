"""A harbour from above, drawn by arithmetic: boats at all angles, whose rotated boxes are known."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bytetrack.types import FloatArray
from tracker.types import Image

SCALE = 4  # drawn so many times larger, for smooth edges
WATER, DEEP, QUAY, STONE = (150, 118, 62), (128, 96, 44), (168, 178, 184), (132, 142, 150)  # BGR
DECK, WOOD, GLASS, WAKE = (236, 240, 240), (96, 140, 190), (120, 90, 60), (190, 172, 132)


@dataclass(frozen=True)
class Boat:
    """A boat: centre and size in pixels, angle of its bow in radians, clockwise from the right."""

    x: float
    y: float
    length: float
    beam: float
    angle: float
    hull: tuple[int, int, int] = DECK
    moves: bool = False

    @property
    def rotated(self) -> FloatArray:
        """The smallest rotated box around it, (5,)."""
        return np.array([self.x, self.y, self.length, self.beam, self.angle])

    def draw(self, picture: Image) -> None:
        """Draw it on a picture that is `SCALE` times as large."""
        if self.moves:
            self._fill(picture, ((-0.45, -0.3), (-1.3, -0.75), (-1.3, 0.75), (-0.45, 0.3)), WAKE)
        side = tuple(
            (x, np.sqrt(max(0.0, 1 - max(0.0, (x + 0.1) / 0.6) ** 2)) / 2) for x in np.linspace(-0.5, 0.5, 40)
        )
        around = (*side, *((x, -y) for x, y in reversed(side)))
        self._fill(picture, around, self.hull)
        self._fill(picture, tuple((0.86 * x - 0.02, 0.74 * y) for x, y in around), WOOD)
        self._fill(picture, ((-0.3, -0.26), (0.08, -0.26), (0.08, 0.26), (-0.3, 0.26)), DECK)
        self._fill(picture, ((0.08, -0.24), (0.16, -0.18), (0.16, 0.18), (0.08, 0.24)), GLASS)

    def _fill(
        self, picture: Image, points: tuple[tuple[float, float], ...], color: tuple[int, int, int]
    ) -> None:
        local = np.array(points) * (self.length, self.beam)
        turn = np.array([[np.cos(self.angle), np.sin(self.angle)], [-np.sin(self.angle), np.cos(self.angle)]])
        corners = ((local @ turn + (self.x, self.y)) * SCALE).round().astype(np.int32)
        cv2.fillPoly(picture, [corners], color, cv2.LINE_AA)


BOATS = (
    *(
        Boat(62 + 47 * k, 62, 66, 26, np.pi / 2 + 0.06 * (-1) ** k, hull)
        for k, hull in enumerate(
            ((220, 228, 230), (70, 60, 190), (225, 225, 215), (150, 90, 40), (230, 232, 236), (60, 140, 70))
        )
    ),
    Boat(120, 205, 120, 38, -0.42, (70, 70, 72), moves=True),
    Boat(282, 190, 60, 22, 2.35, (60, 90, 205), moves=True),
    Boat(232, 300, 92, 30, 0.3, (232, 236, 238), moves=True),
    Boat(78, 320, 46, 18, -1.1, (60, 170, 220), moves=True),
)


def harbour(width: int = 370, height: int = 380) -> Image:
    """Return the picture, (H, W, 3) BGR."""
    rows, columns = np.mgrid[: height * SCALE, : width * SCALE].astype(np.float32) / SCALE
    waves = np.sin(0.31 * columns + 0.9 * np.sin(0.05 * rows)) * np.sin(
        0.47 * rows + 0.7 * np.sin(0.04 * columns)
    )
    share = (0.5 + 0.5 * waves)[..., None]
    picture: Image = (np.array(DEEP) + share * (np.array(WATER) - DEEP)).astype(np.uint8)
    cv2.rectangle(picture, (0, 0), (width * SCALE, 24 * SCALE), QUAY, -1)
    cv2.rectangle(picture, (0, 22 * SCALE), (width * SCALE, 26 * SCALE), STONE, -1)
    for x in range(38, width, 47):
        cv2.rectangle(picture, ((x - 3) * SCALE, 24 * SCALE), ((x + 2) * SCALE, 104 * SCALE), STONE, -1)
    for boat in BOATS:
        boat.draw(picture)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
