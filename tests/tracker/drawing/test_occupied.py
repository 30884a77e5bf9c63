"""The grid of covered rectangles says what comparing each with each says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracker.drawing.occupied import CoveredArea, Rectangle, overlap

SIDE = st.integers(1, 300)
RECTANGLES = st.builds(
    lambda x, y, w, h: Rectangle(x, y, x + w, y + h),
    st.integers(-200, 800),
    st.integers(-200, 800),
    SIDE,
    SIDE,
)


def common(a: Rectangle, b: Rectangle) -> int:
    width, height = min(a.right, b.right) - max(a.left, b.left), min(a.bottom, b.bottom) - max(a.top, b.top)
    return max(width, 0) * max(height, 0)


@given(st.lists(RECTANGLES, max_size=30), RECTANGLES)
def test_it_is_what_comparing_all_gives(rectangles: list[Rectangle], asked: Rectangle) -> None:
    area = CoveredArea(rectangles)
    assert area.overlaps(asked) == any(overlap(asked, rectangle) for rectangle in rectangles)
    assert area.covered_pixels(asked) == sum(common(asked, rectangle) for rectangle in rectangles)
