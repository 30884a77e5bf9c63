"""What a person gives for an option that takes several things, in the one form that the rest knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import cast

from tracker.errors import OptionError

EXAMPLE = 'write "0,300 768,300", or [[0, 300], [768, 300]]'


def words(given: object, option: str) -> tuple[str, ...]:
    """Return one text or several as a tuple; raises ``OptionError``.

    >>> words("heatmap", "plugin"), words(["route", "heatmap"], "plugin")
    (('heatmap',), ('route', 'heatmap'))
    """
    if isinstance(given, str):
        return (given,)
    several = tuple(given) if isinstance(given, Iterable) else (given,)
    for each in several:
        if not isinstance(each, str):
            more = "; objects go to plugins=[...]" if option == "plugin" else ""
            raise OptionError(f"{option}={each!r} is not a text{more}")
    return several


def classes(given: object, option: str = "the list of classes") -> tuple[str, ...]:
    """Return names and ids of classes, given alone, in a list or parted by commas or semicolons; None is all.

    Raises ``OptionError`` for text that names nothing: an empty variable of a script does not mean all.

    >>> classes("person, car"), classes(0), classes([0, "2;3"]), classes("[0, 2]"), classes("2 5")
    (('person', 'car'), ('0',), ('0', '2', '3'), ('0', '2'), ('2', '5'))
    """
    if given is None:
        return ()
    several = given if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    texts = [re.sub(r"(?<=\d)\s+(?=\d)|;", ",", str(each)) for each in several]
    parts = (part.strip(" []()'\"") for text in texts for part in text.split(","))
    named = tuple(part for part in parts if part)
    if texts and not named:
        instead = "leave it out" if option == "--blur" else "omit it for all"
        raise OptionError(f"{option} is empty; give some (person,car), or {instead}")
    return named


def shapes(given: object, option: str) -> tuple[str, ...]:
    """Return lines or zones as texts: given as such, as a list of points, as several of either, or by name.

    Raises ``OptionError``.

    >>> shapes("0,300 768,300", "line"), shapes([[0, 300], [768, 300]], "line")
    (('0,300 768,300',), ('0,300 768,300',))
    >>> shapes({"door": [(0, 0.5), (1, 0.5)]}, "line")
    ('door=0,0.5 1,0.5',)
    """
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Mapping):
        return tuple(f"{name}={_one(points, option)}" for name, points in given.items())
    if not isinstance(given, Iterable):
        raise OptionError(f"{option}={given!r} is not a list of points; {EXAMPLE}")
    several = [each if isinstance(each, str) else _listed(each) for each in given]
    if several and _depth(several) <= 2:  # points of one
        return (_one(several, option),)
    return tuple(_one(each, option) for each in several)


def _one(points: object, option: str) -> str:
    if isinstance(points, str):
        return points
    try:
        pairs = [(float(x), float(y)) for x, y in cast("Iterable[tuple[float, float]]", points)]
    except (TypeError, ValueError) as error:
        raise OptionError(f"{option}={points!r} is not a list of points; {EXAMPLE}") from error
    return " ".join(f"{x:.10g},{y:.10g}" for x, y in pairs)


def _listed(given: object) -> object:
    """Return arrays, tuples and lists as lists, however deep; what is no collection as it is."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        return given
    return [_listed(each) for each in given]


def _depth(given: object) -> int:
    """Return how many brackets stand around the first number; a text stands for a list of points."""
    if isinstance(given, str):
        return 2
    if not isinstance(given, list) or not given:
        return 0
    return 1 + _depth(given[0])
