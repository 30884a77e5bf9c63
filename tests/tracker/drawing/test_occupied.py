"""The grid of what is taken says what comparing everything with everything says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracker.drawing.occupied import Place, Taken, meet

SIDE = st.integers(1, 300)
PLACES = st.builds(
    lambda x, y, w, h: Place(x, y, x + w, y + h), st.integers(-200, 800), st.integers(-200, 800), SIDE, SIDE
)


def common(a: Place, b: Place) -> int:
    width, height = min(a.right, b.right) - max(a.left, b.left), min(a.bottom, b.bottom) - max(a.top, b.top)
    return max(width, 0) * max(height, 0)


@given(st.lists(PLACES, max_size=30), PLACES)
def test_it_is_what_comparing_all_gives(places: list[Place], asked: Place) -> None:
    taken = Taken(places)
    assert taken.meets(asked) == any(meet(asked, place) for place in places)
    assert taken.hidden(asked) == sum(common(asked, place) for place in places)
