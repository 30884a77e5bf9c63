"""What tests share: where recordings and weights may be, and small videos that the tests make."""

from __future__ import annotations

import functools
import gc
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import platformdirs
import pytest
from hypothesis import settings

from tests import quick

collect_ignore = ["tracker/sources/gst_server.py"]  # a script for a Python that has GStreamer's bindings

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Let a run without the slow tests try each law on a few examples only."""
    settings.load_profile(quick.QUICK if _without_slow(config) else quick.FULL)


def _without_slow(config: pytest.Config) -> bool:
    return "not slow" in config.getoption("markexpr")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Turn ``slow_after(n)`` into ``slow`` for all but the first n values of a parametrized test."""
    seen: Counter[str] = Counter()
    for item in items:
        mark = item.get_closest_marker("slow_after")
        if mark and not item.get_closest_marker("slow"):
            test = item.nodeid.partition("[")[0]
            if seen[test] >= mark.args[0]:
                item.add_marker(pytest.mark.slow)
            seen[test] += 1


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector of garbage pass over the thousands of tests: it takes seconds of a run."""
    gc.collect()
    gc.freeze()
    if _without_slow(session.config):  # which has no tests of memory
        gc.set_threshold(5000, 20, 20)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of recordings and ground truth, or skip."""
    if not SHARED.is_dir():
        pytest.skip("needs the recordings in ../shared, which are not here")
    return SHARED


@pytest.fixture(scope="session")
def weights() -> Path:
    """Return yolov8n.pt where it lies already, or skip: tests download nothing."""
    places = [
        Path(os.environ.get("TRACK_WEIGHTS_DIR", "")) / "yolov8n.pt",
        SHARED / "weights" / "yolov8n.pt",
        Path(platformdirs.user_cache_dir("track")) / "weights" / "yolov8n.pt",
    ]
    for place in places:
        if place.is_file():
            return place
    pytest.skip("needs yolov8n.pt; run `track demo` once or set TRACK_WEIGHTS_DIR")


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a small H.264 video: a bright square on its way over a dark ground."""

    def make(
        name: str = "clip.mp4", *, frames: int = 12, size: tuple[int, int] = (160, 96), fps: int = 25
    ) -> Path:
        path = tmp_path / name
        path.write_bytes(square(path.suffix, frames, size, fps))
        return path

    return make


@functools.cache  # many tests want the same one
def square(suffix: str, frames: int, size: tuple[int, int], fps: int) -> bytes:
    width, height = size
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"square{suffix}")
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=fps)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for index in range(frames):
                picture = np.full((height, width, 3), 40, np.uint8)
                left = 4 + index * 3 % (width - 24)
                picture[20:40, left : left + 20] = 220
                frame = av.VideoFrame.from_ndarray(picture, "bgr24")
                frame.pts, frame.time_base = index, Fraction(1, fps)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path.read_bytes()
