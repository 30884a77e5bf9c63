from __future__ import annotations

import pytest

from tracker.detectors.classes import class_ids
from tracker.options import Options
from tracker.plugins._shared.anchors import resolve_classes
from tracker.types import OptionError

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
            Options(**{option: nothing})  # type: ignore[arg-type]
    assert Options(classes=None).classes == ()  # type: ignore[arg-type]


@pytest.mark.parametrize("wanted", [None, [], ()])
def test_nothing_asked_for_is_everything(wanted: list[str] | None) -> None:
    assert class_ids(wanted, NAMES) is None


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("persn", "no class 'persn'; did you mean person?"),
        ("persons", "no class 'persons'; did you mean person?"),
        ("cart", "did you mean cat or car?"),
        ("zebra", "these weights know person, bicycle, car, traffic light, cat"),
        ("5", "no class 5: these weights know 0 (person) to 4 (cat)"),
        (-1, "no class -1"),
        ("", "no class ''"),
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
    assert resolve_classes(["car", "Big car"], names) == {0, 3, 4, 5}
