"""`track serve`, `--web` and `track zones edit` as a person starts them."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.tracker.videos import write_video

pytestmark = pytest.mark.slow
LINE = {"kind": "line", "name": "gate", "points": [[32, 0], [32, 48]]}


class Started:
    """A process, and the page that it serves."""

    def __init__(self, process: subprocess.Popen[str], link: str) -> None:
        self.process = process
        self.enter(link)

    def enter(self, link: str | None = None) -> None:
        """Follow a link, without one that which is printed for another browser."""
        assert self.process.stdout is not None
        while link is None:
            found = re.search(r"http://\S+link=\S+", self.process.stdout.readline())
            link = found and found[0]
        parts = urlsplit(link)
        self.host = parts.netloc
        with closing(http.client.HTTPConnection(self.host, timeout=20)) as connection:
            connection.request("GET", f"{parts.path}?{parts.query}")
            (morsel,) = SimpleCookie(connection.getresponse().headers["set-cookie"]).values()
        self.cookie = f"{morsel.key}={morsel.value}"

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        headers = {"Cookie": self.cookie, "Origin": f"http://{self.host}"}
        with closing(http.client.HTTPConnection(self.host, timeout=20)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def put(self, shapes: list[dict[str, object]]) -> list[dict[str, object]]:
        """Put shapes as the page does; return them with their ids."""
        end = time.monotonic() + 20
        while (told := self.ask("GET", "/api/sources/1/shapes"))[0] != 200:
            assert time.monotonic() < end, told
        body = {"version": json.loads(told[1])["version"], "shapes": shapes}
        status, answer = self.ask("PUT", "/api/sources/1/shapes", body)
        assert status == 200, answer
        return list(json.loads(answer)["shapes"])

    def source(self) -> dict[str, object]:
        return dict(json.loads(self.ask("GET", "/api/sources")[1])["sources"][0])

    def until(self, *states: str, seconds: float = 60) -> dict[str, object]:
        end = time.monotonic() + seconds
        while (source := self.source())["state"] not in states:
            assert time.monotonic() < end, source
            time.sleep(0.1)
        return source


@contextmanager
def started(folder: Path, *words: str) -> Iterator[Started]:
    environment = {**os.environ, "XDG_DATA_HOME": str(folder / "data"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tracker", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.search(r"http://\S+link=\S+", line):
                yield Started(process, found[0])
                break
        else:
            raise AssertionError("no address was printed")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_file_is_drawn_on_run_and_counted_anew(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", frames=20)
    with started(tmp_path, "serve", "clip.mp4", "--port", "0", "--no-open") as page:
        assert page.source()["state"] == "idle"
        assert page.ask("GET", "/api/sources/1/frame.jpg?at=0.2")[1][:2] == b"\xff\xd8"
        assert page.ask("GET", "/api/sources/1/frame.jpg?at=99")[0] == 404
        status, told = page.ask("PUT", "/api/sources/1/shapes", {"version": "", "shapes": [LINE]})
        assert status == 200
        assert page.ask("POST", "/api/sources/1/start", {})[0] == 200
        source = page.until("ended", "failed")
        assert source["state"] == "ended", source["message"]
        status, film = page.ask("GET", "/api/results/1-video")
        assert (status, film[4:8]) == (200, b"ftyp")
        moved = {**LINE, "id": json.loads(told)["shapes"][0]["id"], "points": [[20, 0], [20, 48]]}
        version = json.loads(told)["version"]
        assert page.ask("PUT", "/api/sources/1/shapes", {"version": version, "shapes": [moved]})[0] == 200
        assert page.source()["stale"]
        assert page.ask("POST", "/api/sources/1/recount", {})[0] == 200
        page.until("ended")
        assert page.ask("GET", "/api/sources/1/report.html")[1][:15].lower() == b"<!doctype html>"
        began = time.monotonic()
        page.process.send_signal(signal.SIGINT)
        page.process.wait(15)
        assert time.monotonic() - began < 10  # 2 on a machine that does nothing else
        assert page.process.returncode == 0
    with started(tmp_path, "serve", "clip.mp4", "--port", "0", "--no-open") as page:
        assert page.source()["state"] == "ended"  # what was written is still there


def test_drawing_alone_runs_nothing(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", frames=5)
    with started(tmp_path, "zones", "edit", "clip.mp4", "my.yaml", "--port", "0", "--no-open") as page:
        assert page.ask("PUT", "/api/sources/1/shapes", {"version": "", "shapes": [LINE]})[0] == 200
        assert page.ask("POST", "/api/sources/1/start", {})[0] == 409
    assert "gate" in (tmp_path / "my.yaml").read_text("utf-8")
    assert {path.name for path in tmp_path.iterdir()} <= {"clip.mp4", "my.yaml", "data"}


def test_beside_a_run_a_line_can_be_drawn_while_it_counts(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", frames=120)
    with started(tmp_path, "clip.mp4", "--web", "0", "--events", "e.jsonl", "-q") as page:
        page.until("running")
        end = time.monotonic() + 20
        while json.loads(page.ask("GET", "/api/sources")[1])["sources"][0]["size"] is None:
            assert time.monotonic() < end
        status, told = page.ask("PUT", "/api/sources/1/shapes", {"version": "", "shapes": [LINE]})
        assert status == 200, told
        page.process.wait(120)
        assert page.process.returncode == 0
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "e.jsonl").read_text("utf-8").splitlines()]
    assert "shape.changed" in kinds


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["serve", "clip.mp4", "--host", "0.0.0.0"], "password"),
        (["serve", "none.mp4"], "none.mp4"),
        (["serve", "clip.mp4", "-o", "x" * 300], "choose another -o"),
        (["serve", "clip.mp4", "--port", "1"], "choose another port" if os.geteuid() else ""),
        (["clip.mp4", "--web", "x"], "give a port"),
        (["clip.mp4", "--web", "0.0.0.0:0"], "password"),
        (["clip.mp4", "--web", "0", "--refine"], "leave one out"),
        (["zones", "edit", "0"], "track serve 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_ends_in_one_line(words: list[str], told: str, tmp_path: Path) -> None:
    if not told:
        pytest.skip("this user may open any port")
    write_video(tmp_path / "clip.mp4", frames=5)
    done = subprocess.run(
        [sys.executable, "-m", "tracker", *words], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    if told == "password":
        assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_report_follows_what_was_renamed_and_removed(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", frames=150)
    other = {**LINE, "name": "other", "points": [[20, 0], [20, 48]]}
    with started(tmp_path, "clip.mp4", "--web", "0", "--report", "r.html", "--save-run", "run.json") as page:
        page.until("running")
        shapes = page.put([LINE, other])
        renamed = {**shapes[0], "name": "entrance"}
        page.put([renamed])
        page.process.wait(120)
        assert page.process.returncode == 0, page.process.stdout and page.process.stdout.read()
    record = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert {shape["name"] for shape in record["shapes"]} == {"entrance", "other"}
    assert "entrance" in (tmp_path / "r.html").read_text("utf-8")


def test_who_logged_out_stays_out_and_who_did_not_comes_back(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", frames=5)
    words = "serve", "clip.mp4", "--port", "0", "--no-open"
    with started(tmp_path, *words) as page:
        port = page.host.rpartition(":")[2]
        stays = page.cookie
        page.enter()
        goes = page.cookie
        assert page.ask("POST", "/api/logout", {})[0] == 200
        page.process.send_signal(signal.SIGTERM)
        page.process.wait(15)
    with started(tmp_path, *words[:3], port, "--no-open") as page:
        page.cookie = stays
        assert page.ask("GET", "/api/sources")[0] == 200
        page.cookie = goes
        assert page.ask("GET", "/api/sources")[0] == 401


def test_what_is_written_is_whole_after_a_hangup_and_the_page_outlives_its_terminal(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", frames=2000)
    with started(tmp_path, "serve", "clip.mp4", "--port", "0", "--no-open", "--imgsz", "64") as page:
        assert page.process.stdout is not None
        link = page.process.stdout.readline().split()[-1]
        page.process.stdout.close()
        page.enter(link)
        assert page.ask("POST", "/api/sources/1/start", {})[0] == 200
        end = time.monotonic() + 60
        while page.source()["progress"]["done"] < 5:  # type: ignore[index]
            assert time.monotonic() < end
        page.process.send_signal(signal.SIGHUP)
        assert page.process.wait(60) == 128 + signal.SIGHUP
    written = {path.name: path.stat().st_size for path in (tmp_path / "track_web").iterdir()}
    assert written["clip_output.mp4"]
    assert not [name for name in written if ".part" in name or name.endswith(".lock")]
