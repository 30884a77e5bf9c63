from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bytetrack import Detections, Tracks
from tracker.sinks.events import EventsSink
from tracker.types import Event, Frame, Result, Scene

SCENE = Scene("clip", (64, 48), 10.0, False, {0: "person"})
CROSSING = Event(
    "line.in",
    0.4,
    4,
    7,
    0,
    {"line": "door", "direction": "north", "class_name": "person", "x": 3.0, "crossed_s": np.float64(0.3)},
)


def result(*events: Event, time: float = 0.4) -> Result:
    frame = Frame(np.zeros((1, 1, 3), np.uint8), 4, time)
    return Result(frame, Detections.empty(), Tracks.empty(), events)


def test_an_event_is_a_line_and_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventsSink(path, SCENE) as sink:
        sink.write(result())
        assert path.read_text() == ""
        sink.write(result(CROSSING))
        (line,) = path.read_text().splitlines()  # while the run goes on
        sink.finish(
            [Event("zone.exit", 0.5, 5, 7, 0, {"zone": "till", "class_name": "person", "dwell_s": 2.5})]
        )
    assert json.loads(line) == {
        "frame": 4,
        "time_s": 0.4,
        "kind": "line.in",
        "name": "door",
        "direction": "north",
        "track_id": 7,
        "class_id": 0,
        "class": "person",
        "x": 3.0,
        "crossed_s": 0.3,
    }
    assert [json.loads(text)["name"] for text in path.read_text().splitlines()] == ["door", "till"]


def test_wall_time_where_it_is_known(tmp_path: Path) -> None:
    from datetime import datetime

    for scene, time in (
        (Scene("clip", (64, 48), 10.0, False, {}, start_wall=1_700_000_000.0), 0.4),
        (Scene("camera", (64, 48), 10.0, True, {}), 1_700_000_000.4),
    ):
        path = tmp_path / f"{scene.source}.jsonl"
        with EventsSink(path, scene) as sink:
            sink.write(result(Event("line.in", time, 4), time=time))
        wall = datetime.fromisoformat(json.loads(path.read_text())["wall_time"])
        assert wall.tzinfo is not None
        assert abs(wall.timestamp() - 1_700_000_000.4) < 1e-3


def test_an_event_about_no_shape_is_written_too(tmp_path: Path) -> None:
    with EventsSink(tmp_path / "e.jsonl", SCENE) as sink:
        sink.write(result(Event("source.lost", 1.0, 9, data={"seconds": 3})))
    row = json.loads((tmp_path / "e.jsonl").read_text())
    assert (row["kind"], row["name"], row["seconds"]) == ("source.lost", None, 3)
