"""One worker thread that does the slow part of a sink behind the frame loop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
BEHIND = 4  # items that may wait; each holds a picture
POLL_S = 0.1  # how often a blocked writer looks whether the worker still lives


class Behind(Generic[Item]):
    """Calls ``work`` for each item put, in order, in one thread.

    The first exception of ``work`` ends the thread and is raised, as it was, by the next ``put`` or by
    ``finish``; ``put`` never blocks on a worker that is gone.
    """

    def __init__(self, name: str, work: Callable[[Item], None]) -> None:
        self._work = work
        self._queue: queue.Queue[Item | None] = queue.Queue(BEHIND)
        self._error: BaseException | None = None
        # A daemon, so that a second Ctrl-C ends the process at once.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Hand over an item; waits while too many are waiting."""
        self._put(item)
        self.check()

    def waiting(self) -> int:
        """Return how many items nobody has begun with."""
        return self._queue.qsize()

    def finish(self) -> None:
        """Wait until everything is done and the thread is gone; does not raise what ``work`` raised."""
        self._put(None)
        self._thread.join()

    def check(self) -> None:
        """Raise what ``work`` raised, once."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _put(self, item: Item | None) -> None:
        while self._thread.is_alive():
            try:
                return self._queue.put(item, timeout=POLL_S)
            except queue.Full:
                continue

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._work(item)
            except BaseException as error:  # whatever it is, the frame loop must learn of it
                self._error = error
                return
