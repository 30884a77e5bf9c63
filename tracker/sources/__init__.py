"""Sources of frames: one file per kind of input; ``open_source`` chooses."""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from pathlib import Path

from tracker import parse
from tracker.contracts import Source
from tracker.types import InputError, OptionError, Stopwatch


def open_source(
    uri: str | Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    stride: int = 1,
    fps: float | None = None,
    max_frames: int | None = None,
    decode: str = "auto",
    stop: threading.Event | None = None,
    stopwatch: Stopwatch | None = None,
    rtsp_transport: str = "tcp",
    camera_size: str | tuple[int, int] | None = None,
    camera_fps: float | None = None,
    give_up_after_s: float | None = None,
    name: str | None = None,
) -> Source:
    """Return the source that ``uri`` means, not yet opened.

    A number or ``/dev/video*`` is a camera of this machine, an address with a scheme (``rtsp://``,
    ``rtmp://``, ``http://``, ``udp://``, ``srt://``) a live stream, unless it is HTTP and has an end: a file,
    or a complete playlist. A folder, glob pattern or image file gives its images; anything else is a video
    file. A file of exactly that name comes before all of these.

    ``start_s`` and ``end_s`` are media time (of live sources: seconds since the first frame, no start),
    ``decode`` "cpu" leaves hardware decoders alone, which files of large pictures use where there are any;
    ``stride`` 2 yields every second frame, ``fps`` replaces the frame rate that a file tells. Iteration ends
    soon after ``stop`` is set. The last five options are for live sources; ``name`` is what to call one, by
    default its address, in which nothing is secret. Raises ``OptionError`` here and
    ``InputError`` when it is entered.
    """
    from tracker.sources import address, remote
    from tracker.sources.ahead import FrameSelection
    from tracker.sources.images import SUFFIXES, Images
    from tracker.sources.video_file import VideoFile

    text = str(uri).removeprefix("file://")
    path = Path(text)
    wanted = FrameSelection(start_s, end_s, stride, max_frames)
    began = time.monotonic()
    if address.is_http(text) and remote.is_file(text, give_up_after_s):
        return VideoFile(text, wanted, stop, stopwatch, fps=fps, decode=decode)
    camera = re.fullmatch(r"\d+|/dev/video.*", text) and not path.is_file()
    if camera or address.scheme(text):
        from tracker.sources.camera import CameraCapture
        from tracker.sources.live import Capture, LiveSource
        from tracker.sources.stream import StreamCapture

        if fps is not None:
            raise OptionError(f"--fps {fps:g}: {address.redact(text)} is live and has its own clock")
        capture: Capture
        if camera:
            known = shown = f"camera{text}" if text.isdecimal() else path.name
            patient = give_up_after_s is not None
            capture = CameraCapture(text, _size(camera_size), camera_fps, patient=patient)
        else:
            known, shown = address.name(text), address.redact(text)
            capture = StreamCapture(text, rtsp_transport, most_s=give_up_after_s)
        return LiveSource(
            name or known,
            shown,
            capture,
            wanted,
            stop,
            stopwatch,
            give_up_after_s=give_up_after_s,
            label=name,
            waited_s=time.monotonic() - began,
        )
    try:
        os.stat(text)  # noqa: PTH116 - Path takes no NUL
    except (OSError, ValueError) as error:
        if not isinstance(error, OSError) or error.errno == errno.ENAMETOOLONG:
            raise InputError(f"{text[:40]!r}...: is not a valid file name") from error
    pattern = any(sign in text for sign in "*?[") and not path.exists()
    if pattern or path.is_dir() or path.suffix.lower() in SUFFIXES:
        return Images(text, wanted, stop, stopwatch, fps=fps)
    return VideoFile(path, wanted, stop, stopwatch, fps=fps, decode=decode)


def _size(text: str | tuple[int, int] | None) -> tuple[int, int] | None:
    if text is None or isinstance(text, tuple):
        return text
    try:
        return parse.size(text)
    except OptionError as error:
        raise OptionError(f"--camera-size {error}") from None
