"""A film on the page: draw, run, click on what happened, move the line, run again, change the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.tracker.squares import SquareDetector
from tests.tracker.web.stage import Page
from tests.tracker.web.test_page import Tab, browser  # noqa: F401 - the fixture
from tracker.detectors.shared import SharedDetector
from tracker.options import Options
from tracker.run.listed import find_runs
from tracker.web import workers as rooms
from tracker.web.counted_file import CountedFile
from tracker.web.picture import Pictures

FPS, SIZE = 10, (320, 240)  # the size of the stage's pictures, which the tab's clicks are in
BEGIN_S, SPEED, LINE_X = (
    1.0,
    40.0,
    160,
)  # the square starts at x = 40, is at the line 3 s later, and comes back
TURN_S = BEGIN_S + 6.0


def place(second: float) -> float:
    """Where the middle of the square is, in pixels from the left."""
    went = min(max(second - BEGIN_S, 0.0), 6.0) - min(max(second - TURN_S, 0.0), 6.0)
    return 40.0 + SPEED * went


def write(path: Path, before_s: float, *, grey: int = 40) -> Path:
    """Write a film whose square begins to move after ``before_s``; the brightness of the rest may differ."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for index in range(round((before_s + TURN_S + 7) * FPS)):
            image = np.full((SIZE[1], SIZE[0], 3), grey, np.uint8)
            x = round(place(index / FPS - before_s))
            image[90:170, x - 20 : x + 20] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
        container.mux(stream.encode())
    return path


@contextmanager
def served(folder: Path, clip: Path, options: Options, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setattr(rooms, "shared_detector", lambda _: SharedDetector(lambda _: SquareDetector()))
    workers = rooms.Workers(find_runs([str(clip)]), options, folder)
    page = Page(folder, ())
    with page:
        page.stations = workers.stations
        page.server.site.stations[1] = workers.stations[0]
        page.server.site.pictures[1] = Pictures(workers.stations[0])
        workers.all[0].history = page.server.history
        with workers:
            yield page


def marks(tab: Tab) -> list[float]:
    return sorted(float(each.get_attribute("data-at")) for each in tab.tab.locator("[data-at]").all())


PLAYING = """() => {
  const video = document.querySelector('video'), canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [320, 240];
  const paint = canvas.getContext('2d');
  const at = video.currentTime;
  paint.drawImage(video, 0, 0, 320, 240);
  const row = paint.getImageData(0, 150, 320, 1).data, bright = [];
  for (let x = 0; x < 320; x += 1) if (Math.min(...row.slice(4 * x, 4 * x + 3)) > 180) bright.push(x);
  const ready = !video.seeking && video.readyState > 1;
  return {at, ready, paused: video.paused, x: bright[bright.length >> 1]};
}"""


def plays(tab: Tab, page: Page, at_s: float, start_s: float) -> None:
    """What is shown begins two seconds before, and it is the picture of that time."""
    page.wait(lambda: tab.tab.evaluate(PLAYING)["ready"], 5)
    seen = tab.tab.evaluate(PLAYING)
    wanted = max(at_s - start_s - 2, 0)
    assert wanted - 0.1 <= seen["at"] <= wanted + 2, (seen, at_s)
    assert not seen["paused"]
    assert abs(seen["x"] - place(seen["at"])) <= SPEED * 0.3 + 4, (seen, at_s)


@pytest.mark.slow
@pytest.mark.parametrize("start_s", [0.0, 60.0])
def test_a_click_on_an_event_plays_from_two_seconds_before(
    browser: Any,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    start_s: float,
) -> None:
    clip = write(tmp_path / "street.mp4", start_s)
    with served(tmp_path / "out", clip, Options(start=start_s), monkeypatch) as page:
        tab = Tab(browser, page)
        tab.tab.wait_for_selector("svg.edit[viewBox]")
        tab.draw("Line", (LINE_X, 40), (LINE_X, 230))
        tab.tab.get_by_role("button", name="line", exact=True).wait_for()
        tab.tab.get_by_role("button", name="Save and run").click()
        tab.tab.wait_for_selector("video", timeout=60_000)
        page.wait(lambda: len(marks(tab)) == 2)
        there, back = marks(tab)
        assert [there - start_s, back - start_s] == pytest.approx([4.0, 10.0], abs=0.4)  # told soon after
        first = tab.tab.locator(f'[data-at="{there:.3f}"]')
        assert "line in: person #" in first.get_attribute("aria-label")
        first.click()
        plays(tab, page, there, start_s)
        first.focus()
        tab.tab.keyboard.press("ArrowRight")  # by keyboard to the next one
        tab.tab.keyboard.press("Enter")
        plays(tab, page, back, start_s)
        tab.tab.locator(".events").get_by_role("button", name="Play").last.click()
        plays(tab, page, there, start_s)

        if not start_s:  # the rest once
            tab.context.close()
            return
        # a line that is moved is counted at again, without a run
        tab.edit()
        tab.tab.evaluate("scrollTo(0, 0)")
        tab.tab.mouse.move(*tab.at(LINE_X, 100))
        tab.tab.mouse.down()
        tab.tab.mouse.move(*tab.at(LINE_X + 60, 100), steps=4)
        tab.tab.mouse.up()
        page.wait(lambda: len(marks(tab)) == 2 and marks(tab)[0] > there + 1, 8)
        assert marks(tab)[0] == pytest.approx(there + 1.5, abs=0.4)
        assert [each["totals"] for each in page.stations[0].counting.totals] == [{"in": 1, "out": 1}]
        tab.tab.get_by_role("button", name="Close").click()
        tab.shows("The video was made before lines and zones were changed")

        # the same film once more: its counts take the place of those before
        tab.tab.get_by_role("button", name="Save and run").click()
        page.wait(lambda: page.stations[0].runs == 3 and tab.tab.locator("video").count() == 1, 60)
        page.wait(lambda: len(marks(tab)) == 2)
        assert [each["totals"] for each in page.stations[0].counting.totals] == [{"in": 1, "out": 1}]
        assert tab.tab.get_by_text("The video was made before").count() == 0

        # another film of that name
        write(clip, start_s, grey=60)
        tab.shows("The file was changed since it was counted")
        assert tab.problems == []
        tab.context.close()  # the browser reads the video no more


def test_a_file_is_known_again_after_a_restart(tmp_path: Path) -> None:
    film, note = tmp_path / "film.mp4", tmp_path / "note.json"
    film.write_bytes(b"film")
    counted = CountedFile(str(film), note)
    assert not counted.changed()  # nothing is known of it
    counted.take()
    assert not CountedFile(str(film), note).changed()
    film.write_bytes(b"film, and more of it")  # a recording that has grown
    assert not counted.changed()
    film.write_bytes(b"another")
    assert counted.changed()
    assert CountedFile(str(film), note).changed()
    counted.take()
    assert not counted.changed()
    film.unlink()
    assert not counted.changed()  # to start will say that it is gone
