"""Make the picture of the live page again: ``python -m videos.page_picture`` (it needs Playwright, Chromium).

A browser opens `track serve` on the sample clip, draws a line and a zone, runs, and clicks on an event.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from videos.street import render

PLACE = Path(__file__).parent.parent / "docs" / "pictures" / "page.jpg"
LINE = ((0.5, 0.35), (0.5, 0.95))  # parts of the picture
ZONE = ((0.62, 0.45), (0.95, 0.45), (0.95, 0.9), (0.62, 0.9))
QUALITY = 80
EVENT = 4  # of the timeline, that is clicked


def draw(page: Any, kind: str, points: tuple[tuple[float, float], ...]) -> None:
    """Draw one shape with the mouse."""
    page.get_by_role("button", name=kind, exact=True).click()
    box = page.locator("svg.edit").bounding_box()
    for x, y in points:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.keyboard.press("Enter")
    page.get_by_role("button", name=kind.lower(), exact=True).last.wait_for()


def main() -> None:
    """Serve, draw, run, look."""
    argparse.ArgumentParser(prog="python -m videos.page_picture", description=__doc__).parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        clip, *_ = render(folder)
        command = [sys.executable, "-m", "tracker", "serve", str(clip), "--port", "0", "--no-open"]
        serve = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        assert serve.stdout is not None
        link = re.findall(r"http\S+", serve.stdout.readline())[-1]
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1200, "height": 860})
        page.goto(link)
        page.wait_for_selector("svg.edit[viewBox]")
        draw(page, "Line", LINE)
        draw(page, "Zone", ZONE)
        page.get_by_role("button", name="Save and run").click()
        page.wait_for_selector("video", timeout=300_000)
        page.wait_for_selector("[data-at]")
        page.locator("[data-at]").nth(EVENT).click()  # plays from two seconds before
        page.wait_for_timeout(2500)
        page.evaluate("document.querySelector('video').pause()")
        page.mouse.move(0, 0)
        page.wait_for_timeout(4000)  # the player's buttons go away
        page.screenshot(path=PLACE, quality=QUALITY)
        browser.close()
        serve.terminate()
        serve.wait()
    print(PLACE)


if __name__ == "__main__":
    main()
