"""The frame loop: source, detector, tracker and plugins in one direction, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

import numpy as np

from bytetrack import Detections, Tracks
from tracker.types import (
    Canvas,
    Detector,
    Event,
    Frame,
    Plugin,
    PluginError,
    PredictingTracker,
    Result,
    Stopwatch,
    Tracker,
)


def run(
    source: Iterable[Frame],
    detector: Detector,
    tracker: Tracker,
    plugins: Sequence[Plugin] = (),
    *,
    sketch: bool = True,
    stopwatch: Stopwatch | None = None,
    since: float | None = None,
) -> Iterator[Result]:
    """Yield one ``Result`` per frame, in order, with no other effect.

    ``sketch`` collects what plugins draw; ``since`` is the time of the frame that the tracker saw last, where
    it goes on from an earlier run. Raises ``PluginError`` when a plugin raises.
    """
    watch = stopwatch or Stopwatch()
    happened: Callable[[], list[Event]] = getattr(source, "events", list)
    before = since
    look = getattr(tracker, "look", None)
    for frame, detections in detector.stream(source):
        with watch("track"):
            if look is not None:
                look(frame)
            dt = frames_passed(before, frame.time, tracker.frame_rate)
            if detections is None:  # nobody looked; only a detector told to leave frames out does that
                tracks = cast(PredictingTracker, tracker).predict(dt)
            else:
                tracks = tracker.update(detections, dt)
        before = frame.time
        with watch("plugins"):
            supposed = tracks.source < 0  # is shown, never counted
            seen = tracks[~supposed] if np.count_nonzero(supposed) else tracks
            events = (*happened(), *(event for plugin in plugins for event in _update(plugin, frame, seen)))
            canvas = Canvas()
            for plugin in plugins if sketch else ():
                _draw(plugin, canvas, frame)
        yield Result(
            frame,
            Detections.empty() if detections is None else detections,
            tracks,
            events,
            tuple(canvas.marks),
        )


def finish(plugins: Sequence[Plugin], source: Iterable[Frame] = ()) -> list[Event]:
    """Collect what happened to the source, and what the plugins have to say, after the last frame."""
    lost: list[Event] = getattr(source, "events", list)()
    return lost + [event for plugin in plugins if hasattr(plugin, "finish") for event in plugin.finish()]


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


def _update(plugin: Plugin, frame: Frame, tracks: Tracks) -> list[Event]:
    try:
        return list(plugin.update(frame, tracks))
    except Exception as error:
        raise _plugin_error(plugin, "update", frame, error) from error


def _draw(plugin: Plugin, canvas: Canvas, frame: Frame) -> None:
    if hasattr(plugin, "draw"):
        try:
            plugin.draw(canvas)
        except Exception as error:
            raise _plugin_error(plugin, "draw", frame, error) from error


def _plugin_error(plugin: Plugin, method: str, frame: Frame, error: Exception) -> PluginError:
    return PluginError(
        f"plugin {type(plugin).__name__}.{method} failed at frame {frame.index} ({frame.time:.2f} s): "
        f"{type(error).__name__}: {error}"
    )
