"""After a restart, and after a kill, the page tells what the run tells: nothing twice, nothing missing."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from tests.tracker.web.stage import Page, opened
from tracker.web.drawn import Drawn
from tracker.web.server import Where

LINE = {"kind": "line", "name": "middle", "points": [[160, 0], [160, 240]]}


def crossings(page: Page) -> int:
    rows = page.server.history.events("door", most=1000)
    return sum(row["kind"].startswith("line.") for row in rows)


def total(page: Page) -> int:
    return sum(sum(each["totals"].values()) for each in page.stations[0].counting.totals)


def stop(page: Page) -> None:
    page.stops[-1].set()
    page.threads[-1].join(5)


@pytest.mark.slow
@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_drawn_while_nothing_ran_goes_on_as_if_it_had(restarted: bool, tmp_path: Path) -> None:
    other = {**LINE, "name": "other", "points": [[150, 0], [150, 240]]}
    with opened(tmp_path, state=True, fps=50.0) as page:
        station, cookie = page.stations[0], page.enter()
        assert page.put([LINE, other], cookie)[0] == 200
        page.wait(lambda: total(page) >= 4, 30)
        stop(page)
        before = {each["name"]: each["totals"] for each in station.counting.totals}
        middle, _ = station.counting.shapes()["shapes"]
        if restarted:  # and changed by hand meanwhile
            text = station.zones.read_text(encoding="utf-8")
            station.zones.write_text(text.replace("name: other", "name: new"), encoding="utf-8")
        else:
            renamed = {**middle, "name": "gate", "in": "north", "out": "south"}
            assert page.put([renamed], cookie)[0] == 200
            seen = station.latest
            page.run(station)
            page.wait(lambda: station.latest is not seen)  # at once, before anybody crosses
            (gate,) = station.counting.totals
            assert gate["name"] == "gate"
            assert gate["totals"]["north"] >= before["middle"]["in"] > 0
            assert gate["totals"]["south"] >= before["middle"]["out"]
            stop(page)
        assert station.state == "stopped", station.message
    if restarted:
        with opened(tmp_path, state=True, fps=50.0) as page:
            page.wait(lambda: total(page) >= 1, 30)
            now = {each["name"]: each["totals"] for each in page.stations[0].counting.totals}
            assert now["middle"]["in"] >= before["middle"]["in"] > 0
            assert set(now) == {"middle", "new"}


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


@pytest.mark.slow
def test_a_rename_while_stopped_is_followed_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path, state=True, fps=50.0) as page:
        station, cookie = page.stations[0], page.enter()
        assert page.put([LINE], cookie)[0] == 200
        page.wait(lambda: total(page) >= 3, 30)
        stop(page)
        before = {each["name"]: each["totals"] for each in station.counting.totals}["middle"]
        (middle,) = station.counting.shapes()["shapes"]
        assert page.put([{**middle, "name": "gate", "in": "north", "out": "south"}], cookie)[0] == 200
    with opened(tmp_path, state=True, fps=50.0) as page:  # another process
        page.wait(lambda: page.stations[0].counting.totals)
        (gate,) = page.stations[0].counting.totals
        assert (gate["name"], gate["id"]) == ("gate", middle["id"])
        assert gate["totals"]["north"] >= before["in"] > 0
        page.wait(lambda: page.results[0])
        told = page.results[0][0]
        assert told.kind == "shape.changed"
        assert (told.data["old"]["name"], told.data["new"]["name"]) == ("middle", "gate")
    with opened(tmp_path, state=True, fps=50.0) as page:  # and told once only
        page.wait(lambda: total(page) > 3, 30)
        assert not any(event.kind == "shape.changed" for event in page.results[0])


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"number": "x"}', '{"number": 1, "ids": 3}'])
def test_damaged_memory_is_no_reason_to_fail(tmp_path: Path, damage: str) -> None:
    memory = tmp_path / "shapes.json"
    memory.write_text(damage, encoding="utf-8")
    assert Drawn(tmp_path / "zones.yaml", memory).counted == {}
