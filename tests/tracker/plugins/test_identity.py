"""Events tell one object by one number, whatever happens to its track."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from walks import BORDER_X, frame, play, tracks, walk_past

from bytetrack import Tracks
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.types import Frame

ACROSS = [(BORDER_X, 0), (BORDER_X, 900)]
RIGHT = [(BORDER_X, 100), (890, 100), (890, 700), (BORDER_X, 700)]


def walk(ids: list[int]) -> Iterator[tuple[Frame, Tracks]]:
    return walk_past([(BORDER_X - 100 + 8 * n, 400) for n in range(len(ids))], ids=ids)


def test_a_track_that_goes_on_under_another_number_is_one_object() -> None:
    """It breaks before the line, on it and behind it."""
    ids = [1] * 8 + [4] * 10 + [6] * 7
    (crossing,) = play(Line(ACROSS), walk(ids))
    assert (crossing.track_id, crossing.data["first_id"]) == (4, 1)
    entered, left = play(Zone(RIGHT), walk(ids))
    assert [(e.kind, e.track_id, e.data["first_id"]) for e in (entered, left)] == [
        ("zone.enter", 4, 1),
        ("zone.exit", 6, 1),
    ]
    assert "entered_id" not in left.data


def test_who_keeps_its_number_is_told_by_it_alone() -> None:
    for event in play(Line(ACROSS), walk([1] * 25)) + play(Zone(RIGHT), walk([1] * 25)):
        assert not {"first_id", "first_s", "entered_id"} & set(event.data)


def test_a_number_that_went_to_another_object_says_since_when() -> None:
    """A person is lost before the line; a second later a lorry has the number, and crosses."""
    person = [[300 + 8 * n - 20, 310, 300 + 8 * n + 20, 400] for n in range(10)]
    lorry = [[380 + 12 * n - 150, 200, 380 + 12 * n + 150, 400] for n in range(15)]
    shown = [(frame(n), tracks([1], [box])) for n, box in enumerate(person)]
    shown += [(frame(n), Tracks.empty()) for n in range(10, 20)]
    shown += [(frame(20 + n), tracks([1], [box])) for n, box in enumerate(lorry)]
    (crossing,) = play(Line(ACROSS), iter(shown))
    assert (crossing.track_id, crossing.data["first_s"]) == (1, 2.0)
    assert "first_id" not in crossing.data


def test_a_visit_that_another_track_goes_on_with_names_who_began_it() -> None:
    """Hidden inside for longer than tracks last; the one who comes out again is new to everybody."""
    inside = [[600 - 20, 310, 600 + 20, 400]]
    shown = [
        (frame(n), tracks([1], np.add(inside, [8 * (n - 30), 0] * 2) if n < 30 else inside))
        for n in range(50)
    ]
    shown += [(frame(n), Tracks.empty()) for n in range(50, 62)]
    shown += [(frame(n), tracks([9], inside)) for n in range(62, 70)]
    entered, left = play(Zone(RIGHT), iter(shown))
    assert (entered.track_id, left.track_id, left.data["entered_id"]) == (1, 9, 1)
