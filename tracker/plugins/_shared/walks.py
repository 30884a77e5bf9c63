"""Routes that have ended: how they are kept, and the picture of them."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bytetrack.types import FloatArray
from tracker.plugins._shared.background import EmptyScene
from tracker.plugins._shared.route_line import way
from tracker.plugins._shared.trail import rounded
from tracker.types import Canvas, Picture

MOST_GROUPS = 8  # coloured and named on the picture; the others are grey
# Okabe and Ito's palette for the colour-blind, BGR, pale green for its blue; https://jfly.uni-koeln.de/color/
PALETTE = (
    (0, 159, 230), (233, 180, 86), (115, 158, 0), (66, 228, 240),
    (0, 94, 213), (190, 255, 190), (167, 121, 204), (255, 255, 255),
)  # fmt: skip
GREY = (160, 160, 160)
SOLID = 30  # routes that are drawn as solid as may be; more let each other through ...
FAINTEST = 0.1  # ... down to this part of it for a hundred times as many
CASED = 200  # most routes that are set off by a dark rim and a dot at their start
START = 1 / 260  # radius of that dot as fractions of the picture's longer side
WALK = ("track_id", "class_id", "entry", "exit", "start_s", "end_s")


@dataclass(frozen=True)
class Walk:
    """A route that has ended."""

    track_id: int
    class_id: int
    entry: str  # "left", "right", "top", "bottom" or "inside"
    exit: str
    start_s: float
    end_s: float
    points: FloatArray  # (K, 2) float32 pixels, simplified


def picture(
    walks: Sequence[Walk],
    groups: Counter[tuple[str, str]],
    still: int,
    empty: EmptyScene,
    notes: Sequence[str],
) -> Picture:
    """Return the picture of routes: ``groups`` tells how many there were, ``walks`` are drawn."""
    canvas = Canvas()
    ranked = groups.most_common()
    colors = {group: color for (group, _), color in zip(ranked, PALETTE, strict=False)}
    many, total = len(walks), groups.total()
    alpha = min(FAINTEST ** (np.log10(max(many, 1) / SOLID) / 2), 0.9)  # 30 solid, 3000 a tenth
    for walk in sorted(walks, key=lambda walk: -groups[walk.entry, walk.exit]):  # the rarest on top
        color = colors.get((walk.entry, walk.exit), GREY)
        points = rounded(walk.points * np.array(empty.scale))
        if many <= CASED:
            canvas.polyline(points, (0, 0, 0), width=1.8, alpha=0.35 * alpha)
        canvas.polyline(points, color, arrow=True, alpha=alpha)
        if many <= CASED:
            canvas.circle(points[0], START * max(empty.size), color, filled=True)
    key = [(f"{way(*group)}: {count}", colors[group]) for group, count in ranked[:MOST_GROUPS]]
    rest = sum(count for _, count in ranked[MOST_GROUPS:])
    if rest:
        key.append((f"other ways: {rest}", GREY))
    told = "each from its dot to its arrow" if many <= CASED else "each to its arrow"
    told += f"; {still} more went nowhere" if still else ""
    told += f"; a random sample of {many} is drawn" if total > many else ""
    title = f"{total} routes" if total != 1 else "1 route"
    return Picture(empty.picture(), tuple(canvas.marks), title, [*notes, told], key=key)


def packed(points: FloatArray) -> str:
    """Return a path (K, 2) in few characters, to a tenth of a pixel: there may be thousands.

    >>> unpacked(packed(np.array([[1.25, 700.0]]))).tolist()
    [[1.2000000476837158, 700.0]]
    """
    return base64.b64encode(np.round(points * 10).astype("<i4").tobytes()).decode()


def unpacked(text: str) -> FloatArray:
    """Return the path (K, 2) that `packed` took."""
    tenths = np.frombuffer(base64.b64decode(text), "<i4").reshape(-1, 2)
    path: FloatArray = (tenths / 10).astype(np.float32)
    return path
