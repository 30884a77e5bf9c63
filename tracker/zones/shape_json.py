"""A line or zone as a page draws it: points in pixels of the picture, everything else by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tracker.types import Json, OptionError
from tracker.zones.file import KEYS
from tracker.zones.shapes import Shape, sound


def to_json(shape: Shape, size: tuple[int, int]) -> dict[str, Json]:
    """Return a shape for a page, its points in pixels of a picture of this size (width, height).

    Raises ``OptionError`` where a point lies outside.
    """
    return {
        "kind": shape.kind,
        "name": shape.name,
        "points": [[round(x, 2), round(y, 2)] for x, y in shape.pixels(size).tolist()],
        "in": shape.names[0],
        "out": shape.names[1],
        "towards": shape.towards,
        "anchor": shape.anchor,
        "classes": list(shape.classes),
        "color": shape.color,
        "loiter": shape.loiter_s,
    }


def from_json(given: Json, size: tuple[int, int], names: Mapping[int, str]) -> Shape:
    """Return the shape that `to_json` would have told; raises ``OptionError`` with the zone file's words."""
    if not isinstance(given, dict) or given.get("kind") not in KEYS:
        raise OptionError("a shape is an object with kind, name and points")
    kind, name = given["kind"], given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise OptionError(f"this {kind} has no name")
    points = given.get("points")
    if not isinstance(points, list) or not all(_is_pair(point) for point in points):
        raise OptionError(f"{kind} {name!r}: points are a list of [x, y]")
    for key in ("in", "out", "anchor", "color"):
        if not isinstance(given.get(key, ""), str):
            raise OptionError(f"{kind} {name!r}: {key} is a word")
    towards, loiter, classes = given.get("towards"), given.get("loiter"), given.get("classes") or []
    listed = isinstance(classes, list) and all(isinstance(each, str) for each in classes)
    if not isinstance(towards, str | None) or not listed:
        raise OptionError(f"{kind} {name!r}: towards is a word, classes are a list of words")
    number = isinstance(loiter, int | float) and not isinstance(loiter, bool)
    if loiter is not None and not (number and 0 < loiter <= 366 * 86400):
        raise OptionError(f"{kind} {name!r}: loiter is a time in seconds, more than 0")
    shape = sound(
        Shape(
            kind,
            name.strip(),
            tuple((float(x), float(y)) for x, y in points),
            (float(size[0]), float(size[1])),
            names=(given.get("in") or "in", given.get("out") or "out"),
            towards=towards or None,
            anchor=given.get("anchor") or "bottom_center",
            classes=tuple(classes),
            color=given.get("color") or "yellow",
            loiter_s=None if loiter is None or kind == "line" else float(loiter),
        )
    )
    shape.plugin(size)
    shape.check(names)
    return shape


def _is_pair(point: Json) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e6 for v in point)
    )


def moved_to(shape: Shape, size: tuple[int, int]) -> Shape:
    """Return the shape with its points in pixels of a picture of this size."""
    points = tuple((float(x), float(y)) for x, y in shape.pixels(size).tolist())
    return replace(shape, points=points, size=(float(size[0]), float(size[1])))
