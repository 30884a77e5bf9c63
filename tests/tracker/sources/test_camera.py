"""Cameras of this machine: what OpenCV is asked for, by a stand-in, for there is none to test with."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tracker.sources import open_source
from tracker.types import InputError, OptionError

WAYS = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_ANY, "win32": cv2.CAP_ANY}


class Webcam:
    """Stands in for ``cv2.VideoCapture``: gives 640x480 whatever is asked for, until it is unplugged."""

    opened: list[Webcam]
    plugged: bool

    def __init__(self, device: int | str, way: int) -> None:
        self.device, self.way, self.wishes = device, way, dict[int, float]()
        self.released = False
        self.index = 0
        self.opened.append(self)

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's names
        return self.plugged

    def set(self, key: int, value: float) -> bool:
        self.wishes[key] = value
        return False

    def get(self, key: int) -> float:
        return {cv2.CAP_PROP_FPS: 25.0}.get(key, 0.0)

    def read(self) -> tuple[bool, Any]:
        if not self.plugged:
            return False, None
        threading.Event().wait(0.01)
        self.index += 1
        return True, np.full((480, 640, 3), self.index % 256, np.uint8)

    def release(self) -> None:
        self.released = True


@pytest.fixture
def webcam(monkeypatch: pytest.MonkeyPatch) -> type[Webcam]:
    Webcam.opened, Webcam.plugged = [], True
    monkeypatch.setattr("tracker.sources.camera.cv2.VideoCapture", Webcam)
    return Webcam


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("platform", WAYS)
@pytest.mark.parametrize(
    ("uri", "device", "name"),
    [("0", 0, "camera0"), ("2", 2, "camera2"), ("/dev/video2", "/dev/video2", "video2")],
)
def test_a_camera_is_asked_for_by_number_or_device(
    webcam: type[Webcam], monkeypatch: pytest.MonkeyPatch, platform: str, uri: str, device: object, name: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    with open_source(uri) as source:
        assert (source.live, source.name, source.size) == (True, name, (640, 480))
        frames = [frame for frame, _ in zip(source, range(3), strict=False)]
    (camera,) = webcam.opened
    assert (camera.device, camera.way, camera.wishes) == (device, WAYS[platform], {})
    assert camera.released
    assert [f.image.shape for f in frames] == [(480, 640, 3)] * 3


def test_size_and_rate_are_wishes(webcam: type[Webcam], caplog: pytest.LogCaptureFixture) -> None:
    with open_source("0", camera_size="1280x720", camera_fps=30.0) as source:
        assert source.size == (640, 480), "the driver decides"
    assert webcam.opened[0].wishes == {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH: 1280,
        cv2.CAP_PROP_FRAME_HEIGHT: 720,
        cv2.CAP_PROP_FPS: 30.0,
    }
    assert caplog.messages == ["camera0: the camera gives 640x480, not 1280x720 as --camera-size asks"]


@pytest.mark.slow
def test_one_that_is_unplugged_is_opened_again(
    webcam: type[Webcam], caplog: pytest.LogCaptureFixture
) -> None:
    with open_source("0") as source:
        frames = iter(source)
        next(frames)
        webcam.plugged = False
        plug = threading.Timer(0.3, setattr, (webcam, "plugged", True))
        plug.start()
        before = source.received  # type: ignore[attr-defined]
        while source.received < before + 5:  # type: ignore[attr-defined]
            next(frames)
        plug.join()
        assert [event.kind for event in source.drain_events()] == ["source.lost", "source.back"]  # type: ignore[attr-defined]
    assert "camera0: the camera gives no pictures any more; trying again" in caplog.messages[0]
    assert all(camera.released for camera in webcam.opened)


@pytest.mark.parametrize("uri", ["97", "/dev/video97"])
def test_one_that_is_not_there_is_one_line(uri: str, capfd: pytest.CaptureFixture[str]) -> None:
    source = open_source(uri, give_up_after_s=0.1)
    with pytest.raises(InputError, match=r"video97|camera97: no picture for 0.1 s \(no such camera"), source:
        pass
    assert capfd.readouterr() == ("", ""), "OpenCV has nothing to add"


@pytest.mark.parametrize("uri", ["97", "/dev/video97"])
def test_one_that_never_opened_ends_the_run_at_once(uri: str) -> None:
    source = open_source(uri)
    with pytest.raises(InputError, match=r"video97|camera 97: no such camera.*--give-up-after"), source:
        pass


def test_one_that_opens_and_never_gives_a_picture_ends_the_run_too(
    webcam: type[Webcam], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Webcam, "read", lambda _: (False, None))
    with pytest.raises(InputError, match="camera 0: the camera gives no pictures; give another"):
        open_source("0").__enter__()


@pytest.mark.slow
def test_one_that_comes_late_is_waited_for_where_that_is_asked_for(webcam: type[Webcam]) -> None:
    webcam.plugged = False
    plug = threading.Timer(0.3, setattr, (webcam, "plugged", True))
    plug.start()
    with open_source("0", give_up_after_s=20.0) as source:
        assert source.size == (640, 480)
    plug.join()


def test_a_file_of_that_name_is_taken_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0").write_bytes(b"no video")
    assert not open_source("0").live


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(OptionError, match="--camera-size takes WIDTHxHEIGHT, such as 1280x720, not 'big'"):
        open_source("0", camera_size="big")


def test_a_number_that_no_device_can_have_is_told_as_one_that_none_has() -> None:
    with pytest.raises(InputError, match="no such camera"), open_source("9" * 40) as source:
        next(iter(source))
