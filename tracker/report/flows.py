"""Movements in words and charts: the matrix, the busiest hour, each approach over time."""

from __future__ import annotations

from tracker.report import charts
from tracker.report.clock import length
from tracker.report.gather import Report
from tracker.report.pictures import Detail
from tracker.report.view import View, heads, intervals, peak_rows, when
from tracker.report.ways import Junction


def junction_view(report: Report, junction: Junction, ident: str, detail: Detail) -> View:
    """Return the matrix of a junction, the incomplete ones beside it."""
    sections, total = junction.sections, junction.whole.total()
    rows: list[list[object]] = []
    for start in sections:
        row = [junction.whole[start, end] for end in sections]
        rows.append([start, *row, sum(row), junction.came[start]])
    column = [sum(junction.whole[start, end] for start in sections) for end in sections]
    rows.append(["all", *column, total, junction.came.total()])
    rows.append(["came unseen", *(junction.left[end] for end in sections), junction.left.total(), ""])
    classes = sorted({c for _, _, c in junction.classes})
    by_class = [
        [
            f"{start} to {end}",
            junction.called.get((start, end), ""),
            *(junction.classes[start, end, c] for c in classes),
            junction.whole[start, end],
        ]
        for start in sections
        for end in sections
        if junction.whole[start, end] or start != end
    ]
    share = 100 * junction.incomplete / max(total + junction.incomplete, 1)
    return {
        "ident": ident,
        "name": junction.name,
        **_approaches(report, junction, ident, detail),
        "lead": f"{total} movements from beginning to end. {junction.incomplete} more ({share:.1f} %) are "
        "incomplete: seen to come in and never to leave, or to leave and never to come in. They stand beside "
        "the matrix and are in none of its sums.",
        "head": heads("from", *sections, "all", "left unseen"),
        "rows": rows,
        "class_head": heads("way", "*called", *classes, "all"),
        "class_rows": by_class,
    }


def _approaches(report: Report, junction: Junction, ident: str, detail: Detail) -> View:
    """Return the movements of a junction over time: a panel per section they came by."""
    tally, sections, starts = report.movements, junction.sections, report.movements.starts
    every = length(tally.interval_s)
    ways = {a: [f"{a} > {b}" for b in sections] for a in sections}
    series = {way: tally.series(junction.name, way) for each in ways.values() for way in each}
    spans = intervals(report, starts)
    panels = [charts.Panel(f"from {a}", [[series[w][s] for w in ways[a]] for s in starts]) for a in sections]
    complete = [way for each in ways.values() for way in each]
    peaks = [("all movements", report.peak(junction.name, complete, movements=True))]
    peaks += [(f"from {a}", report.peak(junction.name, ways[a], movements=True)) for a in sections]
    rows = [
        [span, *(sum(series[w][s] for w in ways[a]) for a in sections)]
        for s, span in zip(starts, spans, strict=True)
    ]
    return {
        "peaks": peak_rows(report, peaks),
        "svg": charts.bars(
            panels,
            [f"to {b}" for b in sections],
            [when(report, s) for s in starts],
            spans,
            f"Movements of {junction.name} every {every}, by where they came in",
            f"{ident}-chart",
        ),
        "key": charts.key([f"to {b}" for b in sections]),
        "table": f"{junction.name}: how many came in every {every}, of those that left again",
        "interval_head": heads("interval", *(f"from {a}" for a in sections)),
        "interval_rows": rows if len(rows) <= detail.most_rows else [],
    }
