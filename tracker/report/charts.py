"""Charts as SVG: text stays text, every bar tells what it is, colours that the colour-blind tell apart.

Colours are classes of the page's style sheet (``c0`` to ``c6``), so that they follow light, dark and paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from tracker.report.stays import Bin

WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 720.0, 132.0, 44.0, 8.0, 22.0, 20.0
COLORS = 7  # of the style sheet; more classes share the last
MOST_LABELS = 9  # below an axis
TICKS = 4  # beside one, about


class Panel(NamedTuple):
    """One row of bars: ``stacks`` has a list of values per bar, one value for each of ``classes``."""

    title: str
    stacks: Sequence[Sequence[float]]


def bars(
    panels: Sequence[Panel],
    classes: Sequence[str],
    labels: Sequence[str],
    spans: Sequence[str],
    title: str,
    ident: str,
) -> Markup:
    """Return stacked bars in panels one above the other, to one scale.

    ``labels`` stand below the bars, as many as there is room for; ``spans`` name a bar in its title.
    """
    top = max((sum(stack) for panel in panels for stack in panel.stacks), default=0)
    ticks = _ticks(top)
    step = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    height = (TOP + PANEL) * len(panels) + BOTTOM
    parts = []
    for number, panel in enumerate(panels):
        base = (TOP + PANEL) * (number + 1)
        parts.append(_text(LEFT, base - PANEL - 8, panel.title, "start", "name"))
        parts += _grid(ticks, base)
        for place, stack in enumerate(panel.stacks):
            parts += _stack(stack, classes, spans[place], panel.title, base, ticks[-1], place * step, step)
    parts += _below(labels, step, height)
    return _svg(parts, height, title, ident)


def steps(bins: Sequence[Bin], label: Callable[[float], str], title: str, ident: str) -> Markup:
    """Return occupancy over time: the most as bars behind, the mean as a line."""
    if not bins:
        return Markup("")
    ticks = _ticks(max(one.most for one in bins))
    start, span = bins[0].start_s, max(bins[-1].end_s - bins[0].start_s, 1e-9)
    scale, base = (WIDTH - LEFT - RIGHT) / span, TOP + PANEL
    parts = [*_grid(ticks, base)]
    line = []
    for one in bins:
        x, wide = LEFT + scale * (one.start_s - start), scale * (one.end_s - one.start_s)
        told = f"{label(one.start_s)} to {label(one.end_s)}: {one.mean:.2f} on average, {one.most} at most"
        parts.append(_rect(x, wide, base, PANEL * one.most / ticks[-1], "pale", told))
        y = base - PANEL * one.mean / ticks[-1]
        line += [f"{x:.1f},{y:.1f}", f"{x + wide:.1f},{y:.1f}"]
    parts.append(Markup('<polyline class="mean" points="{}"/>').format(" ".join(line)))
    labelled = [bins[place].start_s for place in _spread(len(bins))]
    parts += [_text(LEFT + scale * (at - start), base + 14, label(at)) for at in labelled]
    return _svg(parts, base + BOTTOM, title, ident)


def key(classes: Sequence[str]) -> list[tuple[str, str]]:
    """Return what each colour means, as a class of the style sheet and a name."""
    named = [(f"c{n}", name) for n, name in enumerate(classes[: COLORS - 1])]
    rest = classes[COLORS - 1 :]
    return [*named, (f"c{COLORS - 1}", ", ".join(rest))] if rest else named


def _stack(
    stack: Sequence[float],
    classes: Sequence[str],
    span: str,
    panel: str,
    base: float,
    top: float,
    x: float,
    step: float,
) -> Iterator[Markup]:
    wide, up = min(max(step * 0.8, step - 4), 60.0), 0.0
    for number, value in enumerate(stack):
        if value:
            tall = PANEL * value / top
            told = ", ".join(filter(None, (span, panel, classes[number]))) + f": {value:g}"
            color = f"c{min(number, COLORS - 1)}"
            yield _rect(LEFT + x + (step - wide) / 2, wide, base - up, tall, color, told)
            up += tall


def _ticks(top: float) -> list[float]:
    """Return round numbers from 0 to at least ``top``.

    >>> _ticks(7), _ticks(0), _ticks(230)
    ([0, 2, 4, 6, 8], [0, 1], [0, 100, 200, 300])
    """
    if top <= 0:
        return [0, 1]
    size = 10 ** math.floor(math.log10(max(top, 1)))
    step = next(max(int(m * size), 1) for m in (0.2, 0.5, 1, 2, 5) if top <= TICKS * max(int(m * size), 1))
    return [step * n for n in range(math.ceil(top / step) + 1)]


def _grid(ticks: Sequence[float], base: float) -> Iterator[Markup]:
    for tick in ticks:
        y = base - PANEL * tick / ticks[-1]
        yield Markup('<path class="{}" d="M{:.0f} {:.1f}H{:.0f}"/>').format(
            "axis" if not tick else "grid", LEFT, y, WIDTH - RIGHT
        )
        yield _text(LEFT - 6, y + 4, f"{tick:g}", "end")


def _below(labels: Sequence[str], step: float, height: float) -> Iterator[Markup]:
    for place in _spread(len(labels)):
        yield _text(LEFT + step * (place + 0.5), height - 6, labels[place], "middle")


def _spread(count: int) -> range:
    return range(0, count, max(math.ceil(count / MOST_LABELS), 1))


def _rect(x: float, wide: float, base: float, tall: float, color: str, told: str) -> Markup:
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
    ).format(color, x, base - tall, wide, tall, told)


def _text(x: float, y: float, words: str, anchor: str = "start", style: str = "") -> Markup:
    named = Markup(' class="{}"').format(style) if style else ""
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{}>{}</text>').format(
        x, y, anchor, named, words
    )


def _svg(parts: Sequence[Markup], height: float, title: str, ident: str) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-labelledby="{}">'
        '<title id="{}">{}</title>{}</svg>'
    ).format(WIDTH, height, ident, ident, title, Markup("").join(parts))
