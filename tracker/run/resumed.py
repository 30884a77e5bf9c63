"""A source that is read on from where an earlier run stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from types import TracebackType

from tracker.run.checkpoint import Saved
from tracker.types import Frame, Source


class Resumed:
    """A file from behind the last frame of an earlier run.

    ``source`` begins at that frame's time: the frame itself is dropped, and tells what the others' indices
    are where a source that jumped into the middle had to guess.
    """

    live = False

    def __init__(self, source: Source, saved: Saved, max_frames: int | None) -> None:
        self._source, self._saved, self._max_frames = source, saved, max_frames
        self.name = source.name

    def __enter__(self) -> Resumed:
        """Open; raises ``InputError``."""
        source = self._source
        source.__enter__()
        self.fps, self.size, self.notes, self.sound = source.fps, source.size, source.notes, source.sound
        self.recorded = source.recorded
        known = [source.length and max(source.length - 1, 0), self._max_frames]
        self.length = min((length for length in known if length is not None), default=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self._source.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames that were not seen yet."""
        return islice(self._new(), self._max_frames)

    def waiting(self) -> int:
        """Return how many frames wait to be taken."""
        count: Callable[[], int] | None = getattr(self._source, "waiting", None)
        return count() if count is not None else 0

    def _new(self) -> Iterator[Frame]:
        shift = 0
        for frame in self._source:
            if frame.time <= self._saved.time:
                shift = self._saved.frame - frame.index
            else:
                yield replace(frame, index=frame.index + shift) if shift else frame
