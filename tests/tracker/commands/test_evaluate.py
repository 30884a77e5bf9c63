from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tracker.commands.evaluate import command
from tracker.types import OptionError


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """Return a folder with one sequence: somebody who walks, seen in every frame."""
    pytest.importorskip("trackeval", reason="needs the extra eval")
    for part, identity in (("gt", 1), ("det", -1)):
        place = tmp_path / "data" / "walk" / part / f"{part}.txt"
        place.parent.mkdir(parents=True)
        place.write_text("".join(f"{f},{identity},{9 * f},50,40,90,1,1,1\n" for f in range(1, 11)))
    return tmp_path / "data"


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(command, [str(a) for a in arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.output


def test_stored_detections_are_tracked_saved_and_scored_alike_again(walk: Path, tmp_path: Path) -> None:
    first = json.loads(run("--detections", walk, "--json", "--save", tmp_path / "kept"))
    assert first["bytetrack"]["COMBINED"]["IDF1"] == 100
    kept = tmp_path / "kept" / "bytetrack"
    assert json.loads(run(kept, "--gt", walk, "--json"))[str(kept)] == first["bytetrack"]
    assert (
        json.loads(run(kept / "walk.txt", "--gt", walk / "walk", "--json")).popitem()[1] == first["bytetrack"]
    )


def test_settings_reach_the_tracker(walk: Path) -> None:
    strict = json.loads(
        run("--detections", walk, "--json", "--new-track-thresh", "1", "--match-thresh", "0.05")
    )
    assert strict["bytetrack"]["COMBINED"]["IDF1"] < 100  # a step of 9 px in 40 costs more than 0.05


def test_tables_name_what_they_show(walk: Path) -> None:
    lines = run("--detections", walk, "--tracker", "bytetrack").splitlines()
    assert lines[0] == "bytetrack"
    assert lines[1].split()[0] == "HOTA"


@pytest.mark.parametrize("arguments", [[], ["results"], ["results", "--gt", "x", "--save", "y"]])
def test_what_cannot_be_done_is_refused(arguments: list[str]) -> None:
    with pytest.raises(click.UsageError):
        run(*arguments)


def test_values_out_of_range_are_refused(walk: Path) -> None:
    with pytest.raises(OptionError, match="--conf"):
        run("--detections", walk, "--conf", "7")


def test_without_trackeval_it_says_how_to_install(walk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trackeval", None)
    with pytest.raises(OptionError, match="pip install"):
        run("--detections", walk)
