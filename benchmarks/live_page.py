"""What the live page costs: ``python -m benchmarks.live_page VIDEO``.

Speed: a file is run with ``--viewers`` pages open and without the page, in turns; printed are CPU and wall
seconds of each, and the median of the ratios. Viewers are a process of their own, whose seconds do not count.

Delay: from the frame that is handed to the page until a WebSocket has the picture of it, median and 95th of
100, in milliseconds; ``--width`` is that of the picture.

Memory: ``--frames`` frames (108,000 are an hour at 30 a second) of a made camera with one page open, as fast
as they go; printed is the resident memory at each tenth.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import numpy as np
from websockets.sync.client import ClientConnection, connect

from benchmarks.memory import resident_bytes
from bytetrack import Tracks
from tracker.contracts import Sink
from tracker.options import Options
from tracker.run.painter import Painter, draw_options
from tracker.run.session import Session
from tracker.types import Detections, Frame, Result, Scene
from tracker.web.picture import Pictures
from tracker.web.server import Server, Where
from tracker.web.station import Station
from tracker.web.watch import WatchSink


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--viewers", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, help="Of the video.")
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--frames", type=int, default=108_000)
    parser.add_argument("--only", choices=["speed", "delay", "memory"])
    options = parser.parse_args()
    if options.only in (None, "speed"):
        speed(options.video, options.viewers, options.rounds, options.seconds)
    if options.only in (None, "delay"):
        delay(options.width)
    if options.only in (None, "memory"):
        memory(options.frames, options.width)


def speed(video: Path, viewers: int, rounds: int, seconds: float | None) -> None:
    """Run with and without, in turns; the order changes from round to round."""
    print("| round | | CPU, s | wall, s |\n|---|---|---|---|")
    cpu, wall = [], []
    for number in range(rounds):
        spent: dict[int, tuple[float, float]] = {}
        for watched in (0, viewers) if number % 2 == 0 else (viewers, 0):
            spent[watched] = one_run(video, watched, seconds)
            told = f"{watched} viewers" if watched else "no page"
            print(
                f"| {number + 1} | {told} | {spent[watched][0]:.2f} | {spent[watched][1]:.2f} |", flush=True
            )
        cpu.append(spent[viewers][0] / spent[0][0])
        wall.append(spent[viewers][1] / spent[0][1])
    print(f"\nwith / without, median: CPU {statistics.median(cpu):.3f}, wall {statistics.median(wall):.3f}")


def one_run(video: Path, viewers: int, seconds: float | None) -> tuple[float, float]:
    """Return CPU and wall seconds of the frames of one run, from the first on."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        options = Options(output=f"{folder}/out.mp4", end=seconds, events=f"{folder}/events.jsonl")
        station = Station(1, video.stem, False, Path(folder, "zones.yaml"))
        companion: Callable[[Session], Sink] | None = None
        if viewers:
            server = stack.enter_context(Server([station], Where(port=0), lambda text: None))

            def attach(session: Session) -> Sink:
                station.attach(session)
                return WatchSink(station, server.history, session.scene)

            companion = attach
            words = [
                sys.executable,
                "-m",
                "benchmarks.live_page",
                "--audience",
                str(server.port),
                cookie_of(server),
            ]
            audience = subprocess.Popen([*words, str(viewers)], stdout=subprocess.PIPE)
            stack.callback(audience.wait)
            stack.callback(audience.kill)
            assert audience.stdout is not None
            audience.stdout.readline()  # all have come
        with Session(video, options, companion=companion) as session:
            began = (0.0, 0.0)
            for index, _ in enumerate(session):
                if index == 0:
                    began = time.process_time(), time.perf_counter()
            return time.process_time() - began[0], time.perf_counter() - began[1]


def delay(width: int) -> None:
    """Print how long a picture is under way."""
    waits = []
    with made_camera() as (publish, server), listening(server.port, cookie_of(server)) as talk:
        talk.send(json.dumps({"watch": [{"source": 1, "width": width}]}))
        for index in range(110):
            time.sleep(0.08)
            began = time.perf_counter()
            publish(index)
            while isinstance(message := talk.recv(timeout=5), str):
                pass
            waits.append(1000 * (time.perf_counter() - began))
            assert index == header_of(message)["frame"]
            talk.send(json.dumps({"ack": 1}))
    waits = sorted(waits[10:])
    print(f"\ndelay at {width} px: median {waits[50]:.1f} ms, 95 of 100 within {waits[95]:.1f} ms")


def memory(frames: int, width: int) -> None:
    """Print the resident memory while somebody watches."""
    print("\n| frame | resident, MB |\n|---|---|")
    with made_camera() as (publish, server), listening(server.port, cookie_of(server)) as talk:
        talk.send(json.dumps({"watch": [{"source": 1, "width": width}]}))
        thread = threading.Thread(target=acknowledge, args=(talk,), daemon=True)
        thread.start()
        for index in range(frames):
            publish(index)
            time.sleep(0.0005)  # the server's thread has its turn
            if index + 1 in (1000, frames) or (index + 1) % max(frames // 10, 1) == 0:
                print(f"| {index + 1} | {resident_bytes() / 1e6:.1f} |", flush=True)


@contextmanager
def made_camera() -> Iterator[tuple[Callable[[int], None], Server]]:
    """A camera of 1280x720 whose frames are published by calling what is returned."""
    scene = Scene("made", (1280, 720), 30.0, True, {0: "person"})
    chance = np.random.default_rng(1)
    images = [
        np.kron(chance.integers(0, 255, (45, 80, 3)), np.ones((16, 16, 1))).astype(np.uint8) for _ in range(4)
    ]
    with TemporaryDirectory() as folder:
        station = Station(1, "made", True, Path(folder, "zones.yaml"))
        station.counting.scene, station.painter, station.state = (
            scene,
            Painter(scene.names, draw_options(Options(), scene.names), live=True),
            "running",
        )
        with Server([station], Where(port=0), lambda text: None) as server:
            server.site.pictures[1] = Pictures(station)

            def publish(index: int) -> None:
                frame = Frame(images[index % 4], index, index / 30)
                station.publish(Result(frame, Detections.empty(), Tracks.empty(), ()))

            yield publish, server


def cookie_of(server: Server) -> str:
    """Return the cookie of who follows a link."""
    parts = urlsplit(server.link())
    with closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request("GET", f"{parts.path}?{parts.query}")
        (morsel,) = SimpleCookie(connection.getresponse().headers["set-cookie"]).values()
    return f"{morsel.key}={morsel.value}"


def listening(port: int, cookie: str) -> ClientConnection:
    """Open the WebSocket of a page."""
    return connect(
        f"ws://127.0.0.1:{port}/ws",
        origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie},
    )


def acknowledge(talk: ClientConnection) -> None:
    """Take pictures and acknowledge each, until the page is closed."""
    for message in talk:
        if isinstance(message, bytes):
            talk.send(json.dumps({"ack": header_of(message)["source"]}))


def header_of(message: bytes) -> dict[str, float]:
    """Return what a picture says of itself."""
    length = int.from_bytes(message[:4], "big")
    return dict(json.loads(message[4 : 4 + length]))


def audience(words: Sequence[str]) -> None:
    """Watch, as so many pages: the process that `one_run` starts."""
    port, cookie, many = int(words[0]), words[1], int(words[2])
    with ExitStack() as stack:
        talks = [stack.enter_context(listening(port, cookie)) for _ in range(many)]
        for number, talk in enumerate(talks):
            talk.send(json.dumps({"watch": [{"source": 1, "width": (320, 640, 1280)[number % 3]}]}))
        print("watching", flush=True)
        threads = [threading.Thread(target=acknowledge, args=(talk,)) for talk in talks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--audience"]:
        audience(sys.argv[2:])
    else:
        main()
