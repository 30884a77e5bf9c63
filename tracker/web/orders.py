"""Orders to a loop, which carries them out between two frames, also while none comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLateError
from contextlib import suppress

from tracker.types import Json

WAIT_S = 5.0  # a loop that has not answered by then is busy with something long


class ConflictError(Exception):
    """Somebody else was faster: the shapes are not those that the page had, or the run has ended."""


class Orders:
    """Given by any thread, carried out by the one that runs the loop, and by nobody once it has ended."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[], object], Future[Json]]] = deque()
        self._open = False

    def open(self) -> None:
        """Begin: a loop looks for them."""
        self._open = True

    def close(self) -> None:
        """End: the loop has looked for the last time. Who waits for an answer gets one."""
        self._open = False
        with suppress(IndexError):
            while True:
                _, answer = self._waiting.popleft()
                answer.set_exception(ConflictError("the run has ended; try again"))

    def give(self, call: Callable[[], object]) -> None:
        """Wait until the loop has done something, or does it later, since it is busy.

        Raises ``ConflictError`` where no loop runs any more, and what ``call`` raises.
        """
        answer: Future[Json] = Future()
        self._waiting.append((call, answer))
        if not self._open:  # it ended meanwhile, and nobody will look
            self.close()
        with suppress(TooLateError):
            answer.result(timeout=WAIT_S)

    def obey(self) -> None:
        """Carry out what there is."""
        while self._waiting:
            call, answer = self._waiting.popleft()
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                call()
                answer.set_result(None)
            except BaseException as error:  # it is the page that has to know
                answer.set_exception(error)
