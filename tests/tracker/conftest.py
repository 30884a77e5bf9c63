"""What several kinds of tests share."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.tracker.screen import TOOLS


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """Start a virtual screen."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (Debian: xvfb xdotool imagemagick)")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdout is not None
    monkeypatch.setenv("DISPLAY", f":{server.stdout.readline().decode().strip()}")
    yield server
    server.terminate()
    server.wait(10)
    server.stdout.close()
