"""Deliver events from a bounded queue in threads, so that no receiver can delay the run."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Sequence
from fnmatch import fnmatchcase
from types import TracebackType

from tracker.contracts import Sink
from tracker.sinks.events import event_row
from tracker.types import Event, Json, Result, Scene, to_json

QUEUE_SIZE = 1000  # events; a longer queue would deliver alarms that are too old
GRACE_S = 5.0  # after the last frame, for events in the queue
INTERRUPTED_S = 0.5  # the same if the run was interrupted


class Undelivered(Exception):  # noqa: N818 - counted and noted, not an error of the run
    """An event could not be delivered; the text says why, without any address."""


class ActionSink(Sink):
    """Delivers the events of some kinds in the background; counts in ``warnings`` those it could not deliver.

    ``write`` never waits: when ``room`` events are queued, the oldest is dropped. Closing takes about
    ``grace_s`` seconds at most, and the delivery in progress.
    """

    def __init__(
        self,
        kind: str,
        shown: str,
        scene: Scene,
        *,
        workers: int = 1,
        room: int = QUEUE_SIZE,
        grace_s: float = GRACE_S,
    ) -> None:
        super().__init__()
        self._kind, self._shown = kind, shown
        self.scene = scene  # replaced when more is known of a source that was waited for
        self._room, self._grace_s, self._workers = room, grace_s, workers
        self._waiting: deque[Event] = deque()
        self._change = threading.Condition()
        self._closing = threading.Event()  # set when deliveries should stop
        self._no_more = False
        self._taken = self._given_up = self._failed = self._under_way = 0
        self._reason = ""
        self._notified: list[Event] = []  # events that came before their frame

    def __enter__(self) -> ActionSink:
        """Start the threads."""
        self._threads = [
            # Daemon threads, so that a second Ctrl-C ends the process at once.
            threading.Thread(target=self._work, name=f"{self._shown} {i}", daemon=True)
            for i in range(self._workers)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for queued events for a while, then note which were not delivered."""
        until = time.monotonic() + self._grace_s
        with self._change:
            self._no_more = True
            self._change.notify_all()
            while (self._waiting or self._under_way) and (left := until - time.monotonic()) > 0:
                self._change.wait(left)
            left_over = len(self._waiting)
            self._waiting.clear()
            self._closing.set()
            self._change.notify_all()
        for thread in self._threads:
            thread.join(self._grace_s)  # the delivery in progress has its own time limit
        if any(thread.is_alive() for thread in self._threads):
            self.interrupt()
            for thread in self._threads:
                thread.join(INTERRUPTED_S)
        with self._change:
            self._note(left_over, self._under_way)

    def write(self, result: Result) -> None:
        """Take the events of a frame; never waits."""
        before, self._notified = self._notified, []
        self._take([event for event in result.events if event not in before] if before else result.events)

    def finish(self, events: Sequence[Event], *, interrupted: bool = False) -> None:
        """Take the events that come after the last frame; ``interrupted``: do not wait long for the queue."""
        if interrupted:
            self._grace_s = min(self._grace_s, INTERRUPTED_S)
        self._take([event for event in events if event not in self._notified])

    def notify(self, events: Sequence[Event]) -> None:
        """Take events that cannot wait for the next frame, which will bring them again."""
        self._notified.extend(events)
        self._take(events)

    def deliver(self, event: Event) -> None:
        """Deliver one event; raises `Undelivered`. Waits only on ``self._closing``, and otherwise briefly."""
        raise NotImplementedError

    def interrupt(self) -> None:
        """End the delivery in progress; for deliveries that do not check ``self._closing`` themselves."""

    def message(self, event: Event) -> dict[str, Json]:
        """Return the message about an event, ready for JSON."""
        return {"source": self.scene.source, **event_row(event, self.scene)}

    def encoded(self, message: dict[str, Json]) -> bytes:
        """Return a message as JSON on one line."""
        return json.dumps(message, ensure_ascii=False, default=to_json).encode()

    def _take(self, events: Sequence[Event]) -> None:
        mine = [event for event in events if fnmatchcase(event.kind, self._kind)]
        if not mine:
            return
        with self._change:
            self._taken += len(mine)
            self._waiting.extend(mine)
            while len(self._waiting) > self._room:
                self._waiting.popleft()
                self._given_up += 1
            self._change.notify_all()

    def _work(self) -> None:
        while (event := self._next()) is not None:
            reason = None
            try:
                self.deliver(event)
            except Undelivered as error:
                reason = str(error)
            except Exception as error:  # its text may hold the address
                reason = type(error).__name__
            with self._change:
                self._under_way -= 1
                if reason is not None:
                    self._failed += 1
                    self._reason = reason
                self._change.notify_all()

    def _next(self) -> Event | None:
        with self._change:
            while not self._waiting:
                if self._no_more:
                    return None
                self._change.wait()
            self._under_way += 1
            return self._waiting.popleft()

    def _note(self, left_over: int, under_way: int) -> None:
        lost = self._given_up + self._failed + left_over + under_way
        if not lost:
            return
        parts = [
            f"{count} {what}"
            for count, what in (
                (self._given_up, "given up because too many waited"),
                (self._failed, f"failed, the last: {self._reason}"),
                (left_over, "still waiting at the end"),
                (under_way, "without an answer at the end"),
            )
            if count
        ]
        self.warnings.append(
            f"{lost} of {self._taken} events '{self._kind}' did not reach {self._shown}: {'; '.join(parts)}"
        )
