from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.codec.hwaccel import HWAccel

from tests.tracker.videos import number, picture, write_video
from tracker.sources import hardware, open_source, video_decoder
from tracker.sources.orientation import Orientation
from tracker.types import Planes


def test_small_pictures_and_unknown_codecs_are_left_to_the_cpu() -> None:
    assert hardware.accelerated("h264", 640, 480) is None
    assert hardware.device("ffv1") is None, "no chip decodes it"


class Broken:
    """A chip that can be opened, but fails as soon as it should decode."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    def __call__(self, codec: str, width: int, height: int) -> HWAccel:
        self.asked += 1
        return HWAccel("cuda")

    def choose(self, decoder: video_decoder.VideoDecoder) -> Any:
        if decoder._hardware is not None:
            raise self.error
        return self.original(decoder)

    original = staticmethod(video_decoder.VideoDecoder._choose)


@pytest.mark.parametrize(
    "error", [av.error.ExternalError(1, "lost"), RuntimeError("gone"), ValueError("bad")]
)
def test_a_chip_that_fails_leaves_everything_to_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    broken = Broken(error)
    monkeypatch.setattr(video_decoder, "accelerated", broken)
    monkeypatch.setattr(video_decoder.VideoDecoder, "_choose", lambda self: broken.choose(self))
    monkeypatch.setattr(
        video_decoder, "MediaFile", lambda *a, hardware=None, **k: MEDIA_FILE(*a, **k)
    )  # so that no device is opened here
    path = write_video(tmp_path / "in.mp4", 12)
    with open_source(path) as source:
        assert [number(frame.image) for frame in source] == list(range(12))
    assert (source.warnings, broken.asked) == ([], 1)
    with open_source(path, decode="cpu") as source:
        assert len(list(source)) == 12
    assert broken.asked == 1, "told to use the CPU, nobody looks for a chip"


MEDIA_FILE = video_decoder.MediaFile


@pytest.mark.slow
def test_auto_gives_the_frames_that_the_cpu_gives(tmp_path: Path) -> None:
    """Also where this machine has a chip."""
    path = write_video(tmp_path / "in.mp4", 8, size=(1280, 720))
    counted = []
    for decode in ("auto", "cpu"):
        with open_source(path, decode=decode) as source:
            counted.append([(frame.index, round(frame.time, 3), number(frame.image)) for frame in source])
    assert counted[0] == counted[1]


def test_the_planes_of_a_chip_are_those_of_a_decoder() -> None:
    frame = av.VideoFrame.from_ndarray(picture(3), "bgr24").reformat(format="yuv420p")
    chip = frame.reformat(format="nv12")
    ours, theirs = Orientation((64, 48)).pixels(frame), Orientation((64, 48)).pixels(chip)
    assert isinstance(ours, Planes) and isinstance(theirs, Planes)
    for name in ("y", "u", "v"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))


@pytest.mark.parametrize(
    ("size", "most"), [((1920, 1080), 4), ((3840, 2160), 8), ((7680, 4320), 8), ((16384, 8192), 1)]
)
def test_threads_hold_no_more_frames_than_memory_allows(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], most: int
) -> None:
    monkeypatch.setattr(video_decoder, "cores", lambda: 64)
    threads = video_decoder.decoding_threads(*size)
    assert 1 <= threads <= most
    assert threads * size[0] * size[1] * 1.5 <= video_decoder.FRAMES_BYTES
