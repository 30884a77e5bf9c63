"""Stored detections: what a detector found once stands in for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bytetrack import Detections
from tracker.contracts import Detector
from tracker.types import Frame, Image, InputError

NOTHING = Detections.empty()


class StoredFrame(NamedTuple):
    """What is stored of one frame."""

    frame: int  # its index
    time: float | None  # seconds; None: not stored
    detections: Detections | None  # None: nobody looked


class StoredDetections(Detector):
    """Finds the boxes of each frame by its index; ``frames`` returns them anew, in order of index.

    ``classes`` are those to keep, None: all. ``sparse``: a frame that is not stored had no boxes; otherwise
    it is an error. Raises ``InputError`` for such a frame, and for one whose time is another.
    """

    def __init__(
        self,
        name: str,
        names: Mapping[int, str],
        frames: Callable[[], Iterator[StoredFrame]],
        *,
        fps: float,
        classes: Sequence[int] | None = None,
        sparse: bool = False,
        description: str = "",
        kind: str = "detect",
    ) -> None:
        self.names, self.description, self.kind = names, description, kind
        self._name, self._frames, self._sparse = name, frames, sparse
        self._classes = None if classes is None else np.array(classes)
        self._slip_s = 0.5 / fps  # times further apart are of different frames

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Raise ``ValueError``: an image alone does not tell which frame it is."""
        raise ValueError("stored detections belong to frames, not to images; use stream")

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Yield every frame with its boxes."""
        stored = self._frames()
        last = now = next(stored, None)
        for frame in frames:
            while now is not None and now.frame < frame.index:
                now = next(stored, None)
                last = now or last
            if now is None or now.frame > frame.index:
                if not self._sparse:
                    raise self._missing(frame, None if now else last)
                yield frame, NOTHING
                continue
            if now.time is not None and abs(now.time - frame.time) > self._slip_s:
                raise InputError(
                    f"{self._name}: frame {frame.index} is at {now.time:.3f} s, in the video at "
                    f"{frame.time:.3f} s: the detections are of another video"
                )
            yield frame, self._chosen(now.detections)

    def _chosen(self, found: Detections | None) -> Detections | None:
        if found is None or self._classes is None or not len(found):
            return found
        return found[np.isin(found.class_id, self._classes)]

    def _missing(self, frame: Frame, last: StoredFrame | None) -> InputError:
        if last is None:
            return InputError(
                f"{self._name}: has no frame {frame.index}; give --start and --vid-stride as it was saved"
            )
        stop = "" if last.time is None else f"; give --end {last.time:.3f} to stop there"
        return InputError(f"{self._name}: ends with frame {last.frame}, and the video goes on{stop}")
