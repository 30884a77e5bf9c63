"""After a restart, and after a kill, the page tells what the run tells: nothing twice, nothing missing."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from tests.tracker.web.stage import Page, opened
from tracker.web.server import Where

LINE = {"kind": "line", "name": "middle", "points": [[160, 0], [160, 240]]}


def crossings(page: Page) -> int:
    rows = page.server.history.events("door", most=1000)
    return sum(row["kind"].startswith("line.") for row in rows)


def total(page: Page) -> int:
    return sum(sum(each["totals"].values()) for each in page.stations[0].totals)


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_counts_and_history_go_on_together(killed: bool, tmp_path: Path) -> None:
    where = Where(port=0, history=tmp_path / "history.sqlite")
    state, earlier = tmp_path / "door_state.json", tmp_path / "earlier.json"
    with opened(tmp_path, where=where, state=True, fps=50.0) as page:
        assert page.put([LINE], page.enter())[0] == 200
        page.wait(lambda: total(page) >= 2, 30)
        time.sleep(0.5)
        shutil.copy(state, earlier)
        page.wait(lambda: total(page) >= 4, 30)
    if killed:
        shutil.move(earlier, state)  # what a kill leaves: a history that knows more than the state
    before = 2 if killed else 4
    with opened(tmp_path, where=where, state=True, fps=50.0) as page:
        page.wait(lambda: total(page) >= before + 2, 30)
        page.stops[0].set()
        page.threads[0].join(5)
        assert crossings(page) == total(page)
        counted = page.server.history.counts("door", 0, time.time() + 60, 366 * 86400)
        assert sum(row["count"] for row in counted) == total(page)
