from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.types import OptionError
from tracker.zones.file import load
from tracker.zones.shapes import from_text, to_bgr

GOOD = """\
size: [768, 576]
lines:
  - name: door
    points: [[384, 0], [384, 576]]
    in: northbound
    out: southbound
    towards: left
    classes: [person, 2]
    color: "#ff8000"
zones:
  till:
    points: 250,200 550,200 550,400 250,400
    anchor: center
    loiter: 60
  queue:
    points:
      - [0, 300]
      - [200, 300]
      - [100, 500]
"""


def write(folder: Path, text: str, name: str = "zones.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_what_is_written_is_understood(tmp_path: Path) -> None:
    door, till, queue = load(write(tmp_path, GOOD))
    line, zone = door.plugin((1536, 1152)), till.plugin((1536, 1152))
    assert isinstance(line, Line) and isinstance(zone, Zone)
    np.testing.assert_allclose(line.points, [[768, 0], [768, 1152]])  # drawn at half the size
    assert (line.names, line.towards, line.classes, line.color) == (
        ("northbound", "southbound"),
        "left",
        ("person", "2"),
        (0, 128, 255),
    )
    assert (zone.name, zone.anchor, zone.loiter_s) == ("till", "center", 60)
    assert queue.points == ((0, 300), (200, 300), (100, 500))
    assert queue.where.endswith("zones.yaml:16")


def test_fractions_fit_every_picture(tmp_path: Path) -> None:
    (shape,) = load(write(tmp_path, "lines: [{name: a, points: [[0, 0.5], [1, 0.5]]}]"))
    np.testing.assert_allclose(shape.pixels((640, 480)), [[0, 240], [640, 240]])


@pytest.mark.parametrize(
    "text",
    [
        "[[[10, 20], [30, 20], [30, 60]], [[50, 50], [90, 90]]]",  # JSON of several lists
        "[\n np.array([[10, 20], [30, 20], [30, 60]]),\n np.array([[50, 50], [90, 90]])\n]",  # polygon tool
        "region_points = [(10, 20), (30, 20), (30, 60)]\nline = [(50, 50), (90, 90)]",  # ultralytics'
        "np.array([[10, 20], [30, 20], [30, 60]])\nLineZone(start=sv.Point(50, 50), end=sv.Point(90, 90))",
        "[[10 20]\n [30 20]\n [30 60]]\n[[50 50]\n [90 90]]",  # numpy, printed
        '{"zone1": [[10, 20], [30, 20], [30, 60]], "line1": [[50, 50], [90, 90]]}',  # named regions
        "[[[10, 20], [30, 20], [30, 60], [10, 20]], [[50, 50], [90, 90]]]",  # a closed ring
    ],
)
def test_bare_point_lists_of_other_tools(tmp_path: Path, text: str) -> None:
    shapes = load(write(tmp_path, text, "points.json"), (100, 100))
    assert sorted((s.kind, s.name, s.points) for s in shapes) == [
        ("line", "line1", ((50, 50), (90, 90))),
        ("zone", "zone1", ((10, 20), (30, 20), (30, 60))),
    ]


@pytest.mark.parametrize(
    "points",
    ["[[10, 20], [30, 60]]", "[(10, 20), (30, 60)]", "np.array([[10, 20], [30, 60]])", "10,20 30,60"],
)
def test_points_of_a_named_line_in_any_of_these_forms(tmp_path: Path, points: str) -> None:
    text = f"size: [100, 100]\nlines:\n  - name: a\n    points: '{points}'\n"
    assert load(write(tmp_path, text))[0].points == ((10, 20), (30, 60))


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            changed("550,200 550,400", "550,400 550,200"),
            12,
            "zone 'till' crosses itself: side 1 meets side 3",
        ),
        (
            changed("[384, 0], [384, 576]", "[384, 0], [384, 0]"),
            4,
            "line 'door' has two identical points: 1 and 2",
        ),
        (changed("till:", "door:"), 11, "the name 'door' is taken"),
        (changed("towards: left", "towards: lefft"), 7, "towards 'lefft', did you mean 'left'"),
        (changed("towards: left", "toward: left"), 7, "unknown entry 'toward', did you mean 'towards'"),
        (changed("anchor: center", "anchor: feet"), 13, "unknown anchor 'feet'"),
        (changed('color: "#ff8000"', "color: oragne"), 9, "unknown color 'oragne', did you mean 'orange'"),
        (changed("loiter: 60", "loiter: -3"), 14, "more than 0 seconds"),
        (changed("      - [200, 300]\n", "      - [200, 300, 5]\n"), 18, "zone 'queue': a point is [x, y]"),
        (changed("      - [200, 300]\n", "      - [two, 300]\n"), 18, "numbers are expected here"),
        (changed("size: [768, 576]", "size: 768"), 1, "size must be"),
        (changed("size: [768, 576]", "szie: [768, 576]"), 1, "unknown entry 'szie', did you mean 'size'"),
        (changed("    points: [[384, 0], [384, 576]]\n", ""), 3, "line 'door' has no points"),
        (changed("  queue:\n", "  till:\n"), 15, "'till' is given twice; first in line 11"),
        (changed("in: northbound", "in: southbound"), 5, "both directions are called 'southbound'"),
        ("lines: [", 1, "is this a zone file?"),
        ("", 1, "contains no lines or zones"),
        ("just words", 1, "contains no lines or zones"),
        ("zones: 3", 1, "must be a list"),
    ],
)
def test_mistakes_name_the_line_of_the_file(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(OptionError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}:{line}: "), caught.value
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_only_the_picture_and_the_model_know(tmp_path: Path) -> None:
    path = write(tmp_path, changed("[384, 576]", "[384, 676]"))
    with pytest.raises(
        OptionError, match=r"zones.yaml:4: .*point 2 \[384.0, 676.0\] lies outside the picture of 768x576"
    ):
        load(path)[0].plugin((768, 576))
    with pytest.raises(OptionError, match=r"zones.yaml:4: .*unknown class 'person', did you mean 'persons'"):
        load(write(tmp_path, GOOD))[0].check({0: "persons", 2: "car"})


def test_pixels_without_a_size_are_those_of_the_picture(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("size: [768, 576]\n", ""))
    np.testing.assert_allclose(load(path, (768, 576))[0].pixels((768, 576)), [[384, 0], [384, 576]])
    with pytest.raises(OptionError, match="add 'size"):
        load(path)[0].pixels((768, 576))


@pytest.mark.parametrize(
    ("text", "name", "points"),
    [
        ("0,300 768,300", "line2", ((0, 300), (768, 300))),
        ("door=0,0.5 1,0.5", "door", ((0, 0.5), (1, 0.5))),
        ("north gate=[[0, 300], [768, 300]]", "north gate", ((0, 300), (768, 300))),
    ],
)
def test_shapes_of_the_command_line(text: str, name: str, points: object) -> None:
    shape = from_text("line", text, 2, (768, 576))
    assert (shape.name, shape.points) == (name, points)


@pytest.mark.parametrize("text", ["", "0,300", "0,300 768", "a,b c,d", "0 300 768 300"])
def test_unreadable_shapes_of_the_command_line(text: str) -> None:
    with pytest.raises(OptionError, match=r"--line|give two or more"):
        from_text("line", text, 1, (768, 576))


def test_colors_by_name() -> None:
    assert to_bgr("Red") == (0x4B, 0x19, 0xE6)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_is_utf_8_also_with_the_mark_that_some_editors_write(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text("zones:\n  Tür: {points: [[0, 0], [9, 0], [9, 9]]}\n", encoding=encoding)
    (shape,) = load(path)
    assert shape.name == "Tür"


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"none\.yaml: cannot be read: No such file or directory$"):
        load(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes("zones: {Tür: []}".encode("latin-1"))
    with pytest.raises(OptionError, match=r"latin\.yaml: cannot be read: not text in UTF-8; save it so$"):
        load(tmp_path / "latin.yaml")


def test_a_line_that_names_no_directions_has_in_and_out(tmp_path: Path) -> None:
    (shape,) = load(write(tmp_path, "lines: {door: {points: [[0.5, 0], [0.5, 1]]}}"))
    line = shape.plugin((768, 576))
    assert isinstance(line, Line)
    assert line.names == ("in", "out")


def test_a_shape_of_the_command_line_has_no_place_in_a_file() -> None:
    with pytest.raises(OptionError, match=r"^zone 'till' "):
        from_text("zone", "till=0.1,0.1 0.9,0.9 0.9,0.1 0.1,0.9")


@pytest.mark.parametrize("kind", ["line", "zone"])
def test_what_an_error_proposes_can_be_used(kind: str) -> None:
    with pytest.raises(OptionError, match="not a list of points") as error:
        from_text(kind, "x", 1)
    for points in re.findall(rf'--{kind} "([^"]+)"', str(error.value).partition("write")[2]):
        assert len(from_text(kind, points, 1).points) == {"line": 2, "zone": 4}[kind]
