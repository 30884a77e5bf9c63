"""Servers that accept and say nothing, answer nonsense, hang up, or send another size than before."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from tests.tracker.sources.rtsp import BITS, CODE, RtspServer, stamped
from tests.tracker.sources.test_live import age
from tracker.sources import open_source
from tracker.sources.fitting import GREY, fitted, same_shape
from tracker.types import EndRun, Event, Frame, Image, InputError


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve each connection with ``answer``, which may keep it open; yields where."""
    server = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                kept.append(client)
                with suppress(OSError):
                    answer(client)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}/cam"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        for client in kept:
            client.close()
        thread.join(5)


def silent(_: socket.socket) -> None:
    pass


def garbage(client: socket.socket) -> None:
    client.recv(4096)
    client.sendall(bytes(range(256)) * 40)


def hang_up(client: socket.socket) -> None:
    client.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheme", "answer", "reason"),
    [
        ("rtsp", silent, "no answer"),
        ("http", silent, "no answer"),
        ("rtsp", garbage, "invalid data|no answer|end of file|connection reset|broken pipe"),
        ("rtsp", hang_up, "invalid data|end of file|input/output error|connection reset|broken pipe"),
    ],
)
def test_giving_up_takes_as_long_as_it_says_and_says_why(
    scheme: str, answer: Callable[[socket.socket], None], reason: str
) -> None:
    told: list[Event] = []
    with answering(answer) as place:
        began = time.monotonic()
        source = open_source(f"{scheme}://{place}", give_up_after_s=1.2)
        source.when_idle(told.extend)
        with pytest.raises(InputError, match=rf"no picture for 1.2 s \(({reason})"), source:
            pass
        assert 1.1 < time.monotonic() - began < 2.6
    assert [event.kind for event in told] == ["source.lost"], "it is told once, also if it was never there"
    assert source.unseen() is not None


@pytest.mark.slow
def test_a_server_that_answers_and_sends_no_picture_is_given_up_too() -> None:
    with RtspServer(lambda: np.zeros((48, 64, 3), np.uint8)) as server:
        server.silent.set()
        began = time.monotonic()
        with (
            pytest.raises(InputError, match=r"no picture for 1.5 s"),
            open_source(server.url, give_up_after_s=1.5),
        ):
            pass
        assert time.monotonic() - began < 3.5


@pytest.mark.slow
def test_a_camera_that_falls_silent_is_given_up_in_time_and_told() -> None:
    with RtspServer(lambda: np.zeros((48, 64, 3), np.uint8)) as server:
        with (
            pytest.raises(InputError, match=r"no picture for 1.5 s \("),
            open_source(server.url, give_up_after_s=1.5) as source,
        ):
            frames = iter(source)
            next(frames)
            server.silent.set()
            time.sleep(0.1)
            began = time.monotonic()
            for _ in frames:
                pass
        assert time.monotonic() - began < 2.5
        assert [event.kind for event in source.drain_events()] == ["source.lost"]
        assert any("lost for the last" in note for note in source.warnings)


@pytest.mark.slow
def test_one_that_is_stopped_before_its_first_picture_says_what_it_waited_for() -> None:
    stop = threading.Event()
    source = open_source("rtsp://127.0.0.1:9/cam", stop=stop, name="yard")
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    with pytest.raises(EndRun), source:
        pass
    timer.join()
    said = source.unseen()
    assert said is not None and said.startswith("no picture came in 0.") and "(connection refused)" in said


def test_a_camera_is_called_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    """Two of one address could not be told apart."""
    source = open_source("rtsp://me:hunter2@127.0.0.1:9/cam", stop=(stop := threading.Event()), name="yard")
    source.when_idle(lambda events: stop.set() if events else None)
    with pytest.raises(EndRun), source:
        pass
    assert source.name == "yard"
    assert caplog.messages == ["yard: connection refused; trying again until it is back (Ctrl-C ends)"]


def band(size: tuple[int, int]) -> Image:
    """Return a picture with a square in its middle, a third as high as it."""
    width, height = size
    image = np.full((height, width, 3), 30, np.uint8)
    half = height // 6
    image[height // 2 - half : height // 2 + half, width // 2 - half : width // 2 + half] = 230
    return image


def sides(image: Image) -> tuple[int, int]:
    """Return width and height of what is bright."""
    rows, columns = (image[..., 1] > 150).nonzero()
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("later", "words"),
    [
        ((320, 240), "now; scaled to 160x120"),
        ((160, 90), "fitted into 160x120 with bars"),
        ((90, 160), "bars"),
    ],
)
def test_another_size_is_told_and_nothing_is_stretched(
    later: tuple[int, int], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    size = [(160, 120)]
    with RtspServer(lambda: band(size[0])) as server, open_source(server.url, name="gate") as source:
        frames = iter(source)
        first = next(frames)
        size[0] = later
        last = wait(frames, lambda: any(words in note for note in source.warnings))
    assert first.image.shape == last.image.shape == (120, 160, 3)
    width, height = sides(last.image)
    assert abs(width - height) <= 2, "a square is a square"
    assert any(
        message.startswith(f"gate: the picture is {later[0]}x{later[1]}") for message in caplog.messages
    )


def wait(frames: Iterator[Frame], condition: Callable[[], object]) -> Frame:
    """Take frames until something is true, and one more."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        next(frames)
    next(frames)
    return next(frames)


@pytest.mark.parametrize("size", [(64, 48), (48, 64), (120, 48), (7, 300), (640, 480), (63, 48)])
def test_fitting_keeps_the_shape_of_what_is_seen(size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 255, np.uint8)
    shown = fitted(image, (64, 48))
    assert shown.shape == (48, 64, 3)
    rows, columns = (shown[..., 0] == 255).nonzero()
    inner = int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
    assert inner[0] == 64 or inner[1] == 48, "as large as it can be"
    assert (
        abs(inner[0] - min(64, 48 * size[0] / size[1])) <= 2
        and abs(inner[1] - min(48, 64 * size[1] / size[0])) <= 2
    )
    if not same_shape(size, (64, 48)):
        assert (shown[..., 0] == GREY).sum() == 64 * 48 - inner[0] * inner[1]


@pytest.mark.slow
def test_what_b_frames_cost_is_told() -> None:
    """The camera keeps back what comes before a picture that is sent first; nobody here can hurry it."""
    order = {"tune": "psnr", "x264-params": "rc-lookahead=0:sync-lookahead=0:b-adapt=0:bframes=2:keyint=20"}
    with RtspServer(lambda: band((160, 120)), fps=20, **order) as server, open_source(server.url) as source:
        wait(iter(source), lambda: source.warnings)
        times = [frame.time for frame, _ in zip(source, range(10), strict=False)]
    (note,) = source.warnings[:1]
    found = re.fullmatch(r"its B-frames hold every picture back for (\d+) ms or more; .*smaller", note)
    assert found is not None and 80 < int(found[1]) < 400
    assert all(b > a for a, b in pairwise(times))


@pytest.mark.slow
def test_the_delay_of_mpeg_ts_is_told_with_the_pictures_that_ffmpeg_holds_back() -> None:
    """Two of them, which no clock sees: pictures come steadily, each 100 ms late at 20 a second."""
    server = socket.create_server(("127.0.0.1", 0))

    def send() -> None:
        client, _ = server.accept()
        pipe = client.makefile("wb", buffering=0)
        with (
            client,
            suppress(OSError, ValueError, av.error.FFmpegError),
            pipe,
            av.open(pipe, "w", format="mpegts") as out,
        ):
            stream = out.add_stream(
                "libx264", rate=20, options={"preset": "ultrafast", "tune": "zerolatency"}
            )
            stream.width, stream.height, stream.pix_fmt = CODE * BITS, 96, "yuv420p"
            stream.codec_context.gop_size = 10
            begin = time.monotonic()
            for index in range(200):
                time.sleep(max(0.0, begin + index / 20 - time.monotonic()))
                frame = av.VideoFrame.from_ndarray(stamped(), "bgr24")
                frame.pts, frame.time_base = index, Fraction(1, 20)
                out.mux(stream.encode(frame))

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    with open_source(f"tcp://127.0.0.1:{server.getsockname()[1]}") as source:
        off = [frame.time - stamp_of(frame) for frame, _ in zip(source, range(30), strict=False)][15:]
    server.close()
    thread.join(5)
    assert abs(np.median(off)) < 0.04, "the time of a picture is when it was made"


def stamp_of(frame: Frame) -> float:
    """Return when the server painted a picture, in Unix time."""
    return time.time() - age(frame)
