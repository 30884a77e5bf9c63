"""A real run behind a real server: a camera whose pictures are made, seen by a detector of bright squares."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import numpy as np
from websockets.sync.client import ClientConnection, connect

from tests.tracker.squares import SquareDetector
from tracker.contracts import Detector, Sink, Source
from tracker.options import Options
from tracker.run.session import Session
from tracker.run.upstream import Upstream
from tracker.types import Event, Frame, Stopwatch
from tracker.web.server import Server, Where
from tracker.web.station import Station
from tracker.web.watch import WatchSink

SIZE = (320, 240)
BITS = 16  # of the frame's number, painted as a row of squares
BIT_PX = 8


def picture(index: int) -> np.ndarray:
    """A square that goes to and fro; the number of the frame in the lower left corner, as black and grey."""
    image = np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)
    place = index * 4 % 480
    left = place if place < 240 else 480 - place
    image[80:140, 20 + left : 60 + left] = 220
    for bit in range(BITS):
        value = 120 if index >> bit & 1 else 0
        image[SIZE[1] - BIT_PX :, bit * BIT_PX : (bit + 1) * BIT_PX] = value
    return image


class Camera(Source):
    """Live: pictures at ``fps`` until it is stopped; it can be lost for a while."""

    picture = staticmethod(picture)

    def __init__(self, name: str, stop: threading.Event, fps: float = 20.0) -> None:
        super().__init__(name)
        self.fps, self.size, self.live = fps, SIZE, True
        self.stop = stop
        self.lost = threading.Event()
        self._idle: Callable[[list[Event]], None] = lambda events: None

    def __iter__(self) -> Iterator[Frame]:
        index, told = 0, False
        while not self.stop.wait(1 / self.fps):
            now = time.time()
            if self.lost.is_set():
                events = [] if told else [Event("source.lost", now, index, data={"reason": "no answer"})]
                self._idle(events)
                told = True
                continue
            told = False
            yield Frame(self.picture(index), index, now)
            index += 1

    def when_idle(self, call: Callable[[list[Event]], None]) -> None:  # type: ignore[override]
        self._idle = call


class Made(Upstream):
    """A camera, a detector that needs no network, a real tracker."""

    def __init__(self, name: str, options: Options, fps: float) -> None:
        super().__init__(None, options)
        self._name, self._fps = name, fps
        self.source: Camera | None = None

    @property
    def name(self) -> str:
        return self._name

    def make_source(self, stop: threading.Event, stopwatch: Stopwatch, saved: object = None) -> Source:
        self.source = Camera(self._name, stop, self._fps)
        return self.source

    def make_detector(self, source: Source, stopwatch: Stopwatch) -> Detector:
        return SquareDetector()


@dataclass
class Page:
    """Server and runs, opened by ``with``."""

    folder: Path
    names: tuple[str, ...] = ("door",)
    where: Where = field(default_factory=lambda: Where(port=0))
    fps: float = 20.0
    state: bool = False  # whether runs are kept, and go on

    def __enter__(self) -> Page:
        self.stations = [
            Station(
                number,
                name,
                True,
                self.folder / f"{name}_zones.yaml",
                keeps=self.state,
                memory=self.folder / f"{name}_shapes.json" if self.state else None,
            )
            for number, name in enumerate(self.names, 1)
        ]
        self.told: list[str] = []
        self.server = Server(self.stations, self.where, self.told.append)
        self.server.__enter__()
        self.stops: list[threading.Event] = []
        self.threads: list[threading.Thread] = []
        self.upstreams: list[Made] = []
        self.results: list[list[Event]] = []
        for station in self.stations:
            self.run(station)
        return self

    def run(self, station: Station) -> None:
        stop, happened = threading.Event(), []  # type: tuple[threading.Event, list[Event]]
        kept = self.folder / f"{station.name}_state.json"
        options = Options(
            zones=station.counting.zone_file(),
            lost=1.0,
            state=str(kept) if self.state else None,
            state_every=0.2,
            resume=self.state and kept.is_file(),
        )
        upstream = Made(station.name, options, self.fps)

        def attach(session: Session) -> Sink:
            station.attach(session)
            return WatchSink(station, self.server.history, session.scene)

        def work() -> None:
            with Session(upstream, options, stop=stop, companion=attach) as session:
                for result in session:
                    happened.extend(result.events)
            station.detach("stopped")

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.stops.append(stop)
        self.threads.append(thread)
        self.upstreams.append(upstream)
        self.results.append(happened)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stop in self.stops:
            stop.set()
        for thread in self.threads:
            thread.join(5)
        self.server.__exit__(kind, error, trace)

    @property
    def port(self) -> int:
        return self.server.port

    def ask(
        self, method: str, path: str, body: object = None, *, cookie: str | None = None, **headers: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask as a program would: no headers but these."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        sent = {key.replace("_", "-"): value for key, value in headers.items() if value is not None}
        if cookie is not None:
            sent["Cookie"] = f"track-{self.port}={cookie}"
        data = (
            body
            if isinstance(body, bytes | Iterator)
            else None
            if body is None
            else json.dumps(body).encode()
        )
        connection.request(method, path, data, sent)
        answer = connection.getresponse()
        found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def enter(self, link: str | None = None) -> str:
        """Follow the newest link, or this one; return the cookie."""
        parts = urlsplit(link or self.server.link())
        status, headers, _ = self.ask("GET", f"{parts.path}?{parts.query}")
        assert status == 303, headers
        return SimpleCookie(headers["set-cookie"])[f"track-{self.port}"].value

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def put(
        self, shapes: list[dict[str, object]], cookie: str, number: int = 1
    ) -> tuple[int, dict[str, object]]:
        """Put shapes as the page does, with the newest version."""
        _, _, told = self.ask("GET", f"/api/sources/{number}/shapes", cookie=cookie)
        body = {"version": json.loads(told)["version"], "shapes": shapes}
        path = f"/api/sources/{number}/shapes"
        status, _, answer = self.ask("PUT", path, body, cookie=cookie, Origin=self.origin)
        return status, json.loads(answer)

    def listen(self, cookie: str) -> ClientConnection:
        """Open the WebSocket as the page does."""
        return connect(
            f"ws://127.0.0.1:{self.port}/ws",
            origin=self.origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": f"track-{self.port}={cookie}"},
        )

    def plain_pictures(self, cookie: str) -> socket.socket:
        """Ask for pictures without end."""
        asked = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        cookies = f"Connection: close\r\nCookie: track-{self.port}={cookie}"
        asked.sendall(f"GET /stream/door.mjpg HTTP/1.1\r\nHost: localhost\r\n{cookies}\r\n\r\n".encode())
        return asked

    def wait(self, true: Callable[[], object], seconds: float = 10.0) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, "it did not happen"
            time.sleep(0.02)


@contextmanager
def opened(folder: Path, **more: object) -> Iterator[Page]:
    """A page whose first pictures have come."""
    with Page(folder, **more) as page:  # type: ignore[arg-type]
        page.wait(lambda: all(station.latest for station in page.stations))
        yield page
