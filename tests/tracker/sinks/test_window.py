"""A real window on a virtual screen, looked at and typed into; and what happens without one."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.tracker.screen import shot, xdotool
from tests.tracker.videos import picture, plain, result
from tracker.sinks import WindowSink, viewer
from tracker.types import EndRun

# Windows to open: on a bare X server without a window manager Qt now and then never paints one that was made
# while the machine was busy.
TRIES = 4


def is_shown(number: int, path: Path) -> bool:
    """Say whether the upper left of the screen shows this picture."""
    image = shot(path)[:240, :320].astype(int)
    return bool(np.abs(image - picture(number, (320, 240))).mean() < 2)


def test_the_picture_is_on_the_screen(screen: object, tmp_path: Path) -> None:
    for _ in range(TRIES):
        with WindowSink("track: clip", plain) as window:
            window.write(result(5, size=(320, 240)))
            window.write(result(6, size=(320, 240)))
            shown = is_shown(6, tmp_path / "shot.png")
        time.sleep(0.2)
        assert shot(tmp_path / "after.png").max() == 0, "the window has gone"
        if shown:
            return
    pytest.fail("the picture is not on the screen")


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
    assert threading.active_count() <= threads


def test_the_last_picture_stays_while_no_other_comes(screen: object, tmp_path: Path) -> None:
    for _ in range(TRIES):
        with WindowSink("camera", plain, live=True) as window:
            window.on_idle()  # before there is anything to be seen
            window.write(result(0, size=(320, 240)))
            for _ in range(5):
                time.sleep(0.1)
                window.on_idle()
            if is_shown(0, tmp_path / "shot.png"):
                return
    pytest.fail("the last picture is not on the screen")


@pytest.mark.parametrize("key", ["q", "Escape"])
def test_a_key_ends_the_run_while_no_picture_comes(screen: object, key: str) -> None:
    with pytest.raises(EndRun), WindowSink("camera", plain, live=True) as window:
        window.write(result(0, size=(320, 240)))
        window.on_idle()
        for _ in range(50):
            xdotool("mousemove", "30", "20", "key", key)
            time.sleep(0.1)
            window.on_idle()


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


@pytest.mark.slow
def test_a_display_that_does_not_answer_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPLAY", ":9876")
    with WindowSink("clip", plain) as window:
        window.write(result(0))
    assert capsys.readouterr().err == (
        "--show: the display :9876 cannot be used; the run goes on without a window\n"
    )


@pytest.mark.slow
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
