"""What every request has to pass: the right host, the right page, a size, and who is asking."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tracker.web.access import OWNER, Access
from tracker.web.patience import MOST_BODY, Body

MOST_PATH = 2000  # letters
SAFE = ("GET", "HEAD", "OPTIONS")
OPEN = (
    "/login",
    "/api/login",
    "/api/health",  # tells one word
    "/static/login.js",
    "/static/style.css",
    "/static/icon.svg",
)
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' blob:; connect-src 'self'; media-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """ASGI middleware; lets through what is allowed, with ``scope["role"]``, and answers the rest itself."""

    def __init__(self, app: ASGIApp, access: Access, hosts: Iterable[str], cookie: str) -> None:
        self._app, self._access, self._cookie = app, access, cookie
        self._hosts = {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, and pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookie = cookie_of(headers.get("cookie", ""), self._cookie)
        role = self._access.role(cookie)
        scope["role"], scope["cookie"] = role, cookie
        connection = scope["state"]["connection"]  # see `Patient`
        connection.known = role is not None
        refused = self._refusal(scope, headers, role)
        if refused is not None:
            await self._refuse(scope, receive, send, *refused)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        with suppress(ClientDisconnect):  # in the middle of its request
            await self._app(scope, Body(receive), send_guarded)

    def _refusal(self, scope: Scope, headers: Headers, role: str | None) -> tuple[int, str] | None:
        path = scope["path"]
        host = headers.get("host", "")
        if len(path) > MOST_PATH:
            return 414, "there is no such long address"
        if not self.knows(host):
            return 421, f"this page does not answer to {host!r:.80}; add --allow-host NAME to track"
        origin, writes = headers.get("origin"), scope["type"] == "websocket" or scope["method"] not in SAFE
        if writes and not same_origin(origin, host):
            return 403, "the request comes from another page"
        if int(headers.get("content-length") or 0) > MOST_BODY:
            return 413, "the request is larger than 256 KB"
        if role is None and path not in OPEN:
            return 401, "log in first"
        if writes and role != OWNER and path not in ("/api/login", "/api/logout", "/ws"):
            return 403, "you may look, not change"
        return None

    def knows(self, host: str) -> bool:
        """Whether this is a name that the page goes by; a bare address cannot be a rebound name."""
        name = host_name(host)
        if not name:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._hosts
        return True

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4000 + status, "reason": text[:100]})
            return
        wants_page = scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", "")
        if status == 401 and wants_page:
            up = "../" * (scope["path"].count("/") - 1)
            response = JSONResponse({"error": text}, 303, {"location": f"{up or './'}login", **HEADERS})
        else:
            response = JSONResponse({"error": text}, status, HEADERS)
        await response(scope, receive, send)


def cookie_of(header: str, name: str) -> str | None:
    """Return the value of a cookie."""
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found is not None else None


def host_name(host: str) -> str:
    """Return a host without its port, in lower case.

    >>> host_name("Camera.local:8765"), host_name("[::1]:80"), host_name("10.0.0.2")
    ('camera.local', '::1', '10.0.0.2')
    """
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def same_origin(origin: str | None, host: str) -> bool:
    """Whether a request with this ``Origin`` comes from the page of this host; without one it does not.

    >>> same_origin("https://cam.example", "cam.example"), same_origin("https://evil.example", "cam.example")
    (True, False)
    """
    if origin is None:
        return False
    try:
        parts, own = urlsplit(origin), urlsplit(f"//{host}")
        default = {"http": 80, "https": 443}.get(parts.scheme)
        return (
            default is not None
            and parts.hostname == own.hostname
            and (parts.port or default) == (own.port or default)
        )
    except ValueError:
        return False


def names_of_this_machine() -> set[str]:
    """Return the names under which a browser may ask for this machine."""
    name = socket.gethostname().lower()
    return {"localhost", name, name.partition(".")[0], f"{name.partition('.')[0]}.local"}


Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
