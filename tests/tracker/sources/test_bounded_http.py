"""A camera behind HTTP that sends a picture without an end: it is hung up on before memory fills."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from tests.tracker.sources.web import Handler, HttpServer
from tracker.sources import open_source
from tracker.sources.bounded_http import MOST_BYTES
from tracker.types import InputError

JPEG = cv2.imencode(".jpg", np.full((96, 160, 3), 90, np.uint8))[1].tobytes()
PART = b"--cut\r\nContent-Type: image/jpeg\r\n"
BLOCK = 1 << 20
MOST = 2 * MOST_BYTES  # sent at once, with what waits in sockets
WITHOUT_END = {
    "length": (PART + b"Content-Length: 2000000000\r\n\r\n" + JPEG[:-2], b"7"),
    "no boundary": (PART + b"\r\n" + JPEG[:-2], b"7"),
    "nulls": (PART + b"\r\n", b"\0"),
    "one header": (PART + b"X-Long: ", b"7"),
    "headers": (PART, b"X-More: 1\r\n"),
    "empty lines": (PART, b"\r\n"),
    "bare": (JPEG[:-2], b"7"),
    "text": (b"", b"7"),
}


class Endless(HttpServer):
    """Sends ``good`` pictures, then one that never ends."""

    def __init__(self, first: bytes, then: bytes, *, good: int = 0, claims: int | None = None) -> None:
        super().__init__(lambda: np.zeros((1, 1, 3), np.uint8))
        self.first, self.then, self.good, self.claims = first, then, good, claims
        self.sent: list[int] = []  # by each connection

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/cam"

    def answer(self, handler: Handler) -> None:
        handler.send_response(200)
        kind = "multipart/x-mixed-replace; boundary=cut" if self.first.startswith(b"--") else "image/jpeg"
        handler.send_header("Content-Type", kind)
        if self.claims is not None:
            handler.send_header("Content-Length", str(self.claims))
        handler.end_headers()
        for _ in range(self.good):
            handler.wfile.write(PART + b"\r\n" + JPEG + b"\r\n")
            time.sleep(0.02)
        handler.wfile.write(self.first)
        self.sent.append(0)
        block = self.then * (BLOCK // len(self.then))
        at = len(self.sent) - 1
        while self._alive.is_set() and self.sent[at] < 8 * MOST:
            handler.wfile.write(block)
            self.sent[at] += len(block)


@pytest.fixture
def endless(request: pytest.FixtureRequest) -> Iterator[Endless]:
    first, then = WITHOUT_END[request.param]
    with Endless(first, then) as server:
        yield server


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("endless", WITHOUT_END, indirect=True)
def test_a_picture_without_end_is_hung_up_on(endless: Endless, caplog: pytest.LogCaptureFixture) -> None:
    source = open_source(endless.url, give_up_after_s=0.1)
    assert source.live
    with (
        pytest.raises(InputError, match=r"\((the picture it sends never ends|invalid data.*)\); gave up"),
        source,
    ):
        pass
    assert endless.sent and max(endless.sent) < MOST


@pytest.mark.slow
@pytest.mark.parametrize("claims", [None, 2_000_000_000])
def test_pictures_before_it_are_shown(claims: int | None) -> None:
    first, then = WITHOUT_END["length"]
    with Endless(first, then, good=8, claims=claims) as server:
        frames: list[Any] = []
        with open_source(server.url, give_up_after_s=5) as source:
            for frame in source:
                frames.append(frame.image.shape)
                if len(frames) == 10:  # it came back, at least once
                    break
        assert set(frames) == {(96, 160, 3)}
        assert max(server.sent) < MOST
