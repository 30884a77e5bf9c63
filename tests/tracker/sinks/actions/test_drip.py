"""Receivers that answer a byte at a time, for ever: an attempt ends in time, and it is said."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.tracker.sinks.actions.desk import SCENE, desk, result
from tracker.sinks.actions.webhook import WebhookSink

DRIPS = {
    "status line": (b"", b"H"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X"),
    "header after header": (b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n"),
    "wait for it": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b""),
    "chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "nothing": (b"", b""),
}


@contextmanager
def dripping(first: bytes, again: bytes) -> Iterator[str]:
    over = threading.Event()

    def answer(one: socket.socket) -> None:
        with one, suppress(OSError):
            one.recv(1 << 16)
            one.sendall(first)
            while not over.wait(0.02):
                one.sendall(again)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.slow
# Python leaves a TLS socket unclosed whose connection ends before the handshake (`ssl.SSLSocket._create`).
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("drip", DRIPS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_attempt_ends_in_time_and_is_noted(drip: str, scheme: str) -> None:
    with dripping(*DRIPS[drip]) as place:
        sink = WebhookSink(
            "*", f"{scheme}://me:secret@{place}/x", SCENE, backoff_s=0.01, timeout_s=0.1, grace_s=0.3
        )
        begun = time.monotonic()
        with sink:
            sink.write(result("a", "b"))
        assert time.monotonic() - begun < 4
    (note,) = sink.warnings
    assert "2 of 2 events '*' did not reach" in note and "secret" not in note
    assert not any(thread.is_alive() for thread in sink._threads)


@pytest.mark.slow
def test_who_hangs_past_the_end_is_cut_and_noted() -> None:
    with dripping(*DRIPS["headers"]) as place:
        sink = WebhookSink("*", f"http://{place}/x", SCENE, timeout_s=60, grace_s=0.2)
        begun = time.monotonic()
        with sink:
            sink.write(result("a"))
        assert time.monotonic() - begun < 4
    (note,) = sink.warnings
    assert "1 of 1 events '*' did not reach" in note


@pytest.mark.slow
def test_the_next_receiver_is_not_cut_by_the_clock_of_the_one_before() -> None:
    with desk(slow_s=0.06) as receiver, WebhookSink("*", receiver.url, SCENE, timeout_s=0.4) as sink:
        sink.write(result(*"abcdefghij"))
    assert len(receiver.got) == 10 and sink.warnings == []
