from __future__ import annotations

import os
import re
import sys
from contextlib import suppress

import pytest

from tracker.archive.progress import Progress

pty = pytest.importorskip("pty", reason="needs a terminal of Unix")


def shown(monkeypatch: pytest.MonkeyPatch, minutes: float) -> str:
    """Return what a terminal has got, without its control codes."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        with Progress() as progress:
            progress.expect(60 * minutes)
            progress.begin("gate", 1, 3)
            progress._bar.refresh()
            progress.piece("gate", 2, 3, 60.0, 600)
            progress._bar.refresh()
            progress.camera("gate")
    got = b""
    with suppress(
        OSError
    ):  # a terminal nobody writes to any more ends in an error; until then it gives what it has
        while part := os.read(ours, 1 << 16):
            got += part
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", got.decode())


def test_a_terminal_shows_the_video_and_each_camera_from_the_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = shown(monkeypatch, 3)
    for told in (
        "0.0/3.0 min of video",
        "1.0/3.0 min of video, ",
        "frames/s",
        "gate",
        "1/3 pieces",
        "2/3 pieces",
    ):
        assert told in text
    assert "0.0/3.0 h of video" in shown(monkeypatch, 180)


def test_a_pipe_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress.expect(60)
        progress.piece("gate", 1, 1, 60.0, 600)
    assert capsys.readouterr() == ("", "")
