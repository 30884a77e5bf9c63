"""What TrackEval must say of results whose worth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tracker.offline.metrics import COMBINED, benchmark_of, score, table
from tracker.offline.motchallenge import MotSequence, find_sequences, read_rows, write_rows
from tracker.types import InputError

FRAMES = 20


def two_people() -> NDArray[np.float64]:
    """Return two boxes far apart, walking right for twenty frames."""
    frame = np.repeat(np.arange(1, FRAMES + 1), 2)
    person = np.tile([1, 2], FRAMES)
    rows = np.ones((2 * FRAMES, 10))
    rows[:, 0], rows[:, 1] = frame, person
    rows[:, 2], rows[:, 3] = 5 * frame, 200 * person
    rows[:, 4], rows[:, 5] = 30, 80
    return rows


@pytest.fixture
def truth(tmp_path: Path) -> MotSequence:
    pytest.importorskip("trackeval", reason="needs the extra eval")
    write_rows(tmp_path / "walk" / "gt" / "gt.txt", two_people())
    (one,) = find_sequences(tmp_path)
    return one


def test_the_truth_itself_is_perfect_whatever_its_ids_are_called(truth: MotSequence) -> None:
    rows = two_people()
    rows[:, 1] = 50 - rows[:, 1]
    scores = score([truth], {"walk": rows})
    assert set(scores) == {"walk", COMBINED}
    for name in ("HOTA", "DetA", "AssA", "MOTA", "IDF1"):
        assert scores["walk"][name] == scores[COMBINED][name] == 100
    assert [scores["walk"][name] for name in ("IDSW", "IDs", "GT_IDs", "FP", "FN", "MT")] == [
        0,
        2,
        2,
        0,
        0,
        2,
    ]


def test_an_exchange_of_identities_costs_identity_only(truth: MotSequence) -> None:
    rows = two_people()
    late = rows[:, 0] > FRAMES / 2
    rows[late, 1] = 3 - rows[late, 1]
    row = score([truth], {"walk": rows})["walk"]
    assert (row["IDSW"], row["DetA"], row["IDF1"]) == (2, 100, 50)
    assert row["HOTA"] == pytest.approx(100 * np.sqrt(1 / 3), abs=1e-3)  # each pair: TPA 10, FNA 10, FPA 10


def test_nothing_found_and_nothing_to_find(truth: MotSequence) -> None:
    row = score([truth], {"walk": np.empty((0, 10))})["walk"]
    assert (row["HOTA"], row["FN"], row["IDs"]) == (0, 2 * FRAMES, 0)


def test_what_lies_past_the_end_or_is_double_is_told_in_one_line(truth: MotSequence) -> None:
    rows = two_people()
    rows[-1, 0] = FRAMES + 1
    with pytest.raises(InputError, match="frame 21"):
        score([truth], {"walk": rows})
    rows = two_people()
    rows[:, 1] = 1
    with pytest.raises(InputError, match="walk cannot be scored"):
        score([truth], {"walk": rows})


def test_rules_follow_the_name_then_the_classes() -> None:
    rows = np.full((2, 10), 1.0)
    world = rows.copy()
    world[:, 7] = -4.15
    assert benchmark_of("MOT20-05", world) == "MOT20"
    assert benchmark_of("street", rows) == "MOT17"
    assert benchmark_of("PETS09-S2L1", world) == "MOT15"


def test_the_table_has_a_line_per_sequence(truth: MotSequence) -> None:
    lines = table(score([truth], {"walk": two_people()})).splitlines()
    assert [line.split()[0] for line in lines] == ["HOTA", "walk", "COMBINED"]
    assert lines[1].split()[1] == "100.00"


@pytest.mark.slow
def test_the_official_results_get_the_scores_published_with_them(shared: Path) -> None:
    half = shared / "data/mot17-val-half"
    truths = find_sequences(half)
    scores = score(truths, {one.name: read_rows(one.folder / "golden/bytetrack.txt") for one in truths})
    expected = {
        "MOT17-02": (47.31, 55.28, 59.17, 61),
        "MOT17-05": (61.02, 76.85, 76.33, 27),
        "MOT17-09": (65.49, 83.05, 77.96, 14),
        "MOT17-11": (62.25, 70.42, 70.38, 11),
    }
    for name, row in expected.items():
        assert [scores[name][key] for key in ("HOTA", "MOTA", "IDF1", "IDSW")] == pytest.approx(
            row, abs=0.005
        )
