from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tracker.plugins.test_loading import install
from tracker import cli
from tracker.plugins import available
from tracker.plugins._shared.describe import describe
from tracker.types import OptionError


@pytest.mark.parametrize("name", sorted(available()))
def test_each_plugin_says_what_it_does_and_what_it_takes(name: str) -> None:
    told = describe(name)
    assert told.startswith(f"{name}: ") and f"--plugin '{name}:" in told
    assert "`" not in told and "Raises" not in told and "\n\nOptions, " in told


def test_somebody_elses_tells_comments_defaults_and_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    install(tmp_path, "bulb:Bulb", "")
    (tmp_path / "bulb.py").write_text(
        "from dataclasses import dataclass, field\n@dataclass\nclass Bulb:\n"
        '    """Lights up.\n\n    When somebody comes.\n    """\n'
        "    where: str  # the room\n    watts: int = 40\n    seen: list = field(init=False)\n"
        "    def update(self, frame, tracks): return []\n"
    )
    told = describe("lamp")
    assert told.splitlines() == [
        "lamp: Lights up.", "", "When somebody comes.", "", "Options, separated by ;",
        "  where  the room  [required]", "  watts  [default: 40]", "", "--plugin 'lamp:where=...;watts=...'",
    ]  # fmt: skip
    assert re.search(r"^  lamp +Lights up\.$", describe(), re.MULTILINE)


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("--plugin speed:help", "speed: Measures speed"),
        ("video.mp4 --plugin=speed:help", "speed: Measures speed"),
        ("replay t.csv --plugin heatmap:help", "heatmap: "),
        ("--plugin help", "  follow "),
    ],
)
def test_help_is_a_word_away(line: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(line.split())
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(begins)


def test_there_is_no_help_for_what_there_is_not() -> None:
    with pytest.raises(OptionError, match="did you mean 'speed'"):
        describe("spede")
