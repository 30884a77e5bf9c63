"""Where it was counted: lines, zones and movements drawn over a picture of the scene, as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

COLORS = 7  # of the style sheet
Point = tuple[float, float]


@dataclass(frozen=True)
class Drawn:
    """A line or zone in pixels; a line's arrow leads to where "in" is."""

    kind: str
    name: str
    points: tuple[Point, ...]
    arrow: tuple[Point, Point] | None = None
    towards: str = ""


@dataclass(frozen=True)
class Flow:
    """A movement: from where to where, how wide, and what it tells."""

    start: Point
    end: Point
    part: float  # of the greatest, 0 to 1
    told: str


def scene(
    size: tuple[int, int],
    picture: str | None,
    shapes: Sequence[Drawn],
    flows: Sequence[Flow],
    title: str,
    ident: str,
) -> Markup:
    """Return a drawing over ``picture``, a data address, or over a plain ground of this size."""
    width, height = size
    unit = max(width, height) / 100
    parts = [
        Markup('<image href="{}" width="{}" height="{}"/>').format(picture, width, height)
        if picture
        else Markup('<rect class="ground" width="{}" height="{}"/>').format(width, height)
    ]
    for number, shape in enumerate(shapes):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        tag, color = ("polygon" if shape.kind == "zone" else "polyline"), f"s{number % COLORS}"
        for style, wide in (("case", 0.9), (color, 0.45)):
            parts.append(
                Markup('<{} class="{}" style="stroke-width:{:.2f}px" points="{}"/>').format(
                    tag, style, unit * wide, points
                )
            )
        if shape.arrow is not None:
            parts += _arrow(*shape.arrow, unit * 0.45, color, f"{shape.name} {shape.towards}")
    for flow in flows:
        parts += _arrow(flow.start, flow.end, unit * (0.3 + 1.2 * flow.part), "move", flow.told)
    parts += [_name(shape, unit, size) for shape in shapes]
    return Markup(
        '<svg class="scene" viewBox="0 0 {} {}" preserveAspectRatio="xMinYMin" role="img" '
        'aria-labelledby="{}">'
        '<title id="{}">{}</title>{}</svg>'
    ).format(width, height, ident, ident, title, Markup("").join(parts))


def _name(shape: Drawn, unit: float, size: tuple[int, int]) -> Markup:
    """Write the name at the highest point, inside the picture."""
    x, y = min(shape.points, key=lambda point: (point[1], point[0]))
    letters = 1.8 * unit * len(shape.name)
    x, y = min(max(x, unit), max(size[0] - letters, unit)), min(max(y - unit, 3.5 * unit), size[1] - unit)
    return Markup(
        '<text class="on" style="font-size:{:.1f}px;stroke-width:{:.1f}px" x="{:.0f}" y="{:.0f}">{}</text>'
    ).format(3 * unit, 0.9 * unit, x, y, shape.name)


def _arrow(start: Point, end: Point, wide: float, style: str, told: str) -> Iterator[Markup]:
    (x1, y1), (x2, y2) = start, end
    away = math.hypot(x2 - x1, y2 - y1) or 1.0
    ux, uy, head = (x2 - x1) / away, (y2 - y1) / away, wide * 3
    bx, by = x2 - ux * head, y2 - uy * head
    corners = ((x2, y2), (bx - uy * head / 2, by + ux * head / 2), (bx + uy * head / 2, by - ux * head / 2))
    tip = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    yield Markup(
        '<g class="{}"><title>{}</title>'
        '<path style="stroke-width:{:.2f}px" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>'
        '<polygon class="tip" points="{}"/></g>'
    ).format(style, told, wide, x1, y1, bx, by, tip)
