"""Nonsense at every address: an answer of 200 to 499 or 503 each time, and nothing on the terminal."""

from __future__ import annotations

import json
import logging
import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.tracker.web.stage import Page, opened
from tracker.types import OptionError
from tracker.web.station import Station

ONE = "/api/sources/1"
READ = [
    "/",
    "/login",
    "/static/app.js",
    "/static/nothing.js",
    "/api/health",
    "/api/sources",
    f"{ONE}/frame.jpg",
    f"{ONE}/shapes",
    f"{ONE}/counts",
    f"{ONE}/events",
    f"{ONE}/events/1/picture.jpg",
    f"{ONE}/report.html",
    f"{ONE}/report.xlsx",
    f"{ONE}/chart",
    f"{ONE}/chart?from=-1e11&to=-99999999000",
    f"{ONE}/timeline",
    "/api/results",
    "/api/results/1-video",
    "/nothing",
    "/ws",
    "/api/sources/0/shapes",
    f"/api/sources/{'9' * 400}/shapes",
    "/stream/nobody.mjpg",
]
WRITE = [
    ("PUT", f"{ONE}/shapes"),
    ("POST", f"{ONE}/shapes/restore"),
    ("POST", f"{ONE}/zero"),
    ("POST", f"{ONE}/start"),
    ("POST", f"{ONE}/recount"),
    ("POST", "/api/login"),
    ("DELETE", f"{ONE}/shapes"),
    ("PATCH", "/api/sources"),
]
KEYS = [
    "from",
    "to",
    "step",
    "format",
    "before",
    "after",
    "most",
    "doubtful",
    "width",
    "at",
    "bare",
    "link",
    "download",
]
WORDS = [
    "",
    "0",
    "-1",
    "1",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "1e11",
    "9" * 30,
    "0x10",
    "é",
    "%00",
    "%ff",
    "csv",
    "<b>",
    "' OR 1=1",
    "\ud800",
    "1" * 3000,
]
HEADERS = [
    "Range",
    "Host",
    "Cookie",
    "Content-Type",
    "Accept",
    "Origin",
    "X-Forwarded-For",
    "Content-Length",
    "Transfer-Encoding",
    "Expect",
    "Upgrade",
    "If-None-Match",
]
VALUES = [
    "bytes=0-",
    "bytes=9-1",
    "bytes=-1",
    f"bytes={'0-1,' * 300}0-1",
    "chunked",
    "websocket",
    "100-continue",
    "text/html",
    "9" * 25,
    "-5",
    "a=b; c",
    "x" * 3000,
    "\x80\xff",
    "null",
    "[::1",
    "h" * 300,
]


def value(chance: random.Random, depth: int = 0) -> object:
    """Return anything that JSON has, and some things that it has not."""
    if depth < 3 and chance.random() < 0.4:
        if chance.random() < 0.5:
            return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
        return {chance.choice(["a", "", "id", "name", "é"]): value(chance, depth + 1)}
    return chance.choice(
        [
            None,
            True,
            -1,
            0,
            10**400,
            1e308,
            float("nan"),
            float("inf"),
            "",
            "x",
            "\ud800",
            "\x00",
            "s1",
            "line",
            "a" * 5000,
            [[0, 0], [9, 9]],
            [[0, 0], [1e5, 9]],
            "\u202e",
            "../x",
            "2\n3",
            10**30,
        ]
    )


def shape(chance: random.Random) -> dict[str, object]:
    """Return a line or zone with something wrong in it."""
    given: dict[str, object] = {
        "kind": chance.choice(["line", "zone"]),
        "name": "a",
        "points": [[10, 10], [200, 20], [100, 200]],
    }
    keys = [
        "kind",
        "name",
        "points",
        "in",
        "out",
        "towards",
        "anchor",
        "classes",
        "color",
        "loiter",
        "id",
        "x",
    ]
    for _ in range(chance.randrange(1, 4)):
        given[chance.choice(keys)] = value(chance)
    return given


def body(chance: random.Random, version: str) -> bytes:
    kind = chance.randrange(6)
    if kind == 0:
        return chance.randbytes(chance.randrange(60))
    if kind == 1:
        return b'{"shapes":' * 9000
    if kind == 2:
        return json.dumps(value(chance)).encode()
    given: dict[str, object] = {
        "version": version if chance.random() < 0.8 else value(chance),
        "shapes": [shape(chance) for _ in range(chance.randrange(4))] if kind > 3 else value(chance),
        "name": value(chance),
        "password": value(chance),
    }
    return json.dumps(given).encode()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened(tmp_path_factory.mktemp("web")) as found:
        found.server.site.access.may_try = lambda address: True  # type: ignore[method-assign]
        yield found


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    caplog.set_level(logging.WARNING)
    yield
    said = caplog.get_records("call")  # after the test `records` are those of its teardown
    assert not said, [record.getMessage() for record in said]
    assert "Traceback" not in capfd.readouterr().err


def answer(page: Page, request: bytes) -> int:
    """Send bytes as they are; return the status, 0 where the connection was only closed.

    That it may go on (100), which some ask for, is no answer yet.
    """
    with socket.create_connection(("127.0.0.1", page.port), timeout=10) as asked:
        with suppress(ConnectionError):
            asked.sendall(request)
        told = b""
        with suppress(ConnectionError, TimeoutError):
            while part := asked.recv(10_000):
                told += part
    status = [int(line[9:12]) for line in told.split(b"\r\n\r\n")[:2] if line.startswith(b"HTTP/1.1 ")]
    return next((each for each in status if each != 100), 0)


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
def test_every_address_has_an_answer_to_nonsense(page: Page, seed: int) -> None:
    chance = random.Random(seed)
    cookie = page.enter()
    for _ in range(25 if seed == 1 else 120):
        version = page.stations[0].counting.version
        method, path = chance.choice(
            [*WRITE, *(("GET", each) for each in READ), ("HEAD", chance.choice(READ))]
        )
        query = "&".join(f"{chance.choice(KEYS)}={chance.choice(WORDS)}" for _ in range(chance.randrange(3)))
        headers = {"Host": f"127.0.0.1:{page.port}", "Origin": page.origin, "Connection": "close"}
        headers["Cookie"] = f"track-{page.port}={cookie}"
        sent = body(chance, version) if method not in ("GET", "HEAD") else b""
        headers["Content-Length"] = str(len(sent))
        if chance.random() < 0.3:
            headers[chance.choice(HEADERS)] = chance.choice(VALUES)
        lines = [f"{method} {path}{'?' if query else ''}{query} HTTP/1.1"]
        lines += [f"{key}: {told}" for key, told in headers.items()]
        head = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n"
        status = answer(page, head + sent)
        assert status in {0, 503, *range(200, 500)}, head + sent[:300]
    page.wait(lambda: page.ask("GET", "/api/sources", cookie=cookie)[0] == 200)
    assert page.threads[0].is_alive()


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n" * 50,
        b"\x16\x03\x01" + b"\0" * 300,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"x" * 70_000,
        b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n\x00\x01\x02 GET / HTTP/1.1\r\n\r\n" * 3,
        b"GET /login HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(page: Page, sent: bytes) -> None:
    with suppress(TimeoutError):
        assert answer(page, sent + b"\r\n\r\n") in {0, *range(200, 500)}


def test_nonsense_on_the_socket_ends_it_and_nothing_else(page: Page) -> None:
    chance, cookie = random.Random(7), page.enter()
    for _ in range(25):
        with suppress(ConnectionClosed, InvalidStatus), page.listen(cookie) as talk:
            told = value(chance)
            key = chance.choice(["watch", "ack", "x"])
            talk.send(json.dumps({key: told} if chance.random() < 0.7 else {key: [{"source": told}]}))
            talk.recv(timeout=5)
    page.wait(lambda: page.server.site.sockets.open == 0)


def test_a_zone_file_of_nonsense_is_told(page: Page, tmp_path: Path) -> None:
    chance = random.Random(3)
    station = page.stations[0]
    assert station.scene is not None
    for _ in range(20):
        document = Station(9, "z", True, tmp_path / "z.yaml").counting
        document.scene = station.scene
        document.zones.write_bytes(body(chance, ""))
        with suppress(OptionError):  # and nothing else
            document.shapes()
