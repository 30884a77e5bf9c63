"""A source that is read on from where an earlier run stopped."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from tracker.contracts import Source
from tracker.run.checkpoint import Saved
from tracker.sources.wrapper import SourceWrapper
from tracker.types import Frame


class Resumed(SourceWrapper):
    """A file from behind the last frame of an earlier run.

    ``source`` begins at that frame's time: the frame itself is dropped, and tells what the others' indices
    are where a source that jumped into the middle had to guess.
    """

    def __init__(self, source: Source, saved: Saved, max_frames: int | None) -> None:
        super().__init__(source)
        self._saved, self._max_frames = saved, max_frames

    def __enter__(self) -> Resumed:
        """Open; raises ``InputError``."""
        super().__enter__()
        known = [self.length and max(self.length - 1, 0), self._max_frames]
        self.length = min((length for length in known if length is not None), default=None)
        return self

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames that were not seen yet."""
        return islice(self._new(), self._max_frames)

    def _new(self) -> Iterator[Frame]:
        shift = 0
        for frame in self.source:
            if frame.time <= self._saved.time:
                shift = self._saved.frame - frame.index
            else:
                yield frame.at(frame.index + shift, frame.time) if shift else frame
