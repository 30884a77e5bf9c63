"""The time at which each decoded picture is shown, also where the container has none or a wrong one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from av.video.frame import VideoFrame

Item = TypeVar("Item")
WAITING = 8  # most pictures without a usable time before the next one with a time
MAX_GAP_S = 86_400.0  # a time that is later by more is wrong


def dts_is_steadier(frames: Iterable[VideoFrame]) -> bool:
    """Whether decoding times are more often in order than presentation times.

    ``frames`` are in the order of presentation. For a container without presentation times (AVI) ffmpeg
    invents them. The rule is that of ffmpeg's "best effort" timestamps.
    """
    faults = {"pts": 0, "dts": 0}
    before: dict[str, int] = {}
    for frame in frames:
        for name, stamp in (("pts", frame.pts), ("dts", frame.dts)):
            if stamp is None:
                faults[name] += name == "pts"  # the last pictures of every file have no dts
            else:
                faults[name] += stamp <= before.get(name, stamp - 1)
                before[name] = stamp
    return "dts" in before and faults["pts"] > faults["dts"]


class EvenTimes(Generic[Item]):
    """Spaces pictures evenly between their neighbours if they have no time, or one out of order."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._last: float | None = None
        self._waiting: list[Item] = []

    def put(self, item: Item, time: float | None) -> Iterator[tuple[float, Item]]:
        """Take one picture; yield the pictures whose time is known now."""
        if self._last is None:
            self._last = max(time or 0.0, 0.0)
            yield self._last, item
        elif time is None or not self._last < time < self._last + MAX_GAP_S:
            self._waiting.append(item)
            if len(self._waiting) >= WAITING:
                yield from self.flush()
        else:
            step = (time - self._last) / (len(self._waiting) + 1)
            yield from self._spread(min(step, self._step_s) if self._waiting else step)
            self._last = time
            yield time, item

    def flush(self) -> Iterator[tuple[float, Item]]:
        """Yield the pictures that still wait, a nominal step apart."""
        yield from self._spread(self._step_s)

    def _spread(self, step: float) -> Iterator[tuple[float, Item]]:
        waiting, self._waiting = self._waiting, []
        for item in waiting:
            assert self._last is not None
            self._last += step
            yield self._last, item
