"""What a person sees on the terminal: progress while it runs, a table at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar


class Progress:
    """A line on a terminal with rate and remaining time; nothing in a pipe."""

    def __init__(self, length: int | None, title: str, *, enabled: bool = True) -> None:
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn() if length else TextColumn("{task.completed} frames"),
            TaskProgressColumn(show_speed=True) if length is None else TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[rate]} fps"),
            TextColumn("{task.fields[tracks]} followed"),
            TimeRemainingColumn() if length else TimeElapsedColumn(),
            console=Console(file=sys.stderr),
            transient=True,
            disable=not (enabled and sys.stderr.isatty()),
        )
        self._task = self._bar.add_task(title, total=length, rate="-", tracks=0)

    def __enter__(self) -> Progress:
        """Show."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe the line."""
        self._bar.stop()

    def advance(self, tracks: int) -> None:
        """Count one frame."""
        speed = self._bar.tasks[self._task].speed
        self._bar.update(self._task, advance=1, tracks=tracks, rate=f"{speed:.1f}" if speed else "-")


def table(rows: Iterable[tuple[str, str]], files: Iterable[str] = ()) -> str:
    """Return names and values in two columns; nothing is cut off, so a path can be copied.

    >>> print(table([("frames", "3")], ["out.mp4"]))
    frames   3
    written  out.mp4
    """
    rows = [*rows, *(("written", path) for path in files)]
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {value}".rstrip() for name, value in rows)
