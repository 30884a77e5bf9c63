"""The frames of a camera as they arrive, as the source, the detector and the tracker of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bytetrack import Detections, Tracks
from tracker.archive.arrivals import Arrivals, Stored
from tracker.archive.recordings import Recording
from tracker.contracts import Detector, LastingTracker, Source
from tracker.offline.saved_tracks import blank
from tracker.types import Frame, Image, Json, Recorded


class ArrivingFrames(Source):
    """The frames of a camera, with no picture; ``current`` is the one that was yielded last."""

    def __init__(self, camera: str, arrivals: Arrivals, told: Recorded) -> None:
        super().__init__(camera)
        self.fps, self.size, self.recorded = arrivals.fps, arrivals.size, told
        self.current: Stored | None = None
        self._arrivals = arrivals

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames."""
        picture = blank(self.size)
        for stored in self._arrivals:
            self.current = stored
            yield Frame(picture, stored.number, stored.time)


class ArrivingDetections(Detector):
    """What was found in the frames of `ArrivingFrames`, read with them."""

    def __init__(self, frames: ArrivingFrames, names: Mapping[int, str], kind: str) -> None:
        self.names, self.kind, self._frames = names, kind, frames

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Raise ``ValueError``: an image alone does not tell which frame it is."""
        raise ValueError("stored detections belong to frames, not to images; use stream")

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Yield every frame with its boxes."""
        for frame in frames:
            current = self._frames.current
            assert current is not None and current.number == frame.index
            yield frame, current.found


class AcrossGaps(LastingTracker):
    """A tracker that begins anew where too much time has passed; its numbers go on."""

    def __init__(self, tracker: LastingTracker, frames: ArrivingFrames) -> None:
        self._tracker, self._frames, self._fresh = tracker, frames, tracker.state()
        self.frame_rate = tracker.frame_rate

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        """Advance and match."""
        current = self._frames.current
        if current is not None and current.anew:
            self._tracker.restore({**self._fresh, "next_id": self._tracker.state()["next_id"]})
        return self._tracker.update(detections, dt)

    def state(self) -> dict[str, Json]:
        """Return what the tracker knows."""
        return self._tracker.state()

    def restore(self, state: Mapping[str, Json]) -> None:
        """Let the tracker go on."""
        self._tracker.restore(state)


def recorded(first: Recording, dated: bool, told: Recorded) -> Recorded:
    """Return when a camera's time 0 was: by the name of its first file, else by its metadata."""
    return Recorded(first.start_s, None) if dated and first.start_s is not None else told
