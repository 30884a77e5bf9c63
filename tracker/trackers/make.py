"""Make the tracker that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from bytetrack import SORT, BoTSORT, BYTETracker, DeepSORT, MotionTracker, RotatedTracker, StrongSORT
from bytetrack.life import NOMINAL_RATE
from bytetrack.rotated_tracker import (
    RotatedBoTSORT,
    RotatedBYTETracker,
    RotatedDeepSORT,
    RotatedSORT,
    RotatedStrongSORT,
)
from tracker.contracts import LastingTracker
from tracker.trackers.settings import (
    KIND_OF,
    MATCHED_BY,
    NEED_LOOKS,
    TrackerSettings,
    lacks_looks,
    lacks_shapes,
)
from tracker.types import OptionError

TRACKERS: dict[str, Callable[..., BYTETracker]] = {
    "motion": MotionTracker,
    "bytetrack": BYTETracker,
    "botsort": BoTSORT,
    "strongsort": StrongSORT,
    "deepsort": DeepSORT,
    "sort": SORT,
}
ROTATED: dict[str, Callable[..., BYTETracker]] = {
    "motion": RotatedTracker,
    "bytetrack": RotatedBYTETracker,
    "botsort": RotatedBoTSORT,
    "strongsort": RotatedStrongSORT,
    "deepsort": RotatedDeepSORT,
    "sort": RotatedSORT,
}


def make_tracker(
    kind: str,
    settings: TrackerSettings,
    fps: float,
    size: tuple[int, int] | None = None,
    found: str = "detect",
) -> LastingTracker:
    """Return a fresh tracker of a ``kind`` in ``TRACKERS``; a `VisualTracker` where the picture is needed.

    ``fps`` and ``size`` (width, height in pixels) are the source's, ``found`` is what the detector finds
    (`Detector.kind`): rotated boxes are followed as such. Every class in ``TRACKERS`` takes the parameters of
    ``BYTETracker``. Raises ``OptionError`` and ``WeightsError`` for ``--appearance``, and
    ``OptionError`` where ``match_by`` is not found.
    """
    if kind in NEED_LOOKS and settings.appearance == "none":
        raise OptionError(lacks_looks(kind))
    maker = (ROTATED if found == "obb" else TRACKERS)[kind]
    if settings.match_by != MATCHED_BY[0]:
        if found != KIND_OF[settings.match_by]:
            raise OptionError(lacks_shapes(settings.match_by))
        from bytetrack.competing import by_shapes

        maker = by_shapes(cast(type[BYTETracker], maker), settings.match_by)
    tracker = maker(
        track_thresh=settings.track_thresh,
        new_track_thresh=settings.new_track_thresh,
        match_thresh=settings.match_thresh,
        track_buffer=settings.lost_s * NOMINAL_RATE,
        frame_rate=fps,
    )
    if settings.appearance == "none" and settings.camera_motion == "off":
        return tracker
    from tracker.trackers.visual import make_visual_tracker

    return make_visual_tracker(tracker, settings, size)
