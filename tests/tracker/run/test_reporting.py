"""--save-run and --report: what a run says of itself, and the page at its end."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tracker.report.test_page import Tables
from tests.tracker.squares import SquareDetector
from tracker.options import Options
from tracker.report.gather import gather
from tracker.report.page import page
from tracker.run.record import settings
from tracker.run.session import Session
from tracker.types import OptionError, OutputError

FRAMES = 60
COUNTING: dict[str, Any] = {
    "line": ("door=80,0 80,96",),
    "zone": ("hall=40,0 120,0 120,96 40,96",),
    "plugin": ("route", "heatmap"),
}


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector())


@pytest.fixture
def clip(make_video: Callable[..., Path]) -> Path:
    return make_video(frames=FRAMES)


def run(clip: Path, folder: Path, *, stop_after: int | None = None, **more: Any) -> Session:
    stop = threading.Event()
    options = Options(**{**COUNTING, **more})
    with Session(str(clip), options, stop=stop, prefix=folder / "out") as session:
        for count, _ in enumerate(session, 1):
            if count == stop_after:
                stop.set()
    return session


@pytest.mark.slow
def test_the_report_of_a_run_is_that_of_its_files(clip: Path, tmp_path: Path) -> None:
    files = {"events": str(tmp_path / "e.jsonl"), "save_run": str(tmp_path / "run.json")}
    session = run(clip, tmp_path, **files, report=str(tmp_path / "r.html"), interval="1s", conf=0.4)
    html = (tmp_path / "r.html").read_text()
    told = Tables(html).tables
    summary = dict(row for rows in session.account.summaries() for row in rows)
    assert told["Crossings of lines"][1][1] == summary["door in"] == "1"
    assert told["Visits to zones"][1][1] == summary["hall entries"].split()[0]
    mean, _, _ = summary["hall occupancy"].partition(" ")
    assert told["Visits to zones"][1][3] == mean
    about = next(
        dict(row for row in rows if len(row) == 2) for name, rows in told.items() if name == clip.name
    )
    assert "--conf 0.4" in about["Settings"]
    assert about["Frames"] == str(FRAMES)
    assert html.count("data:image/jpeg") == 3  # the scene, routes, heatmap
    assert str(tmp_path / "r.html") in session.account.outputs()
    again = gather([tmp_path / "run.json"])
    events = gather([tmp_path / "e.jsonl"], interval_s=1)
    assert {row for row in again.tally.rows if row.count} == {row for row in events.tally.rows if row.count}
    assert len(again.pictures) == 2
    assert Tables(page(again)).tables["Crossings of lines"] == told["Crossings of lines"]


ZONES = """\
size: [160, 96]
lines:
  - {name: west, points: [[40, 0], [40, 96]], towards: right}
  - {name: east, points: [[120, 0], [120, 96]], towards: left}
movements:
  - {name: road, sections: [west, east], names: {west>east: through}}
"""


@pytest.mark.slow
def test_movements_are_those_of_their_table(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "zones.yaml").write_text(ZONES)
    files = {name: str(tmp_path / name) for name in ("movements", "save_run", "events")}
    more = {"zones": str(tmp_path / "zones.yaml"), "interval": "1s", "report": str(tmp_path / "r.html")}
    run(clip, tmp_path, line=(), zone=(), plugin=(), **files, **more)
    report = gather([tmp_path / "save_run"])
    ours = [
        (row.name, row.direction.replace("?", ""), row.class_name, row.count)
        for row in report.movements.rows
        if row.count
    ]
    with (tmp_path / "movements").open() as file:
        rows = list(csv.DictReader(file))
    assert ours == [
        (row["movement"], f"{row['from']} > {row['to']}", row["class"], int(row["count"]))
        for row in rows
        if row["count"] != "0"
    ]
    assert ours[0] == ("road", "west > east", "person", 1)
    told = Tables((tmp_path / "r.html").read_text()).tables
    assert told["By class"][1][:2] == ["west to east", "through"]
    assert "<title>west to east: 1</title>" in (tmp_path / "r.html").read_text()


@pytest.mark.slow
def test_a_report_alone_leaves_nothing_else(clip: Path, tmp_path: Path) -> None:
    session = run(clip, tmp_path, plugin=(), report=str(tmp_path / "r.html"))
    assert session.account.outputs() == [str(tmp_path / "r.html")]
    assert {path.name for path in tmp_path.iterdir()} - {clip.name} == {"r.html"}
    assert Tables((tmp_path / "r.html").read_text()).tables["Crossings of lines"][1][1] == "1"


def test_a_report_that_exists_is_told_before_the_run(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("mine")
    with pytest.raises(OutputError, match=r"r\.html: exists; add --overwrite"):
        run(clip, tmp_path, report=str(tmp_path / "r.html"))
    assert (tmp_path / "r.html").read_text() == "mine"


def test_the_record_is_there_from_the_first_frame_and_says_whether_the_run_ended(
    clip: Path, tmp_path: Path
) -> None:
    path, stop = tmp_path / "run.json", threading.Event()
    with Session(str(clip), Options(**COUNTING, save_run=str(path)), stop=stop) as session:
        next(iter(session))
        early = json.loads(path.read_text())
    assert (early["ended"], early["size"]) == (False, [160, 96])
    assert [shape["name"] for shape in early["shapes"]] == ["door", "hall"]
    late = json.loads(path.read_text())
    assert (late["ended"], late["frames"], late["objects"]) == (True, 1, {"person": 1})
    assert {"numpy", "opencv-python"} <= late["versions"].keys()


@pytest.mark.slow
def test_a_run_in_two_parts_has_one_record(clip: Path, tmp_path: Path) -> None:
    files = {"events": "e.jsonl", "save_run": "run.json", "state": "state.json", "report": "r.html"}
    named = {name: str(tmp_path / file) for name, file in files.items()}
    run(clip, tmp_path, stop_after=20, **named)
    run(clip, tmp_path, resume=True, **named)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["frames"] == FRAMES
    assert record["first_s"] == 0
    told = Tables((tmp_path / "r.html").read_text()).tables
    assert told["Crossings of lines"][1][1] == "1"


def test_a_report_of_parts_needs_all_of_them() -> None:
    with pytest.raises(OptionError, match="--report with --state needs --events and --save-run"):
        Options(report="r.html", state="s.json")


@pytest.mark.parametrize("option", ["report", "save_run"])
def test_a_page_is_no_stream(option: str) -> None:
    with pytest.raises(OptionError, match="take a file, not standard output"):
        Options(**{option: "-"})


def test_settings_hide_secrets() -> None:
    told = settings(Options(on=("line.*=http://me:secret@host/hook?token=abc",), save_csv="t.csv"))
    assert told == ["--on line.*=http://host/hook", "--save-csv t.csv"]
