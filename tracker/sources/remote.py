"""Whether an HTTP address is a file or a live stream, by what the server sends."""

from __future__ import annotations

import av
from av.container import InputContainer

from tracker.sources import address
from tracker.sources.bounded_http import BoundedHttp
from tracker.sources.limits import MAX_PIXELS
from tracker.sources.media_file import LENIENT

ANSWER_S = 5.0  # if there is no answer by then, the name decides
# Enough to recognise the container; its streams are examined when it is opened to be read.
PROBE_OPTIONS = {"analyzeduration": "500000", "fpsprobesize": "0", "probesize": "500000"}
PROBE_OPTIONS["max_pixels"] = str(MAX_PIXELS)
PLAYLISTS = frozenset(("hls", "dash"))  # they have a duration if they have an end
HEADED = frozenset(
    ("mov", "matroska", "webm", "flv", "avi", "asf")
)  # their header has the duration if it is known


def is_file(uri: str, most_s: float | None = None) -> bool:
    """Return True if it has an end: it is read completely, unlike a live stream.

    An answer is waited for for ``most_s``, at most ``ANSWER_S``.
    """
    answer_s = ANSWER_S if most_s is None else min(ANSWER_S, most_s)
    try:
        with BoundedHttp(uri, answer_s) as raw:
            if raw.parts:
                return False  # whatever length it tells: what a server pushes is live
            if not raw.lists and not raw.size:
                with av.open(raw, options=dict(PROBE_OPTIONS), **LENIENT) as container:
                    return _has_end(container)
        with av.open(uri, options=dict(PROBE_OPTIONS), timeout=answer_s, **LENIENT) as container:
            return _has_end(container)
    except (av.error.FFmpegError, OSError, ValueError):
        return address.names_a_file(uri)


def _has_end(container: InputContainer) -> bool:
    names = set(container.format.name.split(","))
    told = bool(container.duration and container.duration > 0)
    if names & PLAYLISTS:
        return told
    return (container.size or 0) > 0 or (told and bool(names & HEADED))
