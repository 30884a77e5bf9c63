"""A report in words and charts, as the page shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tracker.report import charts
from tracker.report.clock import length, shown
from tracker.report.gather import Report
from tracker.report.pictures import Detail
from tracker.report.read import MOVEMENTS
from tracker.report.stays import dwell, dwell_bins, occupancy
from tracker.report.tally import DAY_S, HOUR_S, Peak

View = dict[str, Any]
PART = 0.98  # an interval that was recorded for less of its length is said to be a part


class Head(NamedTuple):
    """A column of a table; numbers stand to the right, ``words`` to the left."""

    text: str
    words: bool = False


def heads(*texts: str) -> list[Head]:
    """Return columns; a star before a text makes a column of words."""
    return [Head(text.removeprefix("*"), text.startswith("*")) for text in texts]


def when(report: Report, axis_s: float, *, exact: bool | None = None) -> str:
    """Return a time as the report writes it: with the day where there are several, without what is 0."""
    first, last = report.span
    if report.wall and report.tally.interval_s >= DAY_S and exact is None:
        return shown(axis_s, True)[:10]
    days = int(first // DAY_S) != int(last // DAY_S)
    short = report.tally.interval_s % 60 != 0 if exact is None else exact
    return shown(axis_s, report.wall, day=days, exact=short)


def intervals(report: Report, starts: Iterable[float]) -> list[str]:
    """Return what the intervals are called: from when to when, or a day by its date."""
    length_s = report.tally.interval_s
    if report.wall and length_s == DAY_S:
        return [when(report, start) for start in starts]
    return [f"{when(report, start)} to {when(report, start + length_s)}" for start in starts]


def lines_view(report: Report) -> list[list[object]]:
    """Return a row per line and direction: by class, doubtful."""
    rows: list[list[object]] = []
    for name in report.lines:
        for direction in report.tally.names[name]:
            total = report.tally.total(name, direction)
            by_class = {c: report.tally.total(name, direction, c) for c in report.tally.classes[name] if c}
            told = ", ".join(f"{c} {n}" for c, n in sorted(by_class.items(), key=lambda each: -each[1]) if n)
            rows.append([f"{name} {direction}", total, told, report.tally.doubtful(name, direction)])
    return rows


def zones_view(report: Report) -> list[list[object]]:
    """Return a row per zone: visits, occupancy, stay."""
    rows: list[list[object]] = []
    for name in report.zones:
        row: list[object] = [name, report.tally.total(name, "enter"), report.tally.total(name, "exit")]
        if name in report.stays:
            mean, most = _occupied(report, name)
            stay = dwell(report.stays[name])
            half = f"{stay.quantile(0.5):.1f} s" if stay.count else "–"
            row += [f"{mean:.2f}", most, half]
        rows.append(row + ["–"] * (6 - len(row)))
    return rows


def shapes_view(report: Report, detail: Detail) -> list[View]:
    """Return what is shown of each line and zone."""
    busiest = Counter(dict.fromkeys(report.tally.names, 0))
    for row in report.tally.rows:
        busiest[row.name] += row.count
    chosen = {name for name, _ in busiest.most_common(detail.most_shapes)}
    views, zones = [], set(report.zones)
    for number, name in enumerate([*report.lines, *report.zones]):
        if name not in chosen:
            continue
        zone, ident = name in zones, f"shape{number}"
        view: View = {
            "ident": ident,
            "title": f"{'Zone' if zone else 'Line'} {name}",
            "occupancy": None,
            "dwell": None,
        }
        view["counts"] = _counts(report, name, ident, detail, zone=zone)
        if zone and name in report.stays:
            view["occupancy"] = _occupancy(report, name, ident)
            if report.stays[name]:
                view["dwell"] = _dwell(report, name, ident)
        views.append(view)
    return views


def peak_rows(report: Report, peaks: Iterable[tuple[str, Peak | None]]) -> list[list[object]]:
    """Return a row for each peak hour that there is: whose, from when to when, V, V15, factor."""
    rows: list[list[object]] = []
    for whose, peak in peaks:
        if peak is not None:
            start = when(report, peak.start_s, exact=False)
            end = shown(peak.start_s + HOUR_S, report.wall, day=False)
            rows.append([whose, f"{start} to {end}", peak.volume, peak.quarter, f"{peak.factor:.3f}"])
    return rows


def _counts(report: Report, name: str, ident: str, detail: Detail, *, zone: bool) -> View:
    tally = report.tally
    ways, starts = tally.names[name], tally.starts
    classes = _by_number(report, name) if detail.by_class else ("",)
    series = {
        (way, c): tally.series(name, way, c if detail.by_class else None) for way in ways for c in classes
    }
    labels = [when(report, start) for start in starts]
    spans = intervals(report, starts)
    panels = [charts.Panel(way, [[series[way, c][s] for c in classes] for s in starts]) for way in ways]
    every = length(tally.interval_s)
    told = [f"{way} {tally.total(name, way)}" for way in ways]
    lead = f"{', '.join(told)}."
    peaks: list[list[object]] = []
    if not zone:
        whole = [] if len(ways) == 1 else [("all directions", report.peak(name))]
        peaks = peak_rows(report, [*whole, *((way, report.peak(name, (way,))) for way in ways)])
        if not peaks:
            why = "no whole hour of quarters on the round was recorded"
            if report.watched_s < HOUR_S:
                why = "less than an hour was recorded"
            elif not sum(tally.total(name, way) for way in ways):
                why = "nothing was counted"
            lead = f"{lead} No peak hour: {why}."
    view: View = {
        "lead": lead,
        "peaks": peaks,
        "key": charts.key(classes) if classes != ("",) else [],
        "rows": [],
        "more": "",
    }
    title = f"{'Visits to' if zone else 'Crossings of'} {name} every {every}: {'; '.join(told)}"
    view["svg"] = charts.bars(panels, classes, labels, spans, title, f"{ident}-chart")
    view["caption"] = f"How many every {every}." if len(starts) > detail.most_rows else ""
    if len(starts) > detail.most_rows:
        view["more"] = f"The {len(starts)} intervals are in the spreadsheet (--xlsx) one by one."
        return view
    columns = [(way, c) for way in ways for c in classes]
    if len(classes) > 1:
        columns = [(way, c) for way in ways for c in (*classes, "all")]
    partly = any(tally.watched_s[start] < PART * tally.interval_s for start in starts)
    names = [" ".join(filter(None, column)) if len(classes) > 1 else column[0] for column in columns]
    view["head"] = heads("interval", *names, *(["*recorded"] if partly else []))
    view["table"] = f"{'Zone' if zone else 'Line'} {name}: how many every {every}"
    view["rows"] = []
    for start, span in zip(starts, spans, strict=True):
        part = tally.watched_s[start]
        short = part < PART * tally.interval_s
        cells = [
            sum(series[way, each][start] for each in classes)
            if c == "all" and len(classes) > 1
            else series[way, c][start]
            for way, c in columns
        ]
        view["rows"].append([span, *cells, *([length(part) if short else "all"] if partly else [])])
    return view


def _by_number(report: Report, name: str) -> tuple[str, ...]:
    """Return the classes of a line or zone, the most frequent first."""
    numbers: Counter[str] = Counter(dict.fromkeys(report.tally.classes[name], 0))
    for way in report.tally.names[name]:
        for row in report.tally.by_way.get((name, way), ()):
            numbers[row.class_name] += row.count
    return tuple(class_name for class_name, _ in numbers.most_common())


def _occupied(report: Report, name: str) -> tuple[float, int]:
    """Return the mean occupancy over what was recorded, and the most at a time."""
    stays, (first, last) = report.stays[name], report.span
    period = 1 / float(report.runs[0].record.get("fps") or 0) if report.runs[0].record.get("fps") else 0.0
    inside = sum(stay.left_s - stay.since_s for stay in stays)
    most = max((one.most for one in occupancy(stays, first, last)), default=0)
    return inside / max(report.watched_s + period * len(report.runs), 1e-9), most


def _occupancy(report: Report, name: str, ident: str) -> View:
    bins = occupancy(report.stays[name], *report.span)
    mean, most = _occupied(report, name)

    def label(axis_s: float) -> str:
        return when(report, axis_s, exact=report.span[1] - report.span[0] < 7200)

    lead = f"{mean:.2f} inside on average, {most} at most at the same time, by when visits began and ended."
    return {
        "lead": lead,
        "key": [("pale", "the most at a time"), ("c1", "on average")],
        "svg": charts.steps(bins, label, f"Occupancy of {name}: {lead}", f"{ident}-occupancy"),
        "caption": f"Every {length(bins[0].end_s - bins[0].start_s)}." if bins else "",
    }


def _dwell(report: Report, name: str, ident: str) -> View:
    stays = report.stays[name]
    stay, bins = dwell(stays), dwell_bins(stays)
    labels = [_short(a, b) for a, b, _ in bins]
    spans = [
        f"{length(a)} to {length(b)}" if b != float("inf") else f"{length(a)} and more" for a, b, _ in bins
    ]
    cut = sum(not each.ended for each in stays)
    lead = (
        f"Half stayed {stay.quantile(0.5):.1f} s or less, nine in ten {stay.quantile(0.9):.1f} s, "
        f"the longest {stay.greatest:.1f} s."
    )
    if cut:
        lead += f" {cut} of {len(stays)} visits went on when the recording ended; their length is until then."
    panel = charts.Panel("visits", [[count] for _, _, count in bins])
    title = f"Length of {len(stays)} visits to {name}"
    return {
        "lead": lead,
        "svg": charts.bars([panel], [""], labels, spans, title, f"{ident}-dwell"),
        "caption": "How many visits were so long.",
    }


def _short(low: float, high: float) -> str:
    """Return from how long to how long, below a bar.

    >>> _short(5.0, 10.0), _short(60.0, 120.0), _short(3600.0, float("inf"))
    ('5–10 s', '1–2 min', 'from 60 min')
    """
    unit, size = ("s", 1) if min(high, low * 2) <= 60 and low < 60 else ("min", 60)
    if high == float("inf"):
        return f"from {low / size:g} {unit}"
    return f"{low / size:g}–{high / size:g} {unit}"


def counters(report: Report) -> Mapping[str, int]:
    """Return why events are doubtful, and how often."""
    return Counter(
        reason.strip()
        for run in report.runs
        for entry in run.entries
        if entry.doubtful and entry.kind not in MOVEMENTS  # those of a movement are its crossings
        for reason in str(entry.data["why"]).split(",")
    )


def objects_view(report: Report) -> Sequence[Sequence[object]]:
    """Return how many different objects of each class were followed, where the runs tell."""
    found: Counter[str] = Counter()
    for run in report.runs:
        found.update({str(name): int(count) for name, count in run.record.get("objects", {}).items()})
    return [[name, count] for name, count in found.most_common()]
