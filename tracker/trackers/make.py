"""Make the tracker that the options ask for."""

from __future__ import annotations

from collections.abc import Callable

from bytetrack import SORT, BYTETracker, MotionTracker
from tracker.options import Options
from tracker.types import LastingTracker

FRAMES_PER_BUFFER_SECOND = 30  # ByteTrack's track_buffer counts frames at 30 fps

TRACKERS: dict[str, Callable[..., BYTETracker]] = {
    "motion": MotionTracker,
    "bytetrack": BYTETracker,
    "sort": SORT,
}


def make_tracker(
    kind: str, options: Options, fps: float, size: tuple[int, int] | None = None
) -> LastingTracker:
    """Return a fresh tracker of a ``kind`` in ``TRACKERS``; a `VisualTracker` where the picture is needed.

    ``fps`` and ``size`` (width, height in pixels) are the source's. Every class in ``TRACKERS`` takes the
    parameters of ``BYTETracker``. Raises ``OptionError`` and ``WeightsError`` for ``--appearance``.
    """
    tracker = TRACKERS[kind](
        track_thresh=options.conf,
        new_track_thresh=options.new_track_thresh,
        match_thresh=options.match_thresh,
        track_buffer=options.lost * FRAMES_PER_BUFFER_SECOND,
        frame_rate=fps,
    )
    if options.appearance == "none" and options.camera_motion == "off":
        return tracker
    from tracker.trackers.visual import make_visual_tracker

    return make_visual_tracker(tracker, options, size)
