"""Run the detector on every N-th frame only, for machines too slow for all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from bytetrack import Detections
from tracker.contracts import Detector
from tracker.detectors.wrapper import DetectorWrapper
from tracker.types import Frame


class EveryNth(DetectorWrapper):
    """Wraps a detector; the frames it leaves out come with ``None`` instead of detections."""

    def __init__(self, detector: Detector, every: int, *, prompt: bool = False) -> None:
        """Detect in one frame of ``every``; ``prompt`` keeps no frame in flight, so that none is delayed."""
        super().__init__(detector)
        self.every = every
        self.prompt = prompt
        self._passed = 0  # frames of an earlier part of the run, which are counted too
        self._given = 0  # frames that have come, those included

    def __enter__(self) -> EveryNth:
        """Load the model."""
        super().__enter__()
        self.description = f"{self.description or 'detector'}, every {self.every} frames"
        return self

    def resume(self, passed: int) -> None:
        """Count the frames of an earlier part of the run too."""
        super().resume(passed)
        self._passed = self._given = passed

    def await_turn(self) -> None:
        """Wait until there is time for a frame, where the next one is looked at."""
        if self._given % self.every == 0:
            super().await_turn()

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Yield every frame in order, the first and every N-th after it with detections."""
        if self.prompt:
            yield from self._at_once(frames)
            return
        waiting: deque[Frame] = deque()

        def every_nth() -> Iterator[Frame]:
            for count, frame in enumerate(frames, self._passed):
                self._given = count + 1
                waiting.append(frame)
                if count % self.every == 0:
                    yield frame

        for detected_in, detections in self.detector.stream(every_nth()):
            while (frame := waiting.popleft()) is not detected_in:
                yield frame, None
            yield detected_in, detections
        for frame in waiting:
            yield frame, None

    def _at_once(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Show the detector one frame at a time: it has answered before the next one is taken."""
        next_one: deque[Frame] = deque()

        def one_by_one() -> Iterator[Frame]:
            while next_one:
                yield next_one.popleft()

        answers = self.detector.stream(one_by_one())
        for count, frame in enumerate(frames, self._passed):
            self._given = count + 1
            if count % self.every:
                yield frame, None
                continue
            next_one.append(frame)
            answer = next(answers, None)
            if answer is None:  # it wanted another for its batch, and took that for the end
                answers = self.detector.stream(one_by_one())
                answer = next(answers)
            yield answer
