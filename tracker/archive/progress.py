"""How far an archive is: media hours, and a line for each camera at work; nothing in a pipe."""

from __future__ import annotations

import time

from rich.progress import TaskID

from tracker.run.progress import Lines
from tracker.text import harmless

MOST_ROWS = 12  # cameras that are shown at once
HOURS_FROM_S = 7200.0  # of video; less is told in minutes


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
        self._tell()

    def begin(self, camera: str, done: int, of: int) -> None:
        """Note that a piece of a camera was given out."""
        if camera not in self._rows and len(self._rows) < MOST_ROWS:
            text = f"{done}/{of} pieces"
            self._rows[camera] = self._bar.add_task(harmless(camera), total=of, completed=done, text=text)

    def piece(self, camera: str, done: int, of: int, media_s: float, frames: int) -> None:
        """Note that a piece is done."""
        self._media_s += media_s
        self._frames += frames
        self._tell()
        self.begin(camera, done, of)
        if camera in self._rows:
            self._bar.update(self._rows[camera], completed=done, total=of, text=f"{done}/{of} pieces")

    def camera(self, camera: str) -> None:
        """Note that a camera is done."""
        row = self._rows.pop(camera, None)
        if row is not None:
            self._bar.remove_task(row)

    def _tell(self) -> None:
        name, unit_s = ("h", 3600.0) if self._total_s >= HOURS_FROM_S else ("min", 60.0)
        done, total = self._media_s / unit_s, self._total_s / unit_s
        rate = self._frames / max(time.monotonic() - self._began, 1e-3)
        told = f", {rate:.{0 if rate >= 10 else 1}f} frames/s" if self._frames else ""
        text = f"{done:.1f}/{total:.1f} {name} of video{told}"
        self._bar.update(self._all, completed=self._media_s, text=text)
