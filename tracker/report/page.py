"""The report as one HTML file: nothing fetched, no script, at most 500 KB."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tracker.report import charts, view
from tracker.report.clock import length, shown
from tracker.report.flows import junction_view
from tracker.report.gather import Report
from tracker.report.pictures import LADDER, MANY, SEVERAL, Detail, jpeg
from tracker.report.recording import Recording
from tracker.report.scene import Drawn, Flow, scene
from tracker.report.sureness import sure, thumbnails, truth
from tracker.text import harmless
from tracker.types import Json

MOST_BYTES = 500_000
MOST_GAPS = 50
ABOUT = (("source", "Source"), ("network", "Network"), ("frames", "Frames"), ("dropped", "Frames dropped"))


def page(report: Report) -> str:
    """Return the HTML; pictures, then charts, become smaller until it is small enough."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    template = environment.get_template("report.html")
    html = ""
    for detail in LADDER[MANY:] if len(report.tally.names) > SEVERAL else LADDER:
        html = template.render(_context(report, detail))
        if len(html.encode()) <= MOST_BYTES:
            break
    return html


def _context(report: Report, detail: Detail) -> dict[str, Any]:
    picture = None if report.scene is None else jpeg(report.scene, detail.width, detail.quality)
    drawn, size = _drawn(report), _size(report)
    where = None
    if size and (drawn or picture):
        where = scene(size, picture, drawn, (), "Lines and zones on the picture of the scene", "scene")
    junctions = []
    for number, junction in enumerate(report.junctions):
        one = junction_view(report, junction, f"junction{number}", detail)
        flows = _flows(report, number, drawn)
        title = f"Movements of {junction.name} as arrows"
        one["scene"] = scene(size, picture, drawn, flows, title, f"flows{number}") if size and flows else None
        junctions.append(one)
    return {
        "version": version("track-anything-in-video"),
        "title": report.title,
        "subtitle": _subtitle(report),
        "notes": [harmless(note) for run in report.runs for note in run.notes],
        "lines": _most(view.lines_view(report), detail),
        "zones": _most(view.zones_view(report), detail),
        "objects": view.objects_view(report),
        "heads": _heads(report),
        "scene": where,
        "scene_caption": "Where it was counted. An arrow leads to where a line’s first direction is."
        if any(shape.arrow for shape in drawn)
        else ("Where it was counted." if drawn else "The scene."),
        "shapes": view.shapes_view(report, detail),
        "junctions": junctions,
        "speeds": _speeds(report),
        "pictures": [(what, jpeg(image, detail.width, detail.quality)) for what, image in report.pictures],
        "sure": sure(report),
        "reasons": [[why, n] for why, n in sorted(view.counters(report).items(), key=lambda each: -each[1])],
        "truth": truth(report),
        "doubtful": report.doubtful[0],
        "thumbnails": thumbnails(report, detail) if detail.thumbnail else [],
        "recordings": [_about(report, run) for run in report.runs[:MOST_GAPS]],
        "footer": f"Written by track {version('track-anything-in-video')}.",
    }


def _most(rows: list[list[object]], detail: Detail) -> list[list[object]]:
    """Return the rows with the greatest counts, in their order, and one that says how many are left out."""
    if len(rows) <= detail.most_totals:
        return rows
    ranked = sorted(range(len(rows)), key=lambda n: -int(str(rows[n][1])))[: detail.most_totals]
    others = f"{len(rows) - len(ranked)} more are in the spreadsheet (--xlsx)"
    return [*(rows[n] for n in sorted(ranked)), [others, *[""] * (len(rows[0]) - 1)]]


def _heads(report: Report) -> dict[str, list[view.Head]]:
    return {
        "lines": view.heads("line and direction", "count", "*by class", "doubtful"),
        "zones": view.heads(
            "zone", "entries", "exits", "inside on average", "inside at most", "half stayed at most"
        ),
        "objects": view.heads("class", "different objects"),
        "speeds": view.heads("class", "measured", "median", "85 % below", "fastest"),
        "reasons": view.heads("reason", "events"),
        "truth": view.heads(
            "interval", "*line", "*direction", "*class", "person", "track", "error", "missed", "false", "GEH"
        ),
        "run": view.heads("what", "*value"),
        "peaks": view.heads(
            "peak hour of", "*when", "in the hour", "in its busiest quarter", "peak-hour factor"
        ),
        "gaps": view.heads("from", "*to", "length"),
    }


def _subtitle(report: Report) -> str:
    first, last = report.span
    if report.wall:
        zone = report.runs[0].clock.zone()
        told = f"{shown(first, True, exact=True)} to {shown(last, True, exact=True)}, {zone}"
    else:
        told = f"{shown(first, False)} to {shown(last, False)} of the recording; when that was is not known"
    return f"{told}. Recorded: {length(report.watched_s)}."


def _size(report: Report) -> tuple[int, int] | None:
    for run in report.runs:
        if run.record.get("size"):
            return int(run.record["size"][0]), int(run.record["size"][1])
    return None if report.scene is None else (report.scene.shape[1], report.scene.shape[0])


def _drawn(report: Report) -> list[Drawn]:
    """Return the lines and zones of the runs, each name once."""
    found: dict[str, Drawn] = {}
    for run in report.runs:
        for shape in run.record.get("shapes", ()):
            name = harmless(str(shape["name"]))
            arrow = shape.get("arrow")
            found[name] = Drawn(
                kind=str(shape["kind"]),
                name=name,
                points=tuple((float(x), float(y)) for x, y in shape["points"]),
                arrow=None if not arrow else (_point(arrow[0]), _point(arrow[1])),
                towards=harmless(str(shape["directions"][0])) if shape["directions"] else "",
            )
    return list(found.values())


def _point(given: Json) -> tuple[float, float]:
    return float(given[0]), float(given[1])


def _flows(report: Report, number: int, drawn: list[Drawn]) -> list[Flow]:
    """Return an arrow for each movement between two sections whose places are known."""
    junction = report.junctions[number]
    middle = {
        shape.name: (
            sum(x for x, _ in shape.points) / len(shape.points),
            sum(y for _, y in shape.points) / len(shape.points),
        )
        for shape in drawn
    }
    most = max(junction.whole.values(), default=1)
    return [
        Flow(_aside(middle[a], middle[b]), _aside(middle[b], middle[a], -1), n / most, f"{a} to {b}: {n}")
        for (a, b), n in junction.whole.most_common()
        if a in middle and b in middle and a != b
    ]


def _aside(here: tuple[float, float], there: tuple[float, float], side: int = 1) -> tuple[float, float]:
    """Return a point a little to the right of the way, so that the way back does not lie upon it."""
    dx, dy = there[0] - here[0], there[1] - here[1]
    return here[0] - side * 0.04 * dy + 0.06 * dx, here[1] + side * 0.04 * dx + 0.06 * dy


def _speeds(report: Report) -> dict[str, Any] | None:
    if not report.speeds:
        return None
    rows, shown_charts = [], []
    for number, one in enumerate(report.speeds):
        values = (one.quantile(0.5), one.quantile(0.85), one.shown[-1])
        rows.append([one.class_name, len(one.kmh), *(f"{value:.0f}" for value in values)])
        bins = one.bins()
        panel = charts.Panel(one.class_name, [[count] for _, _, count in bins])
        spans = [f"{a:g} to {b:g} {one.unit}" for a, b, _ in bins]
        svg = charts.bars(
            [panel],
            [""],
            [f"{a:g}–{b:g}" for a, b, _ in bins],
            spans,
            f"Speeds of {one.class_name}",
            f"speed{number}",
        )
        shown_charts.append(
            {"svg": svg, "name": one.class_name, "caption": f"Objects by speed, in {one.unit}."}
        )
    return {"rows": rows, "charts": shown_charts, "unit": report.speeds[0].unit}


def _about(report: Report, run: Recording) -> dict[str, Any]:
    record = run.record
    axis: Callable[[float], float] = run.clock.axis
    first, last = (shown(axis(at), run.clock.is_wall, exact=True) for at in (run.first_s, run.last_s))
    rows: list[list[object]] = [["From", first], ["To", last]]
    if run.clock.is_wall:
        rows.append(["Time zone", run.clock.zone()])
    rows += [[told, harmless(str(record[name]))] for name, told in ABOUT if record.get(name) is not None]
    if record.get("size"):
        rows.append(["Picture", "{} × {}, {:g} frames per second".format(*record["size"], record["fps"])])
    lost = sum(b - a for a, b in run.gaps)
    rows.append(["Gaps", f"{len(run.gaps)}, {length(lost)} in all" if run.gaps else "none that is known"])
    rows += [["Settings", harmless(" ".join(record["settings"]))]] if record.get("settings") else []
    versions = record.get("versions", {})
    rows += (
        [["Versions", ", ".join(f"{name} {number}" for name, number in versions.items())]] if versions else []
    )
    rows += [["Note", harmless(str(note))] for note in record.get("notes", ())]
    if not record.get("settings") and not versions:
        rows.append(["Settings", "not told: --save-run FILE keeps them"])
    gaps = [
        [
            shown(axis(a), run.clock.is_wall, exact=True),
            shown(axis(b), run.clock.is_wall, exact=True),
            length(b - a),
        ]
        for a, b in run.gaps[:MOST_GAPS]
    ]
    return {"caption": run.name, "rows": rows, "gaps": gaps}
