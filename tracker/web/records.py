"""What was counted, for the page and to take away: counts, events, reports, files."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from tracker.errors import TrackError
from tracker.text import told
from tracker.web.answers import as_csv, clock, number_of, safe, size_of
from tracker.web.history import History
from tracker.web.station import Station

DAY_S = 86400.0


class Records:
    """Answers with what was counted; ``station`` finds the source that a request is about."""

    def __init__(
        self, station: Callable[[Request], Station], stations: Mapping[int, Station], history: History
    ) -> None:
        self._station, self._stations, self._history = station, stations, history

    def routes(self, source: str) -> list[Route]:
        """Return what answers below ``source``, the path of one source, and the files of all."""
        return [
            Route(f"{source}/counts", self.counts),
            Route(f"{source}/events", self.events),
            Route(f"{source}/events/{{event:int}}/picture.jpg", self.event_picture),
            Route(f"{source}/report.{{kind}}", self.report),
            Route("/api/results", self.results),
            Route("/api/results/{id}", self.result),
        ]

    async def counts(self, request: Request) -> Response:
        """Return what was counted per step of time, as JSON or CSV."""
        station = self._station(request)
        until = number_of(request, "to", time.time() + 60 if station.live else 1e9)
        since = number_of(request, "from", until - DAY_S if station.live else 0.0)
        step = number_of(request, "step", 900.0)
        if not station.live:
            until = min(until, since + max(station.length_s or DAY_S, 60.0) + 60)
        offset = datetime.now().astimezone().utcoffset() if station.live else None
        shift = offset.total_seconds() if offset else 0.0
        try:
            rows = await run_in_threadpool(self._history.counts, station.name, since, until, step, shift)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        if request.query_params.get("format") == "csv":
            columns = ("start", "name", "direction", "class", "count", "doubtful")
            for row in rows:
                row["start"] = clock(row["start"]) if station.live else row["start"]
            return as_csv(columns, rows, f"{station.name}_counts.csv")
        return JSONResponse({"rows": rows, "step": step})

    async def events(self, request: Request) -> Response:
        """Return events, the newest first, as JSON or CSV."""
        station = self._station(request)
        wanted: dict[str, Any] = {}
        for key, name in (("from", "since"), ("to", "until")):
            if key in request.query_params:
                wanted[name] = number_of(request, key, 0.0)
        for key in ("before", "after"):
            if key in request.query_params:
                wanted[key] = int(number_of(request, key, 0))
        wanted["most"] = int(number_of(request, "most", 200))
        wanted["doubtful"] = request.query_params.get("doubtful") == "1"
        rows = await run_in_threadpool(lambda: self._history.events(station.name, **wanted))
        if request.query_params.get("format") == "csv":
            columns = (
                "wall_time",
                "time_s",
                "frame",
                "kind",
                "name",
                "direction",
                "class",
                "track_id",
                "why",
            )
            return as_csv(columns, rows, f"{station.name}_events.csv")
        return JSONResponse({"rows": rows})

    async def event_picture(self, request: Request) -> Response:
        """Return the picture of a doubtful event."""
        station, event = self._station(request), request.path_params["event"]
        data = await run_in_threadpool(self._history.picture, station.name, event)
        return Response(data, media_type="image/jpeg") if data else JSONResponse({"error": "no picture"}, 404)

    async def report(self, request: Request) -> Response:
        """Return the report of what was counted, as a page or a spreadsheet."""
        station, kind = self._station(request), request.path_params["kind"]
        if station.report is None or kind not in ("html", "xlsx"):
            return JSONResponse({"error": "there is no report of this source"}, 404)
        make = station.report
        try:
            data = await run_in_threadpool(lambda: make(kind))
        except TrackError as error:
            return JSONResponse({"error": told(str(error))}, 409)
        headers = {"content-disposition": f'attachment; filename="{safe(station.name)}_report.{kind}"'}
        return Response(data, media_type="application/octet-stream", headers=headers)

    def _files(self) -> dict[str, tuple[Station, Path]]:
        return {
            f"{station.number}-{key}": (station, path)
            for station in self._stations.values()
            for key, path in station.results.items()
        }

    async def results(self, request: Request) -> Response:
        """List the files that were written."""
        rows = [
            {"id": key, "source": station.number, "name": path.name, "bytes": size_of(path)}
            for key, (station, path) in self._files().items()
        ]
        return JSONResponse({"results": rows})

    async def result(self, request: Request) -> Response:
        """Return a file by its id, or parts of it."""
        found = self._files().get(request.path_params["id"])
        if found is None or not found[1].is_file():
            return JSONResponse({"error": "there is no such result"}, 404)
        path = found[1]
        video = path.suffix.lower() in (".mp4", ".mkv", ".webm")
        shown = video and "download" not in request.query_params
        return FileResponse(
            path, media_type="video/mp4" if path.suffix.lower() == ".mp4" else None, filename=path.name,
            content_disposition_type="inline" if shown else "attachment",
        )  # fmt: skip
