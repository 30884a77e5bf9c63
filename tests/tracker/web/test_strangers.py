"""What strangers send: too much, too slowly, nonsense. Each gets its answer, the terminal no traceback."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedOK

from tests.tracker.web.stage import Page, opened
from tracker.web import patience
from tracker.web import socket as sockets

LINE = {"kind": "line", "name": "middle", "points": [[160, 0], [160, 240]]}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened(tmp_path_factory.mktemp("web")) as found:
        yield found


@pytest.fixture
def owner(page: Page) -> str:
    return page.enter()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is logged, which would be printed."""
    yield
    assert not caplog.get_records("call")  # after the test `records` are those of its teardown


def test_what_is_no_list_or_no_text_is_told(page: Page, owner: str) -> None:
    for wrong in ({"classes": 5}, {"classes": {"a": 1}}, {"classes": "a"}, {"in": 1}, {"color": []}):
        assert page.put([{**LINE, **wrong}], owner)[0] == 422, wrong
    zone = {"kind": "zone", "name": "z", "points": [[0, 0], [9, 0], [9, 9]], "loiter": True}
    assert page.put([zone], owner)[0] == 422


def test_a_body_without_end_and_numbers_beyond_all_use_are_refused(page: Page, owner: str) -> None:
    parts = (b"x" * 60_000 for _ in range(6))  # no length is told
    headers = {"cookie": owner, "Origin": page.origin}
    assert page.ask("PUT", "/api/sources/1/shapes", parts, **headers)[0] == 413  # type: ignore[arg-type]
    assert page.ask("GET", f"/api/sources/1/events/{10**30}/picture.jpg", cookie=owner)[0] == 404
    assert page.ask("GET", f"/api/sources/{'9' * 5000}/shapes", cookie=owner)[0] == 414
    assert page.ask("GET", "/login?link=%C3%A9")[0] == 303


def test_what_stops_being_http_behind_its_head_is_answered_once(page: Page) -> None:
    """Though who answers the head, here that a cookie is missing, is just about to begin."""
    head = b"PUT /api/sources/1/shapes HTTP/1.1\r\nHost: localhost\r\n"
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", page.port), timeout=5) as stranger:
            stranger.sendall(head + b"Transfer-Encoding: chunked\r\n\r\nno number\r\n")
            answer = b"".join(iter(lambda: stranger.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 400 ") and answer.count(b"HTTP/1.1") == 1


def test_pictures_are_not_compressed_once_more(page: Page, owner: str) -> None:
    with page.listen(owner) as talk:  # which offers to
        assert not talk.protocol.extensions


def test_two_shapes_of_one_id_are_refused(page: Page, owner: str) -> None:
    _, first = page.put([LINE], owner)
    known = first["shapes"][0]["id"]  # type: ignore[index]
    status, answer = page.put([{**LINE, "id": known}, {**LINE, "name": "copy", "id": known}], owner)
    assert (status, answer["index"]) == (422, 1)
    assert "two shapes" in str(answer["error"])
    assert [each["name"] for each in page.stations[0].counting.shapes()["shapes"]] == ["middle"]
    assert page.put([], owner)[0] == 200


@pytest.mark.slow
def test_who_says_nothing_is_sent_away(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_S", 0.05)
    monkeypatch.setattr(patience, "BODY_S", 0.05)
    post = "POST /api/login HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"
    for said, answer in (
        ("", ""),
        ("GET /login HTTP/1.1\r\nHost: loc", ""),
        (f"{post}Content-Length: 30\r\n\r\n{{", "HTTP/1.1 408"),
    ):
        with socket.create_connection(("127.0.0.1", page.port), timeout=4) as silent:
            silent.sendall(said.encode())
            told = b""
            while part := silent.recv(10_000):  # until it is closed by the server
                told += part
        assert told[:12].decode() == answer
    with socket.create_connection(("127.0.0.1", page.port), timeout=4) as kept:
        kept.sendall(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert kept.recv(12) == b"HTTP/1.1 200"
        kept.sendall(b"GET /login HTTP/1.1\r\nHost: loc")  # a second one, never ended
        while kept.recv(10_000):
            pass


@pytest.mark.slow
def test_silent_sockets_lock_nobody_out(page: Page, owner: str) -> None:
    with ExitStack() as stack:
        viewer = stack.enter_context(page.listen(owner))
        kept = [
            stack.enter_context(socket.create_connection(("127.0.0.1", page.port), timeout=5))
            for _ in range(200)
        ]
        for each in kept[::2]:
            with suppress(OSError):
                each.sendall(b"GET /login HTTP/1.1\r\n")
        assert page.ask("GET", "/login")[0] == 200
        assert page.ask("GET", "/api/sources", cookie=owner)[0] == 200
        assert "sources" in viewer.recv(timeout=5)
        with suppress(OSError):
            assert kept[0].recv(10) == b""  # who waits longest has gone


@pytest.mark.parametrize(
    "message", ['{"ack": Infinity}', '{"watch": [{"source": 1, "width": 1e999}]}', "null", "[" * 30_000, b"1"]
)
def test_who_talks_nonsense_is_cut_off(page: Page, owner: str, message: str | bytes) -> None:
    with page.listen(owner) as talk:
        talk.send(message)
        with pytest.raises(ConnectionClosedOK):
            while True:
                talk.recv(timeout=5)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_who_takes_all_files_is_told_once_and_outlived(page: Page, owner: str) -> None:
    import resource

    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    told = len(page.told)
    with ExitStack() as stack:
        last = stack.enter_context(Path(os.devnull).open(encoding="utf-8"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno() + 10, most))
        try:
            with suppress(OSError):
                while True:
                    stack.enter_context(socket.create_connection(("127.0.0.1", page.port), timeout=5))
            page.wait(lambda: len(page.told) > told)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))
    page.wait(lambda: page.ask("GET", "/api/sources", cookie=owner)[0] == 200)
    assert ["ulimit" in text for text in page.told[told:]] == [True]


def test_logging_out_ends_what_is_open(page: Page, owner: str) -> None:
    with page.listen(owner) as talk, page.plain_pictures(owner) as pictures:
        assert pictures.recv(12) == b"HTTP/1.1 200"
        assert page.ask("POST", "/api/logout", {}, cookie=owner, Origin=page.origin)[0] == 200
        with pytest.raises(ConnectionClosedOK):
            while True:
                talk.recv(timeout=5)
        while pictures.recv(100_000):
            pass


@pytest.mark.slow
def test_plain_pictures_are_viewers_too(page: Page, owner: str) -> None:
    with ExitStack() as stack:
        asked = [stack.enter_context(page.plain_pictures(owner)) for _ in range(sockets.VIEWERS + 5)]
        answers = [each.recv(12) for each in asked]
        assert (answers.count(b"HTTP/1.1 200"), answers.count(b"HTTP/1.1 429")) == (sockets.VIEWERS, 5)
    page.wait(lambda: page.server.site.sockets.open == 0)


@pytest.mark.slow
def test_the_end_waits_for_no_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path) as page, socket.create_connection(("127.0.0.1", page.port)) as slow:
        slow.sendall(b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n")
        slow.sendall(b"Content-Length: 30\r\n\r\n{")
        with page.plain_pictures(page.enter()):  # never read
            time.sleep(0.5)
            began = time.monotonic()
            page.server.__exit__(None, None, None)
            assert time.monotonic() - began < 2
    (said,) = caplog.messages
    assert said.startswith("Cancel 1 running task(s)")
    caplog.clear()


@pytest.mark.slow
def test_a_run_that_ends_waits_for_no_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as page:
        cookie, station = page.enter(), page.stations[0]
        monkeypatch.setattr(station.counting, "obey", lambda: None)  # the loop has looked for the last time
        answers: list[int] = []
        changing = threading.Thread(target=lambda: answers.append(page.put([LINE], cookie)[0]))
        changing.start()
        page.wait(lambda: station.counting._orders._waiting)
        began = time.monotonic()
        page.stops[0].set()
        page.threads[0].join(10)
        changing.join(10)
        assert time.monotonic() - began < 2
        assert answers == [200]  # it is in the file
        assert "middle" in station.zones.read_text(encoding="utf-8")
