"""What the page asks for and what it gets; paths are relative, so that a proxy may put it anywhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

from tracker.errors import TrackError
from tracker.text import told
from tracker.types import Json
from tracker.web import charted
from tracker.web.about import about, may
from tracker.web.access import COOKIE_S, Access
from tracker.web.answers import (
    address_of,
    asked,
    body_of,
    failed,
    number_of,
    page,
    static,
    static_file,
    told_of,
)
from tracker.web.history import History
from tracker.web.picture import Pictures
from tracker.web.records import Records
from tracker.web.socket import Sockets, Stream
from tracker.web.station import Station

MJPEG_FPS = 15.0
BOUNDARY = "picture"


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
            *Records(self.station, self.stations, self.history).routes(one),
            Route("/stream/{name}.mjpg", self.mjpeg),
            WebSocketRoute("/ws", self.sockets.serve),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: failed, TrackError: told_of})

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
            return await asked(station.counting.shapes)
        body = await body_of(request)
        return await asked(lambda: station.counting.put(body.get("shapes"), str(body.get("version", ""))))

    async def restore(self, request: Request) -> Response:
        """Bring an earlier version of the zone file back."""
        station, body = self.station(request), await body_of(request)
        name, version = str(body.get("name", "")), str(body.get("version", ""))
        return await asked(lambda: station.counting.bring_back(name, version))

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
                seen = pictures.newest()
                if seen is not None and seen.number != last:
                    last = seen.number
                    data = await run_in_threadpool(pictures.get, seen, width)
                    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    yield head.encode() + data + b"\r\n"
                await asyncio.sleep(1 / MJPEG_FPS)

        return Stream(self.sockets, parts(), media_type=kind)
