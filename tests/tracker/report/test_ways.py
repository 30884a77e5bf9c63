"""Movements: the matrix, the incomplete ones beside it, by interval."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tracker.report.runs import EIGHT, FPS, record, scene, write
from tests.tracker.report.test_page import Tables, book_of
from tracker.report.gather import Report, gather
from tracker.report.page import page
from tracker.report.ways import Speeds
from tracker.types import Event

SECTIONS = ("north", "east", "south")
NAMES = {("north", "east"): "left", ("north", "south"): "through"}


def movement(came: str | None, left: str | None, since_s: float, class_name: str = "car") -> Event:
    told = since_s + 5
    ends = {"from": came, "to": left, "class_name": class_name}
    times = {"since_s": since_s if came else None, "left_s": since_s + 2 if left else None}
    called = NAMES.get((came or "", left or ""), "")
    data = {"movement": "junction", "name": called, **ends, **times}
    kind = "movement" if came and left else "movement.incomplete"
    return Event(kind, told, round(told * FPS), 1, 2, data)


def junction(folder: Path, known: bool = True) -> Report:
    events = [
        *(movement("north", "south", 100.0 * n) for n in range(1, 6)),
        movement("north", "east", 10.0, "person"),
        movement("east", "north", 897.0),  # came in the first quarter, told in the second
        movement("south", "south", 1000.0),
        movement("east", None, 50.0),
        movement(None, "west", 60.0),
    ]
    run = write(folder, events, 1200, scene(EIGHT))
    if known:
        places = {
            "north": [[200, 50], [400, 50]],
            "east": [[600, 100], [600, 400]],
            "south": [[200, 450], [400, 450]],
        }
        shapes = [
            {"kind": "line", "name": name, "directions": ["in", "out"], "classes": [], "points": points}
            for name, points in places.items()
        ]
        record(run, shapes=shapes, movements=[{"name": "junction", "sections": SECTIONS}])
    return gather([run], interval_s=900)


@pytest.mark.parametrize("known", [True, False])
def test_the_matrix_and_what_is_incomplete(tmp_path: Path, known: bool) -> None:
    report = junction(tmp_path / "run", known)
    (one,) = report.junctions
    assert one.whole == {
        ("north", "south"): 5,
        ("north", "east"): 1,
        ("east", "north"): 1,
        ("south", "south"): 1,
    }
    assert (one.came, one.left, one.incomplete) == ({"east": 1}, {"west": 1}, 2)
    assert one.sections == ([*SECTIONS, "west"] if known else ["east", "north", "south", "west"])
    html = page(report)
    rows = Tables(html).tables["From (rows) to (columns)"]
    by_name = {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[1:]}
    assert by_name["north"]["south"] == "5"
    assert by_name["all"]["all"] == "8"
    assert by_name["east"]["left unseen"] == "1"
    assert by_name["came unseen"]["west"] == "1"
    assert "2 of 10 movements at junction (20.0 %) are incomplete" in html
    assert ("<title>north to south: 5</title>" in html) is known  # arrows, where it is known between what


def test_a_movement_counts_when_it_came_in(tmp_path: Path) -> None:
    report = junction(tmp_path / "run")
    start = report.movements.starts[0]
    assert report.movements.series("junction", "east > north") == {start: 1, start + 900: 0}
    rows = [row[2:8] for row in book_of(report)["Movements"].iter_rows(min_row=2, values_only=True)]
    assert ("junction", "through", "north", "south", "car", 5) in rows
    assert ("junction", "left", "north", "east", "person", 1) in rows
    assert ("junction", "", "east", "south", "car", 0) in rows  # zero is a row
    assert ("junction", "", "?", "west", "car", 1) in rows
    assert sum(row[5] for row in rows) == 10


def test_the_page_and_the_sheet_have_the_same_movements(tmp_path: Path) -> None:
    report = junction(tmp_path / "run")
    rows = Tables(page(report)).tables["junction: how many came in every 15 min, of those that left again"]
    assert rows[0][1:] == ["from north", "from east", "from south", "from west"]
    assert [row[1:] for row in rows[1:]] == [["6", "1", "0", "0"], ["0", "0", "1", "0"]]
    titles = re.findall("<title>(08:[^<]*from north[^<]*)</title>", page(report))
    assert titles == ["08:00 to 08:15, from north, to east: 1", "08:00 to 08:15, from north, to south: 5"]


def test_miles_are_shown_as_the_terminal_shows_them(tmp_path: Path) -> None:
    data = [{"class_name": "car", "kmh": kmh, "mph": round(kmh / 1.609344, 1)} for kmh in (40.0, 80.5, 90.0)]
    events = [Event("speed.end", 1.0, 2, n, 2, each) for n, each in enumerate(data)]
    told = Tables(page(gather([write(tmp_path / "run", events, 5)]))).tables
    rows = next(rows for caption, rows in told.items() if "in mph" in caption)
    assert rows[1] == ["car", "3", "50", "56", "56"]


def test_speeds_in_bins() -> None:
    assert Speeds("car", (3.0, 5.0, 12.5)).bins() == [(0.0, 5.0, 1), (5.0, 10.0, 1), (10.0, 15.0, 1)]
