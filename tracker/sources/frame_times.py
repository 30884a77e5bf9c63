"""When each decoded picture is shown, whatever the container says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from av.video.frame import VideoFrame

Item = TypeVar("Item")
WAITING = 8  # pictures without a usable time that may wait for the next one with it
MAX_GAP_S = 86_400.0  # a picture that is shown any longer has a broken time


def dts_goes_on_better(frames: Iterable[VideoFrame]) -> bool:
    """Whether decoding times, in the order of presentation, run forward more often than presentation times.

    A container without presentation times (AVI) lets ffmpeg invent them; this is its "best effort".
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


class Even(Generic[Item]):
    """Gives times to pictures that have none, or one that does not go on: evenly between their neighbours."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._last: float | None = None
        self._waiting: list[Item] = []

    def put(self, item: Item, time: float | None) -> Iterator[tuple[float, Item]]:
        """Take one picture; yield those whose time is known now."""
        if self._last is None:
            self._last = max(time or 0.0, 0.0)
            yield self._last, item
        elif time is None or not self._last < time < self._last + MAX_GAP_S:
            self._waiting.append(item)
            if len(self._waiting) >= WAITING:
                yield from self.rest()
        else:
            step = (time - self._last) / (len(self._waiting) + 1)
            yield from self._spread(min(step, self._step_s) if self._waiting else step)
            self._last = time
            yield time, item

    def rest(self) -> Iterator[tuple[float, Item]]:
        """Yield those that still wait, a nominal step apart."""
        yield from self._spread(self._step_s)

    def _spread(self, step: float) -> Iterator[tuple[float, Item]]:
        waiting, self._waiting = self._waiting, []
        for item in waiting:
            assert self._last is not None
            self._last += step
            yield self._last, item
