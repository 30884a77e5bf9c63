"""The page, the spreadsheet and the terminal: the same numbers, no script, nothing that a name could do."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tracker.report.runs import EIGHT, crossing, record, scene, visit, write
from tracker.commands.report import summary
from tracker.report.gather import Report, gather
from tracker.report.page import MOST_BYTES, page
from tracker.types import Event

HOSTILE = '=HYPERLINK("http://x","y")<script>alert(1)</script>'


class Tables(HTMLParser):
    """Collects tables by caption, and every tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._caption, self._into = "", ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "caption":
            self._caption, self._into = "", "caption"
        elif tag == "tr":
            self.tables.setdefault(self._caption, []).append([])
        elif tag in ("td", "th"):
            self.tables[self._caption][-1].append("")
            self._into = "cell"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("caption", "td", "th"):
            self._into = ""

    def handle_data(self, data: str) -> None:
        if self._into == "caption":
            self._caption += data
        elif self._into == "cell":
            self.tables[self._caption][-1][-1] += data


def street(folder: Path, name: str = "door", *, seconds: float = 40, wall: float | None = EIGHT) -> Path:
    events = [
        *(crossing(t, name) for t in (1.0, 2.0, 14.0)),
        crossing(3.0, name, "out", "car", sure=0.6, why="low score, feet hidden", x=40.0, y=30.0),
        *visit(2.0, 8.0),
        *visit(4.0, 30.0),
        Event("speed.end", 9.0, 18, 1, 2, {"class_name": "car", "kmh": 42.0}),
        Event("speed.end", 9.0, 18, 2, 2, {"class_name": "car", "kmh": 50.5}),
    ]
    return write(folder, events, seconds, scene(wall), interval=10)


def sheets(data: bytes) -> Any:
    openpyxl = pytest.importorskip("openpyxl")
    return openpyxl.load_workbook(io.BytesIO(data))


def book_of(report: Report) -> Any:
    pytest.importorskip("xlsxwriter")
    from tracker.report.sheets import workbook

    return sheets(workbook(report))


def test_page_spreadsheet_table_and_terminal_agree(tmp_path: Path) -> None:
    import csv

    run = street(tmp_path / "run")
    report = gather([run])
    with (run / "counts.csv").open() as file:
        rows = list(csv.DictReader(file))
    told = Tables(page(report)).tables
    terminal = dict(summary(report))
    book = book_of(report)
    for name, way, total in (
        ("door", "in", 3),
        ("door", "out", 1),
        ("till", "enter", 2),
        ("till", "exit", 2),
    ):
        mine = [row for row in rows if (row["name"], row["direction"]) == (name, way)]
        assert sum(int(row["count"]) for row in mine) == total
        sheet = [
            row for row in book["Intervals"].iter_rows(min_row=2, values_only=True) if row[2:4] == (name, way)
        ]
        assert sum(row[5] for row in sheet) == total
        by_start = {row[0].strftime("%H:%M:%S"): 0 for row in sheet}
        for row in sheet:
            by_start[row[0].strftime("%H:%M:%S")] += row[5]
        assert {row["start"][11:19] for row in mine} <= by_start.keys()
        for row in mine:
            assert by_start[row["start"][11:19]] == sum(
                int(other["count"]) for other in mine if other["start"] == row["start"]
            )
    assert told["Crossings of lines"][1:] == [
        ["door in", "3", "person 3", "0"],
        ["door out", "1", "car 1", "1"],
    ]
    assert terminal["door in"] == "3"
    assert terminal["door out"] == "1, 1 of them doubtful"
    assert told["Visits to zones"][1][:3] == ["till", "2", "2"]
    assert terminal["till entries"] == "2, 2 exits"
    by_interval = told["Line door: how many every 10 s"]
    place = by_interval[0].index("in all")
    assert [row[place] for row in by_interval[1:]] == ["2", "1", "0", "0", "0"]


def test_the_speeds_are_those_of_the_terminal(tmp_path: Path) -> None:
    told = Tables(page(gather([street(tmp_path / "run")]))).tables
    rows = next(rows for caption, rows in told.items() if "median speed" in caption)
    assert rows[1] == ["car", "2", "42", "50", "50"]


def test_nothing_is_fetched_and_nothing_runs(tmp_path: Path) -> None:
    run = street(tmp_path / "run", HOSTILE)
    report = gather([run], title="<img src=x onerror=y>", frame_at=lambda _: np.zeros((48, 64, 3), np.uint8))
    html = page(report)
    tags = Tables(html).tags
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in tags}
    for tag, attributes in tags:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith(
                "data:image/jpeg;base64,"
            ) or name not in attributes
    assert "url(" not in html
    assert report.thumbnails


@pytest.mark.slow
def test_it_is_small_enough_whatever_is_in_it(tmp_path: Path) -> None:
    run = street(tmp_path / "run", seconds=900)
    noise = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), np.uint8)
    html = page(gather([run], interval_s=10, frame_at=lambda _: noise))
    assert len(html.encode()) <= MOST_BYTES
    assert "data:image/jpeg" in html


@pytest.mark.slow
def test_two_thousand_lines_are_a_page_too(tmp_path: Path) -> None:
    events = [
        crossing(n % 40 / 2, f"line {n} of a long street", way) for n in range(2000) for way in ("in", "out")
    ]
    html = page(gather([write(tmp_path / "run", events, 20)]))
    assert len(html.encode()) <= MOST_BYTES
    rows = Tables(html).tables["Crossings of lines"]
    assert len(rows) == 1 + 2000 + 1
    assert rows[-1][0] == "2000 more are in the spreadsheet (--xlsx)"


def test_a_person_who_hears_the_page_hears_what_is_in_it(tmp_path: Path) -> None:
    html = page(gather([street(tmp_path / "run")]))
    tags = Tables(html).tags
    identifiers = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    for tag, attributes in tags:
        if attributes.get("role") == "img":
            assert attributes["aria-labelledby"] in identifiers
        if tag == "img":
            assert attributes.get("alt")
        if tag == "th":
            assert attributes.get("scope") in ("col", "row")
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert "<title>08:00:00 to 08:00:10, in, person: 2</title>" in html


def test_settings_gaps_and_versions_are_told(tmp_path: Path) -> None:
    run = street(tmp_path / "run")
    shapes = [
        {
            "kind": "line",
            "name": "door",
            "directions": ["in", "out"],
            "classes": [],
            "points": [[0, 9], [64, 9]],
        },
        {
            "kind": "zone",
            "name": "till",
            "directions": ["enter", "exit"],
            "classes": [],
            "points": [[0, 0], [9, 0], [9, 9]],
        },
    ]
    record(run, shapes=shapes, gaps=[[20.0, 25.0]], dropped=7, ended=False, notes=["3 packets skipped"])
    told = dict(row for rows in Tables(page(gather([run]))).tables.values() for row in rows if len(row) == 2)
    assert told["Frames dropped"] == "7"
    assert told["Gaps"] == "1, 5 s in all"
    assert told["Settings"] == "--conf 0.5"
    assert told["Versions"] == "numpy 2.0"
    assert told["Note"] == "3 packets skipped"
    assert "did not end in order" in page(gather([run]))


def test_a_name_is_no_formula(tmp_path: Path) -> None:
    import zipfile

    pytest.importorskip("xlsxwriter")
    from tracker.report.sheets import workbook

    data = workbook(gather([street(tmp_path / "run", HOSTILE)], title="=1+1"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode("utf-8", "replace")
            assert "<hyperlink" not in text
            if name.startswith("xl/worksheets"):
                assert "<f>" not in text
            if name.startswith("xl/charts"):  # references to cells alone
                assert all(ref.startswith("Charts!") for ref in re.findall("<c:f>(.*?)</c:f>", text))
    assert sheets(data)["Summary"]["A1"].value == "=1+1"
    assert sheets(data)["Summary"]["A1"].data_type == "s"


def test_the_sheets_that_are_expected(tmp_path: Path) -> None:
    book = book_of(gather([street(tmp_path / "run")]))
    assert book.sheetnames == ["Summary", "Intervals", "Charts", "Visits", "Events"]
    assert len(book["Charts"]._charts) == 2
    assert book["Events"].max_row == 1 + 10
    zero = [row for row in book["Intervals"].iter_rows(min_row=2, values_only=True) if row[5] == 0]
    assert zero
