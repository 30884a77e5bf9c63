"""Lines and zones by name, as somebody draws them or writes them down, apart from what counts at them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bytetrack.types import FloatArray
from tracker.contracts import Plugin
from tracker.parse import class_ids, near_miss
from tracker.plugins._shared.anchors import check_anchor
from tracker.plugins._shared.area_anchors import AREA
from tracker.plugins._shared.geometry import open_ring
from tracker.plugins._shared.line_shape import TOWARDS, line_problem
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone, zone_problem
from tracker.text import harmless
from tracker.types import OptionError

COLORS = {  # red, green, blue
    **{"red": "#e6194b", "green": "#3cb44b", "blue": "#4363d8", "yellow": "#ffe119", "orange": "#f58231"},
    **{"purple": "#911eb4", "cyan": "#42d4f4", "magenta": "#f032e6", "lime": "#bfef45", "pink": "#fabed4"},
    **{"teal": "#469990", "white": "#ffffff", "black": "#000000"},
}
CYCLE = ("yellow", "green", "cyan", "orange", "magenta", "lime", "pink", "teal")  # of shapes without a colour
BESIDE = {"line": 0, "zone": 4}  # where in the cycle a kind begins, so that the first of each differ
# written so that no text makes them try again and again: one way only to match a run of digits or blanks
NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
PAIR = rf"[\[(]\s*({NUMBER})(?:\s*,\s*|\s+)({NUMBER})\s*(?:,\s*)?[\])]"
MOST_POINTS = 1000  # of a shape
EXAMPLES = {  # points of each kind, in pixels and as fractions
    "line": ("0,300 768,300", "0,0.5 1,0.5"),
    "zone": ("0,200 300,200 300,400 0,400", "0,0.5 0.5,0.5 0.5,1 0,1"),
}
MOST_NAME = 200  # letters
OUTSIDE = 0.01  # a point may lie so far outside the picture, in parts of its longer side: a drawing's slip


@dataclass(frozen=True)
class Shape:
    """One line or zone as written down. Without ``size`` its points go from 0 to 1."""

    kind: str  # "line" or "zone"
    name: str
    points: tuple[tuple[float, float], ...]
    size: tuple[float, float] | None = None  # of the picture that the points were drawn on; None: fractions
    names: tuple[str, str] = ("in", "out")
    towards: str | None = None
    anchor: str = "bottom_center"
    classes: tuple[str, ...] = ()
    color: str = "yellow"
    loiter_s: float | None = None
    where: str = ""  # "zones.yaml:12", for errors

    def pixels(self, size: tuple[int, int]) -> FloatArray:
        """Return the points (K, 2) on a picture of this size (width, height).

        Raises ``OptionError`` when one lies outside of it.
        """
        if self.size is None and any(abs(value) > 1 + OUTSIDE for point in self.points for value in point):
            raise self.error("points in pixels need the picture size; add 'size: [width, height]'")
        scale = np.array(size, float) / (self.size or (1.0, 1.0))
        points: FloatArray = np.array(self.points, np.float64) * scale
        slip = OUTSIDE * max(size)
        outside = ((points < -slip) | (points > np.array(size) + slip)).any(axis=1)
        if outside.any():
            n = int(np.flatnonzero(outside)[0])
            drawn = f"{self.size[0]:g}x{self.size[1]:g}" if self.size else "1x1 (fractions)"
            raise self.error(f"point {n + 1} {list(self.points[n])} lies outside the picture of {drawn}")
        points = np.clip(points, 0, size)
        return points

    def plugin(self, size: tuple[int, int], class_map: Mapping[str, str] | None = None) -> Plugin:
        """Return the plugin that counts on a picture of this size; raises ``OptionError``.

        ``class_map`` tells what to call classes (`class_map.ClassMap.names`).
        """
        points, color, known = self.pixels(size), to_bgr(self.color), class_map or {}
        try:
            if self.kind == "line":
                way = (self.names, self.towards, self.anchor)
                return Line(points, self.name, *way, self.classes, color, known)
            return Zone(points, self.name, self.anchor, self.classes, self.loiter_s, color, known)
        except OptionError as error:
            raise OptionError(f"{self.where}: {error}" if self.where else str(error)) from error

    def check(self, names: Mapping[int, str]) -> None:
        """Raise ``OptionError`` where a class is none of ``names``."""
        try:
            class_ids(self.classes, names)
        except OptionError as error:
            raise self.error(str(error)) from error

    def error(self, text: str) -> OptionError:
        """Return an error that names this shape and its place."""
        place = f"{self.where}: " if self.where else ""
        return OptionError(f"{place}{self.kind} {self.name!r}: {text}")


def from_text(kind: str, text: str, number: int = 1, size: tuple[float, float] | None = None) -> Shape:
    """Return the shape of ``"x,y x,y ..."`` or ``"name=x,y x,y ..."``, as given on the command line.

    Numbers of which none is above 1 are fractions of the picture; others are pixels of it, whose ``size``
    must then be given. Raises ``OptionError``.
    """
    name, equals, rest = text.rpartition("=")
    name = name.strip() if equals else kind if number == 1 else f"{kind}{number}"
    points = points_of_text(rest)
    if points is None:
        pixels, fractions = EXAMPLES[kind]
        raise OptionError(
            f'--{kind} "{text}" is not a list of points; write --{kind} "{pixels}" in pixels'
            f' or --{kind} "{fractions}" as fractions of the picture'
        )
    shape = Shape(
        kind, name, points, size_for(points, size), color=CYCLE[(number - 1 + BESIDE[kind]) % len(CYCLE)]
    )
    return sound(shape)


def to_bgr(color: str) -> tuple[int, int, int]:
    """Return a colour by name or ``#rrggbb`` as blue, green, red; raises ``OptionError``.

    >>> to_bgr("#ff8000")
    (0, 128, 255)
    """
    code = COLORS.get(color.lower(), color)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", code):
        raise OptionError(f"unknown color {color!r}{near_miss(color, COLORS)}; use a name or '#rrggbb'")
    return int(code[5:7], 16), int(code[3:5], 16), int(code[1:3], 16)


def sound(shape: Shape, at: Mapping[str, str] | None = None, where: str = "") -> Shape:
    """Return the shape with its place; raises ``OptionError`` at the place of the entry that is wrong."""
    at = at or {}

    def wrong(key: str, text: str) -> OptionError:
        place = at.get(key, where)
        return OptionError(f"{place}: {text}" if place else text)

    if len(shape.points) > MOST_POINTS:
        raise wrong(
            "points",
            f"{shape.kind} {shape.name!r} has {len(shape.points)} points; at most {MOST_POINTS} are allowed",
        )
    if max(map(len, (shape.name, *shape.names))) > MOST_NAME:
        raise wrong("name", f"{shape.kind} {shape.name[:20]!r}… has a name of more than {MOST_NAME} letters")
    shape = replace(
        shape,
        name=harmless(shape.name),
        names=(harmless(shape.names[0]), harmless(shape.names[1])),
        points=open_ring(shape.points) if shape.kind == "zone" else shape.points,
    )
    points = np.array(shape.points, np.float64)
    problem = (line_problem if shape.kind == "line" else zone_problem)(points)
    if problem:
        raise wrong("points", f"{shape.kind} {shape.name!r} {problem}")
    if shape.towards is not None and shape.towards.lower() not in TOWARDS:
        guess = near_miss(shape.towards, TOWARDS)
        raise wrong("towards", f"towards {shape.towards!r}{guess}; use one of {', '.join(TOWARDS)}")
    if shape.names[0] == shape.names[1]:
        raise wrong("in", f"both directions are called {shape.names[0]!r}")
    for key, check in (
        ("anchor", lambda: check_anchor(shape.anchor, (AREA,) if shape.kind == "zone" else ())),
        ("color", lambda: to_bgr(shape.color)),
    ):
        try:
            check()
        except OptionError as error:
            raise wrong(key, str(error)) from error
    return replace(shape, where=at.get("points", where))


def size_for(
    points: Sequence[tuple[float, float]], size: tuple[float, float] | None
) -> tuple[float, float] | None:
    """Return the size these points refer to: none for fractions."""
    return None if all(0 <= v <= 1 for point in points for v in point) else size


def points_of_text(text: str) -> tuple[tuple[float, float], ...] | None:
    """Read ``x,y x,y``, ``[[x, y], ...]``, ``[(x, y), ...]``, ``np.array([[x, y]])``; None if neither."""
    pairs = re.findall(PAIR, text)
    left = re.sub(PAIR, "", text)
    if pairs and not re.search(r"\d\s*,\s*\d", left):
        return tuple((float(x), float(y)) for x, y in pairs)
    words = re.split(r"[\s;]+", text.strip())
    if all(re.fullmatch(rf"{NUMBER},{NUMBER}", word) for word in words):
        return tuple((float(x), float(y)) for x, y in (word.split(",") for word in words))
    return None
