"""What CONTRIBUTING tells about the house is true, and its example works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks
from tests.test_architecture import RULES

PAGE = ROOT / "CONTRIBUTING.md"


def drawn() -> dict[str, set[str]]:
    """Return who may import whom as it is drawn; an arrow from or to a frame is one of each part in it."""
    (diagram,) = blocks(PAGE, "mermaid")
    labels = dict(re.findall(r'(\w+)\["(__\w+__)"\]', diagram))
    frames: dict[str, list[str]] = {}
    arrows: list[tuple[str, list[str]]] = []
    inside: str | None = None
    for line in map(str.strip, diagram.splitlines()[1:]):
        if line.startswith("subgraph"):
            inside = re.match(r"subgraph (\w+)", line)[1]  # type: ignore[index] # it is one
            frames[inside] = []
        elif line == "end":
            inside = None
        else:
            start, _, ends = re.sub(r"\[.*?\]", "", line).partition(" --> ")
            if inside is not None:
                frames[inside] += [part for part in (start, *ends.split(" & ")) if part]
            if ends:
                arrows.append((start, ends.split(" & ")))
    found: dict[str, set[str]] = {part: set() for part in RULES}
    for start, ends in arrows:
        for one in frames.get(start, [start]):
            for end in ends:
                found[labels.get(one, one)] |= set(frames.get(end, [end]))
    return found


def test_the_drawing_of_the_house_shows_the_rules() -> None:
    told = "draw it in CONTRIBUTING.md as tests/test_architecture.py has it"
    assert drawn() == {part: set(others) for part, others in RULES.items()}, told


def test_the_example_of_a_source_a_detector_and_a_sink_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(PAGE, "python"):
        exec(compile(block, PAGE.name, "exec", dont_inherit=True), names)
    rows = [line.split() for line in (tmp_path / "positions.txt").read_text().splitlines()]
    assert [float(row[0]) for row in rows] == pytest.approx([index / 25 for index in range(50)], abs=0.006)
    assert {row[1] for row in rows} == {"1"}
    assert [int(row[2]) for row in rows] == pytest.approx([4 * index for index in range(50)], abs=2)


def test_the_files_that_it_names_are_there() -> None:
    for path in re.findall(r"`((?:tracker|tests|docs)/[\w/.]+)`", PAGE.read_text("utf-8")):
        assert (ROOT / path).exists(), path
