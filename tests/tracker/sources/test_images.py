from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.tracker.videos import number, picture
from tracker.sources import open_source
from tracker.sources.images import natural


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30, unique=True), st.randoms())
def test_numbers_sort_by_value(numbers: list[int], shuffle: random.Random) -> None:
    names = [f"frame{n}.jpg" for n in numbers]
    shuffle.shuffle(names)
    assert sorted(names, key=natural) == [f"frame{n}.jpg" for n in sorted(numbers)]


def test_unreadable_and_odd_ones_out_are_noted(tmp_path: Path) -> None:
    for index in range(6):
        cv2.imwrite(str(tmp_path / f"f{index}.png"), picture(index, (64, 48) if index != 4 else (32, 24)))
    (tmp_path / "f2.png").write_bytes(b"broken")
    with open_source(tmp_path) as source:
        frames = list(source)
    assert [f.index for f in frames] == [0, 1, 3, 4, 5]
    assert [number(f.image) for f in frames] == [0, 1, 3, 4, 5]
    assert [f.time for f in frames] == [0.0, 0.04, 0.12, 0.16, 0.2]  # 25 per second
    assert {f.image.shape for f in frames} == {(48, 64, 3)}
    assert source.notes == [
        "pictures do not tell their rate; 25 per second is a guess: give --fps",
        "1 of 6 images could not be read and were left out",
        "1 images of another size were scaled to 64x48",
    ]


def test_one_image_is_a_source_of_one_frame(tmp_path: Path) -> None:
    path = tmp_path / "photo.PNG"
    path.write_bytes(bytes(cv2.imencode(".png", picture(3))[1]))
    with open_source(path) as source:
        frames = list(source)
    assert (len(frames), source.length, source.name) == (1, 1, "photo.PNG")


def test_grey_deep_and_transparent_images_become_bgr_bytes(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.full((48, 64), 40000, np.uint16))
    cv2.imwrite(str(tmp_path / "2.png"), np.full((48, 64, 4), 100, np.uint8))
    with open_source(tmp_path) as source:
        images = [frame.image for frame in source]
    assert [(i.shape, i.dtype) for i in images] == [((48, 64, 3), np.uint8)] * 2
