"""Recording for days: files named by time, the oldest of them deleted."""

from __future__ import annotations

import math
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tracker.sinks import output_file

STAMP = r"(\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)(?:-\d+)?"  # of a live source: the clock
CLOCK = "%Y-%m-%d_%H-%M-%S"


@dataclass(frozen=True)
class Segments:
    """When a new file begins, what it is called, and which are kept.

    A file ends at the next multiple of ``length_s`` of the clock. What is deleted are files that this run
    has made and, of a live source, those that earlier runs left under ``path``'s name with a date and a time.
    The times of a film look like dates that people give to files (24-12-24), and prove nothing.
    """

    path: Path  # out.mp4: the files are out_2026-03-01_14-20-00.mp4, or out_00-10-00.mp4 of a film
    live: bool
    length_s: float | None = None  # None: one file
    keep_s: float | None = None  # age after which a file goes
    keep_gb: float | None = None  # 1e9 bytes that all files together may have
    made: list[Path] = field(default_factory=list)  # by this run, and still there

    def number(self, time_s: float) -> int:
        """Return which segment a time belongs to."""
        return 0 if self.length_s is None else math.floor(time_s / self.length_s)

    def name(self, time_s: float) -> Path:
        """Return a path for the segment beginning at a time that no file has."""
        if self.live:
            stamp = time.strftime(CLOCK, time.localtime(time_s))
        else:
            whole = int(time_s)
            stamp = f"{whole // 3600:02d}-{whole // 60 % 60:02d}-{whole % 60:02d}"
        tail = f"_{stamp}{self.path.suffix}"
        count = 2  # the hour that summer time repeats
        while os.path.lexists(path := output_file.beside(self.path, self.path.stem, tail)):
            tail = f"_{stamp}-{count}{self.path.suffix}"
            count += 1
        return path

    def prune(self) -> list[str]:
        """Delete what is too old or too much, the oldest first; the newest file always stays.

        Returns what cannot be deleted, and why.
        """
        failed: list[str] = []
        if self.keep_s is None and self.keep_gb is None:
            return failed
        files = sorted(self._own(), key=lambda entry: entry[1])
        total = sum(size for _, _, size in files)
        for path, changed, size in files[:-1]:
            old = self.keep_s is not None and time.time() - changed > self.keep_s
            much = self.keep_gb is not None and total > self.keep_gb * 1e9
            if not (old or much):
                break
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                failed.append(f"{path}: should be deleted (--keep), but cannot ({error.strerror})")
                continue
            total -= size
        self.made[:] = [path for path in self.made if path.exists()]
        return failed

    def _own(self) -> Iterator[tuple[Path, float, int]]:
        found = set(self.made)
        if self.live:
            with suppress(OSError):  # a folder that is gone holds nothing
                found |= {path for path in self.path.parent.iterdir() if self._is_named_by_time(path.name)}
        for path in found:
            with suppress(OSError):
                state = path.lstat()
                if stat.S_ISREG(state.st_mode):
                    yield path, state.st_mtime, state.st_size

    def _is_named_by_time(self, name: str) -> bool:
        plain = output_file.beside(self.path, self.path.stem, f"_{'0' * 19}{self.path.suffix}").name
        stem = plain[: -20 - len(self.path.suffix)]  # as it was cut where it is too long
        found = re.fullmatch(f"{re.escape(stem)}_{STAMP}(?:\\.part\\d*)?{re.escape(self.path.suffix)}", name)
        if found is None:
            return False
        try:
            time.strptime(found[1], CLOCK)
        except ValueError:
            return False
        return True
