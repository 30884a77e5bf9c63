"""What every sink promises, whatever it writes."""

from __future__ import annotations

import csv
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
import numpy as np
import polars
import pytest

from bytetrack import Detections, Tracks
from tests.tracker.videos import picture
from tracker.contracts import Sink
from tracker.sinks import (
    CocoSink,
    CountsSink,
    CropSink,
    CsvSink,
    CvatSink,
    DetectionsSink,
    EventsSink,
    JsonSink,
    MotSink,
    VideoSink,
    WindowSink,
)
from tracker.sinks.actions import parse_action
from tracker.types import Event, Frame, Image, OutputError, Result, Scene

SCENE = Scene("clip.mp4", (64, 48), 10.0, False, {0: "person", 2: 'lorry, "big"'})
COUNT = 12


def plain(result: Result) -> Image:
    return result.frame.image


def result(index: int) -> Result:
    """Return a result with two tracks, none in every fourth frame."""
    frame = Frame(picture(index), index, index / 10)
    if index % 4 == 3:
        return Result(frame, Detections.empty(), Tracks.empty())
    boxes = np.array([[1.5 + index, 2, 11.25 + index, 22], [30, 4.125, 40, 24]])
    tracks = Tracks(np.array([1, 7]), boxes, np.array([0.9, 0.5]), np.array([0, 2]), np.array([0, 1]))
    events = (Event("line.in", frame.time, index, 7, 2, {"line": "door", "at": np.float32(1.5)}),)
    return Result(frame, Detections.empty(), tracks, events)


def video_rows(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def csv_rows(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        return len({row["frame"] for row in csv.DictReader(file)})


def json_rows(path: Path) -> int:
    return len([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])


def mot_rows(path: Path) -> int:
    return len({line.split(",")[0] for line in path.read_text(encoding="utf-8").splitlines()})


def coco_rows(path: Path) -> int:
    return len(json.loads(path.read_text(encoding="utf-8"))["images"])


def cvat_rows(path: Path) -> int:
    boxes = ElementTree.parse(path).iter("box")
    return len({box.get("frame") for box in boxes if box.get("outside") == "0"})


def parquet_rows(path: Path) -> int:
    return int(polars.read_parquet(path)["frame"].n_unique())


Kind = tuple[str, Callable[..., Any], Callable[[Path], int], Callable[[int], int]]


def with_tracks(frames: int) -> int:
    return sum(1 for i in range(frames) if i % 4 != 3)


KINDS: list[Kind] = [
    ("out.mp4", lambda p, **o: VideoSink(p, SCENE, plain, **o), video_rows, int),
    ("out.mkv", lambda p, **o: VideoSink(p, SCENE, plain, **o), video_rows, int),
    ("out.mov", lambda p, **o: VideoSink(p, SCENE, plain, **o), video_rows, int),
    ("out.webm", lambda p, **o: VideoSink(p, SCENE, plain, **o), video_rows, int),
    ("out.csv", lambda p, **o: CsvSink(p, SCENE, **o), csv_rows, int),
    ("out.jsonl", lambda p, **o: JsonSink(p, SCENE, **o), json_rows, int),
    ("out.parquet", lambda p, **o: DetectionsSink(p, SCENE, {}, **o), parquet_rows, int),
    ("out.txt", lambda p, **o: MotSink(p, **o), mot_rows, with_tracks),
    ("out.json", lambda p, **o: CocoSink(p, SCENE, **o), coco_rows, int),
    ("out.xml", lambda p, **o: CvatSink(p, SCENE, **o), cvat_rows, with_tracks),
]


@pytest.fixture(params=KINDS, ids=lambda kind: kind[0])
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


class TestEverySink:
    def test_writes_every_result_and_leaves_one_file(self, kind: Kind, tmp_path: Path) -> None:
        name, make, rows, expected = kind
        threads = threading.active_count()
        with make(tmp_path / name) as sink:
            for index in range(COUNT):
                sink.write(result(index))
        assert rows(tmp_path / name) == expected(COUNT)
        assert [p.name for p in tmp_path.iterdir()] == [name]
        assert threading.active_count() <= threads

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
    def test_an_interrupted_run_keeps_what_was_written(
        self, kind: Kind, tmp_path: Path, error: type[BaseException]
    ) -> None:
        name, make, rows, expected = kind
        threads = threading.active_count()
        with pytest.raises(error), make(tmp_path / name) as sink:
            for index in range(7):
                sink.write(result(index))
            raise error
        assert rows(tmp_path / name) == expected(7)
        assert [p.name for p in tmp_path.iterdir()] == [name]
        assert threading.active_count() <= threads

    def test_a_file_that_exists_is_kept_unless_overwritten(self, kind: Kind, tmp_path: Path) -> None:
        name, make, rows, expected = kind
        path = tmp_path / name
        path.write_bytes(b"precious")
        with pytest.raises(OutputError, match="exists; add --overwrite"), make(path):
            pass
        assert path.read_bytes() == b"precious"
        with make(path, overwrite=True) as sink:
            sink.write(result(0))
        assert rows(path) == expected(1)

    def test_a_missing_folder_is_told_before_the_run(self, kind: Kind, tmp_path: Path) -> None:
        name, make, *_ = kind
        with (
            pytest.raises(OutputError, match=r"the folder .*none does not exist"),
            make(tmp_path / "none" / name),
        ):
            pass

    def test_a_folder_that_refuses_is_told_before_the_run(self, kind: Kind) -> None:
        name, make, *_ = kind
        if not Path("/proc/self").is_dir():
            pytest.skip("needs /proc, a folder in which nobody can create files")
        with pytest.raises(OutputError, match="cannot be written"), make(Path("/proc/self") / name):
            pass

    def test_a_folder_in_its_place_is_told(self, kind: Kind, tmp_path: Path) -> None:
        name, make, *_ = kind
        (tmp_path / name).mkdir()
        with pytest.raises(OutputError, match="is a folder"), make(tmp_path / name, overwrite=True):
            pass


@pytest.mark.parametrize(
    ("name", "make"), [kind[:2] for kind in KINDS if kind[0] not in ("out.csv", "out.jsonl", "out.txt")]
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_device_or_a_pipe_is_never_replaced(
    name: str, make: Callable[..., Any], overwrite: bool, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / name)
    with (
        pytest.raises(OutputError, match="is a device or a pipe; give the name of a file"),
        make(tmp_path / name, overwrite=overwrite),
    ):
        pass
    assert (tmp_path / name).is_fifo() and len([*tmp_path.iterdir()]) == 1


def test_mot_text_is_what_evaluation_tools_read(tmp_path: Path) -> None:
    with MotSink(tmp_path / "t.txt") as sink:
        sink.write(result(0))
        sink.write(result(3))
        sink.write(result(4))
    assert (tmp_path / "t.txt").read_text(encoding="utf-8").splitlines() == [
        "1,1,1.50,2.00,9.75,20.00,0.9000,-1,-1,-1",
        "1,7,30.00,4.12,10.00,19.88,0.5000,-1,-1,-1",
        "5,1,5.50,2.00,9.75,20.00,0.9000,-1,-1,-1",
        "5,7,30.00,4.12,10.00,19.88,0.5000,-1,-1,-1",
    ]


def test_csv_has_the_columns_people_know_and_quotes_names(tmp_path: Path) -> None:
    with CsvSink(tmp_path / "t.csv", SCENE) as sink:
        sink.write(result(3))
        sink.write(result(4))
    assert (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines() == [
        "frame,time_s,x_min,y_min,x_max,y_max,class_id,class_name,confidence,tracker_id",
        "3,0.300000,,,,,,,,",
        "4,0.400000,5.500000,2.000000,15.250000,22.000000,0,person,0.9000,1",
        '4,0.400000,30.000000,4.125000,40.000000,24.000000,2,"lorry, ""big""",0.5000,7',
    ]


def test_json_lines_hold_tracks_and_events_and_the_last_words(tmp_path: Path) -> None:
    with JsonSink(tmp_path / "t.jsonl", SCENE) as sink:
        sink.write(result(3))
        sink.write(result(4))
        sink.finish([Event("summary", 0.4, 4, data={"counts": np.array([1, 2])})])
    empty, full, last = map(json.loads, (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines())
    assert empty == {"frame": 3, "time_s": 0.3, "tracks": [], "events": []}
    assert full["tracks"][1] == {
        "tracker_id": 7,
        "class_id": 2,
        "class_name": 'lorry, "big"',
        "confidence": 0.5,
        "xyxy": [30.0, 4.125, 40.0, 24.0],
    }
    assert full["events"] == [
        {
            "kind": "line.in",
            "time_s": 0.4,
            "frame": 4,
            "track_id": 7,
            "class_id": 2,
            "data": {"line": "door", "at": 1.5},
        }
    ]
    assert last["events"][0]["data"] == {"counts": [1, 2]}
    assert "frame" not in last


def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with MotSink("-") as sink:
        sink.write(result(0))
    assert capsys.readouterr().out.startswith("1,1,1.50,")


@pytest.mark.slow
def test_lines_are_in_the_file_soon(tmp_path: Path) -> None:
    import time

    with MotSink(tmp_path / "t.txt") as sink:
        sink.write(result(0))
        time.sleep(1.05)
        sink.write(result(1))
        assert len((tmp_path / "t.txt").read_text(encoding="utf-8").splitlines()) == 4


class TestWhatIsOptional:
    """Every sink answers all that a run may ask, also the one that only writes."""

    def sinks(self, folder: Path) -> list[Sink]:
        class Least(Sink):
            def write(self, result: Result) -> None:
                return

        return [
            *(make(folder / name) for name, make, *_ in KINDS),
            EventsSink(folder / "e.jsonl", SCENE),
            CountsSink(folder / "c.csv", SCENE),
            CropSink(folder / "crop.mp4", SCENE),
            parse_action("*=cmd:true", SCENE),
            WindowSink("window", plain),
            Least(),
        ]

    def test_is_answered_by_every_sink(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        for sink in self.sinks(tmp_path):
            with sink:
                sink.notify([Event("source.lost", 0.0, 0)])
                sink.on_idle()
                sink.write(result(0))
                assert sink.queued >= 0
                assert json.dumps(sink.state())
                sink.finish([Event("summary", 0.1, 1)], interrupted=True)
            assert all(isinstance(path, Path) for path in sink.files)
            assert all(isinstance(text, str) for text in sink.warnings)

    def test_names_tell_one_from_another(self, tmp_path: Path) -> None:
        named = [(type(sink), sink.name) for sink in self.sinks(tmp_path)]
        assert len(set(named)) == len(named)
