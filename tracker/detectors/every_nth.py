"""Run the detector on every N-th frame only, for machines too slow for all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType

from bytetrack import Detections
from tracker.types import Detector, Frame, Image


class EveryNth:
    """Wraps a detector; the frames it leaves out come with ``None`` instead of detections."""

    names: Mapping[int, str]

    def __init__(self, detector: Detector, every: int, *, prompt: bool = False) -> None:
        """Detect in one frame of ``every``; ``prompt`` keeps no frame in flight, so that none is delayed."""
        self.names = detector.names
        self.detector = detector
        self.every = every
        self.prompt = prompt
        self.passed = 0  # frames of an earlier part of the run, which are counted too

    def __enter__(self) -> EveryNth:
        """Load the model."""
        self.names = self.detector.__enter__().names
        self.description = f"{getattr(self.detector, 'description', 'detector')}, every {self.every} frames"
        self.idle = getattr(self.detector, "idle", None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free it."""
        self.detector.__exit__(kind, error, trace)

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return one ``Detections`` per image, of all of them."""
        return self.detector.detect(images)

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Yield every frame in order, the first and every N-th after it with detections."""
        if self.prompt:
            for count, frame in enumerate(frames, self.passed):
                yield frame, self.detector.detect([frame.image])[0] if count % self.every == 0 else None
            return
        waiting: deque[Frame] = deque()

        def every_nth() -> Iterator[Frame]:
            for count, frame in enumerate(frames, self.passed):
                waiting.append(frame)
                if count % self.every == 0:
                    yield frame

        for detected_in, detections in self.detector.stream(every_nth()):
            while (frame := waiting.popleft()) is not detected_in:
                yield frame, None
            yield detected_in, detections
        for frame in waiting:
            yield frame, None
