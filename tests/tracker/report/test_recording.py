"""Files of runs: what is told of those that are damaged, foreign, or of two runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bytetrack import Detections, Tracks
from tests.tracker.report.runs import BLACK, FPS, crossing, record, scene, visit, write
from tracker.report.files import find
from tracker.report.gather import gather
from tracker.sinks import JsonSink
from tracker.types import Event, Frame, InputError, Result


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write(tmp_path / "run", [crossing(1.0), crossing(2.0, way="out"), *visit(3, 5)], 10)


def test_a_folder_the_files_and_the_record_are_one_run(run: Path) -> None:
    shapes = [
        {
            "kind": "line",
            "name": "door",
            "directions": ["in", "out"],
            "classes": [],
            "points": [[0, 9], [9, 9]],
        },
        {"kind": "zone", "name": "till", "directions": ["enter", "exit"], "classes": [], "points": []},
    ]
    record(run, events=4, shapes=shapes, files={"events": "events.jsonl", "counts": "elsewhere/counts.csv"})
    ways = [[run], [run / "run.json"], [run / "events.jsonl", run / "run.json"]]
    reports = [gather(paths) for paths in ways]
    assert [len(report.runs) for report in reports] == [1, 1, 1]
    assert len({str(report.tally.rows) for report in reports}) == 1


def test_a_killed_run_is_used_as_far_as_it_goes(run: Path) -> None:
    log = run / "events.jsonl"
    log.write_text(log.read_text()[:-20])
    report = gather([run])
    assert report.tally.total("door", "in") == 1
    assert report.tally.total("till", "exit") == 0  # though counts.csv has it: its event is half a line
    assert report.runs[0].notes == ["events.jsonl ends in the middle of line 4: the run was killed"]


def test_what_a_dead_interval_lacks_is_in_the_events(run: Path) -> None:
    lines = (run / "counts.csv").read_text().splitlines()
    (run / "counts.csv").write_text(lines[0] + "\n")
    report = gather([run])
    assert report.tally.total("door", "out") == 1
    assert report.runs[0].notes == ["counts.csv lacks 4 events that events.jsonl has; the events are counted"]


def test_gaps_come_from_the_source_and_the_tracks(tmp_path: Path) -> None:
    gap = [Event("source.lost", 3.0, 6), Event("source.back", 7.0, 14, data={"gap_s": 4.0})]
    run = write(tmp_path / "run", [crossing(1.0), *gap], 10)
    times = [0.0, 1.0, 2.0, 2.5, 7.0, 8.0, 30.0]
    rows = [f"{n},{t},0,0,9,9,0,person,0.9,1" for n, t in enumerate(times)]
    head = "frame,time_s,x_min,y_min,x_max,y_max,class_id,class_name,confidence,tracker_id"
    (run / "tracks.csv").write_text("\n".join([head, *rows, ""]))
    report = gather([run])
    assert report.runs[0].gaps == [(2.5, 7.0), (8.0, 30.0)]
    assert report.watched_s == 3.5


def test_events_and_tracks_as_json_lines(tmp_path: Path) -> None:
    events = [crossing(1.0), *visit(2, 4)]
    with JsonSink(tmp_path / "all.jsonl", scene()) as sink:
        for index in range(21):
            here = tuple(event for event in events if event.frame == index)
            sink.write(Result(Frame(BLACK, index, index / FPS), Detections.empty(), Tracks.empty(), here))
    report = gather([tmp_path / "all.jsonl"])
    assert report.span == (0.0, 10.0)
    assert report.tally.total("door", "in") == report.tally.total("till", "exit") == 1
    assert report.stays["till"][0].left_s == 4.0


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "notes.txt",
            "hello\nworld\n",
            r"notes.txt: its first line is none of a run's \('hello' is not a JSON",
        ),
        ("empty.txt", "", "empty.txt: its first line is none of a run's .it is empty"),
        ("empty.jsonl", "", "empty.jsonl: no events and no counts"),
        (
            "bad.jsonl",
            '{"kind": "line.in", "time_s": 1}\nnonsense\n{}\n',
            "bad.jsonl:2: is no JSON object with",
        ),
        ("half.jsonl", '{"kind": "line.in", "time_s": "x"}\n', "half.jsonl:1: is no JSON object with"),
        ("old.json", '{"track_run": 7}', "old.json: is not what --save-run wrote, or a later release"),
        ("half.json", '{"track_run": 1,', "half.json: is no whole JSON file"),
        (
            "counts.csv",
            "start_s,end_s,start,name,direction,class,count\n0,1\n",
            "counts.csv:2: is no row of --counts",
        ),
    ],
)
def test_foreign_and_damaged_files(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        gather([path])


def test_an_empty_folder_and_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds nothing that a run wrote"):
        gather([tmp_path])
    with pytest.raises(InputError, match="no such file or folder"):
        gather([tmp_path / "nowhere"])


def test_events_of_another_run(tmp_path: Path, run: Path) -> None:
    record(run)  # counts at the door alone
    with pytest.raises(InputError, match=r"'till', which is no line or zone of the run"):
        gather([run])
    other = write(tmp_path / "other", [crossing(1.0)], 10)
    record(other, events=5)
    with pytest.raises(InputError, match=r"has 1 events, but the run of street.mp4 wrote 5; .*another run"):
        gather([other])
    (run / "run.json").unlink()
    with pytest.raises(InputError, match=r"counts 1 of door out person, but events.jsonl has 0; .*two runs"):
        gather([other / "events.jsonl", run / "counts.csv"])


def test_tracks_of_another_run(run: Path) -> None:
    head = "frame,time_s,x_min,y_min,x_max,y_max,class_id,class_name,confidence,tracker_id"
    (run / "tracks.csv").write_text(f"{head}\n0,0,0,0,9,9,0,person,0.9,77\n")
    with pytest.raises(InputError, match=r"tracks.csv: has no track 1 that events.jsonl tells of"):
        gather([run])


def test_several_runs_in_one_folder(tmp_path: Path) -> None:
    for name in "ab":
        run = write(tmp_path / name, [crossing(1.0)], 5)
        (run / "events.jsonl").rename(tmp_path / f"events_{name}.jsonl")
        (run / "counts.csv").rename(tmp_path / f"counts_{name}.csv")
        run.rmdir()
    one, two = find([tmp_path])
    assert (one.events, two.events) == (tmp_path / "events_a.jsonl", tmp_path / "events_b.jsonl")
    assert one.notes == ["left out: counts_a.csv, counts_b.csv, for nothing tells which of 2 runs wrote it"]
