"""Track and count objects in video.

>>> from tracker import track
>>> for result in track("street.mp4", classes="person"):  # doctest: +SKIP
...     print(result.frame.time, result.tracks.track_id)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
    from bytetrack import BYTETracker as BYTETracker
    from bytetrack import Detections as Detections
    from bytetrack import Tracks as Tracks
    from tracker.api import Run as Run
    from tracker.api import track as track
    from tracker.contracts import Plugin as Plugin
    from tracker.errors import InputError as InputError
    from tracker.errors import OptionError as OptionError
    from tracker.errors import OutputError as OutputError
    from tracker.errors import PluginError as PluginError
    from tracker.errors import TrackError as TrackError
    from tracker.errors import WeightsError as WeightsError
    from tracker.options import Options as Options
    from tracker.plugins.follow import Follow as Follow
    from tracker.plugins.heatmap import Heatmap as Heatmap
    from tracker.plugins.line import Line as Line
    from tracker.plugins.movement import Movement as Movement
    from tracker.plugins.route import Route as Route
    from tracker.plugins.speed import Speed as Speed
    from tracker.plugins.zone import Zone as Zone
    from tracker.run.multi import track_all as track_all
    from tracker.types import Canvas as Canvas
    from tracker.types import Event as Event
    from tracker.types import Frame as Frame
    from tracker.types import Result as Result
    from tracker.types import Scene as Scene

# Where everything is that a user may want; imported on first use.
_HOMES = {
    "bytetrack": ("BYTETracker", "Detections", "Tracks"),
    "tracker.api": ("Run", "track"),
    "tracker.errors": (
        "InputError", "OptionError", "OutputError", "PluginError", "TrackError", "WeightsError",
    ),
    "tracker.options": ("Options",),
    "tracker.plugins.follow": ("Follow",),
    "tracker.plugins.heatmap": ("Heatmap",),
    "tracker.plugins.line": ("Line",),
    "tracker.plugins.movement": ("Movement",),
    "tracker.plugins.route": ("Route",),
    "tracker.plugins.speed": ("Speed",),
    "tracker.plugins.zone": ("Zone",),
    "tracker.run.multi": ("track_all",),
    "tracker.contracts": ("Plugin",),
    "tracker.types": ("Canvas", "Event", "Frame", "Result", "Scene"),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "BYTETracker", "Canvas", "Detections", "Event", "Follow", "Frame", "Heatmap", "InputError", "Line",
    "Movement", "OptionError", "Options", "OutputError", "Plugin", "PluginError", "Result", "Route",
    "Run", "Scene", "Speed", "TrackError", "Tracks", "WeightsError", "Zone", "__version__", "track",
    "track_all",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Import on first use (PEP 562): ``track --help`` must not wait for OpenCV."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name == "__version__":
        return _version()
    raise AttributeError(f"module 'tracker' has no attribute {name!r}")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # tens of milliseconds

    try:
        return version("track-anything-in-video")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0+unknown"


def __dir__() -> list[str]:
    """Return what there is, for completion."""
    return sorted({*globals(), *__all__})
