"""Begin with exact arithmetic, and go on with int8 as soon as a model is made of what was seen meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from bytetrack import Detections
from tracker.detectors.batched import Network
from tracker.detectors.calibration import Calibration, shown
from tracker.detectors.int8_search import Chosen, Search, Wanted
from tracker.detectors.windows import Layout
from tracker.errors import TrackError
from tracker.types import Image, Pixels

EVERY_S = 2.0  # between two pictures that are kept: 120 of them take four minutes
GLANCE_S = 0.5  # between those with which a model is only compared
SLOWEST_S = 30.0  # where nothing is seen, more pictures are waited for with longer pauses


class Int8Later(Network[Any]):
    """Two networks, of which the second takes over when the search is done, if it is good enough.

    ``open_int8`` opens the network of a model in a folder. Never fails for what the search does: then
    ``notes`` says why the first network goes on.
    """

    def __init__(
        self, exact: Network[Any], search: Search, open_int8: Callable[[str], Network[Any]], notes: list[str]
    ) -> None:
        self._exact, self._current = exact, exact
        self._search: Search | None = search
        self._open_int8 = open_int8
        self._notes = notes
        self.names, self._watch = exact.names, exact._watch
        self._lock = threading.Lock()
        self._wanted: Wanted | Calibration | None = None
        self._learn: list[Image] = []
        self._check: list[Image] = []
        self._pause_s, self._next_s = 0.0, 0.0
        self._began, self._waited_s = time.monotonic(), 0.0
        self._loading: threading.Thread | None = None
        self._loaded: Network[Any] | None = None
        self._holder: Calibration | None = None
        self._warm: Callable[[Network[Any]], object] | None = None  # asks a network what is asked now
        self._shapes: set[tuple[int, int]] = set()  # inputs for windows that were asked for
        self._imgsz = exact.settings.imgsz  # type: ignore[attr-defined]

    def __enter__(self) -> Int8Later:
        """Load the exact network."""
        self._exact.__enter__()
        self.new_shape_cost = self._exact.new_shape_cost
        self.names, self.batch, self.kind = self._exact.names, self._exact.batch, self._exact.kind
        self.any_shape, self.windows_pay = self._exact.any_shape, self._exact.windows_pay
        self._advance(None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free both networks, and end what is still being made."""
        if self._loading is not None:
            self._loading.join()
        if self._search is not None:
            self._search.close()  # which ends a process that is at work
            self._notes.append("int8 was not ready before the end")
        if self._loaded is not None:
            self._loaded.__exit__(kind, error, trace)
        if self._holder is not None:
            self._holder.close()
        self._exact.__exit__(kind, error, trace)

    @property
    def description(self) -> str:  # type: ignore[override]
        """What runs now."""
        return self._current.description

    @property
    def idle_share(self) -> float | None:
        """Part of its time in which the network rested."""
        return self._current.idle_share

    def summary(self) -> list[tuple[str, str]]:
        """Return since when it computes with int8."""
        if self._current is self._exact:
            return []
        return [("int8", f"{self._current.description}, after {self._waited_s:.0f} s")]

    def in_flight(self) -> int:
        """Return how many batches may be in flight."""
        return self._current.in_flight()

    def at_a_time(self) -> int:
        """Return how many batches are computed at the same time."""
        return self._current.at_a_time()

    def start(self, images: Sequence[Pixels]) -> Any:
        """Begin a batch on the network that is the better one now."""
        self._look(lambda: images[0])
        network = self._current
        if self._search is not None:
            shape = (*images[0].shape[:2], 3)
            self._warm = lambda other: other.finish(other.start([np.zeros(shape, np.uint8)]))
        return network, network.start(images)

    def prepare(self, images: Sequence[Pixels]) -> None:
        """Do what the first ``start`` of images of a size would have to do first."""
        self._current.prepare(images)

    def input_for(self, shape: tuple[int, int], *, wait: bool) -> tuple[int, int]:
        """Return the input, (height, width), for windows that need one of ``shape``."""
        if self._search is not None:
            self._shapes.add(shape)
        return self._current.input_for(shape, wait=wait)

    def scale(self, image: Pixels, size: tuple[int, int]) -> Image:
        """Return a picture scaled to ``size``, (height, width)."""
        return self._current.scale(image, size)

    def start_windows(self, picture: Image, layout: Layout) -> Any:
        """Begin with windows of a scaled picture, which is kept whole."""
        self._look(lambda: picture)
        network = self._current
        if self._search is not None:
            shape = picture.shape
            self._warm = lambda other: other.finish(other.start_windows(np.zeros(shape, np.uint8), layout))
        return network, network.start_windows(picture, layout)

    def finish(self, pending: Any) -> list[Detections]:
        """Wait for a batch, on the network where it was begun."""
        found: list[Detections] = pending[0].finish(pending[1])
        return found

    def abandon(self, pending: Any) -> None:
        """Cancel a batch."""
        pending[0].abandon(pending[1])

    def _look(self, image: Callable[[], Pixels]) -> None:
        """Keep a picture where one is wanted, and see what has become of the search."""
        if self._search is None and self._loaded is None:
            return
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._loaded is not None and self._current is self._exact:
                self._current, self._waited_s = self._loaded, time.monotonic() - self._began
            elif isinstance(self._wanted, Calibration):
                if not self._wanted.running:
                    self._advance(None)
            elif self._wanted is not None and time.monotonic() >= self._next_s:
                self._keep(shown(image(), self._imgsz), self._wanted)
        finally:
            self._lock.release()

    def _keep(self, picture: Image, wanted: Wanted) -> None:
        self._next_s = time.monotonic() + self._pause_s
        learns = len(self._learn) < wanted.learn and len(self._learn) <= len(self._check)
        (self._learn if learns else self._check).append(picture)
        if len(self._learn) >= wanted.learn and len(self._check) >= wanted.check:
            pictures = self._learn, self._check
            self._learn, self._check = [], []
            self._advance(pictures)

    def _advance(self, pictures: tuple[list[Image], list[Image]] | None) -> None:
        assert self._search is not None
        try:
            self._wanted = self._search.send(pictures)
            if isinstance(self._wanted, Wanted):
                full = EVERY_S if self._wanted.learn else GLANCE_S
                self._pause_s = min(
                    max(full, 2 * self._pause_s if self._made(self._wanted) else 0), SLOWEST_S
                )
        except StopIteration as end:
            self._use(end.value)
        except TrackError as error:
            self._use(Chosen(None, f"int8 is not used: {error}"))

    def _made(self, wanted: Wanted) -> bool:
        """Whether a model is there already, and only lacks pictures with something in them."""
        return not wanted.learn and self._pause_s >= EVERY_S

    def _use(self, chosen: Chosen) -> None:
        self._search, self._wanted, self._holder = None, None, chosen.holder
        self._notes.append(chosen.note)
        if chosen.model is not None:
            folder = str(chosen.model)
            self._loading = threading.Thread(target=self._load, args=(folder,), name="int8", daemon=True)
            self._loading.start()

    def _load(self, folder: str) -> None:
        try:
            network = self._open_int8(folder)
            network.__enter__()
            if self._warm is not None:
                self._warm(network)  # compiled here, so that no picture has to wait for it
            for shape in sorted(self._shapes):
                network.input_for(shape, wait=True)
            self._loaded = network
        except TrackError as error:
            self._notes.append(f"int8 is not used: {error}")
