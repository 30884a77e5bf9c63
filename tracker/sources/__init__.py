"""Where frames come from: one file per kind of input; ``open_source`` picks."""

from __future__ import annotations

import threading
from pathlib import Path

from tracker.types import Source, Stopwatch


def open_source(
    uri: str | Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    stride: int = 1,
    max_frames: int | None = None,
    stop: threading.Event | None = None,
    stopwatch: Stopwatch | None = None,
) -> Source:
    """Return the source that ``uri`` means, not yet opened.

    A folder, glob pattern or image file gives its images, anything else is a video file. ``start_s`` and
    ``end_s`` are media time, ``stride`` 2 yields every second frame. Iteration ends soon after ``stop`` is
    set. Raises ``OptionError`` here and ``InputError`` when it is entered.
    """
    from tracker.sources.ahead import Wanted
    from tracker.sources.images import SUFFIXES, Images
    from tracker.sources.video_file import VideoFile

    text = str(uri).removeprefix("file://")
    path = Path(text)
    wanted = Wanted(start_s, end_s, stride, max_frames)
    pattern = any(sign in text for sign in "*?[") and not path.exists()
    if pattern or path.is_dir() or path.suffix.lower() in SUFFIXES:
        return Images(text, wanted, stop, stopwatch)
    return VideoFile(path, wanted, stop, stopwatch)
