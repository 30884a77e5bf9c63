"""Whose turn it is, where several ask for one network that computes a few pictures at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

RESERVED_S = 0.05  # a turn that was given and is not used by then goes to the next; a picture takes 1 ms


@dataclass
class Turn:
    """One that asks, and what it has been given."""

    used: float = 0.0  # virtual seconds: who has used less comes first
    waits: bool = False
    since: float | None = None  # when it got its turn; None: it has none
    begun: int = 0  # batches begun in this turn and not yet over; 0: it is only reserved


@dataclass
class Turns:
    """Gives turns to whoever has used the network least; start-time fair queueing.

    Who comes back after a rest has no more claim than who used it least meanwhile, so that rest is not saved
    up. Goyal, Vin and Cheng: Start-time Fair Queueing, SIGCOMM 1996.
    """

    most: Callable[[], int]  # turns at a time
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _all: list[Turn] = field(default_factory=list)
    _virtual: float = 0.0  # ``used`` of who was given a turn last

    def join(self) -> Turn:
        """Return the place of one that will ask."""
        with self._changed:
            turn = Turn(self._virtual)
            self._all.append(turn)
            return turn

    def leave(self, turn: Turn) -> None:
        """Let one go that will not ask any more, with what it holds."""
        with self._changed:
            self._all = [other for other in self._all if other is not turn]
            self._changed.notify_all()

    def reserve(self, turn: Turn) -> None:
        """Wait for a turn, which is kept for a moment (``RESERVED_S``), for `begin`."""
        with self._changed:
            self._wait(turn)

    def begin(self, turn: Turn) -> None:
        """Wait for a turn, unless it has one: batches about one picture share it."""
        with self._changed:
            if turn.since is None:
                self._wait(turn)
            turn.begun += 1

    def forgo(self, turn: Turn) -> None:
        """Give back a turn that was reserved, if it is not needed after all."""
        with self._changed:
            if turn.since is not None and not turn.begun:
                turn.since = None
                self._changed.notify_all()

    def end(self, turn: Turn) -> None:
        """Tell that a batch is over; with the last one the turn is, too."""
        with self._changed:
            turn.begun -= 1
            if not turn.begun and turn.since is not None:
                turn.used += time.monotonic() - turn.since
                turn.since = None
                self._changed.notify_all()

    def _wait(self, turn: Turn) -> None:
        if turn.since is None:
            turn.used = max(turn.used, self._virtual)
            turn.waits = True
            try:
                while not self._is_next(turn):
                    self._changed.wait(RESERVED_S)
            finally:
                turn.waits = False
            self._virtual = turn.used
        turn.since = time.monotonic()
        self._changed.notify_all()  # there may be room for more than one

    def _is_next(self, turn: Turn) -> bool:
        now = time.monotonic()
        for other in self._all:
            if other.since is not None and not other.begun and now - other.since > RESERVED_S:
                other.since = None
        free = self.most() - sum(other.since is not None for other in self._all)
        return free > 0 and all(not other.waits or other.used >= turn.used for other in self._all)
