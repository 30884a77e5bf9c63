"""Live sources against a real server on this machine that is late, dies, falls silent and sends nonsense."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from tests.tracker.sources.rtsp import BITS, CODE, RtspServer, stamp, stamped
from tracker.sources import open_source, stream
from tracker.sources.ahead import FrameSelection
from tracker.sources.clock import StreamClock
from tracker.sources.live import LiveSource
from tracker.sources.stream import StreamCapture
from tracker.types import EndRun, Frame, Image, InputError, OptionError


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    deadline = time.monotonic() + 2
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= before


def live(url: str, silent_s: float = 1.0, **options: object) -> LiveSource:
    return LiveSource("cam", "rtsp://cam", StreamCapture(url, silent_s=silent_s), FrameSelection(), **options)  # type: ignore[arg-type]


def until(frames: Iterator[Frame], condition: Callable[[], object], limit_s: float = 20) -> list[Frame]:
    """Take frames until something is true."""
    taken, end = [], time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        taken.append(next(frames))
    return taken


class TestNewestFrame:
    @pytest.mark.slow
    @pytest.mark.parametrize("transport", ["tcp", "udp"])
    def test_a_slow_consumer_gets_the_newest_frame(self, transport: str) -> None:
        ages, indices = [], []
        with RtspServer(stamped) as server, open_source(server.url, rtsp_transport=transport) as source:
            assert (source.live, source.size, source.length) == (True, (CODE * BITS, 96), None)
            assert source.fps == pytest.approx(40, rel=0.2)
            for frame in source:
                time.sleep(0.15)  # a detector of 7 frames per second
                ages.append(age(frame))
                indices.append(frame.index)
                assert abs(frame.time - time.time()) < 1
                if len(ages) == 10:
                    break
        assert np.median(ages) < 0.15 + 0.25
        assert ages[-1] < 0.6, "the delay must not grow"
        assert np.diff(indices).min() >= 1
        assert np.median(np.diff(indices)) >= 3, "dropped frames are counted"
        assert any("frames dropped to stay live" in note for note in source.warnings)

    @pytest.mark.slow
    def test_times_follow_the_camera_not_the_network(self) -> None:
        with RtspServer(stamped) as server, live(server.url) as source:
            frames = [frame for frame, _ in zip(source, range(30), strict=False)][10:]
        told = np.array([stamp(f.image) for f in frames])
        taken = np.array([f.time for f in frames])
        assert np.abs(np.diff(told) - np.diff(taken)).max() < 0.03


class TestReconnect:
    @pytest.mark.slow
    def test_a_server_that_comes_late_is_waited_for(self, caplog: pytest.LogCaptureFixture) -> None:
        server = RtspServer(stamped)
        server.start()
        server.kill()
        begin = time.monotonic()
        timer = threading.Timer(1.0, server.start)
        timer.start()
        with live(server.url) as source:
            assert time.monotonic() - begin > 1.0
            assert next(iter(source)).image.shape == (96, CODE * BITS, 3)
            lost, back = source.drain_events()
        timer.join()
        server.kill()
        assert (lost.kind, lost.data) == ("source.lost", {"reason": "connection refused"})
        assert back.kind == "source.back" and back.data["gap_s"] > 1.0 and lost.time < back.time
        assert "connection refused; trying again until it is back (Ctrl-C ends)" in caplog.text
        assert "connected after" in caplog.text

    @pytest.mark.slow
    def test_a_server_that_dies_and_returns_costs_a_gap_and_nothing_else(self) -> None:
        with RtspServer(stamped) as server, live(server.url) as source:
            frames = iter(source)
            events = []
            taken = until(frames, lambda: source.received > 5)
            for round_ in range(2):
                server.kill()
                time.sleep(0.3)
                server.start()
                begin = server.clients
                taken += until(frames, lambda begin=begin: server.clients > begin)
                received = source.received
                taken += until(frames, lambda received=received: source.received > received + 5)
                events += source.drain_events()
                assert len(events) == 2 * (round_ + 1)
        assert [e.kind for e in events] == ["source.lost", "source.back"] * 2
        assert all(e.data["reason"] for e in events[::2])
        gaps = [e.data["gap_s"] for e in events[1::2]]
        assert all(0.3 < gap < 5 for gap in gaps)
        assert [b.time - a.time for a, b in zip(events[::2], events[1::2], strict=True)] == pytest.approx(
            gaps, abs=1e-3
        )
        steps = np.diff([f.time for f in taken])
        assert (steps > 0).all()
        assert (steps > 0.3).sum() == 2, "no invented frames in the gaps"
        assert np.all(np.diff([f.index for f in taken]) > 0)

    @pytest.mark.slow
    def test_a_server_that_falls_silent_is_noticed(self) -> None:
        with RtspServer(stamped) as server, live(server.url, silent_s=1.0) as source:
            frames = iter(source)
            until(frames, lambda: source.received > 5)
            server.silent.set()
            time.sleep(2.0)
            server.silent.clear()
            received = source.received
            until(frames, lambda: source.received > received + 5)
            lost, back = source.drain_events()
        assert "sent nothing for 1 s" in lost.data["reason"]
        assert back.data["gap_s"] > 1.5

    @pytest.mark.slow
    def test_a_short_silence_is_no_loss(self) -> None:
        with RtspServer(stamped) as server, live(server.url, silent_s=3.0) as source:
            frames = iter(source)
            until(frames, lambda: source.received > 5)
            server.silent.set()
            time.sleep(1.2)  # longer than one wait for a packet
            server.silent.clear()
            received = source.received
            until(frames, lambda: source.received > received + 5)
            assert source.drain_events() == []
            assert server.clients == 1

    @pytest.mark.slow
    @pytest.mark.parametrize("jumps", [False, True], ids=["stands still", "jumps back"])
    def test_a_clock_that_goes_wrong_costs_no_pictures(
        self, jumps: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Pictures that are not key frames, a quarter of a second apart, go on to come; so do their times."""
        monkeypatch.setattr(stream, "LATE_S", 0.5)
        with RtspServer(stamped) as server, live(server.url) as source:
            frames = iter(source)
            until(frames, lambda: source.received > 20)
            if jumps:
                server.late_s += 1.0
            else:
                server.still.set()
                still_until = time.monotonic() + 1
                until(frames, lambda: time.monotonic() > still_until)
                server.still.clear()
            dropped, end = source.dropped, time.monotonic() + 1.5
            taken = until(frames, lambda: time.monotonic() > end)
        assert len(taken) > 30  # of 60; six of them are key frames
        assert source.dropped - dropped < 30
        if not jumps:
            assert max(age(frame) for frame in taken[-10:]) < 1.0

    @pytest.mark.slow
    def test_giving_up_is_an_error_in_one_line(self) -> None:
        with (
            pytest.raises(
                InputError, match=r"rtsp://cam: no picture for 1 s \(connection refused\); gave up"
            ),
            live("rtsp://127.0.0.1:9/cam", give_up_after_s=1.0),
        ):
            pass

    @pytest.mark.slow
    def test_stop_while_connecting(self) -> None:
        stop = threading.Event()
        timer = threading.Timer(0.3, stop.set)
        timer.start()
        begin = time.monotonic()
        with pytest.raises(EndRun), live("rtsp://127.0.0.1:9/cam", stop=stop):
            pass
        assert time.monotonic() - begin < 2
        timer.join()

    @pytest.mark.slow
    @pytest.mark.parametrize("state", ["running", "silent"])
    def test_stop_ends_within_two_seconds(self, state: str) -> None:
        stop = threading.Event()
        with RtspServer(stamped) as server:
            with live(server.url, silent_s=5.0, stop=stop) as source:
                frames = iter(source)
                until(frames, lambda: source.received > 5)
                if state == "silent":
                    server.silent.set()
                    time.sleep(0.3)
                stop.set()
                begin = time.monotonic()
                for _ in frames:
                    pass
            assert time.monotonic() - begin < 2


class TestNonsense:
    @pytest.mark.slow
    def test_another_resolution_mid_stream_is_scaled_to_the_first(self) -> None:
        size = [(CODE * BITS, 96)]
        with RtspServer(lambda: stamped(size[0])) as server, live(server.url) as source:
            frames = iter(source)
            until(frames, lambda: source.received > 5)
            size[0] = (CODE * BITS // 2, 48)
            received = source.received
            later = until(frames, lambda: source.received > received + 10)
        assert {f.image.shape for f in later} == {(96, CODE * BITS, 3)}
        assert all(age(f) < 1 for f in later[-3:])

    @pytest.mark.slow
    def test_garbage_between_good_data(self) -> None:
        with RtspServer(stamped) as server, live(server.url) as source:
            frames = iter(source)
            until(frames, lambda: source.received > 5)
            server.garbage.set()
            time.sleep(0.5)
            server.garbage.clear()
            time.sleep(0.5)
            received = source.received
            later = until(frames, lambda: source.received > received + 20)
        assert age(later[-1]) < 1

    @pytest.mark.slow
    def test_lost_packets_do_no_harm(self) -> None:
        with RtspServer(stamped) as server:
            server.loss = 0.02
            with live(server.url) as source:
                taken = until(iter(source), lambda: source.received > 60)
        assert all(b.time > a.time for a, b in pairwise(taken))


class TestSecrets:
    @pytest.mark.slow
    def test_a_password_reaches_nothing_that_is_shown(
        self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with RtspServer(stamped, password="hunter2") as server:
            good = server.url.replace("rtsp://", "rtsp://admin:hunter2@") + "?token=hunter2"
            with open_source(good) as source:
                next(iter(source))
            with pytest.raises(InputError) as caught, open_source(server.url + "?token=hunter2"):
                pass
        shown = f"{source.name} {source.warnings} {caught.value!r} {caught.value.__cause__}"
        shown += f"{caplog.text} {capfd.readouterr()}"
        assert "hunter2" not in shown
        assert "check user, password and address" in str(caught.value)

    def test_a_server_that_is_not_there(self, caplog: pytest.LogCaptureFixture) -> None:
        source = open_source("rtsp://me:hunter2@127.0.0.1:9/x?y=hunter2", give_up_after_s=0.1)
        with pytest.raises(InputError) as caught, source:
            pass
        assert "hunter2" not in f"{caught.value!r}{caught.value.__cause__}{caplog.text}"


class TestClock:
    def test_the_least_delayed_frame_tells_the_offset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = StreamClock()
        now = [100.0]
        monkeypatch.setattr(clock, "now", lambda: now[0])
        delays = [0.2, 0.05, 0.3, 2.0, 0.05]
        taken = []
        for index, delay in enumerate(delays):
            now[0] = 100 + index + delay
            taken.append(clock.capture_time(float(index)))
        assert np.diff(taken[1:]) == pytest.approx([1.0] * 3, abs=0.01)

    def test_a_stream_that_begins_anew_is_not_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = StreamClock()
        now = [100.0]
        monkeypatch.setattr(clock, "now", lambda: now[0])
        clock.capture_time(5000.0)
        now[0] = 101.0
        assert clock.capture_time(3.0) == 101.0
        now[0] = 102.0
        assert clock.capture_time(4.0) == pytest.approx(102.0)

    def test_a_jump_of_the_wall_clock_does_not_reach_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = StreamClock()
        before = clock.now()
        monkeypatch.setattr(time, "time", lambda: 0.0)
        assert 0 <= clock.now() - before < 1

    def test_a_camera_whose_clock_runs_slow_stays_live_and_its_network_does_not_disturb_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By a thousandth, 2 s in all; every ten seconds the network holds back the pictures of one."""
        clock = StreamClock()
        now = [0.0]
        monkeypatch.setattr(clock, "now", lambda: now[0])
        off = []
        for index in range(20_000):
            true, late = index / 10, 0.5 if index % 100 >= 90 else 0.05
            now[0] = 1e6 + true + late
            off.append(clock.capture_time(true * (1 - 1e-3)) - (1e6 + true))
        assert min(off) > 0.049 and max(off) < 0.055

    def test_a_camera_whose_clock_runs_fast_is_never_ahead(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = StreamClock()
        now = [0.0]
        monkeypatch.setattr(clock, "now", lambda: now[0])
        for index in range(2000):
            now[0] = 1e6 + index
            assert clock.capture_time(index * 1.01) == pytest.approx(now[0])
        assert clock.wall_time(2000 * 1.01 + 5) == now[0], "a picture of the future is of now"


class Scripted:
    """A camera that gives ten pictures at once, and each of the rest when it is asked for."""

    def __init__(self, times: list[float], fps: float | None = None) -> None:
        self.fps, self.times, self.asked = fps, times, threading.Semaphore(0)
        self.notes: list[str] = []

    def open(self, ended: threading.Event) -> None:
        self.ended = ended

    def read(self, clock: StreamClock) -> Iterator[tuple[float, Image | None]]:
        for index, taken in enumerate(self.times):
            while index >= 10 and not self.asked.acquire(timeout=0.05):
                if self.ended.is_set():
                    return
            yield taken, np.zeros((48, 64, 3), np.uint8)
        self.ended.wait(5)

    def close(self) -> None:
        pass


def test_pictures_of_one_and_the_same_time_follow_each_other() -> None:
    capture = Scripted([*(k / 25 for k in range(10)), 1.0, 1.0, 1.0, 0.5, 2.0])
    with LiveSource("cam", "cam", capture, FrameSelection()) as source:
        frames = iter(source)
        taken = [next(frames).time]
        for _ in range(5):
            capture.asked.release()
            taken.append(next(frames).time)
    assert all(a < b for a, b in pairwise(taken))
    assert taken[1:] == pytest.approx([1.0, 1.0, 1.0, 1.0, 2.0], abs=1e-4)


def test_what_is_given_is_the_newest_after_the_turn_was_waited_for() -> None:
    """Pictures that come while the network is busy with others make the one that was there no older."""
    capture = Scripted([*(k / 25 for k in range(10)), 1.0, 2.0, 3.0])
    with LiveSource("cam", "cam", capture, FrameSelection()) as source:
        frames = iter(source)
        next(frames)

        def busy() -> None:
            for _ in range(2):
                received = source.received
                capture.asked.release()
                while source.received == received:
                    time.sleep(0.001)

        source.when_ready(busy)
        capture.asked.release()
        assert next(frames).time == 3.0
        assert source.dropped == 9 + 2


@pytest.mark.parametrize(
    ("said", "fps"), [(25.0, 25.0), (29.0, 29.0), (21.0, 21.0), (31.0, 25.0), (19.0, 25.0), (None, 25.0)]
)
def test_the_rate_that_a_camera_says_is_believed_where_its_pictures_agree_to_a_fifth(
    said: float | None, fps: float
) -> None:
    """They come at 25 per second, one of them late."""
    times = [k / 25 + (0.3 if k >= 5 else 0.0) for k in range(10)]
    with LiveSource("cam", "cam", Scripted(times, said), FrameSelection()) as source:
        assert source.fps == fps


def age(frame: Frame) -> float:
    """Return the seconds since the server painted a picture."""
    return (time.time() - stamp(frame.image) + 2**31 / 1000) % (2**32 / 1000) - 2**31 / 1000


def test_an_error_in_a_capture_reaches_the_consumer_as_it_was() -> None:
    class Broken(StreamCapture):
        def open(self, ended: threading.Event) -> None:
            raise ZeroDivisionError("in the reading thread")

    source = LiveSource("x", "x", Broken("rtsp://x"), FrameSelection())
    with pytest.raises(ZeroDivisionError, match="in the reading thread"), source:
        pass


def test_a_live_source_has_no_beginning() -> None:
    with pytest.raises(OptionError, match="live"):
        open_source("rtsp://host/cam", start_s=5)
    with pytest.raises(OptionError, match="rtsp-transport"):
        open_source("rtsp://host/cam", rtsp_transport="carrier pigeon")
