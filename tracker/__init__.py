"""Follow and count anything in video.

>>> from tracker import track
>>> for result in track("street.mp4", classes=("person",)):  # doctest: +SKIP
...     print(result.frame.time, result.tracks.track_id)
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker.api import track as track
    from tracker.errors import TrackError as TrackError
    from tracker.several import track_all as track_all

try:
    __version__ = version("track-anything-in-video")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"

__all__ = ["TrackError", "__version__", "track", "track_all"]


def __getattr__(name: str) -> Any:
    """Import on first use (PEP 562): ``track --help`` must not wait for OpenCV."""
    if name == "track":
        from tracker.api import track

        return track
    if name == "track_all":
        from tracker.several import track_all

        return track_all
    if name == "TrackError":
        from tracker.errors import TrackError

        return TrackError
    raise AttributeError(f"module 'tracker' has no attribute {name!r}")
