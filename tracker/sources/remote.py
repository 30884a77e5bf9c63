"""Whether what lies behind an HTTP address is a file or a camera: asked of itself, not of its name."""

from __future__ import annotations

import av
from av.container import InputContainer

from tracker.sources import address
from tracker.sources.bounded import Bounded
from tracker.sources.film import LENIENT
from tracker.sources.limits import MAX_PIXELS

ANSWER_S = 5.0  # who has not answered by then is taken by the name
# A glance: enough to know the container; what is in it is looked at by who plays it.
GLANCE = {"analyzeduration": "500000", "fpsprobesize": "0", "probesize": "500000"}
GLANCE["max_pixels"] = str(MAX_PIXELS)
PLAYLISTS = frozenset(("hls", "dash"))  # they know how long they are when they have an end
HEADED = frozenset(("mov", "matroska", "webm", "flv", "avi", "asf"))  # theirs tells it where it is known


def is_file(uri: str) -> bool:
    """Return True for what has an end: read whole and in order, unlike a camera."""
    try:
        with Bounded(uri, ANSWER_S) as raw:
            if raw.parts:
                return False  # whatever length it claims: what a server pushes is live
            if not raw.lists and not raw.size:
                with av.open(raw, options=dict(GLANCE), **LENIENT) as container:
                    return _has_end(container)
        with av.open(uri, options=dict(GLANCE), timeout=ANSWER_S, **LENIENT) as container:
            return _has_end(container)
    except (av.error.FFmpegError, OSError, ValueError):
        return address.names_a_file(uri)


def _has_end(container: InputContainer) -> bool:
    names = set(container.format.name.split(","))
    told = bool(container.duration and container.duration > 0)
    if names & PLAYLISTS:
        return told
    return (container.size or 0) > 0 or (told and bool(names & HEADED))
