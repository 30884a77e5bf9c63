"""One model for several sources: each is answered at once, fairly, as many as are computed at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from bytetrack import Detections
from tracker.contracts import Detector
from tracker.detectors.batched import Network
from tracker.detectors.turns import Turn, Turns
from tracker.detectors.windows import Layout
from tracker.types import Image, Pixels, Stopwatch, as_bgr


class SharedDetector:
    """Opens a detector once, when the first source needs it, and shares it among the sources.

    As many questions are in flight as the network computes at a time, and as soon as one is answered, the
    next begins: that of the source which has used the network least. No picture waits in here: a live source
    gives its newest one when it is its turn. So memory is bounded by the number of sources.
    """

    def __init__(self, make: Callable[[Stopwatch], Detector]) -> None:
        self._make = make
        self._stack = ExitStack()
        self._lock = threading.Lock()  # of opening, and of starts
        self._network: Network[Any] | None = None
        self.turns = Turns(lambda: self.opened().at_a_time())

    def __enter__(self) -> SharedDetector:
        """Return itself; the model is loaded later."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the model; no source may use it any more."""
        self._stack.close()

    def handle(self, stopwatch: Stopwatch, *, alone: bool = False) -> DetectorHandle:
        """Return the detector for one source; ``alone`` while no other uses it: as fast as its own."""
        return DetectorHandle(self, stopwatch, alone)

    def opened(self) -> Network[Any]:
        """Return the network itself, loading the model if it is not yet."""
        if self._network is None:
            with self._lock:
                if self._network is None:
                    detector = self._stack.enter_context(self._make(Stopwatch()))
                    self._network = detector if isinstance(detector, Network) else AtOnce(detector)
        return self._network

    def start(self, images: Sequence[Pixels]) -> Any:
        """Begin a batch of whoever has its turn."""
        network = self.opened()
        with self._lock:
            return network.start(images)

    def start_windows(self, picture: Image, layout: Layout) -> Any:
        """Begin with windows, of whoever has its turn."""
        network = self.opened()
        with self._lock:
            return network.start_windows(picture, layout)


class DetectorHandle(Network[Any]):
    """A shared detector as one source uses it; "detect" then counts the time spent waiting, too."""

    def __init__(self, shared: SharedDetector, stopwatch: Stopwatch, alone: bool) -> None:
        self._shared, self._watch, self._alone = shared, stopwatch, alone
        self.names = {}
        self._turn: Turn | None = None
        self._asked = False  # whether anything was begun since the last frame

    def __enter__(self) -> DetectorHandle:
        """Load the model if it is not yet."""
        network = self._shared.opened()
        self.names, self.description, self.kind = network.names, network.description, network.kind
        self.batch = network.batch if self._alone else 1
        self.any_shape, self.new_shape_cost = network.any_shape, network.new_shape_cost
        self.windows_pay = network.windows_pay
        self._turn = self._shared.turns.join()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back the turn; other sources may need the model."""
        if self._turn is not None:
            self._shared.turns.leave(self._turn)

    @property
    def idle_share(self) -> float | None:
        """Part of its time in which the network rested; None where others use it, too."""
        return self._shared.opened().idle_share if self._alone else None

    def in_flight(self) -> int:
        """Return how many batches may be in flight: one, that of the newest picture, unless it is alone."""
        return self._shared.opened().in_flight() if self._alone else 1

    def at_a_time(self) -> int:
        """Return how many batches the network computes at the same time."""
        return self._shared.opened().at_a_time()

    def start(self, images: Sequence[Pixels]) -> Any:
        """Wait for its turn, and begin; what must be made first holds up nobody else."""
        self._shared.opened().prepare(images)
        return self._in_turn(lambda: self._shared.start(images))

    def prepare(self, images: Sequence[Pixels]) -> None:
        """Do what the first ``start`` of images of a size would have to do first."""
        self._shared.opened().prepare(images)

    def input_for(self, shape: tuple[int, int], *, wait: bool) -> tuple[int, int]:
        """Return the input, (height, width), for windows that need one of ``shape``."""
        return self._shared.opened().input_for(shape, wait=wait)

    def scale(self, image: Pixels, size: tuple[int, int]) -> Image:
        """Return a picture scaled to ``size``, (height, width)."""
        return self._shared.opened().scale(image, size)

    def start_windows(self, picture: Image, layout: Layout) -> Any:
        """Wait for its turn, and begin with windows of a scaled picture."""
        return self._in_turn(lambda: self._shared.start_windows(picture, layout))

    def _in_turn(self, start: Callable[[], Any]) -> Any:
        assert self._turn is not None
        self._asked = True
        self._shared.turns.begin(self._turn)
        try:
            return start()
        except BaseException:
            self._shared.turns.end(self._turn)
            raise

    def finish(self, pending: Any) -> list[Detections]:
        """Wait for a batch, and return one ``Detections`` per image."""
        assert self._turn is not None
        try:
            return self._shared.opened().finish(pending)
        finally:
            self._shared.turns.end(self._turn)

    def abandon(self, pending: Any) -> None:
        """Cancel a batch."""
        assert self._turn is not None
        try:
            self._shared.opened().abandon(pending)
        finally:
            self._shared.turns.end(self._turn)

    def await_turn(self) -> None:
        """Wait until there is time for a frame, unless nothing was asked about the one before.

        Where nothing moves the next frame hardly needs the network, and need not wait for it.
        """
        if self._turn is not None and self._asked and not self._alone:
            self._asked = False
            self._shared.turns.reserve(self._turn)

    def forgo_turn(self) -> None:
        """Give back the turn for which `await_turn` has waited."""
        if self._turn is not None:
            self._shared.turns.forgo(self._turn)


class AtOnce(Network[list[Detections]]):
    """A detector that answers when it is asked, as one that could be asked while it computes."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.names, self.description, self.kind = detector.names, detector.description, detector.kind
        self._watch = Stopwatch()

    def in_flight(self) -> int:
        """Return 1: nothing goes on while the caller works."""
        return 1

    def start(self, images: Sequence[Pixels]) -> list[Detections]:
        """Detect."""
        return self.detector.detect([as_bgr(image) for image in images])

    def finish(self, pending: list[Detections]) -> list[Detections]:
        """Return what was found."""
        return pending
