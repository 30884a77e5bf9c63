from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

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
    assert source.warnings == [
        "images have no frame rate; 25 per second is assumed: give --fps",
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


def moving(path: Path, frames: int = 20) -> Path:
    """Write an animation or a TIFF of many pages."""
    pictures = [Pillow.fromarray(picture(i)[..., ::-1].copy()) for i in range(frames)]
    lossless = {"lossless": True} if path.suffix == ".webp" else {}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100, **lossless)
    return path


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.tif", "a.tiff"])
def test_every_frame_of_an_animation_and_page_of_a_tiff_is_read(tmp_path: Path, name: str) -> None:
    with open_source(moving(tmp_path / name)) as source:
        frames = list(source)
    assert [number(f.image) for f in frames] == list(range(20))
    assert [f.index for f in frames] == list(range(20))
    assert source.length == 20
    told = not name.startswith("a.tif")
    assert source.fps == (10 if told else 25)
    assert [f.time for f in frames] == pytest.approx([i / source.fps for i in range(20)])
    assert ["assumed" in note for note in source.warnings] == ([] if told else [True])


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.tif"])
def test_fps_and_a_cut_choose_among_them(tmp_path: Path, name: str) -> None:
    with open_source(moving(tmp_path / name), fps=5, start_s=1, end_s=2) as source:
        assert source.length == 5
        assert [(f.index, f.time) for f in source] == [(i, i / 5) for i in range(5, 10)]
    assert source.warnings == []


def test_a_folder_of_animations_gives_all_their_frames(tmp_path: Path) -> None:
    moving(tmp_path / "1.webp", 3)
    cv2.imwrite(str(tmp_path / "2.png"), picture(3))
    moving(tmp_path / "10.tif", 3)
    with open_source(tmp_path, fps=10) as source:
        frames = list(source)
    assert [number(f.image) for f in frames] == [0, 1, 2, 3, 0, 1, 2]
    assert [f.time for f in frames] == pytest.approx([i / 10 for i in range(7)])


def test_pictures_have_the_rate_that_is_asked_for(tmp_path: Path) -> None:
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture(index))
    with open_source(tmp_path, fps=2) as source:
        assert [f.time for f in source] == [0, 0.5, 1.0]
    assert (source.fps, source.warnings) == (2, [])


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_deep_pictures_are_seen_whatever_bits_they_use(
    tmp_path: Path, bits: int, suffix: str, channels: int
) -> None:
    for index in range(3):
        grey = np.linspace(0, (2**bits - 1) * (index + 1) / 3, 64 * 48).astype(np.uint16).reshape(48, 64)
        cv2.imwrite(str(tmp_path / f"{index}{suffix}"), np.dstack([grey] * channels))
    with open_source(tmp_path, fps=10) as source:
        brightest = [int(frame.image.max()) for frame in source]
    assert brightest == pytest.approx([85, 170, 255], abs=2)
    assert source.warnings == (
        [] if bits == 16 else [f"pictures of 16 bits use {bits} of them: stretched to the full range"]
    )
