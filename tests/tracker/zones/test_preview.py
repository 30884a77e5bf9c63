from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tracker.types import Canvas, OptionError, Scene
from tracker.zones.file import read
from tracker.zones.preview import arrow, preview

SCENE = Scene("stage", (200, 100), 10.0, False, {0: "person", 2: "car", 7: "truck"})
FILE = """\
size: [200, 100]
classes: {car+truck: vehicle}
lines:
  - {name: west, points: [[40, 10], [40, 60], [40, 90]]}
  - {name: east, points: [[160, 10], [160, 90]], in: home}
zones:
  south: {points: [[60, 90], [140, 90], [140, 99], [60, 99]], color: red}
movements:
  - {name: gate, sections: [west, east, south], classes: vehicle, names: {west>east: over, east>east: back}}
  - {name: side, sections: [west, south], max_s: 20}
"""


def shown(tmp_path: Path, text: str = FILE) -> tuple[list[str], Canvas]:
    path, canvas = tmp_path / "z.yaml", Canvas()
    path.write_text(text)
    return preview(read(path), SCENE, canvas), canvas


def test_it_says_in_words_what_will_be_counted(tmp_path: Path) -> None:
    told, _ = shown(tmp_path)
    assert told[0] == "classes: car, truck counted as vehicle"
    assert [line.partition(":")[0] for line in told[1:4]] == ["line west", "line east", "zone south"]
    assert told[4] == (
        "movement gate: west, east, south; west>east over, east>east back; car, truck, within 300 s"
    )
    assert told[6] == "movement side: west, south; everything, within 20 s"


def test_it_warns_of_a_line_that_leads_away_from_the_junction(tmp_path: Path) -> None:
    told, _ = shown(tmp_path)
    careful = [line for line in told if line.startswith("careful")]
    assert careful == [
        "careful: 'home' of line east leads away from the other sections of gate;"
        " turn it with 'towards: left'"
    ]
    turned = FILE.replace("in: home", "in: home, towards: left")
    assert not [line for line in shown(tmp_path, turned)[0] if line.startswith("careful")]


def test_it_draws_the_named_ways_else_the_sections(tmp_path: Path) -> None:
    _, canvas = shown(tmp_path)
    texts = [mark.arguments["text"] for mark in canvas.marks if mark.kind == "text"]
    assert {"over", "back", "gate", "side"} <= set(texts)
    white = [m for m in canvas.marks if m.kind == "polyline" and m.arguments["color"] == (255, 255, 255)]
    assert len(white) == 2 + 2, "two named ways of the one, two sections of the other"


@pytest.mark.parametrize("turn", range(4))
def test_an_arrow_keeps_to_the_right_of_its_way(turn: int) -> None:
    """On the picture, where y points down: from the left it runs below the middle."""
    corner = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), turn)
    west, east, middle = corner @ [0, 50], corner @ [100, 50], corner @ [50, 50]
    way = arrow(west, east, middle, 5.0) @ corner  # turned back
    np.testing.assert_allclose(way[0], [10, 55])
    np.testing.assert_allclose(way[-1], [90, 55])
    assert (way[:, 1] > 50).all()
    there, back = arrow(west, west, middle, 5.0)[[0, -1]] @ corner
    assert there[1] == 55 and back[1] == 45


def test_what_does_not_fit_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"z.yaml:2: unknown class 'lorry'"):
        shown(tmp_path, FILE.replace("car+truck", "car+lorry"))
    with pytest.raises(OptionError, match=r"z.yaml:9: movement 'gate': unknown class 'vehicles'"):
        shown(tmp_path, FILE.replace("classes: vehicle,", "classes: vehicles,"))
