"""A worker thread that does the slow part of a sink, so that the frame loop need not wait."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from tracker import handover

Item = TypeVar("Item")
QUEUE_SIZE = 4  # each item holds an image


class BackgroundWorker(Generic[Item]):
    """Calls ``work`` for each item put, in order, in one thread.

    The first exception of ``work`` ends the thread and is raised by the next ``put`` or ``check``. ``put``
    does not block when the thread has ended.
    """

    def __init__(self, name: str, work: Callable[[Item], None]) -> None:
        self._work = work
        self._queue: queue.Queue[Item | None] = queue.Queue(QUEUE_SIZE)
        self._error: BaseException | None = None
        # A daemon, so that a second Ctrl-C ends the process at once.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Queue an item; waits while the queue is full."""
        self._put(item)
        self.check()

    def queued(self) -> int:
        """Return how many items are in the queue."""
        return self._queue.qsize()

    def finish(self) -> None:
        """Wait until every item is done and the thread has ended; raises nothing that ``work`` raised."""
        self._put(None)
        self._thread.join()

    def check(self) -> None:
        """Raise the exception of ``work``, once."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _put(self, item: Item | None) -> None:
        handover.put(self._queue, item, lambda: not self._thread.is_alive())

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._work(item)
            except BaseException as error:  # whatever it is, it must reach the frame loop
                self._error = error
                return
