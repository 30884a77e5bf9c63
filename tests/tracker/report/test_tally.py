"""The table that everything shows: equal to --counts, with zero rows, on the round of the clock."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quick import examples
from tests.tracker.report.runs import EIGHT, crossing, record, scene, visit, write
from tracker.report.clock import shown
from tracker.report.gather import Report, gather
from tracker.sinks import Counted
from tracker.text import cell_read
from tracker.types import Event, InputError

happenings = st.lists(
    st.builds(
        crossing,
        st.integers(0, 120).map(lambda half: half / 2),
        st.sampled_from(["door", "=1+1"]),
        st.sampled_from(["in", "out"]),
        st.sampled_from(["person", "car"]),
    ),
    min_size=1,
    max_size=20,
)


def totals(report: Report) -> Counter[tuple[float, str, str, str]]:
    first = report.runs[0].clock.shift_s
    return Counter(
        {
            (r.start_s - first, r.name, r.direction, r.class_name): r.count
            for r in report.tally.rows
            if r.count
        }
    )


@given(happenings, st.sampled_from([None, EIGHT + 7.5]))
@examples(30)
def test_its_rows_are_those_of_the_counts(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], start_wall: float | None
) -> None:
    folder = write(tmp_path_factory.mktemp("run") / "run", events, 60, scene(start_wall), interval=15)
    with (folder / "counts.csv").open() as file:
        table = Counter(
            {
                (float(row["start_s"]), cell_read(row["name"]), row["direction"], row["class"]): int(
                    row["count"]
                )
                for row in csv.DictReader(file)
                if int(row["count"])
            }
        )
    assert totals(gather([folder])) == table  # by the interval of the run
    assert totals(gather([folder / "events.jsonl"], interval_s=15)) == table
    assert totals(gather([folder / "counts.csv"], interval_s=15)) == table
    assert totals(gather([folder / "counts.csv"])) == table
    assert gather([folder], interval_s=30).tally.total("door", "in") == sum(
        count for (_, name, way, _), count in table.items() if (name, way) == ("door", "in")
    )


def test_nothing_is_a_row_too(tmp_path: Path) -> None:
    counted = [Counted("door", ("in", "out"), ("person", "car"))]
    report = gather([write(tmp_path / "run", [crossing(1.0)], 29, interval=10, counted=counted)])
    assert len(report.tally.rows) == 3 * 2 * 2
    assert sum(row.count for row in report.tally.rows) == 1


@pytest.mark.slow
def test_the_peak_hour_is_on_the_round_and_whole(tmp_path: Path) -> None:
    def quarter(start_s: float, count: int) -> list[Event]:
        return [crossing(start_s + n / 2) for n in range(count)]

    busy = ((0, 300), (600, 100), (1500, 120), (2400, 110), (3300, 90))
    events = [event for start_s, count in busy for event in quarter(start_s, count)]
    report = gather([write(tmp_path / "run", events, 4800, scene(EIGHT + 300))])
    peak = report.peak("door", ("in",))
    assert peak is not None
    assert shown(peak.start_s, True) == "2026-11-27 08:15"  # not at 08:05, when an hour with more began
    assert (peak.volume, peak.quarter, peak.factor) == (420, 120, 0.875)
    assert report.peak("door", ("out",)) is None


def test_an_hour_with_a_gap_is_no_peak_hour(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", [crossing(10.0)], 3600)
    assert gather([folder]).peak("door") is not None
    record(folder, gaps=[[100.0, 700.0]], first_s=0.0, last_s=3600.0)
    report = gather([folder])
    assert report.peak("door") is None
    assert report.watched_s == 3000


@pytest.mark.slow
def test_days_are_one_report_and_nights_are_no_zeros(tmp_path: Path) -> None:
    days = [
        write(
            tmp_path / f"day{n}", [crossing(60.0 * k) for k in range(n + 1)], 3600, scene(EIGHT + 86400 * n)
        )
        for n in range(3)
    ]
    report = gather(days, interval_s=3600)
    assert [shown(start, True) for start in report.tally.starts if report.tally.watched_s[start]] == [
        f"2026-11-{27 + n} 08:00" for n in range(3)
    ]
    assert report.tally.total("door", "in") == 6
    with pytest.raises(InputError, match=r"same time as .* both count at 'door'"):
        gather([days[2], days[2]])


def test_runs_without_a_clock_are_no_one_report(tmp_path: Path) -> None:
    runs = [write(tmp_path / name, [crossing(1.0)], 5) for name in "ab"]
    with pytest.raises(InputError, match=r"nothing tells when .* its time zone"):
        gather(runs)


def test_counts_are_not_divided_finer_than_they_are(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", [*visit(1, 3), crossing(1.0)], 60, interval=30)
    with pytest.raises(InputError, match=r"counts every 30 s; give --interval 30s or more"):
        gather([folder / "counts.csv"], interval_s=10)
