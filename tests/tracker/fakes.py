"""Small real parts for tests of the loop: pictures from arrays, detections from a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from bytetrack import Detections
from tracker.contracts import Detector
from tracker.types import Event, Frame, Image


def frames(count: int, *, fps: float = 25.0, size: tuple[int, int] = (64, 48)) -> list[Frame]:
    width, height = size
    return [Frame(np.full((height, width, 3), i % 256, np.uint8), i, i / fps) for i in range(count)]


def walker(count: int, *, step: float = 2.0) -> list[Detections]:
    """One person walking to the right, a box per frame."""
    return [
        Detections(np.array([[i * step, 10.0, i * step + 10, 40.0]]), np.array([0.9]), np.array([0]))
        for i in range(count)
    ]


@dataclass
class ListDetector(Detector):
    """Yields given detections, one per frame."""

    found: Sequence[Detections]
    names: dict[int, str] = field(default_factory=lambda: {0: "person"})

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        return list(self.found[: len(images)])

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        yield from zip(frames, self.found, strict=True)


@dataclass
class CountingPlugin:
    """Tells what it saw."""

    seen: list[list[int]] = field(default_factory=list)

    def update(self, frame: Frame, tracks: object) -> list[Event]:
        ids = tracks.track_id.tolist()  # type: ignore[attr-defined]
        self.seen.append(ids)
        return [Event("seen", frame.time, frame.index, i) for i in ids]

    def draw(self, canvas: object) -> None:
        canvas.text(f"{len(self.seen)}", (0, 0), (255, 255, 255))  # type: ignore[attr-defined]

    def finish(self) -> list[Event]:
        return [Event("total", 0.0, 0, data={"frames": len(self.seen)})]
