"""The page's charts: drawn by the report's own functions, harmless whatever a name is."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.tracker.web.stage import Page
from tracker.web.charted import bars, film
from tracker.web.history import Happened, History
from tracker.web.station import Station

HOSTILE = "<script>alert(1)</script>"
NOON = 1_750_000_020.0 // 86400 * 86400 + 43200


def row(number: int, name: str = "door", **more: object) -> dict[str, object]:
    return {"kind": "line.in", "name": name, "direction": "in", "class": "person", "track_id": number, **more}


def station(folder: Path) -> Station:
    return Station(1, "street", False, folder / "z.yaml")


def test_bars_stand_for_what_was_counted(tmp_path: Path) -> None:
    history = History(None)
    history.add(
        "street",
        [
            Happened(NOON + s, 0, (name, "in", "person"), row(n, name))
            for n, (s, name) in enumerate(
                [(5, "door"), (7, "door"), (8, HOSTILE), (3599, "door"), (-1, "door")]
            )
        ],
    )
    found = bars(history, station(tmp_path), NOON, NOON + 3600, 60, None, 340)
    svg = ElementTree.fromstring(found["svg"])
    assert svg.get("viewBox", "").startswith("0 0 340 ")
    bodies = list(svg.iter("rect"))
    assert [rect.get("class") for rect in bodies] == ["c0", "c1", "c1"]
    assert [name for _, name in found["key"]] == [f"{HOSTILE} in", "door in"]
    assert "4 counted" in (svg[0].text or "")
    assert "3 in a minute" in (svg[0].text or "")
    assert "<script" not in found["svg"]
    assert float(bodies[1].get("height", 0)) == pytest.approx(2 * float(bodies[0].get("height", 0)))
    history.close()


def test_steps_begin_where_those_of_the_history_do(tmp_path: Path) -> None:
    """Of a zone half an hour off, hours are whole there and not in UTC."""
    from zoneinfo import ZoneInfo

    history = History(None)
    history.add("street", [Happened(NOON + 60, 0, ("door", "in", "person"), row(1))])
    found = bars(history, station(tmp_path), NOON - 7200, NOON + 7200, 3600, ZoneInfo("Asia/Kolkata"), 340)
    (bar,) = ElementTree.fromstring(found["svg"]).iter("rect")
    assert "17:00 to 18:00" in (bar[0].text or "")
    history.close()


def test_marks_lead_to_their_events_and_say_what_is_doubtful(tmp_path: Path) -> None:
    history = History(None)
    times, doubt = [1.0, 1.01, 5.0, 9.0], [{}, {"why": "low score"}]
    numbers = history.add(
        "street",
        [
            Happened(t, 0, None, row(n, HOSTILE if n == 3 else "door", time_s=t, **doubt[n == 2]))
            for n, t in enumerate(times)
        ],
    )  # fmt: skip
    svg = ElementTree.fromstring(film(history, station(tmp_path), 0.0, 10.0, 640)["svg"])
    marks = list(svg.iter("rect"))
    assert [(m.get("data-event"), float(m.get("data-at", 0))) for m in marks] == [
        (str(numbers[3]), 9.0), (str(numbers[0]), 1.0), (str(numbers[2]), 5.0)
    ]  # fmt: skip
    assert "and 1 more" in marks[1].get("aria-label", "")
    assert [m.get("class") for m in marks] == ["mark", "mark", "mark doubt"]
    assert "doubtful (low score)" in marks[2].get("aria-label", "")
    places = [float(m.get("x", 0)) for m in marks]
    assert places[1] < places[2] < places[0]
    history.close()


@pytest.mark.slow
def test_over_the_api(tmp_path: Path) -> None:
    with Page(tmp_path, ()) as page:
        page.server.site.stations[1] = station(tmp_path)
        cookie = page.enter()
        for path in (
            "chart?from=0&to=3600&zone=Nowhere/../etc",
            "chart?zone=Europe/Berlin",
            "timeline",
            "timeline?width=9",
        ):
            status, _, told = page.ask("GET", f"/api/sources/1/{path}", cookie=cookie)
            assert (status, json.loads(told)["svg"][:18]) == (200, '<svg class="chart"')
        for path in ("chart?from=5&to=5", "chart?from=0&to=9e9", "chart?width=x"):
            assert page.ask("GET", f"/api/sources/1/{path}", cookie=cookie)[0] == 422
        assert page.ask("GET", "/api/sources/1/chart")[0] == 401
        status, headers, told = page.ask("GET", "/static/chart.css", cookie=cookie)
        assert (status, headers["content-type"].partition(";")[0]) == (200, "text/css")
        assert b".c6" in told
