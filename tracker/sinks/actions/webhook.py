"""Events to a web address: one POST of JSON each, repeated if the receiver cannot be reached."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from tracker.errors import system_reason
from tracker.sinks.actions.outbox import ActionSink, Undelivered
from tracker.types import Event, OptionError, Scene

Connection = TypeVar("Connection", bound=http.client.HTTPConnection)

TIMEOUT_S = 5.0  # of one attempt, from the first byte sent to the last one read
ATTEMPTS = 6
BACKOFF_S = 0.5  # before the second attempt; doubles: 15.5 s in all
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})  # status codes after which another attempt may succeed


class WebhookSink(ActionSink):
    """Posts each event as JSON; a name and password in the address become basic authentication.

    Without an answer, or after one that asks to try later, there are `ATTEMPTS` attempts. Redirections are
    not followed, because the event would arrive without its body. Messages show only scheme and host.
    """

    def __init__(
        self,
        kind: str,
        address: str,
        scene: Scene,
        *,
        backoff_s: float = BACKOFF_S,
        timeout_s: float = TIMEOUT_S,
        **more: Any,
    ) -> None:
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or any(not 32 < ord(letter) < 127 for letter in address):
            raise OptionError(f"--on {kind}=http...: not a web address; write https://host/path")
        name = f"[{host}]" if ":" in host else host
        place = name if port is None else f"{name}:{port}"
        super().__init__(kind, f"{parts.scheme}://{place}", scene, **more)
        self._url = parts._replace(netloc=place, fragment="").geturl()
        self._backoff_s, self._timeout_s = backoff_s, timeout_s
        self._headers = {"Content-Type": "application/json", "User-Agent": "track"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._attempt = Attempt()
        self._opener = urllib.request.build_opener(_NoRedirects, _Http(self._attempt), _Https(self._attempt))

    def deliver(self, event: Event) -> None:
        """Post the event, in several attempts if necessary."""
        body = self.encoded(self.message(event))
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt and self._closing.wait(self._backoff_s * 2 ** (attempt - 1)):
                raise Undelivered(f"{reason}; the run ended before another attempt")
            reason, again = self._post(body)
            if not reason:
                return
            if not again:
                break
        raise Undelivered(reason)

    def _post(self, body: bytes) -> tuple[str, bool]:
        """Return why an attempt failed, empty if it did not, and whether another may succeed."""
        request = urllib.request.Request(self._url, body, self._headers)
        alarm = threading.Timer(self._timeout_s, self._attempt.cut)
        alarm.daemon = True
        self._attempt.begin()
        alarm.start()
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            error.close()
            if 300 <= error.code < 400:
                return f"redirected ({error.code}); give the final address", False
            return f"answered {error.code}", error.code in AGAIN
        except urllib.error.URLError as error:
            why = error.reason
            if self._attempt.why:
                return self._attempt.why, True
            return (system_reason(why) or type(why).__name__).lower(), True
        except (OSError, http.client.HTTPException) as error:
            return self._attempt.why or type(error).__name__, True
        finally:
            alarm.cancel()
            alarm.join()
            self._attempt.end()
        return self._attempt.why, bool(self._attempt.why)

    def interrupt(self) -> None:
        """Close the connection at the end of the run."""
        self._attempt.cut("still answering when the run ended")


class Attempt:
    """One attempt to deliver, whose connection another thread may close.

    A receiver that answers very slowly, byte by byte, never exceeds a socket's own time limit.
    """

    def __init__(self) -> None:
        self.why = ""  # it was closed
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def begin(self) -> None:
        """Forget the attempt before this one."""
        self.end()
        self.why = ""

    def end(self) -> None:
        """Release the connection, which its owner closes."""
        with self._lock:
            ours, self._socket = self._socket, None
            if ours is not None:
                ours.close()

    def connect(self, *where: Any, **how: Any) -> socket.socket:
        """Connect as the standard library does, and keep the socket before TLS begins."""
        connection = socket.create_connection(*where, **how)
        with self._lock:
            self._socket = socket.socket(fileno=os.dup(connection.fileno()))
        if self.why:  # closed while it was connecting
            self.cut(self.why)
        return connection

    def cut(self, why: str = "no whole answer in time") -> None:
        """Close the connection, whichever thread waits for it."""
        with self._lock:
            self.why = why
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


def _connector(attempt: Attempt, kind: Callable[..., Connection]) -> Callable[..., Connection]:
    """Return what makes connections of a kind that the attempt can close."""

    def connection(host: str, **how: object) -> Connection:
        made = kind(host, **how)
        made._create_connection = attempt.connect  # type: ignore[attr-defined]
        return made

    return connection


class _Http(urllib.request.HTTPHandler):
    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        self._attempt = attempt

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_connector(self._attempt, http.client.HTTPConnection), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        self._attempt = attempt

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_connector(self._attempt, http.client.HTTPSConnection), request)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None
