"""What wraps a detector forwards whatever one may be asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bytetrack import Detections
from tests.tracker.fakes import ListDetector, frames, walker
from tracker.contracts import Detector
from tracker.detectors.every_nth import EveryNth
from tracker.detectors.wrapper import DetectorWrapper
from tracker.types import Frame, Image


class Odd(Detector):
    """A detector that answers everything differently than `Detector` does."""

    names = {7: "heron"}  # noqa: RUF012 - never changed
    idle_share = 0.5

    def __init__(self) -> None:
        self.calls: list[object] = []

    def __enter__(self) -> Odd:
        self.names, self.description = {8: "stork"}, "odd"  # known once the model is loaded
        self.calls.append("enter")
        return self

    def __exit__(self, *_: object) -> None:
        self.calls.append("exit")

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        return walker(len(images))

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        return ((frame, None) for frame in frames)

    def resume(self, passed: int) -> None:
        self.calls.append(passed)


def test_everything_is_forwarded() -> None:
    odd = Odd()
    wrapped = DetectorWrapper(odd)
    assert wrapped.names == {7: "heron"}
    with wrapped:
        assert (wrapped.names, wrapped.description, wrapped.idle_share) == ({8: "stork"}, "odd", 0.5)
        assert len(wrapped.detect([frame.image for frame in frames(2)])) == 2
        assert [found for _, found in wrapped.stream(frames(2))] == [None, None]
        wrapped.resume(12)
    assert odd.calls == ["enter", 12, "exit"]


def test_who_looks_at_every_nth_says_so() -> None:
    with EveryNth(Odd(), 3) as every_third:
        assert (every_third.description, every_third.idle_share) == ("odd, every 3 frames", 0.5)


def test_a_detector_that_only_detects_can_be_streamed() -> None:
    """The body of `Detector.stream`: frame by frame, in order."""

    class Least(Detector):
        names = {0: "person"}  # noqa: RUF012 - never changed

        def detect(self, images: Sequence[Image]) -> list[Detections]:
            return ListDetector(walker(1)).detect(images)

    with Least() as least:
        assert [(frame.index, len(found or ())) for frame, found in least.stream(frames(3))] == [
            (0, 1),
            (1, 1),
            (2, 1),
        ]
        assert (least.description, least.idle_share) == ("", None)
