"""A detector around another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType

from bytetrack import Detections
from tracker.contracts import Detector
from tracker.types import Frame, Image, Json


class DetectorWrapper(Detector):
    """Forwards everything; whoever derives from it changes what it is about."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.names, self.description, self.kind = detector.names, detector.description, detector.kind

    def __enter__(self) -> DetectorWrapper:
        """Load the model."""
        opened = self.detector.__enter__()
        self.names, self.description, self.kind = opened.names, opened.description, opened.kind
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free it."""
        self.detector.__exit__(kind, error, trace)

    @property
    def idle_share(self) -> float | None:
        """Part of its time in which the network rested."""
        return self.detector.idle_share

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return one ``Detections`` per picture."""
        return self.detector.detect(images)

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Detect in order."""
        return self.detector.stream(frames)

    def resume(self, passed: int) -> None:
        """Go on behind so many frames."""
        self.detector.resume(passed)

    def state(self, index: int) -> Json:
        """Return what is remembered of the frames up to that of this index."""
        return self.detector.state(index)

    def restore(self, state: Json) -> None:
        """Go on from what ``state`` returned."""
        self.detector.restore(state)

    def summary(self) -> Sequence[tuple[str, str]]:
        """Return rows for the table at the end."""
        return self.detector.summary()

    def await_turn(self) -> None:
        """Wait until there is time for a frame."""
        self.detector.await_turn()
