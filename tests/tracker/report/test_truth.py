"""A person's count beside the run's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tracker.report.runs import EIGHT, crossing, scene, write
from tracker.report.gather import gather
from tracker.report.truth import geh, pairs
from tracker.types import InputError

COUNTS = "start_s,end_s,name,direction,count\n"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write(tmp_path / "run", [crossing(t) for t in (1.0, 5.0, 12.0, 13.0)], 30, interval=10)


def truth(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "hand.csv"
    path.write_text(text)
    return path


def test_counts_by_interval(tmp_path: Path, run: Path) -> None:
    hand = truth(tmp_path, f"{COUNTS}0,10,door,in,3\n10,20,door,in,1\n")
    one, two = gather([run], truth=hand).checks or ()
    assert (one.truth, one.counted, one.error, one.missed, one.false) == (3, 2, -1, 1, 0)
    assert (two.truth, two.counted, two.error, two.missed, two.false) == (1, 2, 1, 0, 1)
    assert one.geh is None  # ten seconds are no flow


def test_geh_is_of_hourly_flows(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [crossing(float(t)) for t in range(110)], 900)
    (check,) = gather([run], truth=truth(tmp_path, f"{COUNTS}0,900,door,in,100\n")).checks or ()
    assert check.geh == geh(440, 400) == pytest.approx(1.952, abs=1e-3)


def test_single_crossings_are_paired(tmp_path: Path, run: Path) -> None:
    hand = truth(tmp_path, "time_s;name;direction\n1.5;door;in\n9.9;door;in\n12.5;door;in\n16;door;in\n")
    checks = gather([run], truth=hand).checks or ()
    assert [(c.truth, c.counted, c.missed, c.false) for c in checks] == [(2, 2, 1, 1), (2, 2, 1, 1)]


def test_pairs_are_as_many_as_can_be() -> None:
    assert pairs([1.0, 3.0, 5.0], [2.5, 4.5, 6.5]) == [(0, 0), (1, 1), (2, 2)]
    assert pairs([1.0], [5.0]) == []


def test_times_of_day(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [crossing(1.0)], 30, scene(EIGHT))
    hand = truth(
        tmp_path,
        "start,end,name,direction,count\n2026-11-27T08:00:00Z,2026-11-27T09:00:10+01:00,door,in,1\n",
    )
    (check,) = gather([run], truth=hand).checks or ()
    assert (check.counted, check.end_s - check.start_s) == (1, 10)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "start_s,end_s,line,direction,count\n0,9,door,in,1\n",
            "has no column 'name' among start_s, end_s, line",
        ),
        (
            "time,name,direction\n2026-11-27T08:00:00Z,door,in\n",
            "nothing tells when street.mp4|nothing tells when events",
        ),
        (f"{COUNTS}0,10,dor,in,1\n", ":2: column 'name' has 'dor'; the runs counted at door"),
        (f"{COUNTS}0,10,door,up,1\n", ":2: column 'direction' has 'up'; those of door are in"),
        (f"{COUNTS}0,10,door,in,many\n", ":2: column 'count' has 'many'"),
        (f"{COUNTS}0,x,door,in,1\n", ":2: column 'end_s' has 'x'; expected seconds"),
        (f"{COUNTS}10,0,door,in,1\n", ":2: ends before it begins"),
        (COUNTS, "has no rows"),
        ("", "has no column"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, run: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as told:
        gather([run], truth=truth(tmp_path, text))
    assert "--truth" in str(told.value)
    assert "hand.csv" in str(told.value)


def test_a_time_of_day_needs_its_zone(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [crossing(1.0)], 30, scene(EIGHT))
    hand = truth(
        tmp_path, "start,end,name,direction,count\n2026-11-27T08:00:00,2026-11-27T09:00:00,door,in,1\n"
    )
    with pytest.raises(InputError, match=r":2: column 'start' .*the time zone is missing"):
        gather([run], truth=hand)
