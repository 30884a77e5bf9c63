"""Look only where something changed: what did not change has the boxes that it had."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bytetrack import Detections
from tracker.detectors.batched import Network
from tracker.detectors.memory import Look, Past
from tracker.detectors.scenery import Scenery, Share
from tracker.detectors.settings import STRIDE
from tracker.detectors.wrapper import DetectorWrapper
from tracker.types import Frame, Json, Stopwatch

KEPT = 16  # frames that may be in flight, and one that `EveryNth` is ahead
MOST_RESTED = 8  # frames that wait, with --batch, for others to fill the batch of one that was looked at


@dataclass(frozen=True)
class Waiting:
    """A frame that is not yielded yet."""

    frame: Frame | None  # None: an earlier part of the run has yielded it
    look: Look | None  # None: nothing changed


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
        only_if_it_pays: bool = False,
    ) -> None:
        """Look at a picture as a network of ``imgsz`` sees it; what is ``live`` waits for no compiling.

        ``only_if_it_pays``: at whole pictures, unless the network is one of boxes for which both accuracy and
        gain are measured.
        """
        super().__init__(network)
        self.network = network
        self.share = Share()
        self._watch = stopwatch or Stopwatch()
        self._imgsz = -(-imgsz // STRIDE) * STRIDE
        self._live, self._only_if_it_pays = live, only_if_it_pays
        self._scene: Scenery | None = None
        self._depth = 0  # frames in flight, as many from the first of a size to the last; 0: not known yet
        self._pasts: deque[Past] = deque(maxlen=KEPT)  # before each of the last frames
        self._earlier: Past | None = None

    def summary(self) -> list[tuple[str, str]]:
        """Return how much was looked at, if anybody asked or anything was saved."""
        unasked = self._only_if_it_pays and self.share.whole == self.share.frames
        return [*super().summary(), *([] if unasked else self.share.rows())]

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Detect in order; some frames may be in flight, of which the network is asked about a few."""
        if self._only_if_it_pays and not (self.network.windows_pay and self.network.kind == "detect"):
            return self.network.stream(frames)
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
        waiting: deque[Waiting] = deque()
        scene: Scenery | None = None
        try:
            for frame in frames:
                size = (frame.pixels.shape[0], frame.pixels.shape[1])
                if scene is None or scene.size != size:
                    while scene is not None and waiting:
                        yield from self._oldest(waiting, scene)
                    scene, self._depth = self._scenery(size), 0
                    self._scene = scene
                    waiting.extend(Waiting(None, look) for look in self._recalled(scene))
                looks = tuple(one.look for one in waiting)
                self._pasts.append(Past(frame.index, size, self._depth, scene.memory(), looks))
                with self._watch("detect"):
                    look = scene.begin(frame)
                if look is None:
                    self.network.forgo_turn()
                waiting.append(Waiting(frame, look))
                self._depth = self._depth or self.network.in_flight()
                while waiting and (waiting[0].look is None or len(waiting) >= self._depth):
                    yield from self._oldest(waiting, scene)
            while waiting and scene is not None:
                yield from self._oldest(waiting, scene)
        finally:
            for one in waiting:
                if one.look is not None and one.look.found is None:
                    self.network.abandon(one.look.pending)

    def _oldest(self, waiting: deque[Waiting], scene: Scenery) -> Iterator[tuple[Frame, Detections]]:
        """Yield the frame that has waited longest, unless an earlier part of the run did."""
        one = waiting.popleft()
        with self._watch("detect"):
            found = scene.standing if one.look is None else scene.end(one.look)
        if one.frame is not None:
            yield one.frame, found

    def state(self, index: int) -> Json:
        """Return what is known behind the frame of this index, up to which all were yielded.

        Later ones may have been compared already; then it is what was known before the first of them, with
        what was looked at just then.
        """
        if self._live or self._scene is None:
            return None
        now = Past(index + 1, self._scene.size, self._depth, self._scene.memory(), ())
        return next((past for past in self._pasts if past.before > index), now).to_json()

    def restore(self, state: Json) -> None:
        """Go on from what `state` returned; raises ``ValueError``, ``KeyError`` or ``TypeError``."""
        self._earlier = None if state is None else Past.from_json(state)

    def _recalled(self, scene: Scenery) -> tuple[Look | None, ...]:
        """Let a scenery go on from an earlier part of the run; return what was being looked at in that."""
        earlier, self._earlier = self._earlier, None
        if earlier is None or earlier.memory is None or earlier.size != scene.size:
            return ()
        scene.recall(earlier.memory)
        self._depth = earlier.depth
        return earlier.looks
