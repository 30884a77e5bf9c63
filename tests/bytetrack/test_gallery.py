"""What is remembered of an identity, and where it may appear again: the limits, each from both sides."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bytetrack.gallery import Identity, Reentry, identities_from_lists
from bytetrack.types import FloatArray

BOX = np.array([100.0, 100.0, 120.0, 150.0])  # 50 px high, in the middle of a picture of 640 x 480


def vectors(*cosines: float) -> list[FloatArray]:
    """Return vectors of length 1 with these cosines to the x axis."""
    return [np.array([cosine, np.sqrt(1 - cosine**2)], np.float32) for cosine in cosines]


def test_the_mean_is_a_direction() -> None:
    np.testing.assert_allclose(Identity(BOX, 0.0, vectors(1.0, 0.0)).mean(), [0.5**0.5, 0.5**0.5], atol=1e-6)
    np.testing.assert_allclose(Identity(BOX, 0.0, vectors(0.6)).mean(), [0.6, 0.8], atol=1e-6)


@pytest.mark.parametrize(
    ("cosines", "expected"),
    [((0.9,), 0.9), ((0.9, 0.5), 0.7), ((0.9, 0.5, 0.1), 0.5), ((0.1, 0.9, 0.0, 0.6, 0.3), 0.6)],
)
def test_a_gallery_is_as_similar_as_its_best_three(cosines: tuple[float, ...], expected: float) -> None:
    embedding = np.array([1.0, 0.0], np.float32)
    assert Identity(BOX, 0.0, vectors(*cosines)).cosine_similarity(embedding) == pytest.approx(expected)


@pytest.mark.parametrize("seen_s", [0.0, 7.25])
def test_identities_come_back_from_lists_bit_for_bit(seen_s: float) -> None:
    known = {3: Identity(BOX, seen_s, vectors(0.1, 0.7), 12.5), 8: Identity(BOX / 3, 1.0)}
    lists = json.loads(json.dumps([one.to_list(each) for each, one in known.items()], allow_nan=False))
    again = identities_from_lists(lists)
    assert list(again) == [3, 8]
    for one, other in zip(known.values(), again.values(), strict=True):
        np.testing.assert_array_equal(one.xyxy, other.xyxy)
        assert (one.last_seen_s, one.sampled) == (other.last_seen_s, other.sampled)
        assert [v.tolist() for v in one.gallery] == [v.tolist() for v in other.gallery]
        assert [v.dtype for v in one.gallery] == [v.dtype for v in other.gallery]


def moved(by: tuple[float, float], height: float = 50.0) -> FloatArray:
    """Return a box whose centre lies so far from that of `BOX`, of this height."""
    x, y = (BOX[:2] + BOX[2:]) / 2 + by
    return np.array([x - 10, y - height / 2, x + 10, y + height / 2])


@pytest.mark.parametrize("way", [(1.0, 0.0), (0.0, -1.0), (-0.6, 0.8)])
@pytest.mark.parametrize(
    ("after_s", "height", "heights"),
    [
        (0.0, 50, 0.5),  # half a height at once,
        (2.0, 50, 0.5 + 2 * 1.4),  # and 1.4 of them a second
        (1.0, 80, (0.5 + 1.4) * 1.3),  # of the mean of both boxes' heights
        (1.0, 30, (0.5 + 1.4) * 0.8),
    ],
)
def test_it_may_appear_as_far_away_as_it_may_have_gone(
    way: tuple[float, float], after_s: float, height: float, heights: float
) -> None:
    identity, reentry = Identity(BOX, 3.0), Reentry((640, 480))
    for part, possible in ((0.99, True), (1.01, False)):
        by = np.array(way) * heights * 50 * part
        assert reentry.possible(identity, moved((by[0], by[1]), height), 3.0 + after_s) == possible


@pytest.mark.parametrize(
    ("height", "possible"), [(50 * 1.66, True), (50 * 1.68, False), (50 / 1.66, True), (50 / 1.68, False)]
)
def test_it_may_appear_at_a_similar_size(height: float, possible: bool) -> None:
    assert Reentry((640, 480)).possible(Identity(BOX, 0.0), moved((0, 0), height), 0.1) == possible


@pytest.mark.parametrize(
    ("box", "touches"),
    [
        ((5.9, 100, 50, 200), True),
        ((6, 100, 50, 200), False),
        ((100, 3.9, 150, 100), True),
        ((100, 4, 150, 100), False),
        ((500, 100, 594.1, 200), True),
        ((500, 100, 594, 200), False),
        ((100, 300, 150, 396.1), True),
        ((100, 300, 150, 396), False),
    ],
)
def test_the_border_is_a_hundredth_of_the_picture_on_every_side(
    box: tuple[float, float, float, float], touches: bool
) -> None:
    assert Reentry((600, 400)).at_border(np.array(box)) == touches
    assert not Reentry(None).at_border(np.array(box))
