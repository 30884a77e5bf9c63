"""How many threads each library may use, so that together they do not ask for more cores than there are.

OpenCV, torch, OpenVINO, the decoder and x264 would each take all cores for itself; ``benchmarks.threads``
measures what other shares cost.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Threads:
    """Numbers of threads for one run."""

    inference: int
    opencv: int
    decoder: int  # 0: as many as FFmpeg likes
    encoder: int


def cores() -> int:
    """Return the number of cores this process may use, by affinity and by a container's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(count, _quota())))


def _quota() -> float:
    """Return the cores that a control group grants, infinity without a limit."""
    try:
        limit, period = (CGROUP / "cpu.max").read_text(encoding="ascii").split()
        return int(limit) / int(period)
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return math.inf


@lru_cache(maxsize=1)
def plan() -> Threads:
    """Return the shares of this process, the same for its whole life."""
    count = cores()
    return Threads(
        inference=count,
        opencv=max(1, count // 2),
        decoder=min(count, 4),
        encoder=min(max(1, count // 2), 8),
    )


def settle() -> None:
    """Set what holds for the whole process; called by every run before it opens anything."""
    import cv2

    cv2.setNumThreads(plan().opencv)
