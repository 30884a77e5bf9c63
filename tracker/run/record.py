"""What a run says of itself: settings, versions, where it counted, how long it watched, what is missing."""

from __future__ import annotations

import dataclasses
import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType

import numpy as np

from tracker.contracts import PluginLike, Sink
from tracker.options import Options
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.run.build_sinks import counted, junctions
from tracker.run.paths import flag
from tracker.sinks import output_file
from tracker.sinks.events import wall_time
from tracker.text import hide
from tracker.types import Event, Json, Result, Scene

GAP_S = 2.0  # two frames further apart are a gap of the recording
MOST_GAPS = 1000  # of them are kept
EVERY_S = 60.0  # a killed run leaves a record that is no older
PACKAGES = ("track-anything-in-video", "ultralytics", "torch", "openvino", "numpy", "opencv-python", "av")
FILES = {"events": "events", "counts": "counts", "tracks": "save_csv", "frames": "save_json"}


class RunRecord(Sink):
    """Keeps one JSON object: written when the run begins, each minute, and when it ends.

    ``at_end`` returns what is known only then. ``ended`` is false until the run has ended in order.
    """

    def __init__(
        self,
        path: Path,
        options: Options,
        scene: Scene,
        plugins: Iterable[PluginLike],
        at_end: Callable[[], Mapping[str, Json]],
    ) -> None:
        super().__init__()
        self.path = path
        self._scene, self._at_end, self._overwrite = scene, at_end, options.overwrite
        self._about = _about(options, scene, plugins)
        self._first_s: float | None = None
        self._last_s = 0.0
        self._frames = self._events = 0
        self._gaps: list[tuple[float, float]] = []
        self._written = 0.0
        self._going_on = False

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def files(self) -> list[Path]:
        """The record."""
        return [self.path]

    def __enter__(self) -> RunRecord:
        """Write what is known before the first frame; raises ``OutputError``."""
        output_file.write(self.path, self._data(), overwrite=self._overwrite or self._going_on)
        return self

    def write(self, result: Result) -> None:
        """Take one result."""
        now = result.frame.time
        if self._first_s is None:
            self._first_s = now
        elif now - self._last_s > GAP_S and len(self._gaps) < MOST_GAPS:
            self._gaps.append((self._last_s, now))
        self._last_s = now
        self._frames += 1
        self._events += len(result.events)
        if time.monotonic() - self._written > EVERY_S:
            output_file.write(self.path, self._data(), overwrite=True)

    def finish(self, events: Iterable[Event], *, interrupted: bool = False) -> None:
        """Count what came after the last frame."""
        self._events += len(list(events))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is known at the end."""
        output_file.write(self.path, self._data(ended=True), overwrite=True)

    def state(self) -> Json:
        """Return what the next part of the run adds to."""
        return {"first_s": self._first_s, "last_s": self._last_s, "frames": self._frames,
                "events": self._events, "gaps": self._gaps}  # fmt: skip

    def restore(self, state: Json, tracks: bool) -> None:
        """Go on from there; another recording has a time of its own."""
        self._going_on = True
        self._frames, self._events = int(state["frames"]), int(state["events"])
        if tracks:
            self._first_s, self._last_s = state["first_s"], float(state["last_s"])
            self._gaps = [(float(a), float(b)) for a, b in state["gaps"]]

    def _data(self, *, ended: bool = False) -> bytes:
        self._written = time.monotonic()
        seen: dict[str, Json] = {"ended": ended, "frames": self._frames, "events": self._events}
        if self._first_s is not None:
            began = wall_time(self._first_s, self._scene)
            seen |= {
                "first_s": self._first_s,
                "last_s": self._last_s,
                "began": began,
                "began_s": self._first_s,
            }
        seen["gaps"] = self._gaps
        known = {**self._about, **seen, **(self._at_end() if ended else {})}
        return json.dumps(known, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")


def settings(options: Options) -> list[str]:
    """Return the options that are not as they are without a word, as somebody would write them; no secrets.

    >>> settings(Options(conf=0.5, line=("0,0 9,9",)))
    ['--conf 0.5', "--line '0,0 9,9'"]
    """
    found = []
    for spec in dataclasses.fields(options):
        value = getattr(options, spec.name)
        if value == spec.default or value is None:
            continue
        values = value if isinstance(value, tuple) else (value,)
        for each in values:
            text = hide(f"{each:g}" if isinstance(each, float) else str(each))
            shown = repr(text) if " " in text else text
            found.append(flag(spec.name) if each is True else f"{flag(spec.name)} {shown}")
    return found


def shapes_of(options: Options, scene: Scene, plugins: Iterable[PluginLike]) -> list[Json]:
    """Return where it is counted; of two of one name, as a line that was drawn anew, the first."""
    plugins = list(plugins)
    ways = {one.name: one for one in counted(plugins, options, scene)}
    shapes: dict[str, Json] = {}
    for plugin in plugins:
        if isinstance(plugin, Line | Zone):
            shape: dict[str, Json] = {
                "kind": "line" if isinstance(plugin, Line) else "zone",
                "name": plugin.name,
                "directions": list(ways[plugin.name].directions),
                "classes": list(ways[plugin.name].classes),
                "points": np.round(np.asarray(plugin.points, np.float64), 1).tolist(),
            }
            if isinstance(plugin, Line):
                shape["arrow"] = np.round(np.array(plugin.arrow()), 1).tolist()
            shapes.setdefault(plugin.name, shape)
    return [*shapes.values()]


def _about(options: Options, scene: Scene, plugins: Iterable[PluginLike]) -> dict[str, Json]:
    """Return what does not change during a run."""
    plugins = list(plugins)
    files = {kind: getattr(options, field) for kind, field in FILES.items()}
    return {
        "track_run": 1,
        "source": scene.source,
        "live": scene.live,
        "size": list(scene.size),
        "fps": scene.fps,
        "interval_s": options.interval,
        "shapes": shapes_of(options, scene, plugins),
        "movements": [one._asdict() for one in junctions(plugins, options, scene)],
        "files": {kind: str(path) for kind, path in files.items() if path and str(path) != "-"},
        "settings": settings(options),
        "versions": versions(),
        "system": f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Return the versions of what does the work, as far as it is installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
