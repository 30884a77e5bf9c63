"""The frame loop: source, detector, tracker and plugins in one direction, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

import numpy as np

from bytetrack import Detections
from bytetrack.last_shapes import LastShapes
from tracker.contracts import Detector, PictureTracker, PluginLike, PredictingTracker, Source, Tracker
from tracker.plugin_host import Host
from tracker.types import (
    Event,
    Frame,
    Image,
    Result,
    Stopwatch,
)

NOTHING = Detections.empty()  # of a frame that nobody looked at
LOST_S = 2.0  # seconds that tracks keep the last shape that was seen of them: as long as a lost track


def run(
    source: Iterable[Frame],
    detector: Detector,
    tracker: Tracker,
    plugins: Sequence[PluginLike] | Host = (),
    *,
    sketch: bool = True,
    stopwatch: Stopwatch | None = None,
    since: float | None = None,
    painter: Callable[[Result], Image] | None = None,
) -> Iterator[Result]:
    """Yield one ``Result`` per frame, in order, with no other effect.

    ``sketch`` collects what plugins draw; ``since`` is the time of the frame that the tracker saw last, where
    it goes on from an earlier run; ``painter`` draws results for who asks. Raises ``PluginError`` when a
    plugin raises.
    """
    watch = stopwatch or Stopwatch()
    host = plugins if isinstance(plugins, Host) else Host(plugins)
    happened = source.drain_events if isinstance(source, Source) else list  # frames alone tell nothing
    before = since
    observe = tracker.observe if isinstance(tracker, PictureTracker) else None
    shapes = LastShapes(LOST_S)
    for frame, detections in detector.stream(source):
        with watch("track"):
            if observe is not None:
                observe(frame)
            dt = frames_passed(before, frame.time, tracker.frame_rate)
            if detections is None:  # nobody looked; only a detector told to leave frames out does that
                tracks = cast(PredictingTracker, tracker).predict(dt)
            else:
                tracks = tracker.update(detections, dt)
            tracks = shapes.carry(tracks, NOTHING if detections is None else detections, frame.time)
        before = frame.time
        with watch("plugins"):
            supposed = tracks.source < 0  # is shown, never counted
            seen = tracks[~supposed] if np.count_nonzero(supposed) else tracks
            events, marks = host.look(frame, seen, happened(), sketch=sketch)
        found = NOTHING if detections is None else detections
        yield Result(frame, found, tracks, events, marks, painter, detections is not None)


def finish(plugins: Sequence[PluginLike] | Host, source: Iterable[Frame] = ()) -> list[Event]:
    """Collect what happened to the source, and what the plugins have to say, after the last frame.

    Raises ``PluginError``, where ``plugins`` is no ``Host`` that keeps it.
    """
    lost = source.drain_events() if isinstance(source, Source) else []
    host = plugins if isinstance(plugins, Host) else Host(plugins)
    events = lost + host.finish()
    if host is not plugins and host.errors:
        raise host.errors[0]
    return events


def frames_passed(before: float | None, now: float, frame_rate: float) -> float:
    """Return the time between two frames in nominal frames, 1 for the first.

    Containers round timestamps (Matroska to 1 ms), so what is within 5 % of a whole number of frames is
    that number: a file of constant frame rate is tracked exactly as the paper does. A clock that stands or
    runs backwards counts as one frame.

    >>> frames_passed(0.0, 0.033, 30.0), frames_passed(0.0, 0.5, 30.0), frames_passed(5.0, 4.0, 30.0)
    (1.0, 15.0, 1.0)
    """
    if before is None or now <= before:
        return 1.0
    passed = (now - before) * frame_rate
    whole = round(passed)
    return float(whole) if whole >= 1 and abs(passed - whole) <= 0.05 else passed
