"""A real window on a virtual screen, looked at and typed into; and what happens without one."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.tracker.screen import shot, xdotool
from tests.tracker.videos import picture, plain, result
from tracker.sinks import WindowSink, viewer
from tracker.types import EndRun


def test_the_picture_is_on_the_screen(screen: object, tmp_path: Path) -> None:
    with WindowSink("track: clip", plain) as window:
        window.write(result(5, size=(320, 240)))
        window.write(result(6, size=(320, 240)))
        image = shot(tmp_path / "shot.png")
        assert np.abs(image[:240, :320].astype(int) - picture(6, (320, 240))).mean() < 2
    time.sleep(0.2)
    assert shot(tmp_path / "after.png").max() == 0, "the window has gone"


def test_a_file_is_shown_at_its_own_pace(screen: object) -> None:
    with WindowSink("clip", plain) as window:
        begin = time.monotonic()
        for index in range(11):
            window.write(result(index))
        assert time.monotonic() - begin > 0.95


@pytest.mark.parametrize("key", ["q", "Escape"])
def test_a_key_ends_the_run(screen: object, key: str) -> None:
    threads = threading.active_count()
    with pytest.raises(EndRun), WindowSink("clip", plain) as window:
        window.write(result(0))
        window.write(result(1))
        xdotool("mousemove", "30", "20", "key", key)
        for index in range(2, 60):
            window.write(result(index))
    assert threading.active_count() == threads


@pytest.mark.parametrize("key", ["q", "Escape"])
def test_a_key_ends_the_run_while_no_picture_comes(screen: object, key: str, tmp_path: Path) -> None:
    with pytest.raises(EndRun), WindowSink("camera", plain, live=True) as window:
        window.idle()  # before there is anything to be seen
        window.write(result(0, size=(320, 240)))
        window.idle()
        end = time.monotonic() + 20  # on a busy machine a window takes its time to appear
        while (
            np.abs(shot(tmp_path / "shot.png")[:240, :320].astype(int) - picture(0, (320, 240))).mean() >= 2
        ):
            assert time.monotonic() < end, "the last one stays"
            time.sleep(0.1)
        xdotool("mousemove", "30", "20", "key", key)
        for _ in range(100):
            time.sleep(0.1)
            window.idle()


def test_s_saves_a_picture_and_space_pauses(
    screen: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with WindowSink("track: clip", plain) as window:
        for index in range(2):
            window.write(result(index))
        xdotool("mousemove", "30", "20", "key", "s")
        for index in range(2, 12):
            window.write(result(index))
        (saved,) = tmp_path.glob("*.png")
        assert "saved track__clip_" in capsys.readouterr().err
        image = cv2.imread(str(saved))
        assert image is not None and image.shape == (48, 64, 3)
        xdotool("key", "space")
        go_on = threading.Timer(1.5, xdotool, ["key", "space"])
        go_on.start()
        begin = time.monotonic()
        for index in range(12, 16):
            window.write(result(index))
        assert time.monotonic() - begin > 1.4
        go_on.join()


def test_the_run_goes_on_when_the_display_goes(
    screen: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    with WindowSink("clip", plain) as window:
        window.write(result(0))
        screen.kill()
        screen.wait()
        for index in range(1, 6):
            window.write(result(index))
    assert capsys.readouterr().err == "--show: the display has gone; the run goes on without a window\n"


def test_no_display_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with WindowSink("clip", plain) as window:
        window.write(result(0))
    assert capsys.readouterr().err == (
        "--show: this machine has no display ($DISPLAY is not set); the run goes on without a window\n"
    )


def test_a_display_that_does_not_answer_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPLAY", ":9876")
    with WindowSink("clip", plain) as window:
        window.write(result(0))
    assert capsys.readouterr().err == (
        "--show: the display :9876 cannot be used; the run goes on without a window\n"
    )


def test_an_opencv_without_windows_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    headless = tmp_path / "viewer.py"
    source = Path(viewer.__file__).read_text(encoding="utf-8")
    refuse = (
        "\ndef refuse(*_): raise cv2.error('The function is not implemented')\ncv2.namedWindow = refuse\n"
    )
    headless.write_text(source.replace("import numpy as np\n", f"import numpy as np\n{refuse}", 1))
    monkeypatch.setattr(viewer, "__file__", str(headless))
    monkeypatch.setenv("DISPLAY", ":9876")
    with WindowSink("clip", plain) as window:
        window.write(result(0))
    assert "has no windows (opencv-python-headless)" in capsys.readouterr().err
