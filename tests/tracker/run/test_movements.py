"""Movements as a user has them: events, table and terminal; live, replayed, cut in two."""

from __future__ import annotations

import csv
import json
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bytetrack import Detections
from tests.tracker.plugins.junction import ARMS, LINES, NAMES, SIZE, TOWARDS, Trip, moments, scene
from tests.tracker.squares import SquareDetector
from tracker import Line, Movement, track
from tracker.commands.replay import command as replay
from tracker.errors import OptionError
from tracker.options import Options
from tracker.run.multi import Several
from tracker.run.session import Session
from tracker.sinks import CsvSink
from tracker.types import Result

ROAD = """\
size: [160, 96]
classes: {person: visitor}
lines:
  - {name: west, points: [[40, 0], [40, 96]], towards: right}
  - {name: east, points: [[120, 0], [120, 96]], towards: left}
movements:
  - {name: road, sections: [west, east], names: {west>east: eastbound}}
"""
FRAMES = 120  # the square crosses the picture from west to east, and begins again, two and a half times
TABLES = ("events", "movements", "counts")


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector())
    monkeypatch.chdir(tmp_path)
    Path("road.yaml").write_text(ROAD)


def options(folder: Path, **more: Any) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    tables = {name: str(folder / name) for name in TABLES}
    return {**tables, "zones": "road.yaml", "interval": "2s", **more}


def run(clip: Path, folder: Path, *, stop_after: int | None = None, **more: Any) -> Session:
    stop = threading.Event()
    with Session(str(clip), Options(**options(folder, **more)), stop=stop) as session:
        for count, _ in enumerate(session, 1):
            if count == stop_after:
                stop.set()
    return session


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def replayed(*words: str | Path) -> str:
    result = CliRunner().invoke(replay, [*map(str, words)], catch_exceptions=False, standalone_mode=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_events_table_and_terminal_tell_the_same(make_video: Callable[..., Path], tmp_path: Path) -> None:
    session = run(make_video(frames=FRAMES), tmp_path / "out")
    told = [json.loads(line) for line in (tmp_path / "out" / "events").read_text().splitlines()]
    moved = [event for event in told if event["kind"].startswith("movement")]
    pairs = Counter((event["from"] or "", event["to"] or "") for event in moved)
    assert pairs["west", "east"] == 2
    assert {event["class"] for event in moved} == {"visitor"}
    assert moved[0]["name"] == "eastbound" and moved[0]["movement"] == "road"
    table = rows(tmp_path / "out" / "movements")
    assert len({row["start"] for row in table}) == 3, "4.8 s in intervals of two"
    assert len(table) == 3 * 8, "every pair, whether it happened or not"
    found = Counter({(row["from"], row["to"]): 0 for row in table})
    for row in table:
        found[row["from"], row["to"]] += int(row["count"])
    assert +found == pairs
    told_at_end = dict(session.account.rows())
    assert told_at_end["road from west"].split() == ["0", "2", str(pairs["west", ""])]
    assert told_at_end["road eastbound"] == "2"
    assert {row["class"] for row in rows(tmp_path / "out" / "counts")} == {"visitor"}


@pytest.mark.slow
@pytest.mark.parametrize("cuts", [(61,), pytest.param((1, 30, 40), marks=pytest.mark.slow)])
def test_a_run_cut_in_two_counts_as_a_whole_one(
    make_video: Callable[..., Path], tmp_path: Path, cuts: tuple[int, ...]
) -> None:
    clip, state = make_video(frames=FRAMES), str(tmp_path / "state.json")
    whole = run(clip, tmp_path / "whole")
    for cut in (*cuts, None):
        last = run(clip, tmp_path / "cut", stop_after=cut, state=state, resume=True)
    for name in TABLES:
        assert (tmp_path / "cut" / name).read_text() == (tmp_path / "whole" / name).read_text(), name
    assert last.account.summaries()[:3] == whole.account.summaries()[:3]


@pytest.mark.slow
@pytest.mark.parametrize("stride", [1, 2])
def test_the_saved_tracks_tell_the_same(make_video: Callable[..., Path], tmp_path: Path, stride: int) -> None:
    clip = make_video(frames=FRAMES)
    run(clip, tmp_path / "live", save_csv=str(tmp_path / "tracks.csv"), vid_stride=stride)
    out = tmp_path / "replay"
    out.mkdir()
    tables = [word for name in TABLES for word in (f"--{name}", out / name)]
    replayed("tracks.csv", "--zones", "road.yaml", "--interval", "2s", *tables)
    for name in TABLES:
        assert (out / name).read_text() == (tmp_path / "live" / name).read_text(), name


@pytest.mark.slow
def test_a_junction_of_four_arms_from_a_table_of_tracks(tmp_path: Path) -> None:
    trips = [Trip(a, b, 8.0 * n) for n, (a, b) in enumerate((a, b) for a in ARMS for b in ARMS if a < b)]
    trips += [Trip("north", None, 60.0), Trip("west", "west", 66.0, 5)]
    with CsvSink("tracks.csv", scene(5.0)) as sink:
        for frame, tracks in moments(trips, 5.0):
            sink.write(Result(frame, Detections.empty(), tracks))
    lines = [
        f"  - {{name: {name}, points: {list(map(list, points))}, towards: {TOWARDS[name]}}}"
        for name, points in LINES.items()
    ]
    Path("z.yaml").write_text(
        f"size: {list(SIZE)}\nlines:\n"
        + "\n".join(lines)
        + f"\nmovements: {{four: {{sections: [{', '.join(ARMS)}]}}}}\n"
    )
    told = replayed("tracks.csv", "--zones", "z.yaml", "--movements", "m.csv", "--classes", "car,bus")
    counts = {(r["from"], r["to"], r["class"]): int(r["count"]) for r in rows(Path("m.csv"))}
    assert len(counts) == (16 + 8) * 2
    truth = Counter((trip.origin or "", trip.to or "", NAMES[trip.class_id]) for trip in trips)
    assert {key: count for key, count in counts.items() if count} == dict(truth)
    assert "7 movements; incomplete: 1 (12.5 %)" in told


@pytest.mark.slow
def test_several_sources_have_a_table_each(make_video: Callable[..., Path], tmp_path: Path) -> None:
    clips = [str(make_video(f"{name}.mp4", frames=60)) for name in ("one", "two")]
    given = Options(zones="road.yaml", movements="m.csv")
    with Several(clips, given, save=False) as several:
        for _ in several:
            pass
    assert [run.error for run in several.runs] == [None, None]
    assert rows(Path("m_one.csv")) == rows(Path("m_two.csv")) != []


@pytest.mark.slow
def test_python_has_them_too(make_video: Callable[..., Path]) -> None:
    """Wherever it stands among the plugins, it hears what they say, and what they say last."""
    movement = Movement(["west", "east"], "road")
    west = Line([(40, 0), (40, 96)], "west", towards="right")
    east = Line([(120, 0), (120, 96)], "east", towards="left")
    done = track(make_video(frames=FRAMES), plugins=[movement, west, east])
    for _ in done:
        pass
    assert movement.totals["west", "east", "person"] == 2
    crossings = sum(done.totals.values())
    ends = sum(count * ((origin != "") + (to != "")) for (origin, to, _), count in movement.totals.items())
    assert ends == crossings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"movements": "m.csv"}, "--movements: there is no zone file; give a zone file with 'movements:'"),
        ({"movements": "m.csv", "zones": "plain.yaml"}, "--movements: plain.yaml has no 'movements:'"),
        ({"zones": "road.yaml", "movements": "road.yaml", "overwrite": True}, "is the zone file itself"),
        ({"zones": "road.yaml", "movements": "m.csv", "counts": "m.csv"}, "would both write m.csv"),
    ],
)
def test_what_cannot_be_is_told_in_one_line_before_anything_is_written(
    make_video: Callable[..., Path], tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    Path("plain.yaml").write_text(ROAD.partition("movements:")[0])
    clip = make_video()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OptionError) as caught, Session(str(clip), Options(**given)):
        pass
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before and Path("road.yaml").read_text() == ROAD
