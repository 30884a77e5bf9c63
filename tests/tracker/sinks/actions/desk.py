"""A receiver for webhooks, and events to send."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from bytetrack import Detections, Tracks
from tracker.types import Event, Frame, Result, Scene

SCENE = Scene("door.mp4", (64, 48), 10.0, False, {0: "person"}, start_wall=1_700_000_000.0)
IMAGE = np.zeros((48, 64, 3), np.uint8)


def result(*kinds: str, index: int = 0) -> Result:
    data = {"zone": "till", "class_name": "person", "dwell_s": np.float32(61.5)}
    events = tuple(Event(kind, index / 10, index, 7, 0, data) for kind in kinds)
    return Result(Frame(IMAGE, index, index / 10), Detections.empty(), Tracks.empty(), events)


@dataclass
class Desk:
    """What a web server was sent; ``answers`` are given in turn, the last for ever."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    slow_s: float = 0.0
    got: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def desk(**how: Any) -> Iterator[Desk]:
    state = Desk(**how)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(state.slow_s)
            state.got.append(json.loads(body))
            state.headers.append({**self.headers, "path": self.path})
            answer = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            self.send_response(answer)
            if answer == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def soon(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()
