"""The rectangles of a picture that are covered by texts, in a grid, so that thousands of them cost little."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

CELL = 64  # pixels; about the width of a label


class Rectangle(NamedTuple):
    """A rectangle of the picture, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


def overlap(a: Rectangle, b: Rectangle) -> bool:
    """Whether two rectangles have pixels in common."""
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


class CoveredArea:
    """Rectangles, indexed by the cells of a grid that they touch.

    >>> area = CoveredArea([Rectangle(0, 0, 10, 10), Rectangle(5, 5, 90, 20)])
    >>> area.overlaps(Rectangle(10, 0, 20, 5)), area.covered_pixels(Rectangle(8, 8, 12, 12))
    (False, 20)
    """

    def __init__(self, rectangles: Iterable[Rectangle] = ()) -> None:
        self._cells: dict[tuple[int, int], list[Rectangle]] = defaultdict(list)
        for rectangle in rectangles:
            self.add(rectangle)

    def add(self, rectangle: Rectangle) -> None:
        """Cover one more rectangle."""
        for cell in _cells(rectangle):
            self._cells[cell].append(rectangle)

    def overlaps(self, rectangle: Rectangle) -> bool:
        """Whether any of them overlaps ``rectangle``."""
        return any(
            overlap(rectangle, other) for cell in _cells(rectangle) for other in self._cells.get(cell, ())
        )

    def covered_pixels(self, rectangle: Rectangle) -> int:
        """Return how many pixels of ``rectangle`` they cover, counted once for each of them."""
        count = 0
        for x, y in _cells(rectangle):
            for other in self._cells.get((x, y), ()):
                # Two rectangles may share several cells; they are counted in the first one.
                left, top = max(rectangle.left, other.left), max(rectangle.top, other.top)
                if overlap(rectangle, other) and (left // CELL, top // CELL) == (x, y):
                    right, bottom = min(rectangle.right, other.right), min(rectangle.bottom, other.bottom)
                    count += (right - left) * (bottom - top)
        return count


def _cells(rectangle: Rectangle) -> Iterator[tuple[int, int]]:
    for x in range(rectangle.left // CELL, (rectangle.right - 1) // CELL + 1):
        for y in range(rectangle.top // CELL, (rectangle.bottom - 1) // CELL + 1):
            yield x, y
