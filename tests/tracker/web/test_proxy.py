"""Behind nginx, with TLS and under a path of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.tracker.web.stage import Page, opened
from tests.tracker.web.test_page import browser  # noqa: F401 - a fixture
from tracker.web.server import Where

pytestmark = pytest.mark.slow
SETTINGS = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    {location}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def location_of_the_manual(port: int) -> str:
    """Return what docs/live-page.md tells to write."""
    text = (Path(__file__).parents[3] / "docs/live-page.md").read_text("utf-8")
    return text.split("```nginx\n")[1].split("```")[0].replace("8765", str(port))


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[tuple[Page, str]]:
    missing = [tool for tool in ("nginx", "openssl") if not shutil.which(tool)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (Debian: nginx-light openssl)")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem",
         "-out", tmp_path / "cert.pem", "-days", "2", "-subj", "/CN=localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    front = free_port()
    with opened(tmp_path, where=Where(port=0, proxies=("127.0.0.1",))) as page:
        settings = SETTINGS.format(folder=tmp_path, port=front, location=location_of_the_manual(page.port))
        (tmp_path / "nginx.conf").write_text(settings, "utf-8")
        nginx = subprocess.Popen(
            ["nginx", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", front)) == 0:
                        break
                time.sleep(0.05)
            yield page, f"https://localhost:{front}/cam/"
        finally:
            nginx.terminate()
            nginx.wait(5)


def test_the_page_works_and_the_cookie_is_secure(behind: tuple[Page, str], browser: Any) -> None:  # noqa: F811
    page, address = behind
    context = browser.new_context(ignore_https_errors=True)
    tab = context.new_page()
    problems: list[str] = []
    tab.on("console", lambda message: message.type == "error" and problems.append(message.text))
    tab.goto(f"{address}login?{urlsplit(page.server.link()).query}")
    tab.wait_for_selector(".view:not(.old)")
    assert tab.url.startswith(address)
    (cookie,) = [each for each in context.cookies() if each["name"].startswith("track-")]
    assert cookie["secure"]
    assert cookie["httpOnly"]
    tab.get_by_role("button", name="Edit lines and zones").click()
    tab.wait_for_selector("svg.edit[viewBox]")
    tab.get_by_role("button", name="Line", exact=True).click()
    box = tab.locator("svg.edit").bounding_box()
    for part in (0.1, 0.9):
        tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + part * box["height"])
    tab.keyboard.press("Enter")
    page.wait(lambda: page.stations[0].counting.shapes()["shapes"])
    assert problems == []
    tab.goto(address + "login")
    tab.get_by_label("Password").wait_for()
