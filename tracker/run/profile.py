"""Where the time of a run went: what ``--profile`` prints after the table."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Which thread does which stages; in "detect" the loop also waits for the network.
THREADS = {
    "reading": ("decode",),
    "the loop": ("detect", "track", "plugins"),
    "writing": ("draw", "encode"),
}


@dataclass
class Profile:
    """Follows a run from its first frame on; costs two queue lengths a frame."""

    live: bool = False  # a camera sets the pace, and no queue before the loop tells anything
    started: float = field(default_factory=time.perf_counter)
    cpu_started: float = field(default_factory=time.process_time)
    _frames: int = 0
    _samples: int = 0  # more than there are frames if a file is read twice
    _read: int = 0  # frames that waited to be detected, summed over all samples
    _written: int = 0  # results that waited to be written

    def sample(self, read: int, written: int, *, first_pass: bool = False) -> None:
        """Count what waits in front of the loop and behind it, once a frame; a first pass counts no frame."""
        self._frames += not first_pass
        self._samples += 1
        self._read += read
        self._written += written

    def rows(self, seconds: Mapping[str, float], idle: float | None = None) -> list[tuple[str, str]]:
        """Return names and values: threads, network, queues, the narrowest part, CPU and memory.

        ``idle`` is the part of its time in which the network rested, where the detector knows it.
        """
        wall = time.perf_counter() - self.started
        cpu = time.process_time() - self.cpu_started
        frames = max(self._frames, 1)
        rows = [("profile", f"{1000 * wall / frames:.1f} ms of wall time per frame")]
        for thread, stages in THREADS.items():
            parts = {stage: seconds[stage] for stage in stages if stage in seconds}
            if parts:
                told = " + ".join(f"{stage} {1000 * spent / frames:.1f}" for stage, spent in parts.items())
                rows.append((thread, f"{min(sum(parts.values()) / wall, 1):.0%} of the time, ms: {told}"))
        if idle is not None:
            rows.append(("network", f"resting {idle:.1%} of the time"))
        samples = max(self._samples, 1)
        read, written = self._read / samples, self._written / samples
        rows.append(("waiting", f"{read:.1f} frames to be detected, {written:.1f} to be written"))
        if not self.live:
            rows.append(("narrowest", narrowest(read, written)))
        rows.append(("CPU", f"{cpu:.1f} s, {1000 * cpu / frames:.0f} ms per frame, {cpu / wall:.1f} cores"))
        rows.append(("memory", f"{peak_bytes() / 1e6:.0f} MB at most"))
        return rows


def narrowest(read: float, written: float) -> str:
    """Say which part the others wait for, from the mean number of frames before and behind the loop.

    >>> narrowest(3.9, 0.1), narrowest(0.2, 0.1)
    ('detection: try --int8, a smaller --imgsz or --detect-every', 'reading the source')
    """
    if written > 2:
        return "drawing and encoding: --no-save shows what they cost"
    if read < 1:
        return "reading the source"
    return "detection: try --int8, a smaller --imgsz or --detect-every"


def peak_bytes() -> int:
    """Return the most memory this process ever held, in bytes; 0 where the system does not say."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent held when it started us
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
