"""Where frames keep the codec's planes, and that nobody sees a difference."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.tracker.videos import picture, write_video
from tracker.sources import open_source
from tracker.sources.orientation import Orientation
from tracker.types import Planes

KEPT: dict[str, dict[str, Any]] = {
    "plain": {},
    "a quarter turn": {"rotate": 90},
    "upside down": {"rotate": 180},
    "three quarters": {"rotate": 270},
    "mirrored": {"mirror": True},
    "turned and mirrored": {"rotate": 90, "mirror": True},
}
MADE: dict[str, dict[str, Any]] = {
    "pixels that are not square": {"aspect": Fraction(4, 3)},
    "4:2:2": {"pix_fmt": "yuv422p"},
    "4:4:4": {"pix_fmt": "yuv444p"},
    "grey": {"codec": "ffv1", "pix_fmt": "gray"},
    "10 bits": {"pix_fmt": "yuv420p10le"},
    "full range": {"pix_fmt": "yuvj420p"},
    "motion JPEG": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "an odd width": {"size": (65, 48), "codec": "ffv1"},
    "an odd height": {"size": (64, 49), "codec": "ffv1"},
    "alpha": {"codec": "ffv1", "pix_fmt": "yuva420p"},
}


def frames_of(path: Path, **options: Any) -> Any:
    with open_source(path, **options) as source:
        return list(source)


@pytest.mark.parametrize("options", KEPT.values(), ids=KEPT)
def test_planes_are_turned_as_the_picture_is(tmp_path: Path, options: dict[str, Any]) -> None:
    for frame in frames_of(write_video(tmp_path / "in.mp4", 3, size=(96, 64), **options)):
        planes = frame.pixels
        assert isinstance(planes, Planes)
        assert planes.shape == frame.image.shape
        assert not any(plane.flags.writeable for plane in (planes.y, planes.u, planes.v, frame.image))
        whole = planes.part((slice(0, planes.shape[0]), slice(0, planes.shape[1])))
        error = np.abs(whole.astype(int) - frame.image)
        assert error.max() < 8, "swscale rounds, and so do we"
        assert error.mean() < 2.5


@pytest.mark.parametrize("options", MADE.values(), ids=MADE)
def test_other_pictures_are_bgr_as_ever(tmp_path: Path, options: dict[str, Any]) -> None:
    frames = frames_of(write_video(tmp_path / "in.mkv", 3, **options))
    assert len(frames) == 3
    for frame in frames:
        assert isinstance(frame.pixels, np.ndarray)
        assert frame.pixels is frame.image


def test_frames_outlive_the_file(tmp_path: Path) -> None:
    """Planes are views of the decoder's memory, which it must not use again meanwhile."""
    frames = frames_of(write_video(tmp_path / "in.mp4", 40))
    before = [frame.luma.mean() for frame in frames]
    assert np.allclose(np.diff(before[:20]), before[1] - before[0], atol=2)
    assert [frame.luma.mean() for frame in frames] == before


@pytest.mark.parametrize(
    ("space", "kept"), [(0, False), (1, True), (2, True), (5, True), (6, True), (9, False)]
)
def test_the_matrix_is_that_of_the_file(space: int, kept: bool) -> None:
    frame = av.VideoFrame.from_ndarray(picture(3), "bgr24").reformat(format="yuv420p")
    frame.colorspace, frame.color_range = space, 1
    pixels = Orientation((64, 48)).pixels(frame)
    assert isinstance(pixels, Planes) == kept
    if isinstance(pixels, Planes):
        where = slice(0, 48), slice(0, 64)
        assert np.abs(pixels.part(where).astype(int) - pixels.bgr()).max() <= 8
