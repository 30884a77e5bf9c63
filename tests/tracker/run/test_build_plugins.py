from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.options import Options
from tracker.plugins._shared.background import EmptyScene
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.run.build_plugins import from_text, make_plugins, use_background
from tracker.types import OptionError, Scene

NAMES = {0: "person", 2: "car"}
SIZE = (768, 576)


def test_nothing_asked_nothing_made() -> None:
    assert make_plugins(Options(), SIZE, NAMES) == []


def test_lines_zones_a_file_and_plugins_by_name(tmp_path: Path) -> None:
    (tmp_path / "zones.yaml").write_text(
        "size: [384, 288]\nlines:\n  - {name: gate, points: [[0, 144], [384, 144]]}\n"
    )
    plugins = make_plugins(
        Options(
            line=("door=0,300 768,300",),
            zone=("0,0 1,0 1,1",),
            zones=str(tmp_path / "zones.yaml"),
            plugin=("route", "heatmap:mode=standing"),
            follow="3",
        ),
        SIZE,
        NAMES,
    )
    assert [type(plugin).__name__ for plugin in plugins] == [
        "Line",
        "Zone",
        "Line",
        "Follow",
        "Route",
        "Heatmap",
    ]
    door, zone, gate = plugins[:3]
    assert isinstance(door, Line) and isinstance(zone, Zone) and isinstance(gate, Line)
    assert door.name == "door"
    assert zone.points[1].tolist() == [768, 0]
    assert gate.points[1].tolist() == [768, 288]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"line": ("0,0",)}, "line"),
        ({"line": ("a=0,0 9,9", "a=0,9 9,0")}, "'a'"),
        ({"zone": ("0,0 900,0 900,900",)}, "outside"),
        ({"plugin": ("rout",)}, "did you mean 'route'"),
        ({"plugin": ("heatmap:modus=standing",)}, "did you mean 'mode'"),
        ({"plugin": ("heatmap:standing",)}, "option=value"),
        ({"zones": "nowhere.yaml"}, "nowhere.yaml"),
    ],
)
def test_mistakes_are_told(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        make_plugins(Options(**options), SIZE, NAMES)  # type: ignore[arg-type]


def test_values_are_read_as_yaml() -> None:
    assert from_text("follow: target=7; dim=0.25").dim == 0.25  # type: ignore[attr-defined]


def test_a_background_is_a_picture_of_the_same_view(tmp_path: Path) -> None:
    scene = Scene("clip", (64, 48), 10.0, False, {})
    picture = tmp_path / "empty.png"
    cv2.imwrite(str(picture), np.full((24, 32, 3), 33, np.uint8))
    use_background(Options(background=str(picture)), scene)
    assert (EmptyScene.of(scene).picture() == 33).all()
    (tmp_path / "words.png").write_text("no picture")
    for wrong, said in (("none.png", "none.png"), ("words.png", "no picture")):
        with pytest.raises(OptionError, match=f"--background .*{said}"):
            use_background(Options(background=str(tmp_path / wrong)), scene)
