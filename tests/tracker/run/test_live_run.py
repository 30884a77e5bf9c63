"""A whole run on a camera: what is told when, and what a restart finds again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from tests.tracker.screen import xdotool
from tests.tracker.sinks.actions.desk import desk
from tests.tracker.sources.rtsp import RtspServer
from tests.tracker.squares import SquareDetector
from tracker.options import Options
from tracker.run.session import Session
from tracker.run.upstream import WithDetector
from tracker.types import EndRun, Image, Result

ROOM = "room=0,0 160,0 160,96 0,96"
PATIENCE_S = 20.0


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector())


def standing() -> Image:
    image = np.full((96, 160, 3), 40, np.uint8)
    image[30:60, 60:90] = 220
    return image


@contextmanager
def running(url: str, **options: object) -> Iterator[tuple[Session, list[Result]]]:
    """Run in a thread until the block is left."""
    stop, results = threading.Event(), list[Result]()
    session = Session(url, Options(**options), stop=stop)  # type: ignore[arg-type]

    def run() -> None:
        with session:
            results.extend(session)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield session, results
    finally:
        stop.set()
        thread.join()


def wait_for(what: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_lost_camera_is_told_at_once_and_once(tmp_path: Path) -> None:
    lines = tmp_path / "run.jsonl"
    with desk() as told, RtspServer(standing) as server:
        with running(server.url, on=(f"source.*={told.url}",), save_json=str(lines)) as (_, results):
            wait_for(lambda: len(results) > 5)
            server.kill()
            wait_for(lambda: told.got)
            count = len(results)
            assert [each["kind"] for each in told.got] == ["source.lost"]
            assert told.got[0]["wall_time"].startswith(time.strftime("%Y-%m-%d"))
            server.start()
            wait_for(lambda: len(results) > count + 5 and len(told.got) == 2)
        kinds = [
            event["kind"] for line in lines.read_text().splitlines() for event in json.loads(line)["events"]
        ]
    assert [each["kind"] for each in told.got] == kinds == ["source.lost", "source.back"]


@pytest.mark.parametrize("wish", ["stop", "q", "Escape"])
def test_a_run_whose_camera_is_lost_ends_at_once(
    screen: object, wish: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    video = tmp_path / "out.mp4"
    threads = threading.active_count()
    with (
        RtspServer(standing) as server,
        running(server.url, show=True, output=str(video)) as (session, results),
    ):
        wait_for(lambda: len(results) > 5)
        server.kill()
        wait_for(lambda: "trying again" in caplog.text)
        time.sleep(1.2)  # in the second, longer wait for the next attempt
        began = time.monotonic()
        if wish == "stop":
            session.stop.set()
        else:
            xdotool("mousemove", "30", "20", "key", wish)
        wait_for(lambda: video.exists() and threading.active_count() <= threads)
        assert time.monotonic() - began < 2.0
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == len(results)


@pytest.mark.slow
def test_who_stands_still_keeps_number_and_visit_over_a_restart(tmp_path: Path) -> None:
    state, events = str(tmp_path / "run.json"), str(tmp_path / "e.jsonl")
    keeping = {"state": state, "events": events, "zone": (ROOM,), "lost": 60.0}
    with RtspServer(standing) as server:
        for _ in range(2):
            with running(server.url, **keeping) as (session, results):
                wait_for(lambda: len(results) > 10)
    assert session.report.earlier > 0
    assert {int(n) for result in results for n in result.tracks.track_id} == {1}
    assert session.report.distinct() == {"person": 1}
    seen = [json.loads(line) for line in Path(events).read_text().splitlines()]
    assert [(event["kind"], event["track_id"]) for event in seen] == [("zone.enter", 1)]
    assert session.plugins[0].entries == 1  # type: ignore[attr-defined]


@pytest.mark.slow
def test_who_was_gone_for_longer_is_somebody_else_and_the_visit_has_ended(tmp_path: Path) -> None:
    state, events = str(tmp_path / "run.json"), str(tmp_path / "e.jsonl")
    keeping = {"state": state, "events": events, "zone": (ROOM,), "lost": 0.2}
    with RtspServer(standing) as server:
        with running(server.url, **keeping) as (_, results):
            wait_for(lambda: len(results) > 10)
        last_seen = results[-1].frame.time
        time.sleep(2.0)
        with running(server.url, **keeping) as (session, again):
            wait_for(lambda: len(again) > 10)
    assert {int(n) for result in again for n in result.tracks.track_id} == {2}
    seen = [json.loads(line) for line in Path(events).read_text().splitlines()]
    assert [(event["kind"], event["track_id"]) for event in seen] == [
        ("zone.enter", 1),
        ("zone.exit", 1),
        ("zone.enter", 2),
    ]
    assert seen[1]["left_s"] == pytest.approx(last_seen, abs=0.2)  # not when the run began again
    assert session.report.distinct() == {"person": 2}


@pytest.mark.slow
def test_who_was_gone_for_longer_is_known_again_by_looks(tmp_path: Path) -> None:
    keeping = {"state": str(tmp_path / "run.json"), "lost": 0.2, "appearance": "color"}
    with RtspServer(standing) as server:
        for _ in range(2):
            with running(server.url, **keeping) as (session, results):
                wait_for(lambda: len(results) > 15)
            time.sleep(1.0)
    assert {int(n) for result in results for n in result.tracks.track_id} == {1}
    assert session.report.distinct() == {"person": 1}


@pytest.mark.slow
def test_an_interrupted_run_waits_for_no_receiver() -> None:
    with desk(slow_s=3.0) as told, RtspServer(standing) as server:
        with running(server.url, on=(f"zone.*={told.url}",), zone=(ROOM,)) as (session, results):
            wait_for(lambda: any(result.events for result in results))
            began = time.monotonic()
        print(f"left {time.monotonic() - began:.2f} s after it was stopped")
        assert told.got == [], "it waited until the receiver had answered"
    assert session.report.frames > 0


@pytest.mark.slow
def test_a_camera_that_never_answers_is_told_at_once_and_when_it_comes(tmp_path: Path) -> None:
    """Also after a restart, when the last run has seen it."""
    with RtspServer(standing) as server:
        server.kill()
        with desk() as told:
            with running(server.url, on=(f"source.*={told.url}",)) as (session, results):
                wait_for(lambda: told.got)
                assert [each["kind"] for each in told.got] == ["source.lost"] and not session.account.opened
                assert told.got[0]["reason"] == "connection refused"
                server.start()
                wait_for(lambda: len(results) > 3 and len(told.got) == 2)
            assert [each["kind"] for each in told.got] == ["source.lost", "source.back"]
    assert [event.kind for event in results[0].events][:2] == ["source.lost", "source.back"]


@pytest.mark.slow
def test_one_that_never_comes_has_a_closing_line_and_a_row() -> None:
    with desk() as told:
        stop = threading.Event()
        options = Options(on=(f"source.lost={told.url}",))
        session = Session("rtsp://127.0.0.1:9/cam", options, stop=stop)
        timer = threading.Timer(0.5, stop.set)
        timer.start()
        with pytest.raises(EndRun), session:
            pass
        timer.join()
        assert len(told.got) == 1
    (line,) = session.account.warnings()
    assert line.startswith("no picture came in 0.") and line.endswith("(connection refused)")
    assert session.account.was_awaited and dict(session.account.rows())["frames"].startswith("none in 0.")


@pytest.mark.slow
def test_the_state_of_a_camera_is_found_again_when_it_gets_a_name(tmp_path: Path) -> None:
    state = str(tmp_path / "run.json")
    with RtspServer(standing) as server:
        for name in (None, "gate"):
            stop = threading.Event()
            options = Options(state=state, max_frames=5)
            with Session(WithDetector(server.url, options, name=name), options, stop=stop) as session:
                results = list(session)
    assert session.report.earlier == 5 and len(results) == 5
