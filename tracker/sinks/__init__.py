"""Outputs: one file per kind of output, all of them context managers."""

from __future__ import annotations

from tracker.sinks.coco import CocoSink
from tracker.sinks.counts import Counted, CountsSink
from tracker.sinks.crop import CropSink
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.cvat import CvatSink
from tracker.sinks.detections import DetectionsSink
from tracker.sinks.events import EventsSink
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.mot import MotSink
from tracker.sinks.mots import MotsSink
from tracker.sinks.movements import MovementsSink
from tracker.sinks.video import VideoSink
from tracker.sinks.window import WindowSink

__all__ = [
    "CocoSink",
    "Counted",
    "CountsSink",
    "CropSink",
    "CsvSink",
    "CvatSink",
    "DetectionsSink",
    "EventsSink",
    "JsonSink",
    "MotSink",
    "MotsSink",
    "MovementsSink",
    "VideoSink",
    "WindowSink",
]
