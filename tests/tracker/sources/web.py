"""Servers for tests beside RTSP: MJPEG and HLS over HTTP, and RTMP; with the same hands as ``RtspServer``."""

from __future__ import annotations

import functools
import http.server
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import pytest

from tracker.types import Image


class Server:
    """Serves what ``picture`` returns at ``fps``; a context manager."""

    def __init__(self, picture: Callable[[], Image], fps: int = 20) -> None:
        self.picture, self.fps = picture, fps
        self.silent = threading.Event()  # stay connected, send nothing
        self.garbage = threading.Event()
        self._port = 0
        self._alive = threading.Event()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        raise NotImplementedError

    def _pictures(self) -> Iterator[Image]:
        """Yield pictures at their pace until the server is killed."""
        begin, index = time.monotonic(), 0
        while self._alive.is_set():
            time.sleep(max(0.0, begin + index / self.fps - time.monotonic()))
            index += 1
            if not self.silent.is_set():
                yield self.picture()


class HttpServer(Server):
    """What MJPEG and HLS share."""

    def start(self) -> None:
        self._alive.set()
        handler = functools.partial(Handler, self)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), handler)
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def kill(self) -> None:
        self._alive.clear()
        self._server.shutdown()
        self._server.server_close()  # waits for the handlers' threads
        self._thread.join()

    def answer(self, handler: Handler) -> None:
        raise NotImplementedError


class Handler(http.server.SimpleHTTPRequestHandler):
    """Lets the server answer."""

    def __init__(self, owner: HttpServer, *args: Any, directory: str | None = None) -> None:
        self.owner = owner
        super().__init__(*args, directory=directory)

    def do_GET(self) -> None:
        with suppress(OSError):
            self.owner.answer(self)

    def log_message(self, *_: object) -> None:
        pass


class MjpegServer(HttpServer):
    """A camera of the simple kind: JPEG after JPEG."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/cam.mjpg"

    def answer(self, handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=cut")
        handler.end_headers()
        dice = random.Random(7)
        for image in self._pictures():
            data = cv2.imencode(".jpg", image)[1].tobytes()
            if self.garbage.is_set():
                data = dice.randbytes(len(data))
            head = f"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            handler.wfile.write(head.encode() + data + b"\r\n")


class HlsServer(HttpServer):
    """A playlist of pieces of half a second; begins anew at every start."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/live.m3u8"

    def start(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        super().start()
        self._broadcaster = threading.Thread(target=self._broadcast)
        self._broadcaster.start()

    def kill(self) -> None:
        super().kill()
        self._broadcaster.join()
        self._folder.cleanup()

    def answer(self, handler: Handler) -> None:
        path = Path(self._folder.name) / Path(handler.path).name
        data = path.read_bytes() if path.exists() else b""
        handler.send_response(200 if data else 404)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _broadcast(self) -> None:
        options = {"hls_time": "0.5", "hls_list_size": "6"}
        place = f"{self._folder.name}/live.m3u8"
        with (
            suppress(av.error.ArgumentError),  # killed before the first picture
            av.open(place, "w", format="hls", options=options) as container,
        ):
            stream = None
            for index, image in enumerate(self._pictures()):  # no piece is longer for a stall
                if stream is None:
                    stream = container.add_stream(
                        "libx264", rate=self.fps, options={"preset": "ultrafast", "tune": "zerolatency"}
                    )
                    stream.height, stream.width = image.shape[:2]
                    stream.pix_fmt, stream.gop_size = "yuv420p", self.fps // 2
                frame = av.VideoFrame.from_ndarray(image, "bgr24")
                frame.pts, frame.time_base = index, Fraction(1, self.fps)
                container.mux(stream.encode(frame))


class RtmpServer(Server):
    """The ffmpeg program, which serves one client and is started again when that has gone."""

    def __init__(self, picture: Callable[[], Image], fps: int = 20) -> None:
        if not shutil.which("ffmpeg"):
            pytest.skip("needs the ffmpeg program, which serves RTMP")
        super().__init__(picture, fps)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]

    @property
    def url(self) -> str:
        return f"rtmp://127.0.0.1:{self._port}/live/cam"

    def start(self) -> None:
        self._alive.set()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def kill(self) -> None:
        self._alive.clear()
        while self._thread.is_alive():  # it may be about to start another process
            if self._process is not None:
                self._process.kill()
            self._thread.join(0.05)

    def _serve(self) -> None:
        height, width = self.picture().shape[:2]
        read = f"-f rawvideo -pix_fmt bgr24 -s {width}x{height} -r {self.fps} -i -"
        code = f"-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g {self.fps // 4}"
        command = f"ffmpeg -v quiet {read} {code} -f flv -listen 1 {self.url}".split()
        while self._alive.is_set():
            with subprocess.Popen(command, stdin=subprocess.PIPE) as self._process, suppress(OSError):
                assert self._process.stdin is not None
                for image in self._pictures():
                    self._process.stdin.write(image.tobytes())
                    self._process.stdin.flush()
