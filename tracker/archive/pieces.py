"""The pieces of a recording, the parts that store their detections, and whether parts belong together."""

from __future__ import annotations

import hashlib
import math
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from tracker.sources.video_piece import Seams, Seen
from tracker.types import Json

PIECE_S = 60.0  # so much is done anew where a worker is killed; a seek costs a second or two of decoding
FOLDER = "detections"
WHOLE = "whole.parquet"
FAILED = "failed.json"
ABOUT = "archive"  # key, in what a part says of itself
FEATURES = ("avx", "fma", "amx", "sse4_2", "asimd", "sve")  # beginnings of what decides how sums are rounded


@dataclass(frozen=True)
class Probed:
    """What is known of a recording that was opened."""

    known: str = ""  # by what is in it
    stamp: tuple[str | int, ...] = ()
    duration_s: float | None = None
    fps: float = 0.0
    size: tuple[int, int] = (0, 0)
    start_wall: float | None = None  # by its metadata
    utc_offset_s: float | None = None
    why_whole: str = ""  # why it cannot be cut
    error: str = ""  # why it cannot be read


@dataclass(frozen=True)
class Piece:
    """A part of a recording that one worker looks at; ``number`` None: the whole of it."""

    number: int | None
    start_s: float = 0.0
    end_s: float | None = None

    @property
    def part(self) -> str:
        """The name of the file of its detections."""
        return WHOLE if self.number is None else f"{self.number:05d}.parquet"


def cut(probed: Probed, piece_s: float) -> list[Piece]:
    """Return the pieces of a recording; the last has no end, since durations are not exact.

    >>> [piece.part for piece in cut(Probed(duration_s=130), 60)]
    ['00000.parquet', '00001.parquet', '00002.parquet']
    >>> [piece.part for piece in cut(Probed(duration_s=30), 60)]
    ['whole.parquet']
    """
    length = probed.duration_s
    if length is None or length <= piece_s or probed.why_whole:
        return [Piece(None)]
    count = math.ceil(length / piece_s)
    starts = [number * piece_s for number in range(count)]
    ends: list[float | None] = [*starts[1:], None]
    return [Piece(number, *times) for number, times in enumerate(zip(starts, ends, strict=True))]


def folder_of(camera: str, recording: str, known: str) -> str:
    """Return the folder of the parts of a recording; one whose content has changed has another."""
    return f"{FOLDER}/camera={camera}/file={recording}~{known}"


def seams_to_json(seams: Seams) -> Json:
    """Return what a part tells of its seams."""
    return {"end_s": seams.end_s, "first": [*map(list, seams.first)], "after": [*map(list, seams.after)]}


def seams_of(told: Json) -> Seams:
    """Return the seams that a part tells of."""
    first, after = ([Seen(float(at), str(mark)) for at, mark in told[key]] for key in ("first", "after"))
    return Seams(told["end_s"], first, after)


def arithmetic(about: Json) -> dict[str, str]:
    """Return what of a part decides how its numbers were rounded: all of a camera must agree in it."""
    told = {
        "network": about["network"],
        "weights": str(about["weights_sha256"])[:12],
        "processor": about[ABOUT]["processor"],
    }
    return told | {f"version of {name}": number for name, number in about["versions"].items()}


def difference(one: dict[str, str], other: dict[str, str]) -> str | None:
    """Return in what two arithmetics differ, in words; None where they are the same.

    >>> difference({"network": "fp32"}, {"network": "bf16"})
    'network: fp32 and bf16'
    """
    for name in sorted({*one, *other}):
        if one.get(name) != other.get(name):
            return f"{name}: {one.get(name, 'none')} and {other.get(name, 'none')}"
    return None


@lru_cache(maxsize=1)
def processor() -> str:
    """Return what the processor of this machine can, as far as results depend on it."""
    flags: set[str] = set()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return f"{platform.machine()} {platform.processor()}".strip()
    for line in text.splitlines():
        if line.startswith(("flags", "Features")):
            flags = {flag for flag in line.partition(":")[2].split() if flag.startswith(FEATURES)}
            break
    return " ".join([platform.machine(), *sorted(flags)])


@lru_cache(maxsize=1)
def release() -> str:
    """Return the version of this program with a hash of its source, which is to be alike on all machines."""
    summed = hashlib.sha256()
    for path in _sources():
        summed.update(path.name.encode())
        summed.update(path.read_bytes())
    return f"{version('track-anything-in-video')} ({summed.hexdigest()[:8]})"


def _sources() -> Iterator[Path]:
    import bytetrack
    import tracker

    for package in (bytetrack, tracker):
        yield from sorted(Path(str(package.__file__)).parent.rglob("*.py"))
