"""More ways in that lead nowhere: markup in names, passwords of cameras, too many pages, TLS."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
from contextlib import ExitStack
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.tracker.web.stage import Page, opened
from tests.tracker.web.test_page import Tab, browser  # noqa: F401 - a fixture
from tracker.options import Options
from tracker.run.listed import find_runs
from tracker.types import OutputError
from tracker.web import socket as sockets
from tracker.web.about import about
from tracker.web.server import Where
from tracker.web.workers import Workers

pytestmark = pytest.mark.slow
MARKUP = "<img src=x onerror=\"document.title='in'\">"


def talk(page: Page, cookie: str) -> ClientConnection:
    return connect(
        f"ws://127.0.0.1:{page.port}/ws",
        origin=page.origin,  # type: ignore[arg-type]
        additional_headers={"Cookie": f"track-{page.port}={cookie}"},
    )


def test_names_are_text_and_never_markup(browser: Any, tmp_path: Path) -> None:  # noqa: F811
    with opened(tmp_path, names=(f"door {MARKUP}".replace("/", ""),)) as page:
        tab = Tab(browser, page)
        names = {"in": f"in {MARKUP}", "out": f"out {MARKUP}"}
        line = {"kind": "line", "name": MARKUP, "points": [[160, 0], [160, 240]], **names}
        assert page.put([line], page.enter())[0] == 200
        page.wait(lambda: any(event.kind.startswith("line.") for event in page.results[0]))
        tab.edit()
        tab.tab.get_by_role("button", name=MARKUP, exact=True).last.click()
        tab.tab.get_by_text(MARKUP).first.wait_for()
        assert tab.tab.locator("main img[src=x]").count() == 0
        assert "track" in tab.tab.title()
        assert tab.problems == []


def test_no_password_of_a_camera_is_told(tmp_path: Path) -> None:
    runs = find_runs(["rtsp://admin:s3cret@127.0.0.1:9/live?token=t0ken"])
    workers = Workers(runs, Options(give_up_after=0.5), tmp_path)
    station = workers.stations[0]
    page = Page(tmp_path, ())
    with page:
        page.server.site.stations[1] = station
        workers.all[0].history = page.server.history
        with workers:
            cookie = page.enter()
            page.wait(lambda: about(station)["message"] and station.state == "starting", 20)
            status, _, health = page.ask("GET", "/api/health", cookie=cookie)
            told_health = json.loads(health)
            assert (status, told_health["ok"], told_health["sources"]) == (503, False, {"1": "starting"})
            assert told_health["why"]["1"] == about(station)["message"]
            assert json.loads(page.ask("GET", "/api/health")[2]) == {"ok": False}  # a container's check
            page.wait(lambda: station.state == "failed", 20)
            told = b"".join(
                page.ask("GET", path, cookie=cookie)[2]
                for path in ("/api/sources", "/api/sources/1/events", "/api/sources/1/shapes", "/api/health")
            )
    assert station.message
    told += b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    told += " ".join(path.name for path in tmp_path.rglob("*")).encode()
    assert b"s3cret" not in told
    assert b"t0ken" not in told


def test_one_page_too_many_is_sent_away(tmp_path: Path) -> None:
    with ExitStack() as stack, opened(tmp_path) as page:
        cookie = page.enter()
        open_ones = [stack.enter_context(talk(page, cookie)) for _ in range(sockets.VIEWERS)]
        page.wait(lambda: page.server.site.sockets.open == sockets.VIEWERS)
        with pytest.raises((InvalidStatus, ConnectionClosed)), talk(page, cookie) as late:
            late.recv(timeout=5)
        open_ones[0].close()
        page.wait(lambda: page.server.site.sockets.open < sockets.VIEWERS)
        with talk(page, cookie) as now:
            assert "sources" in now.recv(timeout=5)


def test_an_address_is_believed_only_from_the_proxy(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse", encoding="utf-8")
    for proxies, last in (((), 429), (("127.0.0.1",), 401)):
        with Page(tmp_path, (), Where(port=0, password_file=secret, proxies=proxies)) as page:
            answers = [
                page.ask(
                    "POST",
                    "/api/login",
                    {"password": "wrong one"},
                    Origin=page.origin,
                    X_Forwarded_For=f"9.9.9.{n}",
                )[0]
                for n in range(6)
            ]
            assert answers[-1] == last


def test_headers_that_protect_are_on_every_answer(tmp_path: Path) -> None:
    with opened(tmp_path) as page:
        cookie = page.enter()
        for path in ("/", "/static/app.js", "/api/sources", "/api/sources/1/frame.jpg", "/nothing", "/login"):
            _, headers, _ = page.ask("GET", path, cookie=cookie)
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"


def test_it_speaks_tls_by_itself(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
         "-days", "2", "-subj", "/CN=localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    with Page(tmp_path, (), Where(port=0, certificate=certificate, key=key)) as page:
        link = page.server.link()
        assert link.startswith("https://")
        trust = ssl.create_default_context(cafile=str(certificate))
        trust.check_hostname = False
        connection = HTTPSConnection("127.0.0.1", page.port, context=trust, timeout=10)
        connection.request("GET", link.split(str(page.port), 1)[1])
        answer = connection.getresponse()
        assert answer.status == 303
        assert "secure" in answer.headers["set-cookie"].lower()
        connection.close()


def test_two_cannot_keep_their_results_in_one_folder(tmp_path: Path) -> None:
    """What one keeps of a source is removed when the other begins with it."""
    first, second = (Workers(find_runs(["rtsp://10.0.0.5/live"]), Options(), tmp_path) for _ in range(2))
    first.claim()
    with pytest.raises(OutputError, match="another track serve"):
        second.claim()
    first.__exit__(None, None, None)
    second.claim()
    second.__exit__(None, None, None)


def test_nobody_can_make_it_open_another_source(tmp_path: Path) -> None:
    with opened(tmp_path) as page:
        cookie = page.enter()
        body = {"source": "/etc/passwd", "uri": "file:///etc/passwd", "zones": "/etc/passwd"}
        for what in ("start", "stop", "recount"):
            status, _, told = page.ask(
                "POST", f"/api/sources/1/{what}", body, cookie=cookie, Origin=page.origin
            )
            assert (status, "error" in json.loads(told)) == (409, True)
        assert len(json.loads(page.ask("GET", "/api/sources", cookie=cookie)[2])["sources"]) == 1
