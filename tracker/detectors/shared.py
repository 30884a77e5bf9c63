"""One model for several sources: images that wait at the same time share a batch."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from types import TracebackType

from bytetrack import Detections
from tracker.contracts import Detector
from tracker.types import Frame, Image, Stopwatch

Request = tuple[Image, "Future[Detections]"]


class SharedDetector:
    """Opens a detector once, when the first source needs it, and runs it for all sources in one thread.

    Each source has one image in flight, its newest. Images that arrive while the network is busy form the
    next batch, so that no source waits for more than one inference of all.
    """

    def __init__(self, make: Callable[[Stopwatch], Detector]) -> None:
        self._make = make
        self.stopwatch = Stopwatch()
        self._stack = ExitStack()
        self._opening = threading.Lock()
        self._detector: Detector | None = None
        self._requests: queue.Queue[Request | None] = queue.Queue()
        self._thread = threading.Thread(target=self._serve, name="detect", daemon=True)

    def __enter__(self) -> SharedDetector:
        """Return itself; the model is loaded later."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the model; no source may use it any more."""
        self._requests.put(None)
        if self._thread.is_alive():
            self._thread.join()
        self._stack.close()

    def handle(self, stopwatch: Stopwatch, *, alone: bool = False) -> DetectorHandle:
        """Return the detector for one source; ``alone`` while no other uses it: as fast as its own."""
        return DetectorHandle(self, stopwatch, alone)

    def opened(self) -> Detector:
        """Return the detector itself, loading the model if it is not yet."""
        with self._opening:
            if self._detector is None:
                self._detector = self._stack.enter_context(self._make(self.stopwatch))
                self._thread.start()
            return self._detector

    def detect_one(self, image: Image) -> Detections:
        """Wait for, and return, the detections of one image."""
        future: Future[Detections] = Future()
        self._requests.put((image, future))
        return future.result()

    def _serve(self) -> None:
        while (request := self._requests.get()) is not None:
            batch: list[Request | None] = [request]
            while not self._requests.empty():
                batch.append(self._requests.get())
            waiting = [each for each in batch if each is not None]
            try:
                found = self.opened().detect([image for image, _ in waiting])
            except BaseException as error:  # whatever it is, the sources that wait must see it
                for _, future in waiting:
                    future.set_exception(error)
            else:
                for (_, future), detections in zip(waiting, found, strict=True):
                    future.set_result(detections)
            if None in batch:
                return


class DetectorHandle(Detector):
    """A shared detector as one source uses it."""

    def __init__(self, shared: SharedDetector, stopwatch: Stopwatch, alone: bool) -> None:
        self._shared, self._watch, self._alone = shared, stopwatch, alone

    def __enter__(self) -> DetectorHandle:
        """Load the model if it is not yet."""
        opened = self._shared.opened()
        self.names, self.description = opened.names, opened.description
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: other sources may need the model."""

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return one ``Detections`` per image."""
        return [self._shared.detect_one(image) for image in images]

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Detect in order; where other sources use it too, "detect" counts the time spent waiting."""
        if self._alone:
            seconds, before = (
                self._shared.stopwatch.seconds,
                self._shared.stopwatch.seconds.get("detect", 0.0),
            )
            for pair in self._shared.opened().stream(frames):
                self._watch.seconds["detect"] = seconds.get("detect", 0.0) - before
                yield pair
            return
        for frame in frames:
            with self._watch("detect"):
                found = self._shared.detect_one(frame.image)
            yield frame, found
