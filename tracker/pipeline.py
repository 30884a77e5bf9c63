"""The frame loop: source, detector, tracker and plugins in one direction, nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

import numpy as np

from bytetrack import Detections, Tracks
from tracker.types import (
    Canvas,
    Detector,
    Event,
    Frame,
    Json,
    Mark,
    Picture,
    Plugin,
    PluginError,
    PredictingTracker,
    Result,
    Scene,
    Stopwatch,
    Tracker,
    TrackError,
)

Answer = TypeVar("Answer")


def run(
    source: Iterable[Frame],
    detector: Detector,
    tracker: Tracker,
    plugins: Sequence[Plugin] | Host = (),
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
    host = plugins if isinstance(plugins, Host) else Host(plugins)
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
            events, marks = host.look(frame, seen, happened(), sketch=sketch)
        yield Result(frame, Detections.empty() if detections is None else detections, tracks, events, marks)


class Host:
    """The plugins of one run: asks each in turn, and knows which failed, in what and when.

    Whoever has raised is not asked again. The others are, so that what they found is kept: `look` raises
    when all have seen the frame, and what happened in it comes with `finish`. From `finish` on nothing is
    raised; ``errors`` has what is to be told when everything has been written.
    """

    def __init__(self, plugins: Iterable[Plugin] = ()) -> None:
        self.plugins = list(plugins)
        self.errors: list[PluginError] = []
        self._failed: set[int] = set()
        self._when = "before the first frame"
        self._live = False
        self._left_over: list[Event] = []  # of a frame that has no result

    def start(self, scene: Scene) -> None:
        """Begin; raises ``PluginError``, or what a plugin says about its options."""
        self._live = scene.live
        for plugin in self.plugins:
            if hasattr(plugin, "start"):
                try:
                    plugin.start(scene)
                except TrackError:
                    raise
                except (Exception, SystemExit, GeneratorExit) as error:
                    raise failure(plugin, "start", self._when, error) from error

    def look(
        self, frame: Frame, tracks: Tracks, happened: Iterable[Event] = (), *, sketch: bool = True
    ) -> tuple[tuple[Event, ...], tuple[Mark, ...]]:
        """Return what happened in a frame, after what ``happened`` to its source, and what was drawn."""
        self._when = moment(frame.index, frame.time, self._live)
        events, canvas = list(happened), Canvas()
        for plugin in self.plugins:
            events += self.attempt(plugin, "update", _events, [], frame, tracks)
        for plugin in self.plugins if sketch else ():
            canvas.by = type(plugin).__name__
            self.attempt(plugin, "draw", bool, False, canvas)
        if self.errors:
            self._left_over = events
            raise self.errors[0]
        return tuple(events), tuple(canvas.marks)

    def finish(self) -> list[Event]:
        """Return what is left to say after the last frame."""
        events, self._left_over = self._left_over, []
        nothing: list[Event] = []
        for plugin in self.plugins:
            events = events + self.attempt(plugin, "finish", _events, nothing)
        return events

    def files(self) -> Iterator[tuple[Plugin, str, Picture | Json]]:
        """Yield what plugins leave at the end, each with its suffix and whose it is."""
        nothing: list[tuple[str, Picture | Json]] = []
        for plugin in self.plugins:
            for suffix, content in self.attempt(plugin, "files", _items, nothing):
                yield plugin, suffix, content

    def summaries(self) -> list[list[tuple[str, str]]]:
        """Return the rows of each for the table."""
        return [
            self.attempt(plugin, "summary", _rows, [])
            for plugin in self.plugins
            if hasattr(plugin, "summary")
        ]

    def attempt(
        self,
        plugin: Plugin,
        method: str,
        read: Callable[[Any], Answer],
        otherwise: Answer,
        *arguments: object,
    ) -> Answer:
        """Return what ``read`` makes of a method's answer.

        ``otherwise`` where this plugin has no such method, where either raises, and once it has failed.
        """
        if id(plugin) in self._failed or not hasattr(plugin, method):
            return otherwise
        try:
            return read(getattr(plugin, method)(*arguments))
        except (Exception, SystemExit, GeneratorExit) as error:
            self.fail(plugin, method, error)
            return otherwise

    def fail(self, plugin: Plugin, method: str, error: BaseException) -> None:
        """Note that a plugin failed; it is not asked again."""
        self._failed.add(id(plugin))
        self.errors.append(failure(plugin, method, self._when, error))


def finish(plugins: Sequence[Plugin] | Host, source: Iterable[Frame] = ()) -> list[Event]:
    """Collect what happened to the source, and what the plugins have to say, after the last frame.

    Raises ``PluginError``, where ``plugins`` is no ``Host`` that keeps it.
    """
    lost: list[Event] = getattr(source, "events", list)()
    host = plugins if isinstance(plugins, Host) else Host(plugins)
    events = lost + host.finish()
    if host is not plugins and host.errors:
        raise host.errors[0]
    return events


def failure(plugin: object, method: str, when: str, error: BaseException) -> PluginError:
    """Return the error that says which plugin failed, in what and when."""
    name = plugin if isinstance(plugin, str) else type(plugin).__name__
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    failed = PluginError(f"plugin {name}.{method} failed {when}: {told}")
    failed.__cause__ = error
    return failed


def moment(index: int, time_s: float, live: bool = False) -> str:
    """Return a frame's place in words; the time of what is live is told as a clock shows it.

    >>> moment(12, 0.48)
    'at frame 12 (0.48 s)'
    """
    clock = f"{datetime.fromtimestamp(time_s):%Y-%m-%d %H:%M:%S}" if live else f"{time_s:.2f} s"
    return f"at frame {index} ({clock})"


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


def _events(given: Iterable[Event] | None) -> list[Event]:
    """Return the events that a plugin gave, None meaning none; raises ``TypeError`` for what is no event."""
    events = [] if given is None else list(given)
    for event in events:
        if not isinstance(event, Event):
            raise TypeError(f"{event!r} is no tracker.types.Event")
        try:
            json.dumps([float(event.time), int(event.frame), dict(event.data)], default=_plain)
        except (TypeError, ValueError) as error:
            raise TypeError(f"event {event.kind!r} holds what JSON cannot: {error}") from error
    return events


def _plain(value: Any) -> Json:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__}: {value!r}")


def _items(given: Mapping[str, Picture | Json] | None) -> list[tuple[str, Picture | Json]]:
    return [(str(suffix), content) for suffix, content in (given or {}).items()]


def _rows(given: Iterable[tuple[object, object]] | None) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in given or ()]
