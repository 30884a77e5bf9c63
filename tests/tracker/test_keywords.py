"""What is spelt out for type checkers and editors is what ``Options`` takes."""

from __future__ import annotations

import subprocess
import sys
import typing
from pathlib import Path

import pytest

from tracker.arguments import keywords
from tracker.arguments.option_spec import specs
from tracker.options import Options

ROOT = Path(__file__).parents[2]
WIDER = {  # options that take more than what they become
    "device": str | int,
    "follow": str | int | None,
    "appearance": keywords.File,
    "classes": keywords.Names,
    "draw_classes": keywords.Names,
    "blur": keywords.Names,
    **dict.fromkeys(("show_labels", "show_conf", "show_ids", "show_boxes"), keywords.OnOff),
    "line": keywords.Shapes,
    "zone": keywords.Shapes,
    "plugin": keywords.Texts,
    "on": keywords.Texts,
}
TYPES = {"bool": bool, "int": int, "float": float, "Seconds": keywords.Time, "str": str}


def test_the_keywords_are_the_options() -> None:
    becomes = typing.get_type_hints(Options)
    expected = {}
    for name, spec in specs(Options).items():
        kind = keywords.File if spec.metavar == "FILE" else TYPES.get(spec.kind)
        optional = kind | None if type(None) in typing.get_args(becomes[name]) else kind
        expected[name] = WIDER.get(name, optional)
    assert list(typing.get_type_hints(keywords.Keywords).items()) == list(expected.items())


@pytest.mark.slow
def test_nothing_of_it_is_imported_at_run_time() -> None:
    program = (
        "import sys, tracker; tracker.track; tracker.track_all; tracker.Options()\n"
        "assert 'tracker.arguments.keywords' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


SNIPPET = """
import numpy as np
from pathlib import Path
from tracker import Options, track, track_all

track("a.mp4", classes=["car", 2], conf=0.4, start="1:30", output=Path("b.mp4"), device=0, lost=2)
track("a.mp4", line={"door": [(0, 0.5), (1, 0.5)]}, zone=np.zeros((4, 2)), plugin="heatmap", interval="15m")
track_all(["a.mp4", 0], classes="person")
width: int | None = Options(classes="person", line=[[0, 3], [7, 3]], line_width=3).line_width
track("a.mp4", clases=["car"])
track("a.mp4", conf="high")
track_all(["a.mp4"], classes="person", savecsv="a.csv")
Options(imgsz="640")
"""


@pytest.mark.slow
def test_a_type_checker_knows_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(SNIPPET)
    # With the project's settings, so that it takes from the cache what the gate's own run has found out.
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", str(tmp_path / "user.py")]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [line.partition("user.py:")[2] for line in told.stdout.splitlines() if ": error: " in line]
    first = SNIPPET[: SNIPPET.index("clases")].count("\n") + 1
    assert [line.partition(":")[0] for line in lines] == [str(first + n) for n in range(4)], told.stdout
    for line, words in zip(lines, ["clases", '"conf"', "savecsv", '"imgsz"'], strict=True):
        assert words in line
