"""Webhooks against a real web server: everything arrives in order, or it is said that it did not."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quick import examples
from tests.tracker.sinks.actions.desk import SCENE, desk, result, soon
from tracker.sinks.actions import parse_action
from tracker.sinks.actions.outbox import ActionSink
from tracker.sinks.actions.webhook import WebhookSink
from tracker.types import Event


def hook(url: str, kind: str = "*", **more: Any) -> WebhookSink:
    return WebhookSink(kind, url, SCENE, **{"backoff_s": 0.01, **more})


@examples(15)
@given(
    st.lists(st.lists(st.sampled_from(["line.in", "line.out", "zone.enter", "seen"]), max_size=3), max_size=8)
)
def test_exactly_the_events_asked_for_arrive_in_order(frames: list[list[str]]) -> None:
    with desk() as receiver:
        with hook(receiver.url, "line.*") as sink:
            for index, kinds in enumerate(frames):
                sink.write(result(*kinds, index=index))
            sink.finish([Event("line.total", 9.0, 90), Event("zone.exit", 9.0, 90)])
        wanted = [(i, k) for i, kinds in enumerate(frames) for k in kinds if k.startswith("line.")]
        got = [(message["frame"], message["kind"]) for message in receiver.got]
    assert got == [*wanted, (90, "line.total")]
    assert sink.warnings == []


def test_a_message_says_what_where_when_and_who() -> None:
    with desk() as receiver, hook(receiver.url + "/in?door=1") as sink:
        sink.write(result("zone.loiter", index=20))
        assert soon(lambda: len(receiver.got) == 1)
    (message,) = receiver.got
    wall = datetime.fromisoformat(message.pop("wall_time"))
    assert wall == datetime.fromtimestamp(1_700_000_002, timezone.utc)
    assert message == {
        "source": "door.mp4",
        "frame": 20,
        "time_s": 2.0,
        "kind": "zone.loiter",
        "name": "till",
        "direction": None,
        "track_id": 7,
        "class_id": 0,
        "class": "person",
        "dwell_s": 61.5,
    }
    assert receiver.headers[0]["path"] == "/in?door=1"
    assert receiver.headers[0]["Content-Type"] == "application/json"


@pytest.mark.slow
@pytest.mark.parametrize("first", [[503, 503], [429], [500, 502, 504]])
def test_a_receiver_that_says_later_is_asked_again(first: list[int]) -> None:
    with desk(answers=[*first, 200]) as receiver, hook(receiver.url) as sink:
        sink.write(result("a", "b"))
        assert soon(lambda: len(receiver.got) == len(first) + 2)
    assert [m["kind"] for m in receiver.got] == ["a"] * (len(first) + 1) + ["b"]
    assert sink.warnings == []


@pytest.mark.parametrize(("answer", "said"), [(404, "answered 404"), (302, "redirected (302)")])
def test_a_receiver_that_says_no_is_not_asked_again(answer: int, said: str) -> None:
    with desk(answers=[answer]) as receiver, hook(receiver.url) as sink:
        sink.write(result("a"))
        assert soon(lambda: bool(receiver.got))
    assert len(receiver.got) == 1
    (note,) = sink.warnings
    assert "1 of 1 events" in note
    assert said in note


@pytest.mark.slow
def test_a_slow_receiver_never_holds_up_the_run_and_the_end_is_bounded() -> None:
    with desk(slow_s=0.3) as receiver, hook(receiver.url, room=10, grace_s=0.5) as sink:
        begin = time.monotonic()
        for index in range(500):
            sink.write(result("a", index=index))
        written = time.monotonic() - begin
    left = time.monotonic() - begin
    assert written < 0.3, "500 events were taken in less time than the first took to arrive"
    assert left < 3
    (note,) = sink.warnings
    assert "given up because too many waited" in note
    assert "still waiting at the end" in note
    lost = int(note.split()[0])
    assert 500 - lost == len(receiver.got)
    assert receiver.got[1]["frame"] >= 488, "the latest are worth more than the oldest"


@pytest.mark.slow
def test_nobody_there_is_noted_without_the_secrets_of_the_address() -> None:
    with desk() as receiver:
        address = receiver.url.replace("//", "//me:pass-secret@") + "/path-secret?token-secret=1"
    sink = parse_action(f"a*={address}", SCENE)  # nobody listens there any more
    threads = threading.active_count()
    sink._grace_s = 0.3
    with sink:
        sink.write(result("a", "b", "ab"))
    (note,) = sink.warnings
    assert "2 of 2 events 'a*' did not reach http://127.0.0.1:" in note
    assert "refused" in note
    assert "secret" not in note
    assert threading.active_count() <= threads


def test_a_name_and_password_are_sent_as_basic_authentication() -> None:
    with desk() as receiver, hook(receiver.url.replace("//", "//me:pass%20word@")) as sink:
        sink.write(result("a"))
        assert soon(lambda: bool(receiver.headers))
    assert receiver.headers[0]["Authorization"] == "Basic bWU6cGFzcyB3b3Jk"
    assert "@" not in receiver.headers[0]["Host"]


def test_an_error_of_the_run_still_delivers_what_happened_before() -> None:
    with desk() as receiver:
        with pytest.raises(KeyboardInterrupt), hook(receiver.url) as sink:
            sink.write(result("a", "b"))
            raise KeyboardInterrupt
        assert len(receiver.got) == 2


def test_what_cannot_be_written_as_json_is_noted_and_the_next_arrives() -> None:
    with desk() as receiver, hook(receiver.url) as sink:
        sink.finish([Event("odd", 0.0, 0, data={"x": object()}), Event("even", 0.0, 0)])
        assert soon(lambda: bool(receiver.got))
    assert [m["kind"] for m in receiver.got] == ["even"]
    assert "TypeError" in sink.warnings[0]


def test_a_sink_without_a_way_says_so() -> None:
    with pytest.raises(NotImplementedError):
        ActionSink("*", "nowhere", SCENE).deliver(Event("a", 0.0, 0))
