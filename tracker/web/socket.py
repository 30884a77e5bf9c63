"""One WebSocket for each page: pictures as they are asked for, states and events as they happen.

A picture is sent only after the page has acknowledged the one before, and it is the newest then: over a slow
line there are fewer, never older ones. Where acknowledgements take long, pictures become smaller.

A binary message is a picture: the length of a header (4 bytes, big endian), the header (JSON), the JPEG.
"""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tracker.errors import OutputError
from tracker.types import Json
from tracker.web.about import about
from tracker.web.access import OWNER, Access
from tracker.web.history import History
from tracker.web.picture import WIDTHS, Pictures, nearest
from tracker.web.station import Seen, Station

VIEWERS = 32
STATE_S = 0.5  # between two messages about the state
SLOW_S, QUICK_S = 0.3, 0.1  # an acknowledgement after so long makes pictures smaller, or larger again
QUICK_TIMES = 30  # so many quick ones in a row
MOST_MESSAGE = 64 * 1024
EVENTS = 100  # of one message


@dataclass(eq=False)
class Watched:
    """One source on one page."""

    width: int
    bare: bool = False
    limit: int = WIDTHS[-1]  # of the width, on a slow line
    sent_number: int = 0
    sent_at: float = 0.0
    waiting: bool = False  # for an acknowledgement
    quick: int = 0

    def acknowledge(self, now: float) -> None:
        """Take an acknowledgement; choose the size of the next picture."""
        took, self.waiting = now - self.sent_at, False
        index = WIDTHS.index(nearest(min(self.width, self.limit)))
        if took > SLOW_S:
            self.limit, self.quick = WIDTHS[max(index - 1, 0)], 0
        elif took < QUICK_S:
            self.quick += 1
            if self.quick >= QUICK_TIMES and self.limit < self.width:
                self.limit, self.quick = WIDTHS[min(index + 1, len(WIDTHS) - 1)], 0
        else:
            self.quick = 0


class Sockets:
    """All open pages."""

    def __init__(
        self, stations: Mapping[int, Station], pictures: Mapping[int, Pictures], history: History,
        access: Access,
    ) -> None:  # fmt: skip
        self._stations, self._pictures, self._history = stations, pictures, history
        self._access = access
        self.ended = asyncio.Event()
        self.open = 0

    @contextmanager
    def viewer(self) -> Iterator[bool]:
        """Count one more viewer for as long as it looks; tells whether there is room for it."""
        room = self.open < VIEWERS
        self.open += room
        try:
            yield room
        finally:
            self.open -= room

    def may_look(self, scope: Scope) -> bool:
        """Whether the cookie that somebody came with is still good: it may have been given back."""
        return self._access.role(scope["cookie"]) is not None and not self.ended.is_set()

    async def serve(self, socket: WebSocket) -> None:
        """Talk with one page until it goes away."""
        with self.viewer() as room:
            if not room:
                await socket.close(4429, "too many pages are open")
                return
            await socket.accept()
            await Talk(socket, self, self._stations, self._pictures, self._history).run()


class Stream(StreamingResponse):
    """Pictures without end for one viewer, where there is room."""

    def __init__(self, sockets: Sockets, parts: AsyncIterator[bytes], media_type: str) -> None:
        super().__init__(parts, media_type=media_type)
        self._sockets = sockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        with self._sockets.viewer() as room:
            if room:
                await super().__call__(scope, receive, send)
            else:
                await JSONResponse({"error": "too many pages are open"}, 429)(scope, receive, send)


@dataclass(eq=False)
class Talk:
    """What goes on with one page."""

    socket: WebSocket
    sockets: Sockets
    stations: Mapping[int, Station]
    pictures: Mapping[int, Pictures]
    history: History
    watched: dict[int, Watched] = field(default_factory=dict)
    curious: bool = True  # whether another frame would be shown at once

    async def run(self) -> None:
        """Listen and tell, until one of both ends."""
        self.news = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wake() -> None:  # from any thread
            if self.curious:  # else an acknowledgement or the clock wakes us: not each of many frames
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(self.news.set)

        leave = [station.listen(wake) for station in self.stations.values()]
        tasks = [asyncio.create_task(step()) for step in (self._listen, self._states, self._show, self._end)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for call in leave:
                call()
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                expected = (asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError)
                if isinstance(result, BaseException) and not isinstance(result, expected):
                    raise result
            if self.socket.application_state is WebSocketState.CONNECTED:
                with suppress(Exception):  # it may be gone already
                    await self.socket.close(1001)

    async def _end(self) -> None:
        await self.sockets.ended.wait()

    async def _listen(self) -> None:
        while True:
            try:
                text = await self.socket.receive_text()
                if len(text) > MOST_MESSAGE:
                    return
                message: Json = json.loads(text)
                self._take(message)
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
                return  # none of our pages

    def _take(self, message: Json) -> None:
        if "watch" in message:
            wanted = {int(each["source"]): each for each in message["watch"]}
            self.watched = {
                number: self._watch(number, each)
                for number, each in wanted.items()
                if number in self.stations
            }
            self.news.set()
        elif "ack" in message and (one := self.watched.get(int(message["ack"]))) is not None:
            one.acknowledge(time.monotonic())
            self.news.set()

    def _watch(self, number: int, each: Mapping[str, Json]) -> Watched:
        width, bare = min(max(int(each.get("width", 640)), 16), WIDTHS[-1]), bool(each.get("bare"))
        old = self.watched.get(number)
        if old is None:
            return Watched(width, bare)
        old.width, old.sent_number = width, 0 if bare != old.bare else old.sent_number
        old.bare = bare
        return old

    async def _states(self) -> None:
        before, last = "", {number: await self._newest(number) for number in self.stations}
        while self.sockets.may_look(self.socket.scope):
            for number in self.watched:
                await run_in_threadpool(self.stations[number].counting.refresh)
            sources = [about(station) for station in self.stations.values()]
            text = json.dumps({"sources": sources, "role": self.socket.scope.get("role", OWNER)})
            if text != before:
                await self.socket.send_text(text)
                before = text
            for number in self.watched:
                rows = await self._events(number, after=last[number], most=EVENTS)
                if rows:
                    last[number] = rows[0]["id"]
                    await self.socket.send_text(json.dumps({"events": rows, "source": number}))
            await asyncio.sleep(STATE_S)

    async def _newest(self, number: int) -> int:
        rows = await self._events(number, most=1)
        return int(rows[0]["id"]) if rows else 0

    async def _events(self, number: int, most: int, after: int | None = None) -> list[dict[str, Json]]:
        """Return events of a source; none where the history cannot be read: pictures and totals go on."""
        try:
            name = self.stations[number].name
            return await run_in_threadpool(lambda: self.history.events(name, after=after, most=most))
        except OutputError:
            return []

    async def _show(self) -> None:
        while True:
            self.news.clear()
            self.curious = True  # before looking: of what comes meanwhile we are told
            curious, soonest = False, None
            for number, one in [*self.watched.items()]:
                if one.waiting:
                    continue
                pictures = self.pictures[number]
                seen = pictures.newest()
                if seen is not None and seen.number != one.sent_number:
                    await self._send(number, one, seen)
                elif (wait := pictures.wait_s(time.monotonic())) is None:
                    curious = True
                else:
                    soonest = wait if soonest is None else min(wait, soonest)
            self.curious = curious
            with suppress(asyncio.TimeoutError, TimeoutError):
                await asyncio.wait_for(self.news.wait(), soonest)

    async def _send(self, number: int, one: Watched, seen: Seen) -> None:
        width = min(one.width, one.limit)
        data = await run_in_threadpool(self.pictures[number].get, seen, width, bare=one.bare)
        frame = seen.result.frame
        header = json.dumps(
            {"source": number, "frame": frame.index, "time": frame.time, "age": time.monotonic() - seen.at}
        ).encode()
        one.sent_number, one.sent_at, one.waiting = seen.number, time.monotonic(), True
        await self.socket.send_bytes(struct.pack(">I", len(header)) + header + data)
