"""Whole runs on servers that fail in every way there is: what was counted, numbered and recorded survives.

On the stage one person stands and another walks to and fro over a line, when told to. However the server
failed meanwhile, every walk is counted once, both keep their numbers, every file plays and no thread is left.

By default each fault on one kind of server; ``TRACK_FAULTS=all pytest tests/tracker/run/test_faults.py`` runs
all on all that know them, for some four minutes.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from bytetrack import Detections
from tests.tracker.sources.gst import GstServer
from tests.tracker.sources.rtsp import RtspServer
from tests.tracker.sources.web import HlsServer, MjpegServer, RtmpServer
from tests.tracker.squares import BRIGHT, SquareDetector
from tracker.options import Options
from tracker.run.session import Session
from tracker.sources.stream import StreamCapture
from tracker.types import Event, Image, Result

SIZE = (160, 96)
WALK_S = 1.5  # from one side to the other: seen on the way even where a busy machine drops pictures
SLOW_S = 2.5  # where pictures are missing on the way
PATIENCE_S = 60.0
REST = 40  # pictures after which the filter, too, knows that somebody stands
SERVERS: dict[str, Callable[..., Any]] = {
    "rtsp": RtspServer,
    "rtsp by GStreamer": GstServer,
    "rtmp": RtmpServer,
    "mjpeg": MjpegServer,
    "hls": HlsServer,
}


class Stage:
    """What the camera sees."""

    def __init__(self) -> None:
        self.small = False
        self.walks = 0
        self.walk_s = WALK_S
        self._began = -SLOW_S

    def walk(self) -> None:
        self.walks += 1
        self._began = time.monotonic()

    def picture(self) -> Image:
        image = np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)
        image[6:42, 60:80] = 220  # who stands
        way = min((time.monotonic() - self._began) / self.walk_s, 1.0)
        left = 10 + round(100 * (way if self.walks % 2 else 1 - way))
        image[54:90, left : left + 20] = 220
        return np.ascontiguousarray(image[::2, ::2]) if self.small else image


class PairDetector(SquareDetector):
    """One box in the upper half of the picture, one in the lower."""

    def _look(self, image: Image) -> Detections:
        boxes = []
        for top in (0, SIZE[1] // 2):
            rows, columns = (image[top : top + SIZE[1] // 2, :, 1] > BRIGHT).nonzero()
            if len(rows) > 100:
                boxes.append([columns.min(), top + rows.min(), columns.max() + 1, top + rows.max() + 1])
        count = len(boxes)
        return Detections(np.array(boxes).reshape(-1, 4), np.full(count, 0.9), np.zeros(count, int))


class Watch:
    """A run in a thread, and what came of it."""

    def __init__(self, stage: Stage, url: str, folder: Path, **options: Any) -> None:
        self.stage, self.folder = stage, folder
        self.results: list[Result] = []
        self.error: BaseException | None = None
        self.stop = threading.Event()
        chosen: dict[str, Any] = {
            "line": ("door=80,96 80,50",),
            "lost": 60.0,
            "output": str(folder / "cam.mp4"),
            "segment": "2s",
        }
        self.session = Session(url, Options(**(chosen | options)), stop=self.stop)
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            with self.session:
                self.results.extend(self.session)
        except BaseException as error:
            self.error = error

    def events(self, kind: str) -> list[Event]:
        return [event for result in tuple(self.results) for event in result.events if kind in event.kind]

    def until(self, what: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not what():
            assert self.thread.is_alive(), f"the run ended: {self.error!r}"
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.02)

    def pictures(self, more: int = 5) -> None:
        """Wait until some have come."""
        count = len(self.results) + more
        self.until(lambda: len(self.results) >= count)

    def walk(self) -> None:
        """Let the walker walk, and wait until that is counted."""
        self.stage.walk()
        time.sleep(self.stage.walk_s)
        self.until(lambda: len(self.events("line.")) >= self.stage.walks)


@contextmanager
def watching(stage: Stage, url: str, folder: Path, **options: Any) -> Iterator[Watch]:
    """Run while the block does; then look at what must survive every fault."""
    watch = Watch(stage, url, folder, **options)
    watch.thread.start()
    try:
        yield watch
    finally:
        watch.stop.set()
        watch.thread.join()
    assert watch.error is None
    crossings = [event.kind for event in watch.events("line.")]
    assert crossings == (["line.in", "line.out"] * stage.walks)[: stage.walks], "counts exact"
    assert {int(n) for each in watch.results for n in each.tracks.track_id} == {1, 2}
    assert watch.session.report.distinct() == {"person": 2}
    above = [each.tracks.track_id[each.tracks.xyxy[:, 1] < 40].tolist() for each in watch.results]
    assert {n for ids in above for n in ids} in ({1}, {2}), "nobody took the other's number"
    assert all(a.frame.time < b.frame.time for a, b in pairwise(watch.results))
    files = sorted(folder.glob("cam*.mp4"))
    assert not [path for path in files if ".part" in path.name]
    assert sum(map(playable, files)) == len(watch.results), "every frame is in some segment"


def playable(path: Path) -> int:
    """Return how many frames a player would show; nothing may be amiss with them."""
    if shutil.which("ffprobe"):
        ask = ["-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames"]
        command = ["ffprobe", "-v", "error", *ask, "-of", "csv=p=0", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), path.name
        return int(done.stdout.strip().rstrip(","))
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: PairDetector())
    impatient = functools.partial(StreamCapture, silent_s=1.2)
    monkeypatch.setattr("tracker.sources.stream.StreamCapture", impatient)
    monkeypatch.setattr("tracker.sources.live.FIRST_WAIT_S", 0.1)
    before = threading.active_count()
    yield
    end = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.02)
    assert threading.active_count() <= before, "a thread was left"  # one of an earlier test may have ended


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def server(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Any]:
    with SERVERS[request.param](stage.picture, fps=20) as server:
        yield server


def on(name: str, *others: str) -> pytest.MarkDecorator:
    """Run on one kind of server or, in the long form, on others too."""
    names = (name, *others) if os.environ.get("TRACK_FAULTS") == "all" else (name,)
    return pytest.mark.parametrize("server", names, indirect=True)


@pytest.mark.slow
@on("rtsp by GStreamer", "rtsp", "rtmp", "mjpeg", "hls")
def test_five_restarts_in_one_run(
    server: Any, stage: Stage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with watching(stage, server.url, tmp_path) as watch:
        watch.pictures()
        watch.walk()
        watch.pictures(REST)
        for _ in range(5):
            server.kill()
            time.sleep(0.2)
            server.start()
            back = len(watch.events("source.back"))
            watch.until(lambda back=back: len(watch.events("source.back")) > back)
            watch.pictures()
        watch.walk()
    told = [event.kind for event in watch.events("source.")]  # a server may also have been late to begin with
    assert told[-10:] == ["source.lost", "source.back"] * 5
    assert caplog.text.count("back after") == 5


@pytest.mark.slow
@on("hls", "rtsp", "rtsp by GStreamer", "rtmp", "mjpeg")
def test_a_late_start(server: Any, stage: Stage, tmp_path: Path) -> None:
    server.kill()
    later = threading.Timer(1.0, server.start)
    later.start()
    with watching(stage, server.url, tmp_path) as watch:
        watch.pictures()
        watch.walk()
        later.join()
    assert [event.kind for event in watch.events("source.")] == ["source.lost", "source.back"]


@pytest.mark.slow
@on("mjpeg", "rtsp", "rtsp by GStreamer", "rtmp", "hls")
def test_a_stall_without_an_end(
    server: Any, stage: Stage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with watching(stage, server.url, tmp_path) as watch:
        watch.pictures()
        watch.walk()
        watch.pictures(REST)
        tried = caplog.text.count("trying again")
        came = len(watch.events("source."))  # some servers are not there yet when a run begins
        server.silent.set()
        watch.until(lambda: caplog.text.count("trying again") > tried)
        count = len(watch.results)
        time.sleep(0.5)
        assert len(watch.results) <= count + 1, "no invented frames"
        server.silent.clear()
        watch.until(lambda: len(watch.events("source.")) > came + 1)
        watch.walk()
    assert [event.kind for event in watch.events("source.")][came : came + 2] == [
        "source.lost",
        "source.back",
    ]


@pytest.mark.slow
@on("rtsp", "rtsp by GStreamer", "mjpeg")
def test_another_resolution_mid_stream(server: Any, stage: Stage, tmp_path: Path) -> None:
    with watching(stage, server.url, tmp_path) as watch:
        watch.pictures()
        for small in (True, False):
            stage.small = small
            watch.pictures(10)
            watch.walk()
    assert {each.frame.image.shape for each in watch.results} == {(*SIZE[::-1], 3)}


@pytest.mark.slow
@on("rtsp", "mjpeg")
def test_garbage_between_good_pictures(server: Any, stage: Stage, tmp_path: Path) -> None:
    with watching(stage, server.url, tmp_path) as watch:
        for _ in range(2):
            watch.pictures(REST)
            server.garbage.set()
            time.sleep(0.4)
            server.garbage.clear()
            watch.pictures()
            watch.walk()


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["udp"])
@on("rtsp")
def test_lost_packets(server: Any, stage: Stage, tmp_path: Path, transport: str) -> None:
    server.loss, stage.walk_s = 0.05, SLOW_S
    with watching(stage, server.url, tmp_path, rtsp_transport=transport) as watch:
        watch.pictures()
        for _ in range(2):
            watch.walk()
