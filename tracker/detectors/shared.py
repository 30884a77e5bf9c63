"""One model for several sources: whoever asks meanwhile is answered together."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from types import TracebackType

from bytetrack import Detections
from tracker.types import Detector, Frame, Image, Stopwatch

Question = tuple[Image, "Future[Detections]"]


class SharedDetector:
    """Opens a detector once, when the first source wants it, and answers all of them from one thread.

    Each source has one picture under way, its newest. What has come while the network was busy goes through
    it together: nobody waits longer than for one round of all.
    """

    def __init__(self, make: Callable[[Stopwatch], Detector]) -> None:
        self._make = make
        self.stopwatch = Stopwatch()
        self._stack = ExitStack()
        self._opening = threading.Lock()
        self._detector: Detector | None = None
        self._questions: queue.Queue[Question | None] = queue.Queue()
        self._thread = threading.Thread(target=self._answer, name="detect", daemon=True)

    def __enter__(self) -> SharedDetector:
        """Begin; the model is loaded later."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the model; nobody may ask any more."""
        self._questions.put(None)
        if self._thread.is_alive():
            self._thread.join()
        self._stack.close()

    def borrow(self, stopwatch: Stopwatch, *, alone: bool = False) -> Borrowed:
        """Return the detector for one source; ``alone`` while no other asks: as fast as its own."""
        return Borrowed(self, stopwatch, alone)

    def opened(self) -> Detector:
        """Return the detector itself, loading the model if need be."""
        with self._opening:
            if self._detector is None:
                self._detector = self._stack.enter_context(self._make(self.stopwatch))
                self._thread.start()
            return self._detector

    def ask(self, image: Image) -> Detections:
        """Return what is in one picture; waits."""
        answer: Future[Detections] = Future()
        self._questions.put((image, answer))
        return answer.result()

    def _answer(self) -> None:
        while (question := self._questions.get()) is not None:
            asked: list[Question | None] = [question]
            while not self._questions.empty():
                asked.append(self._questions.get())
            waiting = [each for each in asked if each is not None]
            try:
                found = self.opened().detect([image for image, _ in waiting])
            except BaseException as error:  # whatever it is, those who wait must learn of it
                for _, answer in waiting:
                    answer.set_exception(error)
            else:
                for (_, answer), detections in zip(waiting, found, strict=True):
                    answer.set_result(detections)
            if None in asked:
                return


class Borrowed:
    """A shared detector in the hands of one source."""

    names: Mapping[int, str]

    def __init__(self, shared: SharedDetector, stopwatch: Stopwatch, alone: bool) -> None:
        self._shared, self._watch, self._alone = shared, stopwatch, alone

    def __enter__(self) -> Borrowed:
        """Load the model where nobody has yet."""
        opened = self._shared.opened()
        self.names, self.about = opened.names, getattr(opened, "about", "")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: others may need it."""

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return one ``Detections`` per picture."""
        return [self._shared.ask(image) for image in images]

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Detect in order; where others ask too the time counted as "detect" is that of waiting."""
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
                found = self._shared.ask(frame.image)
            yield frame, found
