"""Models compiled for some input shapes: in the background where somebody cannot wait, and never too many."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Engine = TypeVar("Engine")
Shape = tuple[int, int, int]  # images, height, width
MOST = 8  # that stay compiled; a video has six with its windows, of which one of another shape shares four
RESTED_S = 60.0  # what was not used for so long makes room for what is compiled in the background


@dataclass
class Compiled(Generic[Engine]):
    """An engine, or one that is still being compiled."""

    engine: Future[Engine] = field(default_factory=Future)
    used: float = field(default_factory=time.monotonic)  # when it was asked for last, seconds

    @property
    def is_ready(self) -> bool:
        """Whether it can be used without a wait."""
        return self.engine.done() and self.engine.exception() is None


class Engines(Generic[Engine]):
    """The engines of one model, by input shape; any thread may ask.

    The least recently used are let go. What somebody waits for is always compiled; in the background one at a
    time is, and only if that drives out nothing that was used within ``RESTED_S``.
    """

    def __init__(self, compile_one: Callable[[Shape], Engine], most: int = MOST) -> None:
        """Compile by ``compile_one``, when an engine is first asked for."""
        self._compile, self._most = compile_one, most
        self._all: OrderedDict[Shape, Compiled[Engine]] = OrderedDict()
        self._lock = threading.Lock()
        self._background: threading.Thread | None = None

    def __len__(self) -> int:
        """Return how many there are, with what is being compiled."""
        return len(self._all)

    def get(self, shape: Shape) -> Engine:
        """Return an engine, and wait until it is compiled; raises what compiling does."""
        with self._lock:
            one = self._all.get(shape)
            mine = one is None
            if one is None:
                one = self._all[shape] = Compiled()
            self._use(shape, one)
            while len(self._all) > self._most and (rested := self._rested(0.0)) is not None:
                del self._all[rested]
        if mine:
            self._fill(shape, one)
        return one.engine.result()

    def begin(self, shape: Shape) -> bool:
        """Return whether an engine is compiled; if not, that is begun in the background as soon as it can."""
        with self._lock:
            one = self._all.get(shape)
            if one is not None:
                self._use(shape, one)
                return one.is_ready
            if self._background is not None and self._background.is_alive():
                return False
            if len(self._all) >= self._most:
                rested = self._rested(RESTED_S)
                if rested is None:
                    return False
                del self._all[rested]
            one = self._all[shape] = Compiled()
            self._background = threading.Thread(
                target=self._fill, args=(shape, one), name="compile", daemon=True
            )
            self._background.start()
            return False

    def holding(self, shape: Shape) -> Shape | None:
        """Return the smallest compiled shape of as many images that holds this one; None: there is none."""
        with self._lock:
            ready = [
                key
                for key, one in self._all.items()
                if key[0] == shape[0] and key[1] >= shape[1] and key[2] >= shape[2] and one.is_ready
            ]
        return min(ready, key=lambda key: key[1] * key[2], default=None)

    def close(self) -> None:
        """Let all go, once nothing is compiled any more."""
        if self._background is not None:
            self._background.join()
        self._all.clear()

    def _use(self, shape: Shape, one: Compiled[Engine]) -> None:
        one.used = time.monotonic()
        self._all.move_to_end(shape)

    def _rested(self, least_s: float) -> Shape | None:
        """Return what was not used for the longest time, if that is ``least_s`` or more, and is done."""
        for shape, one in self._all.items():
            if one.engine.done():
                return shape if time.monotonic() - one.used >= least_s else None
        return None

    def _fill(self, shape: Shape, one: Compiled[Engine]) -> None:
        try:
            one.engine.set_result(self._compile(shape))
        except BaseException as error:  # of whoever waits for it; in the background nobody may
            one.engine.set_exception(error)
            if not isinstance(error, Exception):
                raise
