"""Lines and zones that were renamed, exchanged or removed while they counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tracker.report.runs import crossing, record, visit, write
from tracker.report.gather import Report, gather
from tracker.types import Event


def line(name: str, inward: str = "in", outward: str = "out") -> dict[str, Any]:
    return {"kind": "line", "name": name, "in": inward, "out": outward, "points": [[0, 0], [9, 0]]}


def changed(time_s: float, old: object, new: object, known: str | None = "s1") -> Event:
    told = new if isinstance(new, dict) else old
    name = told.get("name") if isinstance(told, dict) else "?"
    data = {"line": name, "old": old, "new": new} | ({} if known is None else {"id": known})
    return Event("shape.changed", time_s, round(time_s * 2), data=data)


def report_of(folder: Path, events: list[Event], **more: Any) -> Report:
    run = write(folder / "run", events, 10)
    record(run, **more)
    return gather([run])


def test_what_was_counted_under_an_old_name_is_told_under_the_newest(tmp_path: Path) -> None:
    events = [
        crossing(1.0),
        changed(2.0, line("door"), line("gate", "north", "south")),
        crossing(3.0, "gate", "north"),
        changed(4.0, line("gate", "north", "south"), line("exit", "a", "b")),
        crossing(5.0, "exit", "b"),
    ]
    counts = report_of(tmp_path, events).tally
    assert list(counts.names) == ["exit"]
    assert (counts.total("exit", "a"), counts.total("exit", "b")) == (2, 1)


@pytest.mark.parametrize("known", [True, False])
def test_exchanged_names_are_told_apart(tmp_path: Path, known: bool) -> None:
    events = [crossing(1.0, "door"), crossing(1.5, "hall", "out")]
    if known:
        events += [
            changed(2.0, line("door"), line("hall"), "s1"),
            changed(2.0, line("hall"), line("door"), "s2"),
        ]
    else:
        events += [
            changed(2.0, line("door"), line("hall"), None),
            changed(2.0, line("hall"), line("door"), None),
        ]
    counts = report_of(tmp_path, [*events, crossing(3.0, "door", "out")]).tally
    assert counts.total("hall", "in") == 1
    assert counts.total("door", "out") == 2


def test_two_renames_between_the_same_frames_are_one(tmp_path: Path) -> None:
    steps = [changed(2.0, line("door"), line("b")), changed(2.0, line("b"), line("c"))]
    counts = report_of(tmp_path, [crossing(1.0), *steps]).tally
    assert {name: counts.total(name, "in") for name in counts.names} == {"c": 1}


def test_what_was_removed_keeps_its_row_and_a_new_one_of_its_name_another(tmp_path: Path) -> None:
    events = [
        crossing(1.0),
        changed(2.0, line("door"), None),
        changed(3.0, None, line("door"), "s2"),
        crossing(3.5),
        changed(4.0, line("door"), line("gate"), "s2"),
        *visit(5.0, 6.0, zone="till"),
        changed(7.0, {"kind": "zone", "name": "till"}, None, "s3"),
    ]
    report = report_of(tmp_path, events)
    counts = report.tally
    assert [counts.total(name, "in") for name in ("door", "gate")] == [1, 1]
    assert report.zones == ["till"]


@pytest.mark.parametrize("odd", [None, 3, "door", [], {}, {"name": 4}, {"name": None, "kind": []}])
def test_odd_values_are_no_reason_to_fail(tmp_path: Path, odd: object) -> None:
    events = [
        crossing(1.0),
        changed(2.0, odd, odd),
        changed(2.5, line("door"), odd),
        changed(3.0, odd, line("x")),
    ]
    counts = report_of(tmp_path, events).tally
    assert counts.total("door", "in") == 1
    assert "?" not in counts.names
