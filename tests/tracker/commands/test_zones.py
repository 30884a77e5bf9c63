from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

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
