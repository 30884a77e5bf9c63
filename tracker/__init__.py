"""Follow and count anything in video."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("track-anything-in-video")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"
