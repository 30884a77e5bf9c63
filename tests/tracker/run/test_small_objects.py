from __future__ import annotations

import numpy as np
import pytest

from tracker.run.small_objects import FarAway


def rows(side: float, size: tuple[int, int], imgsz: int, count: int = 100) -> list[tuple[str, str]]:
    far = FarAway(size, imgsz)
    far.add(np.array([[0.0, 0, side, side]] * count))
    return far.rows()


@pytest.mark.parametrize(
    ("side", "size", "imgsz", "said"),
    [
        (30, (1920, 1080), 640, "--imgsz 1280"),
        (90, (1920, 1080), 640, "--imgsz 1280"),
        (100, (1920, 1080), 640, None),
        (30, (1920, 1080), 1280, "--imgsz 2560"),
        (20, (320, 240), 640, None),  # enlarged for the network
        (10, (320, 240), 640, "a nearer camera"),
        (30, (1080, 1920), 640, "--imgsz 1280"),
        (20, (640, 480), 640, "--imgsz 1280"),
        (20, (3840, 2160), 4096, "--imgsz 7680"),
    ],
)
def test_it_tells_when_most_are_small_for_the_network_and_what_to_try(
    side: float, size: tuple[int, int], imgsz: int, said: str | None
) -> None:
    got = rows(side, size, imgsz)
    assert (not got) if said is None else (said in got[0][1])


def test_a_few_boxes_say_nothing_nor_do_small_ones_among_many() -> None:
    assert rows(5, (1920, 1080), 640, 19) == []
    far = FarAway((640, 480), 640)
    far.add(np.array([[0.0, 0, 5, 5]] * 50 + [[0.0, 0, 100, 100]] * 50))
    assert far.rows() == []
    far.add(np.empty((0, 4)))
    far.add(np.array([[0.0, 0, 5, 5]]))
    assert far.rows()[0][1].startswith("50 %")
