"""A zone file that is changed by program: what nobody changed stays as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.detectors.coco import COCO
from tracker.types import OptionError, OutputError
from tracker.zones.edit import ShapeError, ZoneDocument
from tracker.zones.rewrite import Edited
from tracker.zones.shape_json import from_json, to_json

SIZE = (640, 360)
TEXT = """\
# my junction
size: [1280, 720]
lines:
  - name: door   # the front door
    points: [[0, 100], [1280, 100]]
    classes: [person]
zones:
  # waiting area
  - {name: till, points: [[10, 10], [100, 10], [100, 100]], loiter: 20s}
movements:
  - name: through
    sections: [door, till]
classes: {car+truck: vehicle}
"""


@pytest.fixture
def document(tmp_path: Path) -> ZoneDocument:
    path = tmp_path / "zones.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return ZoneDocument(path, SIZE)


def told(document: ZoneDocument) -> list[dict[str, object]]:
    return [to_json(shape, SIZE) for shape in document.read().shapes]


def edited(shapes: list[dict[str, object]], before: list[str | None]) -> list[Edited]:
    return [Edited(from_json(shape, SIZE, COCO), name) for shape, name in zip(shapes, before, strict=True)]


def test_what_is_not_changed_is_not_rewritten(document: ZoneDocument) -> None:
    text = document.changed(edited(told(document), ["door", "till"]))
    assert [line.split() for line in text.splitlines()] == [line.split() for line in TEXT.splitlines()]


def test_comments_and_everything_else_survive_a_change(document: ZoneDocument) -> None:
    shapes = told(document)
    shapes[1]["points"][0] = [20, 20]  # type: ignore[index]
    document.save(document.changed(edited(shapes, ["door", "till"])))
    text = document.path.read_text(encoding="utf-8")
    for kept in ("# my junction", "# the front door", "# waiting area", "loiter: 20s", "car+truck: vehicle"):
        assert kept in text
    assert told(document)[1]["points"] == [[20, 20], [50, 5], [50, 50]]
    assert document.read().junctions[0].name == "through"


def test_a_new_shape_and_a_removed_one(document: ZoneDocument) -> None:
    new = {
        "kind": "line",
        "name": "gate",
        "points": [[0, 0], [100, 300]],
        "towards": "left",
        "classes": ["car"],
    }
    shapes = told(document)
    text = document.changed(edited([*shapes, new], ["door", "till", None]))
    document.save(text)
    assert [shape["name"] for shape in told(document)] == ["door", "gate", "till"]
    assert told(document)[1]["points"] == [[0, 0], [100, 300]]
    with pytest.raises(ShapeError, match="till"):  # a movement needs it
        document.changed(edited(told(document)[:2], ["door", "gate"]))


def test_fractions_stay_fractions(tmp_path: Path) -> None:
    path = tmp_path / "z.yaml"
    path.write_text("zones:\n  hall: {points: [[0, 0], [0.5, 0], [0.5, 1]]}\n", encoding="utf-8")
    document = ZoneDocument(path, SIZE)
    (shape,) = told(document)
    shape["points"] = [[0, 0], [320, 0], [160, 360]]
    shape["name"] = "lobby"
    document.save(document.changed(edited([shape], ["hall"])))
    assert "lobby" in path.read_text(encoding="utf-8")
    assert "[0.25, 1]" in path.read_text(encoding="utf-8")
    assert ZoneDocument(path, (100, 100)).read().shapes[0].pixels((100, 100)).tolist() == [
        [0, 0],
        [50, 0],
        [25, 100],
    ]


def test_a_file_of_bare_points_becomes_one_with_names(tmp_path: Path) -> None:
    path = tmp_path / "z.json"
    path.write_text("[[0, 100], [640, 100]]", encoding="utf-8")
    document = ZoneDocument(path, SIZE)
    (shape,) = told(document)
    shape["name"] = "door"
    document.save(document.changed(edited([shape], ["line1"])))
    assert [(each["name"], each["points"]) for each in told(document)] == [("door", [[0, 100], [640, 100]])]
    assert len(document.versions()) == 1


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    document = ZoneDocument(tmp_path / "new.yaml", SIZE)
    assert document.version == ""
    assert [*document.read().shapes] == []
    shape = {"kind": "zone", "name": "hall", "points": [[0, 0], [100, 0], [100, 100]]}
    document.save(document.changed(edited([shape], [None])))
    assert document.version
    assert told(document)[0]["name"] == "hall"
    assert document.versions() == []
    document.save(document.changed([]))
    assert document.versions()
    assert [*document.read().shapes] == []


def test_an_earlier_version_is_as_it_was(document: ZoneDocument) -> None:
    shapes = told(document)
    shapes[0]["points"] = [[0, 10], [640, 10]]
    document.save(document.changed(edited(shapes, ["door", "till"])))
    (name,) = document.versions()
    assert document.earlier(name) == TEXT
    with pytest.raises(OptionError, match="no version"):
        document.earlier("../../etc/passwd")


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"kind": "zone", "name": "z", "points": [[0, 0], [100, 100], [100, 0], [0, 100]]}, "crosses itself"),
        ({"kind": "zone", "name": "z", "points": [[0, 0]]}, "three or more"),
        ({"kind": "line", "name": "z", "points": [[0, 0]]}, "two or more"),
        ({"kind": "line", "name": "", "points": [[0, 0], [9, 9]]}, "no name"),
        ({"kind": "line", "name": "z", "points": [[0, 0], [9000, 9]]}, "outside"),
        ({"kind": "line", "name": "z", "points": [[0, 0], [9, float("nan")]]}, "list of"),
        ({"kind": "line", "name": "z", "points": [[0, 0], [9, 9]], "classes": ["dragon"]}, "dragon"),
        ({"kind": "line", "name": "z", "points": [[0, 0], [9, 9]], "color": "url(x)"}, "color"),
        ({"kind": "line", "name": "z", "points": [[0, 0], [9, 9]], "anchor": "nose"}, "anchor"),
        ({"kind": "line", "name": "z", "points": [[0, 0], [9, 9]], "in": "a", "out": "a"}, "both directions"),
        ({"kind": "zone", "name": "z", "points": [[0, 0], [9, 0], [9, 9]], "loiter": -1}, "loiter"),
        ({"kind": "circle"}, "kind"),
        ("nonsense", "kind"),
    ],
)
def test_what_cannot_be_used_is_told_in_the_words_of_the_zone_file(shape: object, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        from_json(shape, SIZE, COCO)


def test_two_of_one_name_are_told_with_their_place(document: ZoneDocument) -> None:
    shapes = told(document)
    with pytest.raises(ShapeError, match="is taken") as error:
        document.changed(edited([*shapes, {**shapes[0]}], ["door", "till", None]))
    assert error.value.index == 2


@pytest.mark.parametrize("kept", [[], ["till"]])
def test_what_a_movement_needs_cannot_be_removed(document: ZoneDocument, kept: list[str | None]) -> None:
    shapes = [shape for shape in told(document) if shape["name"] in kept]
    with pytest.raises(ShapeError, match="movement 'through': no line or zone is called 'door'"):
        document.changed(edited(shapes, kept))


def test_what_has_no_room_leaves_everything_as_it_was(document: ZoneDocument) -> None:
    resource = pytest.importorskip("resource")  # not on Windows
    before = sorted((path.name, path.read_bytes()) for path in document.path.parent.rglob("*.yaml"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))  # bytes that a file may have
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            document.save(document.changed(edited(told(document)[::-1], ["till", "door"])) + "\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    after = sorted((path.name, path.read_bytes()) for path in document.path.parent.rglob("*.yaml"))
    assert after == before  # no half of an earlier version, which somebody might bring back
