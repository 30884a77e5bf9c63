"""How pictures pass through any network: in order, in batches, several under way, a bounded number."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from bytetrack import Detections
from tracker.detectors.idle import Idle
from tracker.detectors.settings import Settings
from tracker.types import Frame, Image, Stopwatch

Item = TypeVar("Item", Frame, Image)


class Flow:
    """What the backends share; one of them says how pictures are started, finished and abandoned.

    Of the inputs in flight one is waited for, while the others are computed and the caller works.
    """

    names: Mapping[int, str]
    batch: int  # pictures per input
    about: str  # weights, what runs them and how exactly; known once it is open

    def __init__(self, weights: Path, settings: Settings, stopwatch: Stopwatch | None = None) -> None:
        """Remember what to load; nothing heavy happens before ``with``."""
        self.weights = weights
        self.settings = settings
        self.names = {}
        self.batch = settings.batch
        self.about = weights.stem
        self.idle = Idle()
        self._watch = stopwatch or Stopwatch()

    def __enter__(self) -> Flow:
        """Load the model."""
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the model."""
        raise NotImplementedError

    def in_flight(self) -> int:
        """Return how many inputs may be under way; asked after each start."""
        raise NotImplementedError

    def start(self, images: Sequence[Image]) -> Any:
        """Begin with at most ``batch`` pictures of one size; return a ticket."""
        raise NotImplementedError

    def finish(self, ticket: Any) -> list[Detections]:
        """Wait, and return one ``Detections`` per picture."""
        raise NotImplementedError

    def abandon(self, ticket: Any) -> None:
        """Give up what nobody will ask for."""

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return one ``Detections`` per picture; pictures of one size may go through together."""
        return [found for _, found in self._flow(images, lambda image: image)]

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Detect in order, at most ``in_flight`` inputs of ``batch`` frames at a time."""
        return self._flow(frames, lambda frame: frame.image)

    def _flow(
        self, items: Iterable[Item], image: Callable[[Item], Image]
    ) -> Iterator[tuple[Item, Detections]]:
        pending: deque[tuple[list[Item], Any]] = deque()
        try:
            for group in alike(items, image, self.batch):
                with self._watch("detect"):
                    pending.append((group, self.start([image(item) for item in group])))
                if len(pending) >= self.in_flight():
                    yield from self._first(pending)
            while pending:
                yield from self._first(pending)
        finally:
            for _, ticket in pending:
                self.abandon(ticket)

    def _first(self, pending: deque[tuple[list[Item], Any]]) -> Iterator[tuple[Item, Detections]]:
        group, ticket = pending.popleft()
        with self._watch("detect"):
            found = self.finish(ticket)
        return zip(group, found, strict=True)


def alike(items: Iterable[Item], image: Callable[[Item], Image], most: int) -> Iterator[list[Item]]:
    """Split into runs of pictures of one size, at most ``most`` long, each as soon as it is known.

    >>> import numpy as np
    >>> small, large = np.zeros((1, 1, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    >>> [len(run) for run in alike([small, small, small, large], lambda image: image, 2)]
    [2, 1, 1]
    """
    run: list[Item] = []
    for item in items:
        if run and image(run[0]).shape != image(item).shape:
            yield run
            run = []
        run.append(item)
        if len(run) == most:
            yield run
            run = []
    if run:
        yield run
