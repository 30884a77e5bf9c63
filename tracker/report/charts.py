"""Charts as SVG, of the report and of the live page: text stays text, every bar tells what it is.

Colours are classes of the style sheet (``c0`` to ``c6`` of ``chart.css``), so that they follow light, dark
and paper; the colour-blind tell them apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from tracker.report.stays import Bin

WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 720.0, 132.0, 44.0, 8.0, 22.0, 20.0
COLORS = 7  # of the style sheet; more classes share the last
LABEL = 74.0  # pixels for one below an axis
TICKS = 4  # beside one, about
NAME, BAND, MARK = 16.0, 16.0, 5.0  # of a timeline: height of a name, of the marks below it; width of a mark
ROUND_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200)  # between its labels
LETTER = 7.0  # about how wide one is


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
    *,
    width: float = WIDTH,
) -> Markup:
    """Return stacked bars in panels one above the other, to one scale.

    ``labels`` stand below the bars, as many as there is room for; ``spans`` name a bar in its title.
    ``width`` is that of the picture in pixels, for letters that are as large as those around it.
    """
    top = max((sum(stack) for panel in panels for stack in panel.stacks), default=0)
    ticks = _ticks(top)
    step = (width - LEFT - RIGHT) / max(len(labels), 1)
    height = (TOP + PANEL) * len(panels) + BOTTOM
    parts = []
    for number, panel in enumerate(panels):
        base = (TOP + PANEL) * (number + 1)
        parts.append(_text(LEFT, base - PANEL - 8, panel.title, "start", "name"))
        parts += _grid(ticks, base, width)
        for place, stack in enumerate(panel.stacks):
            parts += _stack(stack, classes, spans[place], panel.title, base, ticks[-1], place * step, step)
    parts += _below(labels, step, height, width)
    return _svg(parts, width, height, title, ident)


def steps(bins: Sequence[Bin], label: Callable[[float], str], title: str, ident: str) -> Markup:
    """Return occupancy over time: the most as bars behind, the mean as a line."""
    if not bins:
        return Markup("")
    ticks = _ticks(max(one.most for one in bins))
    start, span = bins[0].start_s, max(bins[-1].end_s - bins[0].start_s, 1e-9)
    scale, base = (WIDTH - LEFT - RIGHT) / span, TOP + PANEL
    parts = [*_grid(ticks, base, WIDTH)]
    line = []
    for one in bins:
        x, wide = LEFT + scale * (one.start_s - start), scale * (one.end_s - one.start_s)
        told = f"{label(one.start_s)} to {label(one.end_s)}: {one.mean:.2f} on average, {one.most} at most"
        parts.append(_rect(x, wide, base, PANEL * one.most / ticks[-1], "pale", told))
        y = base - PANEL * one.mean / ticks[-1]
        line += [f"{x:.1f},{y:.1f}", f"{x + wide:.1f},{y:.1f}"]
    parts.append(Markup('<polyline class="mean" points="{}"/>').format(" ".join(line)))
    labelled = [bins[place].start_s for place in _rounded(len(bins), bins[0].end_s - start)]
    parts += [_text(LEFT + scale * (at - start), base + 14, label(at)) for at in labelled]
    return _svg(parts, WIDTH, base + BOTTOM, title, ident)


class Mark(NamedTuple):
    """An event on a timeline."""

    at_s: float
    name: str  # of the line or zone
    told: str  # what happened, in words
    event: int  # its number
    doubtful: bool


def timeline(
    marks: Sequence[Mark],
    first_s: float,
    last_s: float,
    label: Callable[[float], str],
    title: str,
    ident: str,
    *,
    width: float = WIDTH,
) -> Markup:
    """Return events over the time of a recording, a band for each line or zone.

    A mark is a button (``data-event``, ``data-at`` in seconds); several that would lie upon each other are
    one, which leads to the first of them.
    """
    names = sorted({mark.name for mark in marks})
    scale, right = (width - 2 * RIGHT) / max(last_s - first_s, 1e-9), width - RIGHT
    height = (NAME + BAND) * max(len(names), 1) + BOTTOM
    parts = []
    for number, name in enumerate(names):
        base = (NAME + BAND) * (number + 1)
        room = max(int((width - 2 * RIGHT) / LETTER), 2)
        parts.append(
            _text(
                RIGHT, base - BAND - 4, name if len(name) <= room else f"{name[: room - 1]}…", "start", "name"
            )
        )
        parts.append(Markup('<path class="axis" d="M{:.0f} {:.1f}H{:.0f}"/>').format(RIGHT, base, right))
        together: dict[int, list[Mark]] = {}
        for mark in sorted(mark for mark in marks if mark.name == name):
            together.setdefault(int(scale * (mark.at_s - first_s) // MARK), []).append(mark)
        parts += [
            _mark(there, RIGHT + scale * (there[0].at_s - first_s), base) for there in together.values()
        ]
    step = next((step for step in ROUND_S if step * scale >= LABEL), ROUND_S[-1])
    for place in range(math.ceil(first_s / step), int(last_s // step) + 1):
        x = RIGHT + scale * (place * step - first_s)
        anchor = "start" if x < LABEL / 3 else "end" if x > right - LABEL / 3 else "middle"
        parts.append(_text(x, height - 6, label(place * step), anchor))
    return _svg(parts, width, height, title, ident, role="group")


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


def _mark(there: Sequence[Mark], x: float, base: float) -> Markup:
    """Return the button of one event, or of several that lie upon each other."""
    first = there[0]
    told = first.told if len(there) == 1 else f"{first.told}, and {len(there) - 1} more"
    color = "mark doubt" if any(mark.doubtful for mark in there) else "mark"
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.0f}" height="{:.0f}" rx="1"'
        ' role="button" tabindex="-1" aria-label="{}" data-event="{}" data-at="{:.3f}">'
        "<title>{}</title></rect>"
    ).format(color, x - MARK / 2, base - BAND + 1, MARK, BAND - 2, told, first.event, first.at_s, told)


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


def _grid(ticks: Sequence[float], base: float, width: float) -> Iterator[Markup]:
    for tick in ticks:
        y = base - PANEL * tick / ticks[-1]
        yield Markup('<path class="{}" d="M{:.0f} {:.1f}H{:.0f}"/>').format(
            "axis" if not tick else "grid", LEFT, y, width - RIGHT
        )
        yield _text(LEFT - 6, y + 4, f"{tick:g}", "end")


def _below(labels: Sequence[str], step: float, height: float, width: float) -> Iterator[Markup]:
    for place in _spread(len(labels), width):
        narrow = step < LABEL / 2  # the words begin where the bar is, and not before the axis
        x = LEFT + step * (place if narrow else place + 0.5)
        yield _text(x, height - 6, labels[place], "start" if narrow else "middle")


def _spread(count: int, width: float) -> range:
    """Return which of so many labels stand below an axis; nine below the widest."""
    room = max(int((width - LEFT - RIGHT) // LABEL), 1)
    return range(0, count, max(math.ceil(count / room), 1))


def _rounded(count: int, bin_s: float) -> range:
    """Return which of so many bins have a label: as `_spread`, but round seconds apart where some fit.

    >>> _rounded(80, 0.5), _rounded(80, 0.7)
    (range(0, 80, 10), range(0, 80, 9))
    """
    least = _spread(count, WIDTH).step
    steps = (round(each / bin_s) for each in ROUND_S if math.isclose(each, round(each / bin_s) * bin_s))
    return range(0, count, next((step for step in steps if least <= step < 2 * least), least))


def _rect(x: float, wide: float, base: float, tall: float, color: str, told: str) -> Markup:
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
    ).format(color, x, base - tall, wide, tall, told)


def _text(x: float, y: float, words: str, anchor: str = "start", style: str = "") -> Markup:
    named = Markup(' class="{}"').format(style) if style else ""
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{}>{}</text>').format(
        x, y, anchor, named, words
    )


def _svg(
    parts: Sequence[Markup], width: float, height: float, title: str, ident: str, *, role: str = "img"
) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {:.0f} {:.0f}" role="{}" aria-labelledby="{}">'
        '<title id="{}">{}</title>{}</svg>'
    ).format(width, height, role, ident, ident, title, Markup("").join(parts))
