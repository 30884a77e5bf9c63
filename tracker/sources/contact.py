"""What is known of the connection to a live source: since when, why there is no picture, and who was told."""

from __future__ import annotations

import logging
import threading
import time

from tracker.types import Event

LOG = logging.getLogger("track")


class Contact:
    """Turns what happens to a connection into events, lines of the log and warnings; any thread may call it.

    ``label`` is what the log calls the source; ``patience_s`` is how long it is tried, None: for ever.
    """

    def __init__(self, label: str, patience_s: float | None) -> None:
        self._label, self._patience_s = label, patience_s
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._told = 0  # how many of them `fresh` has returned
        self._gaps: list[float] = []
        self._is_lost = False
        self._heard = time.monotonic()  # when the last one came; before it, since when one is awaited
        self.last: tuple[int, float] | None = None  # index and time of the last picture
        self.reason = "no answer"  # why none comes now

    def begin(self, waited_s: float) -> None:
        """Begin to wait for the first picture, ``waited_s`` seconds ago."""
        self._heard = time.monotonic() - waited_s

    def heard(self) -> None:
        """Take note that something came."""
        self._heard = time.monotonic()

    @property
    def silent_s(self) -> float:
        """Seconds since anything came."""
        return time.monotonic() - self._heard

    def lost(self, reason: str, now: float, *, for_good: bool = False) -> None:
        """Tell that it is lost, if that is new; ``for_good``: it is not tried again."""
        with self._lock:
            self.reason = reason
            if self._is_lost:
                return
            self._is_lost = True
            index, at = self.last or (0, now)
            self._events.append(Event("source.lost", at, index, data={"reason": reason}))
        if not for_good:
            limit = self._patience_s
            how_long = "until it is back (Ctrl-C ends)" if limit is None else f"for up to {limit:g} s"
            LOG.warning("%s: %s; trying again %s", self._label, reason, how_long)

    def back(self, taken: float, index: int) -> None:
        """Tell that a picture has come, taken then, if it was lost."""
        with self._lock:
            self.reason = "connected, but it sends nothing any more"
            if not self._is_lost:
                return
            self._is_lost = False
            gap_s = self.silent_s if self.last is None else taken - self.last[1]
            if self.last is not None:
                self._gaps.append(gap_s)
            self._events.append(Event("source.back", taken, index, data={"gap_s": round(gap_s, 3)}))
        what = "connected" if self.last is None else "back"
        LOG.warning("%s: %s after %.1f s", self._label, what, gap_s)

    def tell(self, note: str) -> None:
        """Log something else that the user should know."""
        LOG.warning("%s: %s", self._label, note)

    def drain(self) -> list[Event]:
        """Return what happened since the last call."""
        with self._lock:
            events, self._events, self._told = self._events, [], 0
        return events

    def fresh(self) -> list[Event]:
        """Return the events since the last call, without removing them for `drain`."""
        with self._lock:
            told, self._told = self._told, len(self._events)
            return self._events[told:]

    def unseen(self) -> str | None:
        """Return why no picture has come at all; None where one has."""
        if self.last is not None:
            return None
        return f"no picture came in {self.silent_s:.1f} s ({self.reason})"

    def warnings(self) -> list[str]:
        """Return what is to be said at the end."""
        said = []
        if self._gaps:
            times = "once" if len(self._gaps) == 1 else f"{len(self._gaps)} times"
            said.append(f"the source was lost {times}, {sum(self._gaps):.1f} s in all")
        if self._is_lost and self.last is not None:
            said.append(f"the source was lost for the last {self.silent_s:.1f} s ({self.reason})")
        return said
