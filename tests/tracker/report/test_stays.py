"""Occupancy by when visits began and ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracker.report.runs import crossing, visit, write
from tracker.report.gather import gather
from tracker.report.stays import Stay, dwell_bins, occupancy

moments = st.integers(0, 100).map(float)
stays = st.lists(
    st.tuples(moments, moments).map(lambda pair: Stay(min(pair), max(pair), "person", True)), max_size=12
)


def test_five_are_five_though_the_fifth_is_told_to_go_late(tmp_path: Path) -> None:
    """The last who left at 20 s is told of at 22, when the sixth has come: by the events' own times six."""
    events = [event for n in range(4) for event in visit(n, 40)]
    events += visit(5, 20, told_s=22) + visit(20, 40)
    report = gather([write(tmp_path / "run", events, 60)])
    bins = occupancy(report.stays["till"], 0, 60)
    assert max(one.most for one in bins) == 5
    assert sum(one.mean * (one.end_s - one.start_s) for one in bins) == pytest.approx(4 * 40 - 6 + 15 + 20)


@given(stays)
def test_occupancy_adds_up_to_the_stays(given_stays: list[Stay]) -> None:
    bins = occupancy(given_stays, 0, 100)
    total = sum(one.mean * (one.end_s - one.start_s) for one in bins)
    assert total == pytest.approx(sum(stay.left_s - stay.since_s for stay in given_stays), abs=1e-6)
    middles = [(one.start_s + one.end_s) / 2 for one in bins]
    for one, middle in zip(bins, middles, strict=True):
        there = sum(stay.since_s <= middle < stay.left_s for stay in given_stays)
        assert there <= one.most
        assert one.mean <= one.most + 1e-9
    assert sum(count for _, _, count in dwell_bins(given_stays)) == len(given_stays)


def test_who_never_left_was_there_until_the_end(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", [*visit(1, 3), crossing(9.0)], 10)
    log = folder / "events.jsonl"
    enter, leave, door = log.read_text().splitlines()
    assert json.loads(leave)["kind"] == "zone.exit"
    log.write_text(f"{enter}\n{door}\n")
    (stay,) = gather([log]).stays["till"]
    assert (stay.since_s, stay.left_s, stay.ended) == (1.0, 9.0, False)
