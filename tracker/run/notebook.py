"""What a person sees in a notebook while a run goes on: one line, written over and over."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from tracker.text import harmless

SHOWN_AFTER_S = 1.0  # a run that is over sooner leaves no line behind
REFRESH_S = 0.5  # each writing is a message to the browser


def in_notebook() -> bool:
    """Return whether a Jupyter kernel runs this; a plain IPython in a terminal is none."""
    if "ipykernel" not in sys.modules:
        return False
    from ipykernel.zmqshell import ZMQInteractiveShell
    from IPython import get_ipython

    return isinstance(get_ipython(), ZMQInteractiveShell)


class NotebookProgress:
    """How far a run is, below the cell that iterates it. ``length`` is in frames, None where unknown."""

    def __init__(self, name: str, length: int | None) -> None:
        self._name, self._length = harmless(name), length
        self._frames, self._began = 0, 0.0  # the clock starts with the first frame, when the model is loaded
        self._written = 0.0
        self._handle: Any = None  # of IPython, once something is shown

    def __enter__(self) -> NotebookProgress:
        """Show nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the number of frames, if anything was shown."""
        if self._handle is not None:
            self._write(f"{self._name}: {self._frames} frames, {self._rate():.1f} fps")

    def advance(self, tracks: int) -> None:
        """Count one frame."""
        now = time.monotonic()
        if self._frames == 0:
            self._began, self._written = now, now + SHOWN_AFTER_S - REFRESH_S
        self._frames += 1
        if now - self._written >= REFRESH_S:
            self._written = now
            self._write(f"{self._name}: {far(self._frames, self._length, self._rate())}, {tracks} followed")

    def _rate(self) -> float:
        return (self._frames - 1) / max(time.monotonic() - self._began, 1e-9)

    def _write(self, line: str) -> None:
        from IPython.display import display

        content = {"text/plain": line}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def far(frames: int, length: int | None, rate: float) -> str:
    """Return how far a run is after so many frames at a rate in frames per second.

    >>> far(30, 100, 10.0), far(30, None, 9.96)
    ('30/100 frames, 10.0 fps, 7 s left', '30 frames, 10.0 fps')
    """
    if not length:
        return f"{frames} frames, {rate:.1f} fps"
    left_s = max(length - frames, 0) / rate if rate else 0.0
    return f"{frames}/{length} frames, {rate:.1f} fps, {left_s:.0f} s left"
