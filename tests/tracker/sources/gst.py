"""A real RTSP server for tests, GStreamer's: the same hands as ``rtsp.RtspServer``."""

from __future__ import annotations

import functools
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.tracker.sources.web import Server
from tracker.types import Image

SCRIPT = Path(__file__).with_name("gst_server.py")
ASK = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer, Gst; "
ASK += "Gst.init(None); assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('rtph264pay')"


@functools.cache
def find_python() -> str | None:
    """Return a Python that has GStreamer's bindings: they come with the system, not from PyPI."""
    for each in dict.fromkeys((sys.executable, "/usr/bin/python3", shutil.which("python3") or "")):
        with suppress(OSError):
            if subprocess.run([each, "-c", ASK], capture_output=True, timeout=30).returncode == 0:
                return each
    return None


def python() -> str:
    """Return such a Python, or skip."""
    return find_python() or pytest.skip(
        "needs GStreamer's RTSP server (Debian: gir1.2-gst-rtsp-server-1.0 python3-gi "
        "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly)"
    )


class GstServer(Server):
    """Serves what ``picture`` returns at ``fps``; a context manager."""

    def __init__(self, picture: Callable[[], Image], fps: int = 25) -> None:
        super().__init__(picture, fps)
        self._python = python()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._port}/cam"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._python, str(SCRIPT), str(self._port), str(self.fps)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())
        self._alive.set()
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        self._alive.clear()
        self._process.kill()
        self._process.wait()
        self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _feed(self) -> None:
        assert self._process.stdin is not None
        for image in map(np.ascontiguousarray, self._pictures()):
            with suppress(OSError, ValueError):
                self._process.stdin.write(struct.pack("<HH", image.shape[1], image.shape[0]))
                self._process.stdin.write(image.data)
                self._process.stdin.flush()
