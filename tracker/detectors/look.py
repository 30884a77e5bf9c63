"""Look only where something changed: what did not change has the boxes that it had."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from bytetrack import Detections
from tracker.detectors.batched import Network
from tracker.detectors.scenery import Look, Scenery, Share
from tracker.detectors.settings import STRIDE
from tracker.detectors.wrapper import DetectorWrapper
from tracker.types import Frame, Stopwatch

MOST_RESTED = 8  # frames that wait, with --batch, for others to fill the batch of one that was looked at


class Looking(DetectorWrapper):
    """Wraps a network, and asks it only about what changed since it was last looked at.

    A picture like the one before costs a comparison of luminance. Where a small part changed, the network
    looks at windows around it; where much did, at the whole. Boxes elsewhere stand as they were found, so
    that who does not move is still there. `detect` looks at whole pictures.
    """

    def __init__(
        self,
        network: Network[Any],
        stopwatch: Stopwatch | None = None,
        *,
        imgsz: int = 640,
        live: bool = False,
    ) -> None:
        """Look at a picture as a network of ``imgsz`` sees it; what is ``live`` waits for no compiling."""
        super().__init__(network)
        self.network = network
        self.share = Share()
        self._watch = stopwatch or Stopwatch()
        self._imgsz = -(-imgsz // STRIDE) * STRIDE
        self._live = live

    def summary(self) -> list[tuple[str, str]]:
        """Return how much was looked at."""
        return [*super().summary(), *self.share.rows()]

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Detect in order; some frames may be in flight, of which the network is asked about a few."""
        return self._by_windows(frames) if self.network.batch == 1 else self._in_batches(frames)

    def _scenery(self, size: tuple[int, int]) -> Scenery:
        return Scenery(self.network, size, self._imgsz, self.share, live=self._live)

    def _in_batches(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        """Look at whole pictures only, so that several may share a batch."""
        waiting: deque[Frame] = deque()
        scene: Scenery | None = None
        standing = Detections.empty()

        def asked() -> Iterator[Frame]:
            nonlocal scene
            rested = 0
            for frame in frames:
                waiting.append(frame)
                size = (frame.pixels.shape[0], frame.pixels.shape[1])
                if scene is None or scene.size != size:
                    scene = self._scenery(size)
                scene.standing = standing
                with self._watch("detect"):
                    wanted = scene.wanted(frame) or rested >= MOST_RESTED
                if wanted:
                    scene.looks_at_all(frame.time)
                else:
                    self.share.add(0.0)
                rested = 0 if wanted else rested + 1
                if wanted:
                    yield frame

        for looked_at, found in self.network.stream(asked()):
            while (frame := waiting.popleft()) is not looked_at:
                yield frame, standing
            standing = Detections.empty() if found is None else found
            yield looked_at, standing
        for frame in waiting:
            yield frame, standing

    def _by_windows(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        waiting: deque[tuple[Frame, Look | None]] = deque()
        scene: Scenery | None = None
        try:
            for frame in frames:
                size = (frame.pixels.shape[0], frame.pixels.shape[1])
                if scene is None or scene.size != size:
                    while scene is not None and waiting:
                        yield self._oldest(waiting, scene)
                    scene = self._scenery(size)
                with self._watch("detect"):
                    waiting.append((frame, scene.begin(frame)))
                while waiting and (waiting[0][1] is None or len(waiting) >= self.network.in_flight()):
                    yield self._oldest(waiting, scene)
            while waiting and scene is not None:
                yield self._oldest(waiting, scene)
        finally:
            for _, look in waiting:
                if look is not None:
                    self.network.abandon(look.pending)

    def _oldest(self, waiting: deque[tuple[Frame, Look | None]], scene: Scenery) -> tuple[Frame, Detections]:
        frame, look = waiting.popleft()
        with self._watch("detect"):
            return frame, scene.standing if look is None else scene.end(look)
