"""Live sources: a thread keeps the newest picture, and connects again when the connection is lost."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Protocol

from tracker.contracts import Source
from tracker.handover import POLL_S
from tracker.sources.ahead import FrameSelection
from tracker.sources.clock import StreamClock
from tracker.sources.contact import Contact
from tracker.types import EndRun, Event, Frame, InputError, OptionError, Pixels, Stopwatch

FIRST_WAIT_S, LONGEST_WAIT_S = (
    0.5,
    30.0,
)  # between two attempts to connect; doubled each time until a picture comes
DELAYS = 1000  # frames over which the median delay is taken
RATE_FRAMES, RATE_S = 10, 1.0  # the frame rate is measured over so many pictures, or so long
BURST_S = 0.003  # between two pictures; no camera makes them so fast
UNKNOWN_FPS = 25.0
LEAST_PATIENCE_S = 1.0  # for an attempt in progress, however soon --give-up-after would end it
JOIN_S = 1.0  # how long to wait for the reader; if the network blocks it, it ends by its own time limit


class LostError(Exception):
    """The connection was lost or could not be made; another attempt may succeed."""


class Capture(Protocol):
    """One connection to a live source."""

    fps: float | None
    notes: list[str]  # what the user should know, one line each; whoever reads takes them away

    def open(self, ended: threading.Event) -> None:
        """Connect; raises ``LostError``, or ``InputError`` where another attempt is useless."""
        ...

    def read(self, clock: StreamClock) -> Iterator[tuple[float, Pixels | None]]:
        """Yield pictures with the wall-clock time at which they were taken; None for a skipped one.

        Never ends without an exception: raises ``LostError``.
        """
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


class LiveSource(Source):
    """Yields the newest frame of a capture whenever one is asked for, without end.

    ``Frame.time`` is Unix time. ``Frame.index`` counts every picture received, also the dropped ones. A lost
    connection is made again after 0.5 s, then 1, 2, ... 30 s, also at the beginning; ``drain_events``
    returns ``source.lost`` and ``source.back``. There are no frames for the time in between. ``shown`` is its
    address without secrets, ``label`` what the log calls it.
    """

    live = True

    def __init__(
        self,
        name: str,
        shown: str,
        capture: Capture,
        selection: FrameSelection,
        stop: threading.Event | None = None,
        stopwatch: Stopwatch | None = None,
        *,
        give_up_after_s: float | None = None,  # seconds without a picture; None: never
        label: str | None = None,
        waited_s: float = 0.0,  # for an answer, before it was known to be live
    ) -> None:
        if selection.start_s:
            raise OptionError(f"--start {selection.start_s:g}: {shown} is live and has no start")
        super().__init__(name)
        self.shown, self.selection = shown, selection
        self._contact, self._waited_s = Contact(label or shown, give_up_after_s), waited_s
        self.received = self._dropped = 0
        self._capture = capture
        self._give_up_after_s = give_up_after_s
        self._stop = stop or threading.Event()
        self._closing = threading.Event()
        self._watch = stopwatch or Stopwatch()
        self._clock = StreamClock()
        self._fresh = threading.Condition()
        self._newest: Frame | None = None
        self._error: BaseException | None = None
        self._on_idle: Callable[[Sequence[Event]], None] | None = None
        self._on_ready: Callable[[], None] | None = None
        self._delays: deque[float] = deque(maxlen=DELAYS)
        self._times: list[float] = []  # when the first pictures were taken
        self._thread = threading.Thread(target=self._run, name=f"read {name}", daemon=True)

    def __enter__(self) -> LiveSource:
        """Wait for the first picture, which gives ``size`` and ``fps``, however long it takes.

        Raises ``InputError`` if another attempt is useless, ``EndRun`` when stopped before.
        """
        self._contact.begin(self._waited_s)
        self._thread.start()
        frame: Frame | None = None
        try:
            frame = self._take(keep=True)
        finally:
            if frame is None:
                self._close()
        if frame is None:
            raise EndRun(f"{self.shown}: stopped before the first picture")
        self.size = frame.size
        self.fps = self._rate()
        self._began = frame.time
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        self._close()
        if self._dropped:
            self.warnings.append(
                f"{self._dropped} of {self.received} frames dropped to stay live; "
                f"median delay {self.delay_s * 1000:.0f} ms"
            )
        self.warnings += self._contact.warnings()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the newest frame whenever one is asked for; raises ``InputError`` after giving up."""
        given = 0
        while given != self.selection.max_frames:
            if self._on_ready is not None and self._take(keep=True) is not None:
                self._on_ready()  # meanwhile a newer one may come
            frame = self._take()
            if frame is None or not self.selection.before_end(frame.time - self._began, self.fps):
                return
            given += 1
            yield frame
            self._delays.append(self._clock.now() - frame.time)

    def _rate(self) -> float:
        """Return the capture's rate if the first pictures confirm it, else the rate at which they come."""
        until = time.monotonic() + RATE_S
        while len(self._times) < RATE_FRAMES and time.monotonic() < until and not self._ended():
            time.sleep(0.01)
        steps = sorted(b - a for a, b in itertools.pairwise(tuple(self._times)))
        said = self._capture.fps
        if not steps or steps[len(steps) // 2] <= 0:
            return said or UNKNOWN_FPS
        seen = min(1 / steps[len(steps) // 2], 1000.0)
        return said if said is not None and abs(said / seen - 1) < 0.2 else round(seen, 2)

    @property
    def dropped(self) -> int:
        """How many frames were given up to stay live."""
        return self._dropped

    @property
    def delay_s(self) -> float:
        """Median age in seconds of recent frames when the consumer had finished with them."""
        return statistics.median(self._delays) if self._delays else 0.0

    def drain_events(self) -> list[Event]:
        """Return what happened to the connection since the last call."""
        return self._contact.drain()

    def unseen(self) -> str | None:
        """Return why no picture has come at all; None where one has."""
        return self._contact.unseen()

    def when_idle(self, call: Callable[[Sequence[Event]], None]) -> None:
        """Let ``call`` be called while no frame comes."""
        self._on_idle = call

    def when_ready(self, call: Callable[[], None]) -> None:
        """Let ``call`` be called when a frame is there, before the then newest is given."""
        self._on_ready = call

    def _take(self, keep: bool = False) -> Frame | None:
        while not self._ended():
            with self._fresh:
                if self._newest is not None:
                    frame = self._newest
                    if not keep:
                        self._newest = None
                    return frame
                error = self._error
                woken = error is None and self._fresh.wait(POLL_S)
            try:
                if error is not None:
                    raise error
                self._give_up_in_time()
            finally:
                if not woken and self._on_idle is not None:
                    self._on_idle(self._contact.fresh())
        return None

    def _give_up_in_time(self) -> None:
        """Raise ``InputError`` after the time without a picture, whatever the reader is waiting for."""
        limit = self._give_up_after_s
        if limit is None or self._contact.silent_s < max(limit, LEAST_PATIENCE_S):
            return
        with self._fresh:
            if self._newest is not None or self._error is not None:
                return
        raise self._given_up(self._contact.reason)

    def _given_up(self, reason: str) -> InputError:
        self._contact.lost(reason, self._clock.now(), for_good=True)
        return InputError(f"{self.shown}: no picture for {self._give_up_after_s:g} s ({reason}); gave up")

    def _close(self) -> None:
        self._closing.set()
        self._thread.join(JOIN_S)

    def _ended(self) -> bool:
        return self._closing.is_set() or self._stop.is_set()

    def _run(self) -> None:
        try:
            self._stay_connected()
        except BaseException as error:  # whatever it is, it must reach the consumer
            with self._fresh:
                self._error = error
                self._fresh.notify_all()

    def _stay_connected(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._ended():
            try:
                self._clock.reset()
                self._capture.open(self._closing)
                self._contact.reason = "connected, but it sends no picture"
                for taken, image in self._capture.read(self._clock):
                    if self._ended():
                        return
                    if image is not None:
                        self._contact.back(taken, self.received)
                    self._receive(taken, image)
                    wait_s = FIRST_WAIT_S
            except LostError as error:
                if self._ended():
                    return
                limit_s = self._give_up_after_s
                if limit_s is not None and self._contact.silent_s >= limit_s:
                    raise self._given_up(str(error)) from None
                self._contact.lost(str(error), self._clock.now())
            finally:
                self._capture.close()
            limit = wait_s
            if self._give_up_after_s is not None:  # try once more before the end
                left_s = self._give_up_after_s - self._contact.silent_s
                limit = min(wait_s, max(left_s / 2, POLL_S))
            self._sleep(limit)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._ended() and (left := until - time.monotonic()) > 0:
            self._closing.wait(min(left, POLL_S))

    def _receive(self, taken: float, image: Pixels | None) -> None:
        index = self.received
        self.received += 1
        self._contact.heard()
        while self._capture.notes:
            note = self._capture.notes.pop(0)
            self._contact.tell(note)
            if note not in self.warnings:
                self.warnings.append(note)
        if image is None or index % self.selection.stride:
            self._dropped += image is None
            return
        last = self._contact.last
        if last is not None and taken <= last[1]:
            taken = last[1] + 1e-6
        self._contact.last = (index, taken)
        if self._times and taken - self._times[-1] < BURST_S and len(self._times) < RATE_FRAMES:
            self._times.clear()  # what had been kept while the stream was recognised comes all at once
        if len(self._times) < RATE_FRAMES:
            self._times.append(taken)
        with self._fresh:
            self._dropped += self._newest is not None
            self._newest = Frame.of(image, index, taken)
            self._fresh.notify_all()
