"""What a person sees on the terminal: progress while it runs, a table at the end."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from tracker.contracts import Source
from tracker.text import harmless

if TYPE_CHECKING:
    from typing_extensions import Self

WRITE_S = 0.1  # between two writings of a line: rich's rate costs more than counting a frame from a table
REFRESH_S = 0.5  # a delay that changes faster cannot be read


class Lines:
    """Lines with a bar each on a terminal, from ``with`` to its end; nothing in a pipe."""

    def __init__(self, *fields: str, enabled: bool = True) -> None:
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            *(TextColumn(field) for field in fields),
            Clock(),
            console=Console(file=sys.stderr),
            transient=True,
            disable=not (enabled and sys.stderr.isatty()),
        )

    def __enter__(self) -> Self:
        """Show."""
        if not self._bar.disable:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe the lines."""
        if not self._bar.disable:  # rich before 14.3 ends a bar that was never shown with an empty line
            self._bar.stop()


class Progress(Lines):
    """A line per source with rate and remaining time on a terminal; nothing in a pipe."""

    def __init__(self, length: int | None = None, title: str = "", *, enabled: bool = True) -> None:
        super().__init__(
            "{task.fields[count]} frames",
            "{task.fields[rate]} fps",
            "{task.fields[tracks]} followed",
            "{task.fields[live]}",
            enabled=enabled,
        )
        self._tasks: dict[str, TaskID] = {}
        self._waiting: dict[str, int] = {}  # frames counted since the line was written last
        self._written: dict[str, float] = {}  # and when that was
        self._looked: dict[str, float] = {}  # when the delay was asked for last
        if title:
            self._add(title, length)
        self._first = title

    def advance(self, tracks: int, title: str | None = None, *, source: Source | None = None) -> None:
        """Count one frame, of the source with this title; of what is live the delay is told."""
        title = self._first if title is None else title
        if title not in self._tasks:
            self._add(title, source.length if source is not None else None)
        self._waiting[title] += 1
        now = time.monotonic()
        if now - self._written[title] < WRITE_S:
            return
        self._written[title] = now
        place, frames = self._tasks[title], self._waiting[title]
        self._waiting[title] = 0
        task = next(task for task in self._bar.tasks if task.id == place)
        count = f"{int(task.completed) + frames}" + (f"/{int(task.total)}" if task.total else "")
        rate = f"{task.speed:.1f}" if task.speed else "-"
        self._bar.update(place, advance=frames, tracks=tracks, rate=rate, count=count)
        if source is not None and source.live and now - self._looked[title] > REFRESH_S:
            self._looked[title] = now
            delay_ms = 1000 * source.delay_s
            self._bar.update(place, live=f"delay {delay_ms:.0f} ms, {source.dropped} dropped")

    def _add(self, title: str, length: int | None) -> None:
        self._tasks[title] = self._bar.add_task(
            harmless(title), total=length, count="0", rate="-", tracks=0, live=""
        )
        self._waiting[title], self._written[title], self._looked[title] = 0, -math.inf, -math.inf


class Clock(ProgressColumn):
    """The time that is left where the length is known, else the time that has passed."""

    max_refresh = REFRESH_S

    def render(self, task: Task) -> Text:
        """Return H:MM:SS."""
        seconds = task.time_remaining if task.total else task.elapsed
        if seconds is None:
            return Text("-:--:--")
        minutes, left = divmod(int(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return Text(f"{hours}:{minutes:02}:{left:02}" + (" left" if task.total else ""))


def table(rows: Iterable[tuple[str, str]], files: Iterable[str] = ()) -> str:
    """Return names and values in two columns; nothing is cut off, so a path can be copied.

    >>> print(table([("frames", "3")], ["out.mp4"]))
    frames   3
    written  out.mp4
    """
    rows = [(harmless(name), harmless(value)) for name, value in rows]
    rows += [("written", harmless(path)) for path in files]
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {value}".rstrip() for name, value in rows)
