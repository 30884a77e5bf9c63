"""Cameras and films behind HTTP: MJPEG, HLS and a plain file, from a server of this test's own."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.tracker.sources.rtsp import stamped
from tests.tracker.sources.test_live import age
from tests.tracker.videos import number, write_video
from tracker.sources import open_source
from tracker.types import InputError

FPS = 20


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, and a camera under /cam.mjpg."""

    silent: threading.Event

    def do_GET(self) -> None:
        if self.path.split("?")[0] != "/cam.mjpg":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=cut")
        self.end_headers()
        try:
            while True:
                time.sleep(1 / FPS)
                if self.silent.is_set():
                    continue
                data = cv2.imencode(".jpg", stamped((768, 96)))[1].tobytes()
                head = f"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
        except OSError:
            pass

    def guess_type(self, path: object) -> str:
        playlist = str(path).endswith("list")
        return "application/vnd.apple.mpegurl" if playlist else super().guess_type(str(path))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, threading.Event]]:
    """Serve ``tmp_path``; return the address and what makes the camera silent."""
    silent = threading.Event()
    handler = type("Quiet", (Handler,), {"silent": silent})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", silent
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.slow
def test_mjpeg_gives_the_newest_picture(web: tuple[str, threading.Event]) -> None:
    with open_source(f"{web[0]}/cam.mjpg?token=hunter2") as source:
        assert (source.live, source.size) == (True, (768, 96))
        assert "hunter2" not in source.name
        ages = []
        for frame in source:
            time.sleep(0.12)
            ages.append(age(frame))
            if len(ages) == 8:
                break
    assert np.median(ages) < 0.12 + 0.25


@pytest.mark.slow
def test_hls_is_shown_at_its_own_pace(web: tuple[str, threading.Event], tmp_path: Path) -> None:
    ended = threading.Event()
    thread = threading.Thread(target=broadcast, args=(tmp_path, ended))
    thread.start()
    try:
        while not (tmp_path / "live.m3u8").exists():
            time.sleep(0.05)
        with open_source(f"{web[0]}/live.m3u8") as source:
            arrivals, times = [], []
            for frame in source:
                arrivals.append(time.monotonic())
                times.append(frame.time)
                if len(times) == 40:
                    break
    finally:
        ended.set()
        thread.join()
    steps = np.diff(times)
    assert np.median(steps) == pytest.approx(1 / FPS, rel=0.1)
    assert np.percentile(np.diff(arrivals), 90) > 0.02, "pictures come one by one, not in bursts"
    assert len(times) > 0.8 * (times[-1] - times[0]) * FPS, "hardly one is dropped"


def broadcast(folder: Path, ended: threading.Event) -> None:
    options = {"hls_time": "0.5", "hls_list_size": "6", "hls_flags": "delete_segments"}
    with av.open(str(folder / "live.m3u8"), "w", format="hls", options=options) as container:
        stream = container.add_stream(
            "libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency"}
        )
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 768, 96, "yuv420p", FPS // 2
        begin, index = time.monotonic(), 0
        while not ended.is_set():
            frame = av.VideoFrame.from_ndarray(stamped((768, 96)), "bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
            index += 1
            time.sleep(max(0.0, begin + index / FPS - time.monotonic()))


def test_a_film_behind_http_is_a_file(web: tuple[str, threading.Event], tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 20)
    with open_source(f"{web[0]}/clip.mp4?token=hunter2", start_s=0.5) as source:
        assert (source.live, source.name, source.length) == (False, "clip.mp4", 15)
        assert [number(f.image) for f in source] == list(range(5, 20))


@pytest.mark.slow_after(3)
@pytest.mark.parametrize("kind", ["ts", "flv", "mkv", "mp4"])
@pytest.mark.parametrize("name", ["clip.{kind}", "clip", "play?id=1"])
def test_a_film_is_a_file_whatever_it_is_called(
    web: tuple[str, threading.Event], tmp_path: Path, kind: str, name: str
) -> None:
    made = write_video(tmp_path / f"clip.{kind}", 20)
    called = name.format(kind=kind)
    if not (tmp_path / called.split("?")[0]).exists():
        made.rename(tmp_path / called.split("?")[0])
    with open_source(f"{web[0]}/{called}") as source:
        assert source.live is False
        frames = list(source)
    assert [number(f.image) for f in frames] == list(range(20))
    assert [f.time for f in frames] == pytest.approx([i / 10 for i in range(20)], abs=0.002)


def playlist(folder: Path, name: str, **options: str) -> None:
    made = write_video(folder / "all.ts", 40)
    with (
        av.open(str(made)) as source,
        av.open(
            str(folder / name), "w", format="hls", options={"hls_time": "1", "hls_list_size": "0", **options}
        ) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("name", ["vod.m3u8", "list?token=1"])
@pytest.mark.parametrize("segments", ["mpegts", "fmp4"])
def test_a_playlist_with_an_end_is_a_file(
    web: tuple[str, threading.Event], tmp_path: Path, name: str, segments: str
) -> None:
    playlist(tmp_path, "vod.m3u8", hls_segment_type=segments)
    if "?" in name:
        (tmp_path / "list").write_bytes((tmp_path / "vod.m3u8").read_bytes())
    with open_source(f"{web[0]}/{name}") as source:
        assert source.live is False
        assert [number(f.image) for f in source] == [i % 24 for i in range(40)]
    with open_source(f"{web[0]}/{name}", start_s=2.5) as source:
        assert [number(f.image) for f in source] == [i % 24 for i in range(25, 40)]


def test_a_playlist_without_an_end_is_live(web: tuple[str, threading.Event], tmp_path: Path) -> None:
    playlist(tmp_path, "live.m3u8", hls_flags="omit_endlist")
    assert open_source(f"{web[0]}/live.m3u8").live


def test_sound_comes_from_behind_http_too(web: tuple[str, threading.Event], tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mkv", 20, audio="aac")
    with open_source(f"{web[0]}/clip.mkv") as source:
        sound = source.sound
        assert sound is not None
        sound.open(0.0)
        assert sound.stream is not None and sound.peek() is not None
        sound.close()


def test_a_film_that_is_not_there(web: tuple[str, threading.Event]) -> None:
    with pytest.raises(InputError, match="404") as caught, open_source(f"{web[0]}/none.mp4?token=hunter2"):
        pass
    assert "hunter2" not in f"{caught.value!r}{caught.value.__cause__}"


@pytest.mark.slow
def test_a_camera_that_is_not_there_is_tried_again(
    web: tuple[str, threading.Event], caplog: pytest.LogCaptureFixture
) -> None:
    source = open_source(f"{web[0]}/none.m3u8?token=hunter2", give_up_after_s=0.7)
    with pytest.raises(InputError, match=r"no picture for 0\.7 s \(.*404.*\); gave up") as caught, source:
        pass
    assert "trying again" in caplog.text
    assert "hunter2" not in f"{caught.value!r}{caught.value.__cause__}{caplog.text}"
