"""Options become a tracker."""

from __future__ import annotations

from collections.abc import Callable

from bytetrack import BYTETracker
from tracker.options import Options
from tracker.types import Tracker

FRAMES_PER_BUFFER_SECOND = 30  # ByteTrack's track_buffer counts frames at 30 fps

TRACKERS: dict[str, Callable[..., Tracker]] = {"bytetrack": BYTETracker}


def make_tracker(kind: str, options: Options, fps: float) -> Tracker:
    """Return a fresh tracker of a ``kind`` in ``TRACKERS`` for a source of ``fps`` frames per second.

    Every class in ``TRACKERS`` takes the parameters of ``BYTETracker``.
    """
    return TRACKERS[kind](
        track_thresh=options.conf,
        new_track_thresh=options.new_track_thresh,
        match_thresh=options.match_thresh,
        track_buffer=options.lost * FRAMES_PER_BUFFER_SECOND,
        frame_rate=fps,
    )
