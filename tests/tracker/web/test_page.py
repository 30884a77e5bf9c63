"""The page in a real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tracker.web import stage
from tests.tracker.web.stage import BIT_PX, BITS, SIZE, Page, opened
from tracker.web.picture import encoded
from tracker.web.server import Where

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LINE = 250_000  # bytes a second of a slow one
pytestmark = pytest.mark.slow
# Of the frame's number, painted into the picture, as the browser shows it.
READ_NUMBER = f"""() => {{
  const canvas = document.querySelector('canvas');
  const step = canvas.width / {SIZE[0]} * {BIT_PX};
  const row = canvas.height - Math.round(step / 2);
  const pixels = canvas.getContext('2d').getImageData(0, row, canvas.width, 1).data;
  let number = 0;
  for (let bit = 0; bit < {BITS}; bit += 1)
    if (pixels[4 * Math.round((bit + .5) * step)] > 60) number += 2 ** bit;
  return number;
}}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian: chromium)")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Tab:
    """A page of the browser that must not complain."""

    def __init__(self, browser: Any, page: Page, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.tab = self.context.new_page()
        self.page = page
        self.problems: list[str] = []
        self.tab.on("pageerror", lambda error: self.problems.append(str(error)))
        self.tab.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        self.tab.goto(page.server.link())

    def edit(self) -> None:
        self.tab.get_by_role("button", name="Edit lines and zones").click()
        self.tab.wait_for_selector("svg.edit[viewBox]")

    def click(self, x: float, y: float, **more: Any) -> None:
        self.tab.mouse.click(*self.at(x, y), **more)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where on the screen a point of the picture is."""
        box = self.tab.locator("svg.edit").bounding_box()
        return box["x"] + x / SIZE[0] * box["width"], box["y"] + y / SIZE[1] * box["height"]

    def draw(self, kind: str, *points: tuple[float, float]) -> None:
        self.tab.get_by_role("button", name=kind, exact=True).click()
        for point in points:
            self.click(*point)
        if kind == "Zone":
            self.click(*points[0])
        else:
            self.tab.keyboard.press("Enter")

    def shows(self, text: str) -> None:
        self.tab.get_by_text(text).first.wait_for(timeout=5000)


def near(page: Page, index: int, points: list[tuple[float, float]], px: float = 1.5) -> bool:
    shapes = page.stations[0].counting.shapes()["shapes"]
    return len(shapes) > index and all(
        abs(a - b) <= px
        for got, wanted in zip(shapes[index]["points"], points, strict=True)
        for a, b in zip(got, wanted, strict=True)
    )


def test_the_picture_is_fresh_and_goes_on(browser: Any, tmp_path: Path) -> None:
    with opened(tmp_path) as page:
        tab = Tab(browser, page)
        tab.tab.wait_for_selector(".view:not(.old)")
        numbers = []
        for _ in range(4):
            time.sleep(0.4)
            newest = page.stations[0].latest
            assert newest is not None
            numbers.append((tab.tab.evaluate(READ_NUMBER), newest.result.frame.index))
        assert all(0 <= newest - shown < 20 for shown, newest in numbers), numbers  # 20 frames a second
        assert len({shown for shown, _ in numbers}) == 4
        assert tab.problems == []


def test_over_a_slow_line_pictures_stay_fresh(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four cameras want three times what 2 Mbit/s carry, for 20 s."""
    grain = np.random.default_rng(5).integers(0, 40, (8, SIZE[1] - BIT_PX, SIZE[0], 1), np.uint8)

    def grainy(index: int) -> np.ndarray:
        image = stage.picture(index)
        image[:-BIT_PX] = np.minimum(image[:-BIT_PX], 200) + grain[index % 8]
        return image

    wanted = 4 * 15 * len(encoded(grainy(0), 320))  # bytes a second
    assert wanted > 3 * LINE
    monkeypatch.setattr(stage.Camera, "picture", staticmethod(grainy))
    with opened(tmp_path, names=("a", "b", "c", "d")) as page:
        tab = Tab(browser, page)
        throttle = tab.context.new_cdp_session(tab.tab)
        throttle.send("Network.enable")
        slow = {"offline": False, "latency": 40, "downloadThroughput": LINE, "uploadThroughput": LINE}
        throttle.send("Network.emulateNetworkConditions", slow)
        time.sleep(1)
        ages, painted = [], set()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            shown = tab.tab.evaluate(READ_NUMBER)
            newest = page.stations[0].latest
            assert newest is not None
            ages.append((newest.result.frame.index - shown) / 20)  # 20 frames a second
            painted.add(shown)
            time.sleep(0.2)
        assert max(ages) < 1, ages
        assert 20 < len(painted) < 20 * 15 * 0.6  # it goes on, and the line is slow indeed


def test_a_zone_drawn_by_mouse_is_in_the_file_the_other_tab_and_the_events(
    browser: Any, tmp_path: Path
) -> None:
    zones = tmp_path / "door_zones.yaml"
    zones.write_text(
        "# kept\nsize: [320, 240]\nlines:\n  - {name: far, points: [[300, 0], [300, 9]]}\n", "utf-8"
    )
    with opened(tmp_path) as page:
        first, second = Tab(browser, page), Tab(browser, page)
        first.edit()
        second.edit()
        corners = [(10.0, 20.0), (150.0, 20.0), (150.0, 220.0), (10.0, 220.0)]
        first.draw("Zone", *corners)
        page.wait(lambda: near(page, 1, corners))
        assert zones.read_text("utf-8").startswith("# kept")
        second.tab.get_by_role("button", name="zone", exact=True).last.wait_for(timeout=5000)
        page.wait(lambda: any(event.kind == "zone.enter" for event in page.results[0]))
        first.tab.locator(".events").get_by_text("zone enter").first.wait_for(timeout=5000)
        # drag a corner, undo, redo, remove by the keyboard
        first.tab.mouse.move(*first.at(150, 220))
        first.tab.mouse.down()
        first.tab.mouse.move(*first.at(120, 180), steps=4)
        first.tab.mouse.up()
        moved = [*corners[:2], (120.0, 180.0), corners[3]]
        page.wait(lambda: near(page, 1, moved))
        first.tab.keyboard.press("Control+z")
        page.wait(lambda: near(page, 1, corners))
        first.tab.keyboard.press("Control+y")
        page.wait(lambda: near(page, 1, moved))
        first.tab.locator("svg.edit").focus()
        first.tab.keyboard.press("Delete")
        page.wait(lambda: len(page.stations[0].counting.shapes()["shapes"]) == 1)
        assert first.problems == second.problems == []


def test_what_is_wrong_is_told_and_changes_nothing(browser: Any, tmp_path: Path) -> None:
    with opened(tmp_path) as page:
        tab = Tab(browser, page)
        tab.edit()
        tab.draw("Zone", (10, 20), (150, 220), (150, 20), (10, 220))
        tab.shows("crosses itself")
        assert page.stations[0].counting.shapes()["shapes"] == []
        tab.tab.get_by_role("button", name="Undo").click()
        tab.draw("Line", (160, 10), (160, 230))
        page.wait(lambda: near(page, 0, [(160, 10), (160, 230)]))
        tab.draw("Line", (200, 10), (200, 230))
        page.wait(lambda: len(page.stations[0].counting.shapes()["shapes"]) == 2)
        tab.tab.get_by_label("Name").fill("line")
        tab.tab.get_by_label("Name").press("Tab")
        tab.shows("is taken")
        assert [shape["name"] for shape in page.stations[0].counting.shapes()["shapes"]] == ["line", "line2"]


def test_two_tabs_cannot_overwrite_each_other(browser: Any, tmp_path: Path) -> None:
    with opened(tmp_path) as page:
        tab = Tab(browser, page)
        tab.edit()
        tab.tab.get_by_role("button", name="Line", exact=True).click()
        tab.click(160, 10)
        tab.click(160, 230)
        cookie = page.enter()
        assert page.put([{"kind": "line", "name": "other", "points": [[50, 0], [50, 200]]}], cookie)[0] == 200
        tab.tab.keyboard.press("Enter")
        tab.shows("changed by somebody else")
        tab.tab.get_by_role("button", name="Reload").click()
        tab.tab.get_by_role("button", name="other", exact=True).wait_for(timeout=5000)
        assert [shape["name"] for shape in page.stations[0].counting.shapes()["shapes"]] == ["other"]


def test_eight_sources_play_in_one_page_while_the_api_answers(browser: Any, tmp_path: Path) -> None:
    with opened(tmp_path, names=tuple("abcdefgh"), fps=5.0) as page:
        tab = Tab(browser, page)
        page.wait(lambda: tab.tab.locator(".view:not(.old)").count() == 8, 15)
        cookie = page.enter()
        before = tab.tab.evaluate("[...document.querySelectorAll('canvas')].map(c => c.dataset.frame)")
        assert page.ask("GET", "/api/sources", cookie=cookie)[0] == 200
        time.sleep(1.5)
        after = tab.tab.evaluate("[...document.querySelectorAll('canvas')].map(c => c.dataset.frame)")
        assert all(a != b for a, b in zip(before, after, strict=True)), (before, after)


def test_a_lost_camera_turns_grey_and_can_still_be_edited(browser: Any, tmp_path: Path) -> None:
    with opened(tmp_path) as page:
        tab = Tab(browser, page)
        tab.tab.wait_for_selector(".view:not(.old)")
        source = page.upstreams[0].source
        assert source is not None
        source.lost.set()
        tab.tab.wait_for_selector(".view.old", timeout=4000)
        tab.shows("no picture for")
        tab.shows("connection lost")
        tab.edit()
        tab.draw("Line", (160, 10), (160, 230))
        page.wait(lambda: near(page, 0, [(160, 10), (160, 230)]))
        source.lost.clear()
        tab.tab.wait_for_selector(".view:not(.old)", timeout=4000)
        page.wait(lambda: any(event.kind.startswith("line.") for event in page.results[0]))


def test_after_a_restart_the_page_comes_back_by_itself(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with opened(tmp_path, where=Where(port=0, lasting=True)) as page:
        port = page.port
        tab = Tab(browser, page)
        tab.tab.wait_for_selector(".view:not(.old)")
    tab.shows("No connection to track")
    with opened(tmp_path, where=Where(port=port, lasting=True)) as page:
        tab.tab.wait_for_selector(".view:not(.old)", timeout=8000)
        page.wait(lambda: not tab.tab.locator("#connection").text_content())


@pytest.mark.parametrize(("width", "scale"), [(390, 1.0), (640, 2.0)])  # a telephone; 1280 at 200 %
def test_shapes_land_where_touched_on_small_screens(
    browser: Any, tmp_path: Path, width: int, scale: float
) -> None:
    with opened(tmp_path) as page:
        tab = Tab(browser, page, device_scale_factor=scale, has_touch=True)
        tab.tab.set_viewport_size({"width": width, "height": 800})
        tab.edit()
        tab.tab.get_by_role("button", name="Zone", exact=True).click()
        corners = [(40.0, 40.0), (280.0, 60.0), (160.0, 200.0)]
        for corner in (*corners, corners[0]):
            tab.tab.touchscreen.tap(*tab.at(*corner))
        page.wait(lambda: near(page, 0, corners, 2.5))
        assert tab.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_by_keyboard_alone(browser: Any, tmp_path: Path) -> None:
    with opened(tmp_path) as page:
        tab = Tab(browser, page)
        tab.edit()
        tab.tab.get_by_role("button", name="Line", exact=True).focus()
        tab.tab.keyboard.press("Enter")
        tab.tab.locator("svg.edit:focus").wait_for(timeout=5000)
        for _ in range(10):
            tab.tab.keyboard.press("ArrowUp")
        tab.tab.keyboard.press("Space")
        for _ in range(20):
            tab.tab.keyboard.press("ArrowDown")
        tab.tab.keyboard.press("Space")
        tab.tab.keyboard.press("Enter")
        page.wait(lambda: len(page.stations[0].counting.shapes()["shapes"]) == 1)
        (shape,) = page.stations[0].counting.shapes()["shapes"]
        assert shape["points"][0][1] < shape["points"][1][1]


def test_nothing_grows_while_a_page_is_open(browser: Any, tmp_path: Path) -> None:
    """A quarter of an hour of a camera of 10 pictures a second goes by in 20 s, with what happens in it."""
    with opened(tmp_path, fps=500.0) as page:
        tab = Tab(browser, page)
        assert (
            page.put([{"kind": "line", "name": "middle", "points": [[160, 0], [160, 240]]}], page.enter())[0]
            == 200
        )
        heap = tab.context.new_cdp_session(tab.tab)
        heap.send("Performance.enable")

        def used() -> tuple[float, float]:
            heap.send("HeapProfiler.collectGarbage")
            metrics = {each["name"]: each["value"] for each in heap.send("Performance.getMetrics")["metrics"]}
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096
            return metrics["JSHeapUsedSize"] / 2**20, resident / 2**20

        time.sleep(8)
        before = used()
        time.sleep(12)
        after = used()
        assert len(page.results[0]) > 20
        assert after[0] - before[0] < 4, (before, after)
        assert after[1] - before[1] < 25, (before, after)
