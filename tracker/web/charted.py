"""The charts of the page: those of the report, drawn here, so that both look alike."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone, tzinfo
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tracker.report import charts
from tracker.types import Json
from tracker.web.answers import number_of
from tracker.web.history import MOST_ROWS, History
from tracker.web.station import Station

DAY_S, HOUR_S = 86400.0, 3600.0
MOST_BARS = 400
EARLIEST_S, LATEST_S = 0.0, 253e9  # a calendar ends with the year 9999
MOST_MARKS = 20_000  # events of a film that are looked at; those that lie upon each other are one mark
VERBS = {"enter": "entered", "exit": "left", "loiter": "loitering"}  # those of the page's list
WIDTHS = (240.0, 2000.0)  # from the narrowest to the widest picture


def routes(source: str, station: Callable[[Request], Station], history: History) -> list[Route]:
    """Return what answers ``SOURCE/chart``, ``SOURCE/timeline`` and the charts' style sheet."""

    async def chart(request: Request) -> Response:
        of, until = station(request), number_of(request, "to", time.time())
        since, step = number_of(request, "from", until - HOUR_S), number_of(request, "step", 60.0)
        if not 0 < until - since <= MOST_BARS * max(step, 60.0):
            raise HTTPException(
                422, f"give from before to, at most {MOST_BARS} steps of whole minutes between"
            )
        if not EARLIEST_S <= since <= until <= LATEST_S:
            raise HTTPException(422, "from and to are Unix seconds of the years 1970 to 9998")
        zone, width = _zone(request.query_params.get("zone")), _width(request)
        return JSONResponse(await run_in_threadpool(bars, history, of, since, until, step, zone, width))

    async def timeline(request: Request) -> Response:
        of = station(request)
        since = number_of(request, "from", of.video_from_s)
        until = number_of(request, "to", max(of.length_s or 0.0, since + 1.0))
        return JSONResponse(await run_in_threadpool(film, history, of, since, until, _width(request)))

    async def style(request: Request) -> Response:
        return Response((files("tracker.report") / "chart.css").read_bytes(), media_type="text/css")

    return [
        Route(f"{source}/chart", chart),
        Route(f"{source}/timeline", timeline),
        Route("/static/chart.css", style),
    ]


def bars(
    history: History,
    station: Station,
    since: float,
    until: float,
    step: float,
    zone: tzinfo | None,
    width: float,
) -> dict[str, Json]:
    """Return ``svg`` and ``key`` of what was counted in steps of whole minutes; times are Unix seconds."""
    minutes = max(round(step / 60), 1)
    offset = datetime.fromtimestamp(since, timezone.utc).astimezone(zone).utcoffset()
    shift = offset.total_seconds() if offset else 0.0
    first = (since + shift) // (60 * minutes) * 60 * minutes - shift  # where the history's steps begin
    starts = [first + n * 60 * minutes for n in range(int(-((first - until) // (60 * minutes))))]
    rows = [
        row
        for row in history.counts(station.name, since, until, step, shift)
        if row["direction"] != "exit"  # who went in has come out, too
    ]
    found: Counter[tuple[float, str]] = Counter()
    for row in rows:
        way = row["direction"]
        found[row["start"], f"{row['name']} {VERBS.get(way, way)}"] += row["count"]
    ways = sorted({way for _, way in found})
    stacks = [[found.get((start, way), 0) for way in ways] for start in starts]
    days = until - since > DAY_S

    def label(at_s: float) -> str:
        return (
            datetime.fromtimestamp(at_s, timezone.utc)
            .astimezone(zone)
            .strftime("%a %H:%M" if days else "%H:%M")
        )

    spans = [f"{label(start)} to {label(start + 60 * minutes)}" for start in starts]
    total, most = sum(found.values()), max((sum(stack) for stack in stacks), default=0)
    span = "a minute" if minutes == 1 else "an hour" if minutes == 60 else f"{minutes} minutes"
    title = (
        f"{total} counted from {label(since)} to {label(until)}, at most {most} in {span}"
        if total
        else f"Nothing was counted from {label(since)} to {label(until)}"
    )
    panel = charts.Panel("", stacks)
    svg = charts.bars([panel], ways, [*map(label, starts)], spans, title, "chart-title", width=width)
    return {"svg": svg, "key": charts.key(ways)}


def film(history: History, station: Station, since: float, until: float, width: float) -> dict[str, Json]:
    """Return ``svg`` of the events of a film between two of its seconds."""
    marks: list[charts.Mark] = []
    before: int | None = None
    while len(marks) < MOST_MARKS:
        rows = history.events(station.name, since=since, before=before, most=MOST_ROWS)
        marks += [mark_of(row) for row in rows if row.get("name") and not row["kind"].startswith("shape.")]
        if len(rows) < MOST_ROWS:
            break
        before = rows[-1]["id"]
    until = max(until, *(mark.at_s for mark in marks)) if marks else until
    title = f"{len(marks)} events over time; arrow keys go from one to the next, Enter plays"
    return {"svg": charts.timeline(marks, since, until, clock, title, "timeline-title", width=width)}


def mark_of(row: dict[str, Any]) -> charts.Mark:
    """Return an event of the history as a mark of a timeline, which says what happened."""
    what = row["kind"].rpartition(".")[2]
    way = row.get("direction") or VERBS.get(what, what)
    who = "" if row.get("track_id") is None else f": {row.get('class') or 'object'} #{row['track_id']}"
    doubt = f", doubtful ({row['why']})" if row.get("why") else ""
    told = f"{clock(row['time_s'])} {row['name']} {way}{who}{doubt}"
    return charts.Mark(float(row["time_s"]), str(row["name"]), told, int(row["id"]), bool(doubt))


def clock(at_s: float) -> str:
    """Return a second of a film as its player shows it.

    >>> clock(65.4), clock(3725)
    ('1:05', '1:02:05')
    """
    minutes, seconds = divmod(int(max(at_s, 0)), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"


def _width(request: Request) -> float:
    return min(max(number_of(request, "width", charts.WIDTH), WIDTHS[0]), WIDTHS[1])


def _zone(name: str | None) -> tzinfo | None:
    """Return the time zone of whoever looks; None, that of this machine, where it is not known here."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # not found, a path, a folder
        return None
