from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import Detections, Tracks
from tests.quick import examples
from tracker.sinks.counts import Counted, CountsSink
from tracker.types import Event, Frame, OptionError, Result, Scene

FPS = 4.0


def scene(**more: object) -> Scene:
    return Scene("clip", (64, 48), FPS, False, {0: "person", 2: "car"}, **more)  # type: ignore[arg-type]


def crossing(frame: int, name: str = "door", way: str = "in", class_name: str = "person") -> Event:
    return Event(
        f"line.{way}", frame / FPS, frame, 1, 0, {"line": name, "direction": way, "class_name": class_name}
    )


def write(
    path: Path, events: list[Event], frames: int, made: Scene, last: int = 0, **options: object
) -> list[dict]:
    """Run a sink; the ``last`` events come after the last frame."""
    black = np.zeros((1, 1, 3), np.uint8)
    during, after = (events[:-last], events[-last:]) if last else (events, [])
    offset = made.start_wall if made.live and made.start_wall else 0.0
    with CountsSink(path, made, overwrite=True, **options) as sink:
        for index in range(frames):
            here = tuple(event for event in during if event.frame == index)
            frame = Frame(black, index, index / FPS + offset)
            sink.write(Result(frame, Detections.empty(), Tracks.empty(), here))
        sink.finish(after)
    with path.open() as file:
        return list(csv.DictReader(file))


happenings = st.lists(
    st.builds(
        crossing,
        st.integers(0, 99),
        st.sampled_from(["door", "gate"]),
        st.sampled_from(["in", "out"]),
        st.sampled_from(["person", "car"]),
    ),
    max_size=30,
)


@examples(50)
@given(happenings, st.sampled_from([None, 0.25, 1.0, 3.0, 7.5, 60.0]), st.integers(0, 3))
def test_rows_add_up_to_the_events(events: list[Event], interval: float | None, last: int) -> None:
    events = sorted(events, key=lambda event: event.frame)
    with TemporaryDirectory() as folder:
        rows = write(Path(folder) / "c.csv", events, 100, scene(), min(last, len(events)), interval=interval)
    told = Counter((e.data["line"], e.data["direction"], e.data["class_name"]) for e in events)
    counted: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        counted[row["name"], row["direction"], row["class"]] += int(row["count"])
    assert counted == told


def test_intervals_follow_each_other_and_say_zero(tmp_path: Path) -> None:
    rows = write(tmp_path / "c.csv", [crossing(2), crossing(3), crossing(45)], 60, scene(), interval=5.0)
    assert [(r["start_s"], r["end_s"], r["count"]) for r in rows] == [
        ("0.000", "5.000", "2"),
        ("5.000", "10.000", "0"),
        ("10.000", "15.000", "1"),
    ]


def test_intervals_begin_on_the_round_of_the_clock(tmp_path: Path) -> None:
    noon_and_a_minute = 1_700_000_000.0 - 1_700_000_000 % 900 + 60
    rows = write(
        tmp_path / "c.csv",
        [crossing(0)],
        4,
        scene(start_wall=noon_and_a_minute),
        interval=900.0,
    )
    assert (rows[0]["start_s"], rows[0]["end_s"]) == ("-60.000", "840.000")
    assert ":00.000" in rows[0]["start"]


def test_doubtful_events_are_counted_and_told(tmp_path: Path) -> None:
    sure, doubtful = crossing(1), crossing(2)
    doubtful = Event(
        *(getattr(doubtful, n) for n in ("kind", "time", "frame", "track_id", "class_id")),
        {**doubtful.data, "why": "feet hidden"},
    )
    rows = write(tmp_path / "c.csv", [sure, doubtful, crossing(30)], 40, scene(), interval=5.0)
    assert [(r["count"], r["doubtful"]) for r in rows] == [("2", "1"), ("1", "0")]


def test_without_an_interval_the_run_is_one(tmp_path: Path) -> None:
    (row,) = write(tmp_path / "c.csv", [crossing(2), crossing(30)], 41, scene())
    assert (row["start_s"], row["end_s"], row["count"]) == ("0.000", "10.000", "2")


SHAPES = [
    Counted("door", ("in", "out"), ("person", "car")),
    Counted("gate", ("east", "west")),
    Counted("till", ("enter", "exit", "loiter"), ("person",)),
]


def test_zero_is_a_count(tmp_path: Path) -> None:
    events = [crossing(30), crossing(31, "gate", "east", "bus"), crossing(35, "gate", "west", "car")]
    rows = write(tmp_path / "c.csv", events, 80, scene(), interval=5.0, counted=SHAPES)
    intervals = [[r for r in rows if r["start_s"] == f"{5 * n}.000"] for n in range(4)]
    named = [[(r["name"], r["direction"], r["class"], r["count"]) for r in part] for part in intervals]
    door = [("door", way, who, "0") for way in ("in", "out") for who in ("car", "person")]
    till = [("till", what, "person", "0") for what in ("enter", "exit", "loiter")]
    assert named[0] == [*door, ("gate", "east", "", "0"), ("gate", "west", "", "0"), *till]
    gate = [("gate", "east", "bus", "1"), ("gate", "east", "car", "0"), ("gate", "west", "bus", "0")]
    gate += [("gate", "west", "car", "1")]
    door[1] = ("door", "in", "person", "1")
    assert named[1] == [*door, *gate, *till]
    assert named[2] == named[3] == [(*row[:3], "0") for row in named[1]]


def test_nobody_at_all_is_a_table_of_zeros(tmp_path: Path) -> None:
    rows = write(tmp_path / "c.csv", [], 8, scene(), counted=SHAPES)
    assert [r["count"] for r in rows] == ["0"] * 9


@pytest.mark.parametrize(
    ("events", "counted", "told"),
    [([], [], 1), ([crossing(1)], [], 0), ([], [Counted("door", ("in", "out"))], 0)],
)
def test_who_has_no_line_is_told(
    tmp_path: Path, events: list[Event], counted: list[Counted], told: int
) -> None:
    with CountsSink(tmp_path / "counts.csv", scene(), counted=counted) as sink:
        sink.finish(events)
    assert [text.startswith("--counts: there was no line or zone") for text in sink.warnings] == told * [True]


def test_a_day_begins_at_the_midnight_of_the_place(tmp_path: Path) -> None:
    late = 1_700_000_000.0 - 1_700_000_000 % 86400 + 86400 - 5.5 * 3600 - 2  # 23:59:58 in India
    rows = write(
        tmp_path / "c.csv",
        [crossing(0), crossing(12)],
        16,
        scene(start_wall=late, utc_offset_s=5.5 * 3600),
        interval=86400.0,
    )
    assert [(r["start"][11:], r["count"]) for r in rows] == [
        ("00:00:00.000+05:30", "1"),
        ("00:00:00.000+05:30", "1"),
    ]


def test_rows_are_there_when_their_interval_is_over(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    with CountsSink(path, scene(), interval=1.0) as sink:
        for index in range(9):
            frame = Frame(np.zeros((1, 1, 3), np.uint8), index, index / FPS)
            sink.write(Result(frame, Detections.empty(), Tracks.empty(), (crossing(index),)))
        assert len(path.read_text().splitlines()) == 1 + 2


def test_zones_count_what_happened(tmp_path: Path) -> None:
    data = {"zone": "till", "class_name": "person"}
    events = [Event(f"zone.{what}", 0.0, 0, 1, 0, data) for what in ("enter", "exit", "loiter")]
    rows = write(tmp_path / "c.csv", [*events, Event("source.lost", 0.0, 0)], 4, scene())
    assert [(r["direction"], r["count"]) for r in rows] == [("enter", "1"), ("exit", "1"), ("loiter", "1")]


@pytest.mark.parametrize("seconds", [0.0, -5.0, math.inf, math.nan])
def test_intervals_that_are_none(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(OptionError, match=r"--interval .*: must be more than 0 seconds"):
        CountsSink(tmp_path / "c.csv", scene(), interval=seconds)
