"""Movements and the class map of a zone file: what is understood, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.options import Options
from tracker.plugins.line import Line
from tracker.plugins.movement import Movement
from tracker.plugins.zone import Zone
from tracker.run.build_plugins import make_plugins
from tracker.types import OptionError
from tracker.zones.file import load, read

NAMES = {0: "person", 2: "car", 5: "bus", 7: "truck", 9: "traffic light"}
GOOD = """\
size: [100, 100]
classes: {car+truck: vehicle, Traffic_light: signal}
lines:
  - {name: north, points: [[10, 10], [90, 10]], classes: [vehicle]}
  - {name: east, points: [[90, 10], [90, 90]]}
zones:
  south: {points: [[10, 80], [90, 80], [90, 99], [10, 99]]}
movements:
  - name: crossing
    sections: [north, east, south]
    names: {north>south: through, north > east: left}
    classes: [vehicle, bus]
    color: lime
    max_s: 2m
  - name: ramp
    sections: north, east
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "zones.yaml"
    path.write_text(text)
    return path


def test_what_is_written_is_understood(tmp_path: Path) -> None:
    crossing, ramp = read(write(tmp_path, GOOD)).junctions
    assert (crossing.name, crossing.sections) == ("crossing", ("north", "east", "south"))
    assert crossing.names == {"north>south": "through", "north>east": "left"}
    assert (crossing.max_s, crossing.color) == (120, "lime")
    assert (ramp.sections, ramp.names, ramp.classes, ramp.max_s) == (("north", "east"), {}, (), 300)
    plugin = crossing.plugin()
    assert isinstance(plugin, Movement) and plugin.color == (69, 239, 191)


def test_movements_may_be_a_mapping_by_name(tmp_path: Path) -> None:
    text = GOOD.partition("movements:")[0] + "movements:\n  crossing: {sections: [north, south]}\n"
    assert [junction.name for junction in read(write(tmp_path, text)).junctions] == ["crossing"]


def test_plugins_stand_in_the_order_in_which_they_need_one_another(tmp_path: Path) -> None:
    path = str(write(tmp_path, GOOD))
    plugins = make_plugins(Options(zones=path, line="0,0 1,1", plugin="route"), (100, 100), NAMES)
    assert [type(plugin).__name__ for plugin in plugins] == [
        *("Line", "Line", "Line", "Zone", "Movement", "Movement", "Route"),
    ]


def test_the_class_map_is_that_of_the_whole_run(tmp_path: Path) -> None:
    path = str(write(tmp_path, GOOD))
    plugins = make_plugins(Options(zones=path, line="0,0 1,1"), (100, 100), NAMES)
    assert len(plugins) == 6
    for plugin in plugins:
        assert isinstance(plugin, Line | Zone | Movement)
        assert plugin.class_map == {"car": "vehicle", "truck": "vehicle", "traffic light": "signal"}
    north, crossing = plugins[1], plugins[4]
    assert isinstance(north, Line) and isinstance(crossing, Movement)
    assert north.classes == ("car", "truck"), "a common name chooses all that have it"
    assert crossing.classes == ("car", "truck", "bus")


def test_a_file_without_either_is_as_before(tmp_path: Path) -> None:
    path = write(tmp_path, "lines: [{name: a, points: [[0, 0], [1, 1]]}]")
    assert (read(path).junctions, dict(read(path).class_map.members)) == ([], {})
    assert [shape.name for shape in load(path)] == ["a"]


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


MISTAKES = [
    (changed("[north, east, south]", "[nort, east, south]"), 10, "no line or zone is called 'nort', did you"),
    (
        changed("[north, east, south]", "[door, east, south]"),
        10,
        "is called 'door'; there are north, east, s",
    ),
    (
        changed("[north, east, south]", "\n      - north\n      - eats"),
        12,
        "called 'eats', did you mean 'east'",
    ),
    (
        changed("[north, east, south]", "[north]"),
        10,
        "movement 'crossing' needs two sections or more, not no",
    ),
    (changed("[north, east, south]", "[]"), 10, "movement 'crossing' needs two sections or more, not none"),
    (changed("[north, east, south]", "[north, east, north]"), 10, "'crossing' names section 'north' twice"),
    (changed("[north, east, south]", "{north: east}"), 10, "a word is expected here"),
    (changed("    sections: north, east\n", ""), 15, "movement 'ramp' has no sections; name lines or zones"),
    (changed("name: ramp", "name: crossing"), 15, "two movements are called 'crossing'; names must differ"),
    (changed("  - name: ramp\n    sections", "  - sections"), 15, "this movement has no name"),
    (changed("name: ramp", f"name: {'r' * 300}"), 15, "has a name of more than 200 letters"),
    (changed("sections: north", "section: north"), 16, "unknown entry 'section', did you mean 'sections'"),
    (changed("max_s: 2m", "max_s: -2"), 14, "max_s takes more than 0 seconds"),
    (changed("max_s: 2m", "max_s: soon"), 14, "max_s takes a time such as 90,"),
    (changed("color: lime", "color: lme"), 13, "unknown color 'lme', did you mean 'lime'"),
    (
        changed("{north>south: through, north > east: left}", "left"),
        11,
        "names take pairs of sections: {north>e",
    ),
    (
        changed("north>south: through", "nort>south: through"),
        11,
        "'nort>south': 'nort' is not one of its sections, d",
    ),
    (
        changed("north>south: through", "north>west: through"),
        11,
        "'north>west': 'west' is not one of its sections",
    ),
    (
        changed("north>south: through", "north-south: through"),
        11,
        "'north-south' is not a movement; write north>",
    ),
    (
        changed("north>south: through", "north>: through"),
        11,
        "'north>' is not a movement; write north>east: NA",
    ),
    (changed("north>south: through", "north>south: ''"), 11, "a word is expected here"),
    (changed("north>south: through", "north>east: through"), 11, "'crossing': north>east is given twice"),
    (
        changed("north > east: left", "north>south: left"),
        11,
        "'north>south' is given twice; first in line 11",
    ),
    (
        GOOD.partition("movements:")[0] + "movements: north\n",
        8,
        "movements must be a list of entries with na",
    ),
    (GOOD.partition("movements:")[0] + "movements: []\n", 8, "no movement in it"),
    (GOOD.partition("movements:")[0] + "movements: [north]\n", 8, "a movement needs entries: name, sections"),
    (changed("movements:", "movement:"), 9, "unknown entry 'movement', did you mean 'movements'"),
    ("movements: [{name: a, sections: [b, c]}]", 1, "no line or zone is called 'b'; there are none"),
    (
        changed("{car+truck: vehicle, Traffic_light: signal}", "[car]"),
        2,
        "write for example 'car+truck: vehicle",
    ),
    (
        changed("car+truck: vehicle", "vehicle: [car, truck]"),
        2,
        "'vehicle' takes one name; write for example",
    ),
    (changed("car+truck: vehicle", "car+: vehicle"), 2, "'car+' names a class that is empty"),
    (changed("car+truck: vehicle", "car+car: vehicle"), 2, "class 'car' is given twice; first in"),
    (changed("car+truck: vehicle", "car+truck: ''"), 2, "a word is expected here"),
]


@pytest.mark.parametrize(("text", "line", "message"), MISTAKES)
def test_mistakes_name_the_line_of_the_file(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(OptionError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: "), caught.value
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            changed("[vehicle, bus]", "[vehicle, buss]"),
            12,
            "movement 'crossing': unknown class 'buss', did yo",
        ),
        (
            changed("car+truck: vehicle", "car+trukc: vehicle"),
            2,
            "unknown class 'trukc', did you mean 'truck'",
        ),
        (changed("Traffic_light: signal", "CAR: other"), 2, "'car' is counted as 'vehicle' already"),
    ],
)
def test_what_only_the_model_knows(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(OptionError) as caught:
        make_plugins(Options(zones=str(path)), (100, 100), NAMES)
    assert str(caught.value).startswith(f"{path}:{line}: ") and message in str(caught.value), caught.value


def test_a_section_may_have_the_sign_in_its_name(tmp_path: Path) -> None:
    text = GOOD.replace("north", "a>b").replace("{a>b>south: through, a>b > east: left}", "{'a>b>east': x}")
    assert read(write(tmp_path, text)).junctions[0].names == {"a>b>east": "x"}


def test_names_cannot_move_a_cursor(tmp_path: Path) -> None:
    text = changed("name: ramp", 'name: "a\\e[31m"').replace("left}", '"l\\u202e"}')
    crossing, ramp = read(write(tmp_path, text)).junctions
    assert (ramp.name, crossing.names["north>east"]) == (r"a\x1b[31m", r"l\u202e")


def test_a_limit_and_one_line(tmp_path: Path) -> None:
    many = "".join(f"  - {{name: m{n}, sections: [north, east]}}\n" for n in range(200))
    with pytest.raises(OptionError, match=r":115: more than 100 movements; divide the file"):
        read(write(tmp_path, GOOD + many))
