"""What the page asks for and what it gets; paths are relative, so that a proxy may put it anywhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

from tracker.errors import TrackError
from tracker.text import told
from tracker.types import Json
from tracker.web import charted
from tracker.web.about import about, may
from tracker.web.access import COOKIE_S, Access
from tracker.web.answers import (
    address_of,
    as_csv,
    asked,
    body_of,
    clock,
    failed,
    number_of,
    page,
    safe,
    size_of,
    static,
    static_file,
)
from tracker.web.history import History
from tracker.web.picture import Pictures
from tracker.web.socket import Sockets, Stream
from tracker.web.station import Station

MJPEG_FPS = 15.0
BOUNDARY = "picture"
DAY_S = 86400.0


class Site:
    """The page of some stations."""

    def __init__(self, stations: list[Station], history: History, access: Access, cookie: str) -> None:
        self.stations = {station.number: station for station in stations}
        self.history, self.access, self.cookie = history, access, cookie
        self.pictures = {station.number: Pictures(station) for station in stations}
        self.sockets = Sockets(self.stations, self.pictures, history, access)
        self.renewed: Callable[[], None] = lambda: None  # called when the one-time link was used

    def app(self) -> Starlette:
        """Return the ASGI application, without its guard."""
        one = "/api/sources/{number:int}"
        routes = [
            *charted.routes(one, self.station, self.history),
            Route("/", page("index.html")),
            Route("/login", self.login_page),
            Route("/static/{name}", static),
            Route("/api/login", self.login, methods=["POST"]),
            Route("/api/logout", self.logout, methods=["POST"]),
            Route("/api/health", self.health),
            Route("/api/sources", self.sources),
            Route(f"{one}/start", self.order("start"), methods=["POST"]),
            Route(f"{one}/stop", self.order("stop"), methods=["POST"]),
            Route(f"{one}/zero", self.order("zero"), methods=["POST"]),
            Route(f"{one}/recount", self.order("recount"), methods=["POST"]),
            Route(f"{one}/frame.jpg", self.frame),
            Route(f"{one}/shapes", self.shapes, methods=["GET", "PUT"]),
            Route(f"{one}/shapes/restore", self.restore, methods=["POST"]),
            Route(f"{one}/counts", self.counts),
            Route(f"{one}/events", self.events),
            Route(f"{one}/events/{{event:int}}/picture.jpg", self.event_picture),
            Route(f"{one}/report.{{kind}}", self.report),
            Route("/api/results", self.results),
            Route("/api/results/{id}", self.result),
            Route("/stream/{name}.mjpg", self.mjpeg),
            WebSocketRoute("/ws", self.sockets.serve),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: failed})

    def station(self, request: Request) -> Station:
        """Return the source that a path names; answers 404 where there is none."""
        found = self.stations.get(request.path_params["number"])
        if found is None:
            raise HTTPException(404, "there is no such source")
        return found

    async def login_page(self, request: Request) -> Response:
        """Show the form; a one-time link turns into a cookie and the page."""
        token = request.query_params.get("link")
        if token is None:
            return static_file("login.html")
        if not self.access.may_try(address_of(request)):
            return JSONResponse({"error": "too many attempts; wait a minute"}, 429)
        role = self.access.follow(token)
        if role is None:
            return RedirectResponse("login?used", 303)
        self.access.succeeded(address_of(request))
        self.renewed()
        response = RedirectResponse("./", 303)
        self._set_cookie(request, response, role)
        return response

    async def login(self, request: Request) -> Response:
        """Take a password."""
        if not self.access.may_try(address_of(request)):
            return JSONResponse({"error": "too many attempts; wait a minute"}, 429)
        body = await body_of(request)
        role = await run_in_threadpool(self.access.login, str(body.get("password", "")))
        if role is None:
            return JSONResponse({"error": "this is not the password"}, 401)
        self.access.succeeded(address_of(request))
        response = JSONResponse({"role": role})
        self._set_cookie(request, response, role)
        return response

    async def logout(self, request: Request) -> Response:
        """Make the cookie worthless."""
        response = await asked(lambda: self.access.logout(request.scope.get("cookie") or ""), {})
        response.delete_cookie(self.cookie)
        return response

    def _set_cookie(self, request: Request, response: Response, role: str) -> None:
        response.set_cookie(
            self.cookie, self.access.cookie(role), max_age=round(COOKIE_S), httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip

    async def health(self, request: Request) -> Response:
        """Tell whether every source gives pictures, also to who is not logged in: a container's health check.

        The status says it, too: 200 or 503. Which source, and why, is for who may look.
        """
        answer: dict[str, Json] = {"ok": all(station.works for station in self.stations.values())}
        if request.scope["role"] is not None:
            answer["sources"] = {str(n): station.state for n, station in self.stations.items()}
            answer["why"] = {
                str(n): told(station.why) for n, station in self.stations.items() if not station.works
            }
        return JSONResponse(answer, 200 if answer["ok"] else 503)

    async def sources(self, request: Request) -> Response:
        """List all sources."""
        rows = [about(station) for station in self.stations.values()]
        return JSONResponse({"sources": rows, "role": request.scope["role"], "time": time.time()})

    def order(self, what: str) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers to start, stop, zero and recount."""

        async def answer(request: Request) -> Response:
            station = self.station(request)
            call = getattr(station, what)
            if call is None or not may(station)[what]:
                return JSONResponse({"error": f"cannot {what} now: {station.state}"}, 409)
            return await asked(call, {})

        return answer

    async def frame(self, request: Request) -> Response:
        """Return a picture: the newest, or that of a second of a file (``at``)."""
        station = self.station(request)
        width = number_of(request, "width", 1280)
        at = request.query_params.get("at")
        if at is not None and station.still is not None:
            try:
                data = await run_in_threadpool(station.still, number_of(request, "at", 0.0))
            except TrackError as error:
                return JSONResponse({"error": told(str(error))}, 404)
            return Response(data, media_type="image/jpeg")
        seen = station.latest
        if seen is None:
            return JSONResponse({"error": "there is no picture yet"}, 404)
        bare = request.query_params.get("bare") == "1"
        data = await run_in_threadpool(self.pictures[station.number].get, seen, int(width), bare=bare)
        return Response(data, media_type="image/jpeg", headers={"x-age": f"{time.monotonic() - seen.at:.2f}"})

    async def shapes(self, request: Request) -> Response:
        """Return, or change, the lines and zones of a source."""
        station = self.station(request)
        if request.method == "GET":
            return await asked(station.shapes)
        body = await body_of(request)
        return await asked(lambda: station.put(body.get("shapes"), str(body.get("version", ""))))

    async def restore(self, request: Request) -> Response:
        """Bring an earlier version of the zone file back."""
        station, body = self.station(request), await body_of(request)
        name, version = str(body.get("name", "")), str(body.get("version", ""))
        return await asked(lambda: station.bring_back(name, version))

    async def counts(self, request: Request) -> Response:
        """Return what was counted per step of time, as JSON or CSV."""
        station = self.station(request)
        until = number_of(request, "to", time.time() + 60 if station.live else 1e9)
        since = number_of(request, "from", until - DAY_S if station.live else 0.0)
        step = number_of(request, "step", 900.0)
        if not station.live:
            until = min(until, since + max(station.length_s or DAY_S, 60.0) + 60)
        offset = datetime.now().astimezone().utcoffset() if station.live else None
        shift = offset.total_seconds() if offset else 0.0
        try:
            rows = await run_in_threadpool(self.history.counts, station.name, since, until, step, shift)
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
        station = self.station(request)
        wanted: dict[str, Any] = {}
        for key, name in (("from", "since"), ("to", "until")):
            if key in request.query_params:
                wanted[name] = number_of(request, key, 0.0)
        for key in ("before", "after"):
            if key in request.query_params:
                wanted[key] = int(number_of(request, key, 0))
        wanted["most"] = int(number_of(request, "most", 200))
        wanted["doubtful"] = request.query_params.get("doubtful") == "1"
        rows = await run_in_threadpool(lambda: self.history.events(station.name, **wanted))
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
        station, event = self.station(request), request.path_params["event"]
        data = await run_in_threadpool(self.history.picture, station.name, event)
        return Response(data, media_type="image/jpeg") if data else JSONResponse({"error": "no picture"}, 404)

    async def report(self, request: Request) -> Response:
        """Return the report of what was counted, as a page or a spreadsheet."""
        station, kind = self.station(request), request.path_params["kind"]
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
            for station in self.stations.values()
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

    async def mjpeg(self, request: Request) -> Response:
        """Return pictures without end, for what cannot use the page, such as home automation."""
        name = request.path_params["name"]
        station = next((each for each in self.stations.values() if each.name == name), None)
        if station is None:
            return JSONResponse({"error": "there is no such source"}, 404)
        width = int(number_of(request, "width", 1280))
        pictures, kind = self.pictures[station.number], f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        if request.method == "HEAD":
            return Response(media_type=kind)

        async def parts() -> AsyncIterator[bytes]:
            last = 0
            while self.sockets.may_look(request.scope):
                seen = station.latest
                if seen is not None and seen.number != last:
                    last = seen.number
                    data = await run_in_threadpool(pictures.get, seen, width)
                    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    yield head.encode() + data + b"\r\n"
                await asyncio.sleep(1 / MJPEG_FPS)

        return Stream(self.sockets, parts(), media_type=kind)
