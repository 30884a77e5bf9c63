"""Recording in segments: files named by time, of which the oldest are deleted."""

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
from tracker.types import OptionError

STAMP = r"(\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)(?:-\d+)?"  # the wall clock, of a live source
STAMP_FORMAT = "%Y-%m-%d_%H-%M-%S"


@dataclass(frozen=True)
class Segments:
    """When a new file begins, how it is named, and which files are kept.

    A file ends at the next multiple of ``length_s`` of the clock. Deleted are files of this run and, of a
    live source, those of earlier runs: with the name of ``path``, a date and a time. Names with the times of
    a video are not enough, because people name files by dates that look like them (24-12-24).
    """

    path: Path  # out.mp4: the files are out_2026-03-01_14-20-00.mp4, or out_00-10-00.mp4 of a video file
    live: bool
    length_s: float | None = None  # None: one file
    keep_s: float | None = None  # age after which a file is deleted
    keep_gb: float | None = None  # 1e9 bytes that all files together may have
    made: list[Path] = field(default_factory=list)  # files of this run that still exist

    def __post_init__(self) -> None:
        """Check the options; raises ``OptionError``."""
        if (self.keep_s is not None or self.keep_gb is not None) and self.length_s is None:
            raise OptionError("--keep and --keep-gb delete old segments: add --segment, such as 10m")
        for option, seconds in (("--segment", self.length_s), ("--keep", self.keep_s)):
            if seconds is not None and not 0 < seconds < math.inf:
                raise OptionError(f"{option} {seconds:g}: must be more than 0 seconds")
        if self.keep_gb is not None and not 0 < self.keep_gb < math.inf:
            raise OptionError(f"--keep-gb {self.keep_gb}: must be more than 0")

    def number(self, time_s: float) -> int:
        """Return which segment a time belongs to."""
        return 0 if self.length_s is None else math.floor(time_s / self.length_s)

    def name(self, time_s: float) -> Path:
        """Return the path of the segment that begins at a time; no file has it yet."""
        if self.live:
            stamp = time.strftime(STAMP_FORMAT, time.localtime(time_s))
        else:
            whole = int(time_s)
            stamp = f"{whole // 3600:02d}-{whole // 60 % 60:02d}-{whole % 60:02d}"
        tail = f"_{stamp}{self.path.suffix}"
        count = 2  # when summer time ends, an hour is repeated
        while os.path.lexists(path := output_file.beside(self.path, self.path.stem, tail)):
            tail = f"_{stamp}-{count}{self.path.suffix}"
            count += 1
        return path

    def prune(self) -> list[str]:
        """Delete files that are too old or too many, the oldest first, but never the newest.

        Returns which files cannot be deleted, and why.
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
            with suppress(OSError):  # the folder was deleted
                found |= {path for path in self.path.parent.iterdir() if self._is_named_by_time(path.name)}
        for path in found:
            with suppress(OSError):
                state = path.lstat()
                if stat.S_ISREG(state.st_mode):
                    yield path, state.st_mtime, state.st_size

    def _is_named_by_time(self, name: str) -> bool:
        plain = output_file.beside(self.path, self.path.stem, f"_{'0' * 19}{self.path.suffix}").name
        stem = plain[: -20 - len(self.path.suffix)]  # shortened if it was too long
        found = re.fullmatch(f"{re.escape(stem)}_{STAMP}(?:\\.part\\d*)?{re.escape(self.path.suffix)}", name)
        if found is None:
            return False
        try:
            time.strptime(found[1], STAMP_FORMAT)
        except ValueError:
            return False
        return True
