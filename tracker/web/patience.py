"""How long a visitor may take: who keeps a connection open without asking is sent away."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import h11
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_BODY = 256 * 1024
HEAD_S = 10.0  # until the first line and the headers of a request are there
BODY_S = 20.0  # until the whole body is
MOST_STRANGERS = 64  # connections of whom nobody knows; half of all, so that viewers keep room
CLOSE = {"connection": "close"}  # the rest of the body is not waited for


class Patient(H11Protocol):
    """HTTP/1.1 that closes a connection on which no whole request comes: a few sockets would lock all out.

    Who has not shown a good cookie is a stranger, until `Guard` says otherwise in ``known``. Of too many
    strangers the one goes who waits longest, at the address that has most of them.

    h11 bounds headers to 64 KB, which the parser in C that uvicorn takes where it is installed does not.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.known = False  # the last request came with a good cookie
        self.since = time.monotonic()
        self.app_state = {**self.app_state, "connection": self}  # where Guard finds it
        self._left = False  # for a WebSocket
        self._waits_for: object = None  # a state of h11, which must not last
        self._too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()
        strangers = [
            each
            for each in self.connections
            if isinstance(each, Patient) and not each.known and not each.transport.is_closing()
        ]
        if len(strangers) > MOST_STRANGERS:
            addresses = Counter(each.address for each in strangers)
            crowd = max(addresses, key=addresses.__getitem__)
            oldest = min((each for each in strangers if each.address == crowd), key=lambda one: one.since)
            oldest.transport.abort()

    @property
    def address(self) -> str:
        """Where it comes from."""
        return self.client[0] if self.client else ""

    def data_received(self, data: bytes) -> None:
        """Wait as long as there is only a part."""
        super().data_received(data)
        self._wait()

    def on_response_complete(self) -> None:
        """Let who was answered before everything was sent end soon."""
        super().on_response_complete()
        self._wait()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, unless an answer has begun already."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
            if self.cycle is not None:  # what answers the head of it may be about to begin, too late
                self.cycle.disconnected = True
                self.cycle.message_event.set()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for."""
        self._wait_for(None, 0.0)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Leave the connection to another protocol."""
        self._left = True
        self._wait()
        super().handle_websocket_upgrade(event)

    def _wait(self) -> None:
        state = self.conn.their_state
        answered = self.cycle is None or self.cycle.response_complete
        if self._left or self.transport.is_closing():
            self._wait_for(None, 0.0)
        elif state is h11.IDLE:
            self._wait_for(state, HEAD_S)
        elif state is h11.SEND_BODY and answered:  # while it is not, `Body` waits
            self._wait_for(state, BODY_S)
        else:
            self._wait_for(None, 0.0)

    def _wait_for(self, state: object, seconds: float) -> None:
        if state is self._waits_for:
            return
        if self._too_late is not None:
            self._too_late.cancel()
        self._waits_for = state
        self._too_late = None if state is None else self.loop.call_later(seconds, self.transport.abort)


class Body:
    """The body of a request as it comes: not too large and not too slow.

    Raises ``HTTPException``, which becomes an answer.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive, self._taken, self._whole = receive, 0, False
        self._until = time.monotonic() + BODY_S

    async def __call__(self) -> Message:
        """Return the next part; after the last one the end of the connection, however long that takes."""
        if self._whole:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), max(self._until - time.monotonic(), 0.0))
        except (asyncio.TimeoutError, TimeoutError) as error:
            raise HTTPException(408, "the request came too slowly", CLOSE) from error
        except asyncio.CancelledError as error:  # the end of the server waits for nobody
            raise HTTPException(503, "the page is being closed", CLOSE) from error
        self._taken += len(message.get("body", b""))
        if self._taken > MOST_BODY:
            raise HTTPException(413, "the request is larger than 256 KB")
        self._whole = not message.get("more_body", False)
        return message
