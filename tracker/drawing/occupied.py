"""Which rectangles of a picture are taken: asked of a grid, so that thousands of them cost little."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

CELL = 64  # pixels; a few texts high, a label wide


class Place(NamedTuple):
    """A rectangle of the picture, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


def meet(a: Place, b: Place) -> bool:
    """Whether two rectangles have pixels in common."""
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


class Taken:
    """Rectangles, found by where they are.

    >>> taken = Taken([Place(0, 0, 10, 10), Place(5, 5, 90, 20)])
    >>> taken.meets(Place(10, 0, 20, 5)), taken.hidden(Place(8, 8, 12, 12))
    (False, 20)
    """

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._cells: dict[tuple[int, int], list[Place]] = defaultdict(list)
        for place in places:
            self.add(place)

    def add(self, place: Place) -> None:
        """Take one more."""
        for cell in _cells(place):
            self._cells[cell].append(place)

    def meets(self, place: Place) -> bool:
        """Whether any of them has a pixel of ``place``."""
        return any(meet(place, other) for cell in _cells(place) for other in self._cells.get(cell, ()))

    def hidden(self, place: Place) -> int:
        """Return the pixels that they have in common with ``place``, those of several counted for each."""
        count = 0
        for x, y in _cells(place):
            for other in self._cells.get((x, y), ()):
                # In a cell that is not the first of the two, it was counted already.
                left, top = max(place.left, other.left), max(place.top, other.top)
                if meet(place, other) and (left // CELL, top // CELL) == (x, y):
                    right, bottom = min(place.right, other.right), min(place.bottom, other.bottom)
                    count += (right - left) * (bottom - top)
        return count


def _cells(place: Place) -> Iterator[tuple[int, int]]:
    for x in range(place.left // CELL, (place.right - 1) // CELL + 1):
        for y in range(place.top // CELL, (place.bottom - 1) // CELL + 1):
            yield x, y
