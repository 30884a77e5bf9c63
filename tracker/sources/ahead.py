"""The base of all file sources: the selection of frames, and a thread that reads ahead."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias

from tracker import handover
from tracker.contracts import Source
from tracker.types import Frame, OptionError, Pixels, Stopwatch

AHEAD = 4  # frames in the queue: enough to hide a slow key frame
AHEAD_BYTES = 100_000_000  # of them, as BGR: in 8K it is one
ROUNDING = 0.25  # frames, because containers round timestamps, Matroska to a millisecond

LazyFrame: TypeAlias = tuple[
    int, float, Callable[[], Pixels]
]  # index, time in seconds, function that returns the pixels


@dataclass(frozen=True)
class FrameSelection:
    """Which frames of a source to yield.

    Raises ``OptionError`` for values that select nothing.
    """

    start_s: float | None = None  # media time of the first frame
    end_s: float | None = None  # media time at which to stop
    stride: int = 1  # yield every N-th frame
    max_frames: int | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if self.start_s is not None and not 0 <= self.start_s < float("inf"):
            raise OptionError(f"--start {self.start_s}: give seconds from the beginning, 0 or more")
        if self.end_s is not None and not (self.start_s or 0) < self.end_s:
            raise OptionError(f"--end {self.end_s}: must be later than --start ({self.start_s or 0} s)")
        if self.stride < 1:
            raise OptionError(f"--vid-stride {self.stride}: must be 1 (every frame) or more")
        if self.max_frames is not None and self.max_frames < 1:
            raise OptionError(f"--max-frames {self.max_frames}: must be 1 or more")

    def after_start(self, time: float, fps: float) -> bool:
        """Whether a frame at ``time`` is at or after the start."""
        return self.start_s is None or time >= self.start_s - ROUNDING / fps

    def before_end(self, time: float, fps: float) -> bool:
        """Whether a frame at ``time`` is before the end."""
        return self.end_s is None or time < self.end_s - ROUNDING / fps

    def length(self, frames: int, fps: float) -> int:
        """Return how many of ``frames`` frames at ``fps`` will be yielded.

        >>> FrameSelection(start_s=1.0, end_s=3.0, stride=2).length(1000, fps=25.0)
        25
        >>> FrameSelection(end_s=float("inf")).length(1000, fps=25.0)
        1000
        """
        first = 0 if self.start_s is None else max(0, math.ceil(min(self.start_s * fps - ROUNDING, frames)))
        last = frames if self.end_s is None else math.ceil(min(self.end_s * fps - ROUNDING, frames))
        count = -(-max(last - first, 0) // self.stride)
        return count if self.max_frames is None else min(count, self.max_frames)


class ReadAhead(Source):
    """A source whose frames are read in a thread, at most `AHEAD` frames ahead, fewer of large ones.

    A subclass opens in ``_open`` (setting ``fps``, ``size``, ``length``), yields frames in order from
    ``_frames`` and closes in ``_close``. Pixels are computed only for frames that are selected.
    """

    def __init__(
        self,
        name: str,
        selection: FrameSelection,
        stop: threading.Event | None = None,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        super().__init__(name)
        self.selection = selection
        self._stop = stop or threading.Event()  # set by the user
        self._closing = threading.Event()  # set when the consumer has ended
        self._watch = stopwatch or Stopwatch()
        self._queue: queue.Queue[Frame | BaseException | None] = queue.Queue(AHEAD)
        self._thread: threading.Thread | None = None

    def _open(self) -> None:
        raise NotImplementedError

    def _frames(self) -> Iterator[LazyFrame]:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> ReadAhead:
        """Open; raises ``InputError``."""
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading and close, leaving no thread behind."""
        self._join()
        self._close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the selected frames; an error of the reading thread is raised here."""
        if self._thread is not None:
            raise RuntimeError(f"{self.name}: a source can be iterated once")
        width, height = self.size
        self._queue = queue.Queue(max(min(AHEAD, AHEAD_BYTES // max(3 * width * height, 1)), 1))
        self._thread = threading.Thread(target=self._read, name=f"read {self.name}", daemon=True)
        self._thread.start()
        try:
            for item in handover.items(self._queue, self._stop.is_set):
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._join()

    @property
    def queued(self) -> int:
        """How many frames are ready and not yet asked for."""
        return self._queue.qsize()

    def _join(self) -> None:
        self._closing.set()
        with suppress(queue.Empty):  # wakes a reader that waits for space in the queue
            while True:
                self._queue.get_nowait()
        if self._thread is not None:
            self._thread.join()

    def _ended(self) -> bool:
        return self._closing.is_set() or self._stop.is_set()

    def _read(self) -> None:
        end: BaseException | None = None
        try:
            frames = self._frames()
            given = 0
            while given != self.selection.max_frames:
                with self._watch("decode"):
                    frame = self._next(frames, given)
                if frame is None or not self._put(frame):
                    break
                given += 1
        except BaseException as error:  # whatever it is, it must reach the consumer
            end = error
        self._put(end)

    def _next(self, frames: Iterator[LazyFrame], given: int) -> Frame | None:
        for index, time, pixels in frames:
            if self._ended() or not self.selection.before_end(time, self.fps):
                return None
            if not self.selection.after_start(time, self.fps):
                continue
            if given == 0:
                self._first = index
            if (index - self._first) % self.selection.stride == 0:
                return Frame.of(pixels(), index, time)
        return None

    def _put(self, item: Frame | BaseException | None) -> bool:
        return handover.put(self._queue, item, self._closing.is_set)
