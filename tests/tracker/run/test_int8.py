"""``track VIDEO --int8`` where no model has been made yet."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.tracker.videos import write_video
from tracker.detectors.int8_search import Wanted
from tracker.errors import OptionError
from tracker.options import Options
from tracker.run.int8 import again, gather, kind_of, known_by
from tracker.run.session import Session


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", 40)


def test_pictures_are_spread_over_the_whole_recording(clip: Path) -> None:
    learn, check = gather([str(clip)], Wanted(10, 10), Options(), 64, threading.Event())
    assert [len(learn), len(check)] == [10, 10]
    assert all(image.shape == (64, 64, 3) or 64 in image.shape for image in learn)
    assert not any(np.array_equal(one, other) for one in learn for other in check)
    _, few = gather([str(clip), str(clip)], Wanted(0, 8), Options(), 64, threading.Event())
    assert len(few) == 8


def test_what_can_be_read_twice(clip: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert again(str(clip)) and again(f"file://{clip}") and again(str(tmp_path)) and again("pictures/*.png")
    assert not any(map(again, (str(pipe), "0", "/dev/video0", "rtsp://10.0.0.1/door", "http://host/a.mp4")))


def test_a_kind_is_a_folder_or_a_camera(clip: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(b"")
    assert kind_of([str(clip)]) == kind_of([str(other)])
    assert kind_of([str(clip)]) != kind_of(["rtsp://10.0.0.1/door"])
    once, again_ = (kind_of([f"rtsp://me:{word}@10.0.0.1/door"]) for word in ("secret", "changed"))
    assert once == again_ and "secret" not in once.name + once.place
    assert known_by([str(clip)]) is not None


def test_without_nncf_one_line_names_the_extra(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "nncf" else find(name)
    )
    weights = tmp_path / "own.pt"
    weights.write_bytes(b"not read before a model is made")
    with (
        pytest.raises(OptionError, match=r"pip install 'track-anything-in-video\[int8\]'"),
        Session(str(clip), Options(int8=True, weights=str(weights), imgsz=64)),
    ):
        pass


@pytest.mark.slow
def test_the_model_is_made_once_and_used(
    shared: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nncf", reason="needs the extra int8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    video = str(shared / "data/pets09-s2l1/vtest.avi")
    told, networks = [], []
    for _ in range(2):
        options = Options(int8=True, weights=str(weights), imgsz=320, end=20.0, max_frames=5)
        with Session(video, options) as session:
            assert len(list(session)) == 5
            networks.append(session.detector.description)
            told += session.account.warnings()
    made, again_ = told
    assert made.startswith("int8 agrees with fp32 on 9") and "kept for videos in pets09-s2l1" in made
    assert again_.startswith("int8 agrees with fp32 on 9") and "found before" in again_
    assert all("int8" in network for network in networks)
    assert not list((tmp_path / "cache").rglob(".new-*"))
