from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.options import Options
from tracker.parse import class_ids, near_miss, seconds, size
from tracker.plugins.line import Line
from tracker.run.build_plugins import make_plugins
from tracker.run.build_sinks import counted
from tracker.run.painter import draw_options
from tracker.types import OptionError, Scene
from tracker.zones import file as zone_file
from tracker.zones.shapes import Shape

NAMES = {0: "person", 1: "bicycle", 2: "car", 3: "traffic light", 4: "cat"}


@pytest.mark.parametrize(
    "wanted", [["car", "person"], [0, 2], ["2", "0"], ["CAR", " person "], ["car", 2, "0"]]
)
def test_names_and_ids_mean_the_same(wanted: list[str | int]) -> None:
    assert class_ids(wanted, NAMES) == [0, 2]


@pytest.mark.parametrize("wanted", ["traffic light", "traffic_light", "Traffic-Light"])
def test_names_of_two_words(wanted: str) -> None:
    assert class_ids([wanted], NAMES) == [3]


@pytest.mark.parametrize("wanted", ["car person", "person  car"])
def test_blanks_part_names_too(wanted: str) -> None:
    assert class_ids([wanted], NAMES | {5: "sports car"}) == [0, 2]


@pytest.mark.parametrize("nothing", ["", " ", ",", "[]", [""]])
def test_an_empty_list_does_not_mean_all(nothing: str | list[str]) -> None:
    for option in ("classes", "draw_classes"):
        with pytest.raises(OptionError, match="list of classes is empty"):
            Options(**{option: nothing})
    assert Options(classes=None).classes == ()


@pytest.mark.parametrize("wanted", [None, [], ()])
def test_nothing_asked_for_is_everything(wanted: list[str] | None) -> None:
    assert class_ids(wanted, NAMES) is None


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("persn", "unknown class 'persn', did you mean 'person'?"),
        ("persons", "unknown class 'persons', did you mean 'person'?"),
        ("cart", "did you mean 'cat' or 'car'?"),
        ("zebra", "there are person, bicycle, car, traffic light, cat"),
        ("5", "unknown class 5; there are 0 (person) to 4 (cat)"),
        (-1, "unknown class -1"),
        ("", "unknown class ''"),
    ],
)
def test_an_unknown_class_lists_the_near_misses(wanted: str | int, text: str) -> None:
    with pytest.raises(OptionError) as error:
        class_ids(["person", wanted], NAMES)
    assert text in str(error.value)
    assert "\n" not in str(error.value)


def test_a_name_that_is_a_number_is_a_name() -> None:
    assert class_ids(["7"], {0: "7", 7: "eight"}) == [0]


def test_two_classes_of_one_name_are_both_meant() -> None:
    names = {0: "Car", 3: "car", 4: "Big-Car", 5: "big car"}
    assert class_ids(["CAR"], names) == [0, 3]
    assert class_ids(["big_car", 0], names) == [0, 4, 5]
    assert class_ids(["car", "Big car"], names) == [0, 3, 4, 5]


@pytest.mark.parametrize(
    ("written", "ids"), [("traffic-light", [3]), ("Traffic_Light", [3]), ("car person", [0, 2]), ("3", [3])]
)
def test_a_class_is_written_alike_wherever_it_is_asked_for(
    tmp_path: Path, written: str, ids: list[int]
) -> None:
    """For the detector, for drawing, in a zone file, and at a line."""
    scene = Scene("street.mp4", (640, 480), 25.0, False, NAMES)
    (tmp_path / "zones.yaml").write_text(
        f"lines:\n  - {{name: door, points: [[0, 0.5], [1, 0.5]], classes: ['{written}']}}\n"
    )
    (door,) = make_plugins(Options(zones=str(tmp_path / "zones.yaml")), scene.size, NAMES)
    assert isinstance(door, Line)
    (shape,) = counted([door], Options(), scene)
    look = draw_options(Options(draw_classes=[written]), NAMES)
    assert class_ids(Options(classes=[written]).classes, NAMES) == ids
    assert sorted(look.classes or ()) == ids
    assert shape.classes == tuple(NAMES[each] for each in ids)
    door.start(scene)


@pytest.mark.parametrize(
    "refuse",
    [
        lambda: class_ids(["carr"], NAMES),
        lambda: Shape("line", "door", ((0, 0), (1, 1)), classes=("carr",)).check(NAMES),
        lambda: draw_options(Options(draw_classes=("carr",)), NAMES),
        lambda: Line([[0, 0], [9, 9]], classes=["carr"]).start(Scene("a", (9, 9), 25.0, False, NAMES)),
    ],
)
def test_a_class_misspelt_is_told_alike_wherever_it_is_asked_for(refuse: Callable[[], object]) -> None:
    with pytest.raises(OptionError, match=r"unknown class 'carr', did you mean 'car'\?$"):
        refuse()


def test_what_is_far_from_every_word_gets_no_guess() -> None:
    assert near_miss("helicopter", NAMES.values()) == ""
    assert near_miss("vido", ["video", "vide", "ivory"]) == ", did you mean 'video'?"


@given(st.integers(0, 10**6), st.sampled_from(["", "s", "sec", "m", " min", "h", "d"]))
def test_durations_are_read_with_their_unit(value: int, unit: str) -> None:
    factor = {"": 1, "s": 1, "sec": 1, "m": 60, " min": 60, "h": 3600, "d": 86400}[unit]
    assert seconds(f"{value}{unit}") == value * factor


@given(st.integers(0, 10**6))
def test_durations_are_read_as_a_clock_shows_them(value: int) -> None:
    assert seconds(f"{value // 3600}:{value // 60 % 60:02}:{value % 60:02}") == value


@pytest.mark.parametrize("written", ["10min", "600", "600s", "10 m", "0:10:00"])
def test_a_duration_is_written_alike_wherever_it_is_asked_for(tmp_path: Path, written: str) -> None:
    file = tmp_path / "zones.yaml"
    square = "[[0, 0], [1, 0], [1, 1]]"
    file.write_text(f"zones:\n  - {{name: till, points: {square}, loiter: '{written}'}}\n")
    (till,) = zone_file.load(file)
    asked = dict.fromkeys(("start", "lost", "interval", "segment", "keep"), written)
    options = Options.of({**asked, "counts": "c.csv"})
    assert [till.loiter_s, *(getattr(options, name) for name in asked)] == [600.0] * 6


@pytest.mark.parametrize(
    "written", ["", "ten", "5w", "nan", "1:90", "1:2:3:4", "1.5:30", "9" * 5000 + ":00:00"]
)
def test_a_duration_that_is_none_is_refused_alike_wherever_it_is_asked_for(
    tmp_path: Path, written: str
) -> None:
    for name in ("start", "end", "lost", "interval", "segment", "keep", "remember", "give_up_after"):
        with pytest.raises(OptionError, match=f"--{name.replace('_', '-')} takes a time such as 90, 1:30"):
            Options.of({name: written})
    if written:
        file = tmp_path / "zones.yaml"
        file.write_text(f"zones: {{till: {{points: [[0, 0], [1, 0], [1, 1]], loiter: '{written}'}}}}")
        with pytest.raises(OptionError, match=r"zones.yaml:1: loiter takes a time such as 90, 1:30"):
            zone_file.load(file)


def test_a_size_is_written_alike_wherever_it_is_asked_for() -> None:
    assert size("1280x720") == size(" 1280 X 720 ") == size("1280×720") == (1280, 720)
    for wrong in ("big", "0x720", "1280", "1280x", "123456x720"):
        with pytest.raises(OptionError, match="takes WIDTHxHEIGHT, such as 1280x720"):
            size(wrong)
