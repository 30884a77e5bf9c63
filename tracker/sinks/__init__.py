"""Where results go: one file per kind of output, all of them context managers."""

from __future__ import annotations

from tracker.sinks.video import VideoSink

__all__ = ["VideoSink"]
