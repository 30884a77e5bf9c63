"""The loop of every network: frames in order, in batches, a bounded number of batches in flight."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Generic, TypeVar

from bytetrack import Detections
from tracker.contracts import Detector
from tracker.detectors.idle import Idle
from tracker.detectors.letterbox import scaled
from tracker.detectors.settings import Settings
from tracker.detectors.windows import Layout
from tracker.types import Frame, Image, Pixels, Stopwatch

Item = TypeVar("Item", Frame, Pixels)
Pending = TypeVar("Pending")  # a batch in flight, as its backend knows it


class Network(Detector, Generic[Pending]):
    """What can be asked while it still computes: ``start`` a batch, ``finish`` it later.

    While the oldest batch in flight is waited for, the others are computed and the caller works. One thread
    at a time may call ``start``; ``finish`` may be called in several.
    """

    batch: int = 1  # images per inference
    any_shape: bool = False  # whether windows can be looked at: its input may have any size
    new_shape_cost: float = 0.0  # of one shape more, in cells of a stride x stride pixels
    windows_pay: bool = False  # whether less is known to cost less in it, also of files: on CPUs
    _watch: Stopwatch

    def in_flight(self) -> int:
        """Return how many batches may be in flight; asked after each start."""
        raise NotImplementedError

    def at_a_time(self) -> int:
        """Return how many batches are computed at the same time; what else is in flight waits."""
        return self.in_flight()

    def start(self, images: Sequence[Pixels]) -> Pending:
        """Begin inference of at most ``batch`` images of one size; return what ``finish`` needs."""
        raise NotImplementedError

    def prepare(self, images: Sequence[Pixels]) -> None:
        """Do what the first ``start`` of images of a size would have to do first; any thread may ask."""

    def input_for(self, shape: tuple[int, int], *, wait: bool) -> tuple[int, int]:
        """Return the input, (height, width), for windows that need one of ``shape``; any thread may ask.

        Where that must be made first, one that is ready and holds it is taken meanwhile, unless the caller
        will ``wait``.
        """
        return shape

    def scale(self, image: Pixels, size: tuple[int, int]) -> Image:
        """Return a picture scaled to ``size``, (height, width): once, for all that is looked at in it."""
        return scaled(image, size)

    def start_windows(self, picture: Image, layout: Layout) -> Pending:
        """Begin inference of windows of a picture that `scale` made, instead of ``start``.

        Only for ``any_shape``. ``finish`` then returns one ``Detections`` per window.
        """
        raise NotImplementedError

    def finish(self, pending: Pending) -> list[Detections]:
        """Wait for a batch, and return one ``Detections`` per image, or window, in pixels of the pictures."""
        raise NotImplementedError

    def abandon(self, pending: Pending) -> None:
        """Cancel a batch whose detections are not needed any more."""

    def forgo_turn(self) -> None:
        """Tell that nothing will be asked about the frame for which `await_turn` has waited."""

    def detect(self, images: Sequence[Pixels]) -> list[Detections]:
        """Return one ``Detections`` per image; images of one size may share a batch."""
        return [found for _, found in self._in_batches(images, lambda image: image)]

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Detect in order, at most ``in_flight`` batches of ``batch`` frames at a time."""
        return self._in_batches(frames, lambda frame: frame.pixels)

    def _in_batches(
        self, items: Iterable[Item], image: Callable[[Item], Pixels]
    ) -> Iterator[tuple[Item, Detections]]:
        in_flight: deque[tuple[list[Item], Pending]] = deque()
        try:
            for group in same_size(items, image, self.batch):
                with self._watch("detect"):
                    in_flight.append((group, self.start([image(item) for item in group])))
                if len(in_flight) >= self.in_flight():
                    yield from self._oldest(in_flight)
            while in_flight:
                yield from self._oldest(in_flight)
        finally:
            for _, pending in in_flight:
                self.abandon(pending)

    def _oldest(self, in_flight: deque[tuple[list[Item], Pending]]) -> Iterator[tuple[Item, Detections]]:
        group, pending = in_flight.popleft()
        with self._watch("detect"):
            found = self.finish(pending)
        return zip(group, found, strict=True)


class BatchedDetector(Network[Pending]):
    """Base of the backends, which implement ``start``, ``finish`` and ``abandon`` of one batch."""

    def __init__(self, weights: Path, settings: Settings, stopwatch: Stopwatch | None = None) -> None:
        """Remember what to load; nothing heavy happens before ``with``."""
        self.weights = weights
        self.settings = settings
        self.names = {}
        self.batch = settings.batch
        self.description = weights.stem
        self._idle = Idle()
        self._watch = stopwatch or Stopwatch()

    def __enter__(self) -> BatchedDetector[Pending]:
        """Load the model."""
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the model."""
        raise NotImplementedError

    @property
    def idle_share(self) -> float | None:
        """Part of its time in which the network rested, by the spans that the backend told."""
        return self._idle.share


def same_size(items: Iterable[Item], image: Callable[[Item], Pixels], most: int) -> Iterator[list[Item]]:
    """Split into runs of images of one size, at most ``most`` long, each yielded as soon as it ends.

    >>> import numpy as np
    >>> small, large = np.zeros((1, 1, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    >>> [len(run) for run in same_size([small, small, small, large], lambda image: image, 2)]
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
