from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

from tests.tracker.videos import write_video
from tracker.cli import main
from tracker.commands.zones import command
from tracker.types import InputError, OptionError

ZONES = """\
size: [160, 96]
lines:
  - {name: door, points: [[80, 0], [80, 96]], in: northbound, color: "#ff0000"}
zones:
  - {name: till, points: "10,10 50,10 50,50 10,50", loiter: 30, classes: [person], color: "#00ff00"}
"""


def check(*arguments: str | Path) -> str:
    result = CliRunner().invoke(command, ["check", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_tells_and_draws_what_it_understood(tmp_path: Path, make_video: Callable[..., Path]) -> None:
    video = make_video(size=(320, 192))
    (tmp_path / "zones.yaml").write_text(ZONES)
    door, till, written = check(tmp_path / "zones.yaml", video, "--at", "0.2").splitlines()
    assert door.startswith(
        "line door: 'northbound' leads right, 'out' the other way; everything, by bottom_center"
    )
    assert door.endswith("; 160,0 160,192")
    assert till.startswith("zone till: 6400 px² (10.4 % of the picture), alarm after 30 s; person, by")
    assert written == f"written {tmp_path / 'zones_preview.png'}"
    picture = cv2.imread(str(tmp_path / "zones_preview.png")).astype(int)
    assert picture.shape == (192, 320, 3)
    assert picture[180, 160, 2] > 200 > 50 > picture[180, 160, :2].max()  # the line, red
    blue, green, _ = picture[90, 30]  # in the zone
    assert green > blue + 30


def test_mistakes_are_told_before_anything_is_written(
    tmp_path: Path, make_video: Callable[..., Path]
) -> None:
    zones = tmp_path / "zones.yaml"
    zones.write_text(ZONES.replace("person", "persn"))
    with pytest.raises(OptionError, match=r"zones.yaml:5: .*unknown class 'persn', did you mean 'person'"):
        check(zones, make_video())
    with pytest.raises(InputError, match="is after its end"):
        check(zones, make_video(), "--at", "9")
    assert not (tmp_path / "zones_preview.png").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--at", "-1"], "--at -1: give seconds"),
        (["--at", "99"], "--at"),
        (["--weights", " "], "--weights is empty"),
        (["--weights", "x" * 300], "the name is too long"),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_the_command(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_video(tmp_path / "clip.mp4", frames=5)
    (tmp_path / "z.yaml").write_text("lines: [{name: a, points: [[0, 0], [1, 1]]}]", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(["zones", "check", str(tmp_path / "z.yaml"), str(video), *words])
    assert (end.value.code, told in (error := capsys.readouterr().err)) == (2, True), error


def test_a_folder_is_no_zone_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["zones", "check", ".", "clip.mp4"])
    assert "is a folder; give a zone file" in capsys.readouterr().err
