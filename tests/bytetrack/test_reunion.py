"""One lost track and one new box without rivals: small and jerky objects keep their number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from bytetrack import Detections, MotionTracker

Row = tuple[float, float, float, float, int]  # centre, size, class
PERSON, BOARD = 0, 36


def follow(frames: Sequence[Sequence[Row]], fps: float = 30.0) -> list[dict[int, tuple[float, float]]]:
    """Return by number where each track is, frame by frame."""
    tracker = MotionTracker(track_thresh=0.3, new_track_thresh=0.37, match_thresh=0.88, frame_rate=fps)
    shown = []
    for rows in frames:
        table = np.array(rows, float).reshape(-1, 5)
        xy, half = table[:, :2], table[:, 2:4] / 2
        found = Detections(np.hstack((xy - half, xy + half)), np.full(len(xy), 0.8), table[:, 4].astype(int))
        tracks = tracker.update(found)
        places = (tracks.xyxy[:, :2] + tracks.xyxy[:, 2:]) / 2
        shown.append(dict(zip(tracks.track_id.tolist(), map(tuple, places.tolist()), strict=True)))
    return shown


def numbers(shown: Sequence[dict[int, tuple[float, float]]]) -> set[int]:
    return {number for places in shown for number in places}


def ball(frames: int, speed: float = 14.0, wall: float = 300.0) -> list[Row]:
    """A ball of 20 px between two walls, at 14 px a frame: it never overlaps where it was two frames ago."""
    way = np.arange(frames) * speed % (2 * wall)
    x = np.where(way > wall, 2 * wall - way, way)
    return [(float(at), 200.0, 20.0, 20.0, 32) for at in x]


@pytest.mark.slow_after(4)
@pytest.mark.parametrize("gone", [1, 2, 5, 10])
@pytest.mark.parametrize("begin", [17, 20, 22, 30])
def test_a_ball_that_bounces_unseen_keeps_its_number(gone: int, begin: int) -> None:
    frames = [[row] for row in ball(60)]
    frames[begin : begin + gone] = [[] for _ in range(gone)]
    assert numbers(follow(frames)) == {1}


def test_two_balls_that_cross_keep_theirs() -> None:
    there, back = ball(40, 7.0), ball(40, -7.0)
    shown = follow([[one, (*other[:1], 215.0, *other[2:])] for one, other in zip(there, back, strict=True)])
    assert numbers(shown) == {1, 2}
    starts = {number: place[0] for number, place in shown[0].items()}
    ends = {number: place[1] for number, place in shown[-1].items()}
    assert min(starts, key=lambda n: starts[n]) == min(ends, key=lambda n: ends[n])  # above stays above


@pytest.mark.parametrize("seed", range(4))
def test_a_rider_and_the_board_are_two_and_never_swap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames, x = [], 100.0
    for k in range(120):
        x += 6 + rng.normal(0, 1)
        jump = 70 * max(0.0, np.sin(k / 9))
        rider: Row = (x, 300 - jump, 90, 260, PERSON)
        board: Row = (x + rng.normal(0, 3), 430 - 1.3 * jump, 120, 40, BOARD)
        frames.append(
            [row for row, hidden in ((rider, 0.05), (board, 0.3)) if rng.random() > hidden or k < 3]
        )
    shown = follow(frames, fps=24)
    assert numbers(shown) == {1, 2}
    tall = [places[1][1] < places[2][1] for places in shown if len(places) == 2]
    assert all(tall) or not any(tall)


def test_who_is_not_alone_alike_or_near_gets_a_number_of_its_own() -> None:
    def second(new: Row, others: Sequence[Row] = (), gone: int = 4) -> bool:
        """Tell whether an object that came when one had gone got the number of the one."""
        first: Row = (100, 100, 40, 80, PERSON)
        shown = follow([*[[first, *others]] * 10, *[list(others)] * gone, *[[new, *others]] * 3])
        (number,) = (number for number, (x, _) in shown[0].items() if x == 100)
        return number in shown[-1]

    assert second((160, 100, 40, 80, PERSON))
    assert not second((160, 100, 40, 80, BOARD))
    assert not second((160, 100, 80, 160, PERSON))
    assert not second((600, 100, 40, 80, PERSON))
    assert not second((160, 100, 40, 80, PERSON), gone=25)
    assert not second((160, 100, 40, 80, PERSON), [(210, 100, 40, 80, PERSON)])  # near the new one
    assert not second((160, 100, 40, 80, PERSON), [(40, 100, 40, 80, PERSON)])  # near the lost one
    assert second((160, 100, 40, 80, PERSON), [(210, 100, 40, 80, BOARD)])
    assert second((160, 100, 40, 80, PERSON), [(900, 100, 40, 80, PERSON)])
