"""How far an archive is: media hours, and a line for each camera at work; nothing in a pipe."""

from __future__ import annotations

import time

from rich.progress import TaskID

from tracker.run.progress import Lines
from tracker.text import harmless

MOST_ROWS = 12  # cameras that are shown at once


class Progress(Lines):
    """One bar in hours of video, and a row for each camera that pieces are being made of."""

    def __init__(self, *, enabled: bool = True) -> None:
        super().__init__("{task.fields[text]}", enabled=enabled)
        self._all: TaskID = self._bar.add_task("archive", total=None, text="")
        self._rows: dict[str, TaskID] = {}
        self._media_s, self._total_s, self._frames = 0.0, 0.0, 0
        self._began = time.monotonic()

    def expect(self, media_s: float) -> None:
        """Add what there is to do; what is done already does not count."""
        self._total_s += media_s
        self._bar.update(self._all, total=self._total_s)

    def piece(self, camera: str, done: int, of: int, media_s: float, frames: int) -> None:
        """Note that a piece is done."""
        self._media_s += media_s
        self._frames += frames
        rate = self._frames / max(time.monotonic() - self._began, 1e-3)
        hours = f"{self._media_s / 3600:.2f}/{self._total_s / 3600:.2f} h of video, {rate:.0f} frames/s"
        self._bar.update(self._all, completed=self._media_s, text=hours)
        if camera not in self._rows and len(self._rows) < MOST_ROWS:
            self._rows[camera] = self._bar.add_task(harmless(camera), total=of, text="")
        if camera in self._rows:
            self._bar.update(self._rows[camera], completed=done, total=of, text=f"{done}/{of} pieces")

    def camera(self, camera: str) -> None:
        """Note that a camera is done."""
        row = self._rows.pop(camera, None)
        if row is not None:
            self._bar.remove_task(row)
