from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import Detections, Tracks
from tests.quick import examples
from tracker.sinks.movements import COLUMNS, Junction, MovementsSink
from tracker.types import Event, Frame, Result, Scene

FPS = 4.0
BLACK = np.zeros((1, 1, 3), np.uint8)
ARMS = ("north", "east")
GATE = Junction("gate", ARMS, ("car", "bus"))
ANY = Junction("gate", ARMS)


def scene(**more: object) -> Scene:
    return Scene("clip", (64, 48), FPS, False, {2: "car", 5: "bus"}, **more)  # type: ignore[arg-type]


def movement(
    told_s: float,
    since_s: float | None,
    left_s: float | None,
    origin: str = "north",
    to: str = "east",
    class_name: str = "car",
) -> Event:
    complete = since_s is not None and left_s is not None
    data = {
        **{"movement": "gate", "name": "", "since_s": since_s, "left_s": left_s, "class_name": class_name},
        **{"from": None if since_s is None else origin, "to": None if left_s is None else to},
    }
    return Event("movement" if complete else "movement.incomplete", told_s, int(told_s * FPS), 1, 2, data)


def result(index: int, events: list[Event]) -> Result:
    here = tuple(event for event in events if event.frame == index)
    return Result(Frame(BLACK, index, index / FPS), Detections.empty(), Tracks.empty(), here)


def write(
    path: Path, events: list[Event], frames: int, made: Scene, **options: object
) -> list[dict[str, str]]:
    """Run a sink; events later than the last frame come after it."""
    with MovementsSink(path, made, overwrite=True, **options) as sink:  # type: ignore[arg-type]
        for index in range(frames):
            sink.write(result(index, events))
        sink.finish([event for event in events if event.frame >= frames])
    with path.open() as file:
        return list(csv.DictReader(file))


@st.composite
def happened(draw: st.DrawFn) -> list[Event]:
    events = []
    for _ in range(draw(st.integers(0, 20))):
        since = draw(st.none() | st.integers(0, 79).map(lambda n: n / 4))
        took = draw(st.none() | st.integers(0, 20).map(lambda n: n / 4))
        left = None if took is None else (since or 0.0) + took
        if since is None and left is None:
            continue
        known = max(time for time in (since, left) if time is not None)
        ends = draw(st.sampled_from(ARMS)), draw(st.sampled_from(ARMS))
        events.append(movement(known + 1.0, since, left, *ends, draw(st.sampled_from(["car", "bus"]))))
    return sorted(events, key=lambda event: event.time)


@examples(60)
@given(happened(), st.sampled_from([None, 0.25, 1.0, 7.5, 60.0]), st.sampled_from([GATE, ANY]))
def test_rows_add_up_to_the_events_each_in_its_interval(
    events: list[Event], interval: float | None, junction: Junction
) -> None:
    with TemporaryDirectory() as folder:
        rows = write(
            Path(folder, "m.csv"), events, 80, scene(), interval=interval, junctions=[junction], late_s=7.0
        )
    assert all(tuple(row) == COLUMNS for row in rows)
    expected = Counter(
        (event.data["from"] or "", event.data["to"] or "", event.data["class_name"]) for event in events
    )
    found: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        found[row["from"], row["to"], row["class"]] += int(row["count"])
        if interval and int(row["count"]):
            began = [e.data["since_s"] if e.data["since_s"] is not None else e.data["left_s"] for e in events]
            inside = [t for t in began if float(row["start"]) <= min(t, 19.75) < float(row["end"])]
            assert len(inside) >= int(row["count"])
    assert +found == expected
    assert [float(row["start"]) for row in rows] == sorted(float(row["start"]) for row in rows)


def test_zero_is_a_count(tmp_path: Path) -> None:
    rows = write(tmp_path / "m.csv", [], 8, scene(), interval=1.0, junctions=[GATE], late_s=1.0)
    assert len(rows) == 2 * 8 * 2, "two intervals, eight pairs, two classes"
    assert {row["count"] for row in rows} == {"0"}
    pairs = {(row["from"], row["to"]) for row in rows}
    assert pairs == {(a, b) for a in (*ARMS, "") for b in (*ARMS, "")} - {("", "")}


def test_without_known_classes_those_that_came_by_have_rows(tmp_path: Path) -> None:
    events = [movement(3.0, 1.5, 2.0), movement(5.0, 4.5, 4.75, class_name="bus")]
    rows = write(tmp_path / "m.csv", events, 24, scene(), interval=2.0, junctions=[ANY], late_s=2.0)
    classes = [sorted({row["class"] for row in rows if row["start"] == f"{2 * n}.000"}) for n in range(3)]
    assert classes == [["car"], ["bus", "car"], ["bus", "car"]]


def test_it_counts_where_it_began_though_it_is_told_later(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    with MovementsSink(path, scene(), interval=2.0, junctions=[GATE], late_s=3.0) as sink:
        for index in range(20):  # the frame of 4.75 s is the last
            sink.write(result(index, [movement(4.5, 1.5, 3.9)]))
            lines = path.read_text().splitlines()
            assert len(lines) == 1, "to what has begun something may be added still"
        for index in range(20, 21):
            sink.write(result(index, []))
        assert "0.000,2.000,gate,north,east,car,1" in path.read_text().splitlines()
        assert len(path.read_text().splitlines()) == 1 + 16


def test_times_are_those_of_the_clock_where_it_is_known(tmp_path: Path) -> None:
    quarter = 1_700_000_000.0 - 1_700_000_000 % 900
    made = scene(start_wall=quarter + 60, utc_offset_s=7200.0)
    rows = write(tmp_path / "m.csv", [movement(2.0, 1.0, 1.5)], 12, made, interval=900.0, junctions=[GATE])
    assert rows[0]["start"].endswith(":00.000+02:00") and rows[0]["end"].endswith(":00.000+02:00")
    (row,) = [row for row in rows if row["count"] == "1"]
    assert (row["from"], row["to"], row["class"]) == ("north", "east", "car")


def test_a_run_cut_in_two_writes_the_rows_of_a_whole_one(tmp_path: Path) -> None:
    events = [movement(t, t - 2, t - 1, class_name=c) for t, c in ((3.0, "car"), (5.0, "bus"), (6.0, "car"))]
    options = {"interval": 2.0, "junctions": [ANY], "late_s": 3.0}
    whole = write(tmp_path / "whole.csv", events, 40, scene(), **options)
    for cut in (4, 15, 21, 33):
        path = tmp_path / f"cut{cut}.csv"
        with MovementsSink(path, scene(), **options) as sink:  # type: ignore[arg-type]
            for index in range(cut):
                sink.write(result(index, events))
            state = json.loads(json.dumps(sink.state()))
            sink.finish([])  # a run that is interrupted; what this wrote is cut off again
        second = MovementsSink(path, scene(), **options)  # type: ignore[arg-type]
        second.restore(state, True)
        with second as sink:
            for index in range(cut, 40):
                sink.write(result(index, events))
            sink.finish([])
        with path.open() as file:
            assert list(csv.DictReader(file)) == whole, cut


def test_names_from_strangers_are_no_formulas(tmp_path: Path) -> None:
    odd = Junction("=1+1", ("-a", "@b"), ("+car",))
    rows = write(tmp_path / "m.csv", [], 4, scene(), junctions=[odd])
    assert {row["movement"] for row in rows} == {"'=1+1"}
    assert {row["from"] for row in rows} == {"'-a", "'@b", ""}
    assert {row["class"] for row in rows} == {"'+car"}


@pytest.mark.parametrize("kind", ["line.in", "zone.exit", "movements", "source.lost"])
def test_other_events_are_none_of_its_business(tmp_path: Path, kind: str) -> None:
    event = Event(kind, 0.5, 2, 1, 2, {"movement": "gate", "from": "north", "to": "east"})
    rows = write(tmp_path / "m.csv", [event], 8, scene(), junctions=[GATE])
    assert {row["count"] for row in rows} == {"0"}
