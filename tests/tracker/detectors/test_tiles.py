"""Tiles: an object of any place and size is found once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import Detections
from bytetrack.boxes import iou
from tests.quick import examples
from tracker.detectors import open_detector
from tracker.detectors.batched import BatchedDetector
from tracker.detectors.letterbox import Letterbox
from tracker.detectors.settings import Settings
from tracker.detectors.tile_merge import View, merge
from tracker.detectors.tile_spec import TileSpec
from tracker.detectors.tiles import Grid, Tiled, starts
from tracker.detectors.windows import Layout
from tracker.errors import OptionError
from tracker.types import Image

IMGSZ = 160
LEAST = 6  # pixels of its input that an object must have so that this network sees it


class Colours(BatchedDetector[Any]):
    """Sees what a perfect network would: around each grey level that is not the background a box."""

    any_shape = True

    def __enter__(self) -> Colours:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def in_flight(self) -> int:
        return 3

    def start(self, images: Sequence[Any]) -> Any:
        box = Letterbox.fit(images[0].shape[:2], (IMGSZ, IMGSZ))
        gain = box.inner[0] / box.picture[0]
        return [visible(image, gain) for image in images]

    def scale(self, image: Any, size: tuple[int, int]) -> Image:
        return np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)

    def start_windows(self, picture: Image, layout: Layout) -> Any:
        (w,) = layout.windows
        assert w.left % 2 == w.top % 2 == w.width % 2 == w.height % 2 == 0
        assert w.left + w.width <= picture.shape[1] and w.top + w.height <= picture.shape[0]
        assert layout.shape[0] % 32 == layout.shape[1] % 32 == 0 and max(layout.shape) <= IMGSZ
        pixels = np.zeros((1, *layout.shape, 3), np.uint8)
        layout.fill(picture, pixels)
        return layout.split([visible(pixels[0, : w.height, : w.width], 1.0)])

    def finish(self, pending: Any) -> list[Detections]:
        return list(pending)

    def abandon(self, pending: Any) -> None:
        pass


def visible(image: Image, gain: float) -> Detections:
    """Return the boxes of everything bright that is large enough after scaling by ``gain``."""
    boxes = []
    for level in range(150, 250, 20):
        seen = image[..., 0] == level
        x, y = seen.any(axis=0).nonzero()[0], seen.any(axis=1).nonzero()[0]
        if not len(x):
            continue
        box = [x[0], y[0], x[-1] + 1, y[-1] + 1]
        if min(box[2] - box[0], box[3] - box[1]) * gain >= LEAST:
            boxes.append([*box, level])
    rows = np.array(boxes, np.float32).reshape(-1, 5)
    return Detections(rows[:, :4], rows[:, 4] / 256, np.zeros(len(rows), np.int64))


def find(image: Image, tiles: str) -> Detections:
    with Tiled(Colours(Path("colours.pt"), Settings()), Settings(imgsz=IMGSZ, tiles=tiles)) as detector:
        return detector.detect([image])[0]


@st.composite
def objects(draw: st.DrawFn) -> tuple[int, int, list[list[int]]]:
    """Return a picture's sides and the boxes in it, which do not touch, as large as the picture or far."""
    height, width = draw(st.integers(200, 400)), draw(st.integers(200, 400))
    boxes: list[list[int]] = []
    for _ in range(draw(st.integers(1, 5))):
        w, h = draw(st.integers(LEAST + 2, width)), draw(st.integers(LEAST + 2, height))
        x, y = draw(st.integers(0, width - w)), draw(st.integers(0, height - h))
        if all(x + w < a or c < x or y + h < b or d < y for a, b, c, d in boxes):
            boxes.append([x, y, x + w, y + h])
    return height, width, boxes


@given(objects(), st.sampled_from(["auto", "160x160", "128x96", "3"]))
@examples(40)
def test_an_object_of_any_place_and_size_is_found_once(
    scene: tuple[int, int, list[list[int]]], tiles: str
) -> None:
    height, width, boxes = scene
    image = np.zeros((height, width, 3), np.uint8)
    for number, (left, top, right, bottom) in enumerate(boxes):
        image[top:bottom, left:right] = 150 + 20 * number
    found = find(image, tiles)
    assert len(found) == len(boxes), found.xyxy.tolist()
    overlap = iou(np.array(boxes, np.float32), found.xyxy)
    assert (overlap.max(axis=1) > 0.7).all() and len(set(overlap.argmax(axis=1))) == len(boxes)


@given(st.integers(1, 4000), st.integers(16, 640))
@examples(200)
def test_tiles_cover_the_picture_and_overlap_by_a_fifth(whole: int, half: int) -> None:
    side = 2 * half
    places = starts(whole, side)
    assert places[0] == 0 and places[-1] + side >= whole - 1
    assert all(place % 2 == 0 for place in places)
    assert all(after <= before + 0.8 * side + 2 for before, after in pairwise(places))


def test_who_stands_together_stays_apart() -> None:
    """Two people, one half before the other: seen by two tiles and the whole picture, they remain two."""
    pair = [[40.0, 10.0, 60.0, 60.0], [46.0, 12.0, 66.0, 62.0]]
    both = Detections(pair, [0.9, 0.6], [0, 0])
    front = Detections(pair[:1], [0.8], [0])
    views = [View((0, 0, 100, 100), (False,) * 4, 1.0), View((20, 0, 120, 100), (False,) * 4, 1.0)]
    found = merge(both, [both, front], views)
    assert found.xyxy.tolist() == pair and found.score.tolist() == pytest.approx([0.9, 0.6])
    assert merge(front, [front, both], views).xyxy.tolist() == pair


def test_features_are_those_of_the_box_that_is_kept() -> None:
    whole = Detections([[10, 10, 30, 60], [40, 10, 95, 95]], [0.9, 0.5], [0, 0], [[1], [2]])
    tile = Detections([[10, 10, 30, 60], [40, 10, 95, 95]], [0.8, 0.7], [0, 0], [[3], [4]])
    views = [View((0, 0, 100, 100), (False,) * 4, 2.0)]  # at the tile's scale one is small, one large
    found = merge(whole, [tile], views)
    assert found.features is not None and found.score.tolist() == pytest.approx([0.9, 0.7])
    assert found.features.tolist() == [[1], [2]]
    small = merge(whole[[0]], [tile[[0]]], [View((0, 0, 100, 100), (False,) * 4, 1.0)])
    assert small.features is not None and small.features.tolist() == [[3]]


def test_pieces_that_are_joined_keep_features() -> None:
    views = [
        View((0, 0, 100, 100), (False, False, True, False), 1.0),
        View((80, 0, 180, 100), (True, False, False, False), 1.0),
    ]
    left = Detections([[30, 10, 100, 90]], [0.6], [0], [[1]])
    right = Detections([[80, 10, 150, 90]], [0.7], [0], [[2]])
    found = merge(Detections.empty(), [left, right], views)
    assert found.features is not None and found.features.tolist() == [[2]]


def test_a_rider_is_not_the_motorcycle() -> None:
    two = Detections([[40, 10, 60, 60], [38, 12, 62, 62]], [0.9, 0.8], [0, 3])
    found = merge(two, [two], [View((0, 0, 100, 100), (False,) * 4, 1.0)])
    assert found.class_id.tolist() == [0, 3]


def test_what_no_view_shows_whole_is_joined_across_the_edge() -> None:
    left, right = (
        View((0, 0, 100, 100), (False, False, True, False), 1.0),
        View((80, 0, 180, 100), (True, False, False, False), 1.0),
    )
    halves = [Detections([[30, 20, 100, 60]], [0.6], [2]), Detections([[80, 21, 150, 60]], [0.5], [2])]
    found = merge(Detections.empty(), halves, [left, right])
    assert found.xyxy.tolist() == [[30, 20, 150, 60]] and found.score.tolist() == pytest.approx([0.6])
    other = Detections([[80, 70, 150, 95]], [0.5], [2])  # beside it, not behind
    assert len(merge(Detections.empty(), [halves[0], other], [left, right])) == 2


@pytest.mark.parametrize("text", ["", "0", "17", "many", "640", "20x20", "-1", "640x"])
def test_what_cannot_be_meant_is_told_in_one_line(text: str) -> None:
    with pytest.raises(OptionError, match="--tiles takes off, auto"):
        Settings(tiles=text)


def test_auto_makes_no_tiles_where_they_show_nothing_more() -> None:
    assert Grid.of((576, 768), TileSpec.read("auto"), 640).windows == ()
    assert len(Grid.of((2160, 3840), TileSpec.read("auto"), 640).windows) <= 45
    assert len(Grid.of((576, 768), TileSpec.read("2"), 640).windows) == 4


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["openvino", "torch"])
def test_real_networks_look_at_tiles(untrained: Path, bus: Image, backend: str) -> None:
    settings = Settings(imgsz=320, conf=0.02, tiles="auto", backend=backend, device="cpu", precision="fp32")
    with open_detector(untrained, settings) as detector:
        one, two = detector.detect([bus, bus])
        assert "tiles auto" in detector.description
    np.testing.assert_array_equal(one.xyxy, two.xyxy)
    with open_detector(untrained, Settings(imgsz=320, conf=0.02, backend=backend, device="cpu")) as detector:
        (whole,) = detector.detect([bus])
    assert len(whole) > 0 and len(one) > 0
