"""The server with real runs behind it: what it answers, and that nobody gets in who may not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.tracker.web.stage import SIZE, Page, opened
from tracker.cli import main
from tracker.types import OptionError, OutputError
from tracker.web.server import Server, Where
from tracker.web.station import Station

LINE = {"kind": "line", "name": "middle", "points": [[160, 0], [160, 240]]}
ZONE = {"kind": "zone", "name": "left", "points": [[0, 0], [150, 0], [150, 240], [0, 240]]}
WRITES = ["start", "stop", "zero", "recount", "shapes/restore"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One for all that only ask."""
    folder = tmp_path_factory.mktemp("web")
    secret, viewer = folder / "secret", folder / "viewer"
    secret.write_text("correct horse", encoding="utf-8")
    viewer.write_text("only looking", encoding="utf-8")
    where = Where(port=0, password_file=secret, viewer_password_file=viewer, allow_hosts=("cam.example",))
    with opened(folder, where=where) as found:
        yield found


@pytest.fixture(scope="module")
def owner(page: Page) -> str:
    return page.enter()


@pytest.fixture(scope="module")
def viewer(page: Page) -> str:
    _, headers, _ = page.ask("POST", "/api/login", {"password": "only looking"}, Origin=page.origin)
    return headers["set-cookie"].split("=", 1)[1].split(";")[0]


def test_nobody_sees_anything_without_a_cookie(page: Page) -> None:
    for path in (
        "/",
        "/api/sources",
        "/static/app.js",
        "/stream/door.mjpg",
        "/api/results/1-video",
    ):
        status, headers, body = page.ask("GET", path)
        assert (status, json.loads(body)) == (401, {"error": "log in first"}), path
        assert headers["content-security-policy"].startswith("default-src 'none'")
    status, headers, _ = page.ask("GET", "/", Accept="text/html")
    assert (status, headers["location"]) == (303, "./login")
    assert page.ask("GET", "/login")[0] == 200
    with pytest.raises(InvalidStatus):
        connect(f"ws://127.0.0.1:{page.port}/ws", origin=page.origin)  # type: ignore[arg-type]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(page: Page) -> None:
    link = page.server.link()
    status, headers, _ = page.ask("GET", link.split(str(page.port), 1)[1])
    assert status == 303
    told = headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=strict" in told
    assert f"track-{page.port}" in told
    assert page.ask("GET", link.split(str(page.port), 1)[1])[1]["location"] == "login?used"


def test_a_viewer_may_look_and_not_change(page: Page, viewer: str) -> None:
    assert page.ask("GET", "/api/sources", cookie=viewer)[0] == 200
    for what in WRITES:
        path = f"/api/sources/1/{what}"
        assert page.ask("POST", path, {}, cookie=viewer, Origin=page.origin)[0] == 403
    assert page.put([LINE], viewer)[0] == 403
    assert not page.stations[0].zones.exists()


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "http://127.0.0.1:1", "http://127.0.0.1"]
)
def test_no_other_page_can_write_or_listen(page: Page, owner: str, origin: str | None) -> None:
    for what in WRITES:
        assert page.ask("POST", f"/api/sources/1/{what}", {}, cookie=owner, Origin=origin)[0] == 403
    assert page.ask("POST", "/api/login", {"password": "correct horse"}, Origin=origin)[0] == 403
    with pytest.raises(InvalidStatus):
        connect(
            f"ws://127.0.0.1:{page.port}/ws",
            origin=origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": f"track-{page.port}={owner}"},
        )


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:{}", True), ("localhost:{}", True), ("[::1]:{}", True), ("cam.example", True),
        ("10.1.2.3:{}", True), ("evil.example", False), ("127.0.0.1.evil.example", False), ("", False),
        ("cam.example.evil", False), ("cam.example@evil.example", False),
    ],
)  # fmt: skip
def test_only_its_own_names_are_answered(page: Page, owner: str, host: str, known: bool) -> None:
    status, _, _ = page.ask("GET", "/api/health", cookie=owner, Host=host.format(page.port))
    assert status == (200 if known else 421)


def test_files_come_by_id_never_by_path(page: Page, owner: str) -> None:
    for path in (
        "/static/..%2fapp.py", "/static/../app.py", "/static/.htaccess", "/static/app.py",
        "/static/%2e%2e/app.py",
        "/api/results/..%2f..%2fetc%2fpasswd", "/api/results/1-video", "/api/sources/1/events/1/picture.jpg",
        "/api/sources/99/frame.jpg", "/stream/..%2f.mjpg", "/api/sources/1/report.exe",
    ):  # fmt: skip
        assert page.ask("GET", path, cookie=owner)[0] == 404, path


def test_bodies_are_bounded_and_bad_ones_told(page: Page, owner: str) -> None:
    path, headers = "/api/sources/1/shapes", {"cookie": owner, "Origin": page.origin}
    assert page.ask("PUT", path, b"x" * (300 * 1024), **headers)[0] == 413  # type: ignore[arg-type]
    for body in (b"", b"[]", b"{", b"[" * 50_000, b"\xff"):
        assert page.ask("PUT", path, body, **headers)[0] == 422  # type: ignore[arg-type]
    assert page.put([LINE] * 201, owner)[0] == 422
    for query in ("?from=x", "?from=nan", "?step=1e99"):
        assert page.ask("GET", f"/api/sources/1/counts{query}", cookie=owner)[0] == 422
    assert page.ask("GET", "/api/sources/1/counts?from=0&to=1e9&step=60", cookie=owner)[0] == 422


@pytest.mark.slow
def test_five_wrong_passwords_and_it_waits(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse", encoding="utf-8")
    with Page(tmp_path, (), Where(port=0, password_file=secret)) as page:
        answers = [
            page.ask(
                "POST",
                "/api/login",
                {"password": f"wrong {n}"},
                Origin=page.origin,
                X_Forwarded_For=f"9.9.9.{n}",
            )[0]
            for n in range(6)
        ]
        assert answers == [401] * 5 + [429]  # whatever address it claims to come from
        right = page.ask("POST", "/api/login", {"password": "correct horse"}, Origin=page.origin)
        assert right[0] == 429


def test_logging_out_makes_the_cookie_worthless(page: Page) -> None:
    cookie = page.enter()
    assert page.ask("POST", "/api/logout", {}, cookie=cookie, Origin=page.origin)[0] == 200
    assert page.ask("GET", "/api/sources", cookie=cookie)[0] == 401


@pytest.mark.slow
def test_what_is_drawn_is_counted_saved_and_told(tmp_path: Path) -> None:
    with opened(tmp_path) as page:
        cookie = page.enter()
        status, told = page.put([LINE, ZONE], cookie)
        assert status == 200
        assert page.stations[0].zones.read_text("utf-8").count("name:") == 2
        page.wait(lambda: any(event.kind == "line.in" for event in page.results[0]))
        page.wait(lambda: any(event.kind == "zone.enter" for event in page.results[0]))
        page.wait(lambda: json.loads(page.ask("GET", "/api/sources/1/events", cookie=cookie)[2])["rows"])
        (source,) = json.loads(page.ask("GET", "/api/sources", cookie=cookie)[2])["sources"]
        assert [total["name"] for total in source["totals"]] == ["middle", "left"]
        page.wait(lambda: b"middle" in page.ask("GET", "/api/sources/1/counts?format=csv", cookie=cookie)[2])
        # an older version is refused; a wrong shape changes nothing
        stale = {"version": "0" * 16, "shapes": []}
        assert page.ask("PUT", "/api/sources/1/shapes", stale, cookie=cookie, Origin=page.origin)[0] == 409
        bad = {**ZONE, "points": [[0, 0], [100, 100], [100, 0], [0, 100]]}
        assert page.put([LINE, bad], cookie) == (
            422,
            {"error": "zone 'left' crosses itself: side 1 meets side 3", "index": 1},
        )
        kept = json.loads(page.ask("GET", "/api/sources/1/shapes", cookie=cookie)[2])
        assert kept["version"] == told["version"]
        # and the first version can be brought back
        assert page.put([LINE], cookie)[0] == 200
        now = json.loads(page.ask("GET", "/api/sources/1/shapes", cookie=cookie)[2])
        body = {"version": now["version"], "name": now["versions"][0]}
        path = "/api/sources/1/shapes/restore"
        assert page.ask("POST", path, body, cookie=cookie, Origin=page.origin)[0] == 200
        assert len(json.loads(page.ask("GET", "/api/sources/1/shapes", cookie=cookie)[2])["shapes"]) == 2
        assert page.ask("POST", "/api/sources/1/zero", {}, cookie=cookie, Origin=page.origin)[0] == 200
        page.wait(lambda: any(event.kind == "counts.zero" for event in page.results[0]))
        for event in page.results[0]:
            json.dumps(dict(event.data))


@pytest.mark.slow
def test_pictures_come_one_by_one_and_the_newest(page: Page, owner: str) -> None:
    with connect(
        f"ws://127.0.0.1:{page.port}/ws",
        origin=page.origin,  # type: ignore[arg-type]
        additional_headers={"Cookie": f"track-{page.port}={owner}"},
    ) as socket:
        socket.send(json.dumps({"watch": [{"source": 1, "width": 320}]}))

        def header() -> dict[str, float]:
            while isinstance(message := socket.recv(timeout=5), str):
                pass
            length = int.from_bytes(message[:4], "big")
            assert message[4 + length : 6 + length] == b"\xff\xd8"
            return dict(json.loads(message[4 : 4 + length]))

        first = header()
        time.sleep(0.5)  # nothing is acknowledged: nothing is sent, and nothing piles up
        socket.send(json.dumps({"ack": 1}))
        second = header()
        assert second["frame"] - first["frame"] >= 5
        assert second["age"] < 0.4
        socket.send('{"watch": 3}')
        with pytest.raises(ConnectionClosed):  # none of our pages says so
            while True:
                socket.recv(timeout=5)


def test_home_automation_gets_plain_pictures(page: Page, owner: str) -> None:
    status, headers, body = page.ask("GET", "/api/sources/1/frame.jpg?width=320", cookie=owner)
    assert (status, headers["content-type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")


@pytest.mark.slow
def test_a_stalled_viewer_keeps_nobody_waiting(tmp_path: Path) -> None:
    with ExitStack() as pages, opened(tmp_path, fps=50.0) as page:
        cookie = page.enter()
        sockets = [
            pages.enter_context(
                connect(
                    f"ws://127.0.0.1:{page.port}/ws",
                    origin=page.origin,  # type: ignore[arg-type]
                    additional_headers={"Cookie": f"track-{page.port}={cookie}"},
                )
            )
            for _ in range(3)
        ]
        for socket in sockets:
            socket.send(json.dumps({"watch": [{"source": 1, "width": 1280}]}))
        before = page.stations[0].latest
        assert before is not None
        time.sleep(1.0)
        after = page.stations[0].latest
        assert after is not None
        assert after.number - before.number > 15  # of 50; a stalled loop would have none
        began = time.monotonic()
        page.stops[0].set()
        page.threads[0].join(5)
        page.server.__exit__(None, None, None)
        assert time.monotonic() - began < 3


@pytest.mark.slow
def test_the_server_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    with opened(tmp_path) as page:
        page.enter()
    page.wait(lambda: threading.active_count() <= before)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (Where(host="0.0.0.0", port=0), "password"),
        (Where(port=0, certificate=Path("none.pem")), "belong together"),
        (Where(port=0, certificate=Path("none.pem"), key=Path("none.key")), "no such file"),
        (Where(port=0, password_file=Path("none")), "cannot be read"),
    ],
)
def test_what_is_not_safe_is_refused(where: Where, words: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=words):
        Server([Station(1, "door", True, tmp_path / "z.yaml")], where, print)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-o", ""], "--output is empty"),
        (["--host", " "], "--host is empty"),
        (["--history-keep", "-1d"], "must be more than 0"),
        (["--history-keep", "nan"], "--history-keep takes a time"),
        (["--proxy", "http://x"], "such as 10.0.0.2"),
        (["--allow-host", "http://x"], "cam.example.org"),
    ],
)
def test_an_option_that_would_do_something_else_is_refused(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["serve", "clip.mp4", *words])
    assert (end.value.code, told in (error := capsys.readouterr().err)) == (2, True), error


def test_a_port_in_use_is_told(page: Page) -> None:
    with pytest.raises(OutputError, match="choose another port"), Server([], Where(port=page.port), print):
        pass


def test_the_size_is_that_of_the_picture(page: Page, owner: str) -> None:
    assert json.loads(page.ask("GET", "/api/sources/1/shapes", cookie=owner)[2])["size"] == [*SIZE]
