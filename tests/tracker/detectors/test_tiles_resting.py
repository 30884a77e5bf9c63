"""Tiles that rest: what a detector that looks at all of them would find, in every frame, for less."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tracker.detectors.test_tiles import IMGSZ, Colours
from tracker.detectors.settings import Settings
from tracker.detectors.shared import SharedDetector
from tracker.detectors.tiles import Tiled
from tracker.detectors.tiles_resting import RestingTiles
from tracker.detectors.windows import Layout
from tracker.options import Options
from tracker.run.build_detector import look_of, of_shared
from tracker.types import Frame, Image, OptionError, Stopwatch

Paint = Callable[[int, Image], None]


class Counting(Colours):
    """Counts what it is asked."""

    asked = 0

    def start(self, images: Sequence[Any]) -> Any:
        self.asked += 1
        return super().start(images)

    def start_windows(self, picture: Image, layout: Layout) -> Any:
        self.asked += 1
        return super().start_windows(picture, layout)


def compared(
    count: int, paint: Paint, tiles: str = "auto", fps: float = 10
) -> tuple[list[int], RestingTiles]:
    """Run, and check every frame against a look at all; return how many were asked before each result."""
    network = Counting(Path("colours.pt"), Settings())
    settings = Settings(imgsz=IMGSZ, tiles=tiles)
    frames = []
    for index in range(count):
        image = np.full((300, 400, 3), 60, np.uint8)
        paint(index, image)
        frames.append(Frame(image, index, index / fps))
    asked = []
    with RestingTiles(Tiled(network, settings)) as detector:
        told = []
        for frame, found in detector.stream(iter(frames)):
            asked.append(network.asked)
            told.append((frame.index, found.xyxy.tolist(), found.score.tolist()))
    with Tiled(Colours(Path("colours.pt"), Settings()), settings) as whole:
        for (index, xyxy, score), frame in zip(told, frames, strict=True):
            (expected,) = whole.detect([frame.image])
            assert (xyxy, score) == (expected.xyxy.tolist(), expected.score.tolist()), index
    return asked, detector


def thing(image: Image, x: int, y: int, level: int, side: int = 12) -> None:
    image[y : y + side, x : x + side] = level


@pytest.mark.slow
def test_what_moves_in_a_corner_wakes_the_tiles_there() -> None:
    def paint(i: int, image: Image) -> None:
        thing(image, 20 + 2 * i, 20, 150)
        thing(image, 350, 250, 190)
        thing(image, 180, 130, 170, 30)

    asked, detector = compared(16, paint)
    parts = 1 + len(detector.tiled.grid((300, 400)).windows)
    assert parts > 8
    assert asked[-1] < 0.6 * 16 * parts


def test_who_comes_and_who_leaves_is_seen_at_once() -> None:
    def paint(i: int, image: Image) -> None:
        if 5 <= i < 15:
            thing(image, 200, 150, 150)

    asked, _ = compared(20, paint)
    assert asked[3] == asked[2]


@pytest.mark.slow
@pytest.mark.parametrize("tiles", ["auto", "400x300"])
def test_where_nothing_changes_each_part_is_looked_at_now_and_then(tiles: str) -> None:
    asked, detector = compared(80, lambda i, image: thing(image, 200, 150, 150), tiles, fps=2)
    parts = 1 + len(detector.tiled.grid((300, 400)).windows)
    assert (parts == 1) == (tiles != "auto")
    assert 3 * parts <= asked[-1] <= 8 * parts  # in 40 s: at 0, 2, 6, 14, 22, 30, 38
    assert max(np.diff(asked[1:])) == 1  # one after the other
    assert detector.summary()[0][0] == "looked at"


def test_another_size_of_picture_begins_anew() -> None:
    detector = RestingTiles(Tiled(Colours(Path("c.pt"), Settings()), Settings(imgsz=IMGSZ, tiles="auto")))
    frames = []
    for index, size in enumerate([(300, 400), (300, 400), (360, 200), (360, 200)]):
        image = np.full((*size, 3), 60, np.uint8)
        thing(image, 100, 100, 150)
        frames.append(Frame(image, index, index / 10))
    with detector:
        assert [len(found) for _, found in detector.stream(iter(frames))] == [1] * 4


def test_sources_that_share_a_network_have_tiles_of_their_own() -> None:
    network = Counting(Path("colours.pt"), Settings())
    options = Options(tiles="2", imgsz=IMGSZ)
    with SharedDetector(lambda stopwatch: network) as shared, ExitStack() as stack:
        streams = []
        for place in range(2):
            film = []
            for index in range(12):
                image = np.full((300, 400, 3), 60, np.uint8)
                thing(image, 20 + (place + index * place) * 5, 200, 150)
                film.append(Frame(image, index, index / 10))
            detector = stack.enter_context(of_shared(shared, options, Stopwatch(), live=True))
            streams.append(detector.stream(iter(film)))
        for index in range(12):
            for place, stream in enumerate(streams):
                _, found = next(stream)
                assert found is not None
                x = 20 + (place + index * place) * 5
                np.testing.assert_allclose(found.xyxy, [[x, 200, x + 12, 212]], atol=2)
    assert network.asked < 12 * 5 + 12  # what stands is asked about at the beginning only


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tiles": "2", "batch": 2}, "--tiles with --batch"),
        ({"tiles": "2", "state": "run.json"}, "--tiles with --state"),
        ({"batch": 2, "state": "run.json"}, "--batch with --state"),
    ],
)
def test_what_cannot_be_combined_is_said(options: dict[str, Any], told: str) -> None:
    with pytest.raises(OptionError, match=f"--look changed cannot be combined with {told}"):
        look_of(Options(look="changed", **options), live=False)
    assert look_of(Options(**options), live=False) == "all"


def test_a_film_is_looked_at_as_the_network_likes_and_a_camera_by_parts() -> None:
    assert [look_of(Options(), live=live) for live in (False, True)] == ["auto", "changed"]
    assert look_of(Options(look="all"), live=True) == "all"
