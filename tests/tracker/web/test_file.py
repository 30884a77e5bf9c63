"""A file that somebody watches is written as if nobody did."""

from __future__ import annotations

import io
import json
from contextlib import ExitStack
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from websockets.sync.client import connect

from bytetrack.types import IntArray
from tests.tracker.squares import SquareDetector
from tests.tracker.videos import write_video
from tests.tracker.web.stage import Page
from tracker.contracts import Sink
from tracker.options import Options
from tracker.run.session import Session
from tracker.run.upstream import WithDetector
from tracker.web.picture import Pictures
from tracker.web.station import Station
from tracker.web.watch import WatchSink


def run(clip: Path, folder: Path, page: Page | None, station: Station | None) -> dict[str, bytes]:
    folder.mkdir()
    options = Options(
        output=folder / "out.mp4",
        save_csv=folder / "tracks.csv",
        events=folder / "events.jsonl",
        counts=folder / "counts.csv",
        line=("gate=32,0 32,48",),
    )

    def attach(session: Session) -> Sink:
        assert page is not None
        assert station is not None
        station.attach(session)
        return WatchSink(station, page.server.history, session.scene, detach=True)

    upstream = WithDetector(clip, options, lambda *_: SquareDetector(seconds=0.002))
    with Session(upstream, options, companion=attach if page else None) as session:
        for _ in session:
            pass
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def pictures(film: bytes) -> IntArray:
    """Return what is seen, coarsely: an encoder's last bit is not the page's doing."""
    with av.open(io.BytesIO(film)) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    return np.array([cv2.resize(frame, (32, 24), interpolation=cv2.INTER_AREA) for frame in frames], np.int64)


@pytest.mark.slow
def test_ten_viewers_two_of_whom_stall_change_nothing(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 200, size=(320, 240), fps=25)
    alone = run(clip, tmp_path / "alone", None, None)
    assert len(alone) == 4
    with ExitStack() as stack, Page(tmp_path, ()) as page:
        station = Station(1, "clip", False, tmp_path / "z.yaml")
        page.server.site.stations[1] = station
        page.server.site.pictures[1] = Pictures(station)
        cookie = page.enter()
        for number in range(10):
            socket = stack.enter_context(
                connect(
                    f"ws://127.0.0.1:{page.port}/ws",
                    origin=page.origin,  # type: ignore[arg-type]
                    additional_headers={"Cookie": f"track-{page.port}={cookie}"},
                )
            )
            socket.send(json.dumps({"watch": [{"source": 1, "width": 320 + 160 * (number % 3)}]}))
            if number >= 2:
                socket.recv(timeout=5)
        watched = run(clip, tmp_path / "watched", page, station)
        seen, expected = pictures(watched.pop("out.mp4")), pictures(alone.pop("out.mp4"))
        assert seen.shape == expected.shape
        assert abs(seen - expected).max() <= 3
        assert watched == alone
        assert station.state == "ended"
        assert len(page.server.history.events("clip")) == alone["events.jsonl"].count(b"\n")
