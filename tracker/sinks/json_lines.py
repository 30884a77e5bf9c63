"""Everything about every frame as JSON lines: tracks and events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tracker.sinks.shape_text import as_json
from tracker.sinks.text_file import TextSink
from tracker.types import Event, Json, Result, Scene, to_json


class JsonSink(TextSink):
    """One object per frame and line: ``{"frame", "time_s", "tracks": [...], "events": [...]}``.

    A track is ``{"tracker_id", "class_id", "class_name", "confidence", "xyxy"}``, with "segmentation",
    "keypoints" or "rotated" where there are any (`shape_text`), an event
    ``{"kind", "time_s", "frame", "track_id", "class_id", "data"}``. Events that come after the last frame
    stand in one more line that has no ``frame``.
    """

    def __init__(self, path: str | Path, scene: Scene, *, overwrite: bool = False) -> None:
        super().__init__(path, overwrite=overwrite, live=scene.live)
        self._names = scene.names

    def lines(self, result: Result) -> str:
        """Return the line of one frame."""
        tracks = result.tracks
        rows = [
            {
                "tracker_id": track_id,
                "class_id": class_id,
                "class_name": self._names.get(class_id, str(class_id)),
                "confidence": round(score, 4),
                "xyxy": [round(value, 3) for value in box],
                **as_json(tracks, row),
            }
            for row, (track_id, box, score, class_id) in enumerate(
                zip(
                    tracks.track_id.tolist(),
                    tracks.xyxy.tolist(),
                    tracks.score.tolist(),
                    tracks.class_id.tolist(),
                    strict=True,
                )
            )
        ]
        head = {"frame": result.frame.index, "time_s": round(result.frame.time, 6)}
        return _line({**head, "tracks": rows, "events": [_event(event) for event in result.events]})

    def finish(self, events: Sequence[Event], *, interrupted: bool = False) -> None:
        """Write what came after the last frame."""
        if events:
            self._put(_line({"tracks": [], "events": [_event(event) for event in events]}))


def _event(event: Event) -> Json:
    return {
        "kind": event.kind,
        "time_s": event.time,
        "frame": event.frame,
        "track_id": event.track_id,
        "class_id": event.class_id,
        "data": dict(event.data),
    }


def _line(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=to_json) + "\n"
