"""Every event as it happens, one JSON object to a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tracker.sinks.text_file import TextSink
from tracker.types import Event, Json, Result, Scene, to_json


class EventsSink(TextSink):
    """One object per event: frame, time_s, wall_time, kind, name, direction, track_id, class_id, class.

    Each line is in the file as soon as it is written. ``wall_time`` (ISO 8601 with offset) is there where it
    is known when the recording began or the source is live. What else the event says follows.
    """

    def __init__(self, path: str | Path, scene: Scene, *, overwrite: bool = False) -> None:
        super().__init__(path, overwrite=overwrite, live=scene.live)
        self._scene = scene

    def lines(self, result: Result) -> str:
        """Return one line per event."""
        return "".join(self._line(event) for event in result.events)

    def write(self, result: Result) -> None:
        """Write the events of one frame and flush."""
        if result.events:
            self._put(self.lines(result))
            self.flush()

    def finish(self, events: Sequence[Event], *, interrupted: bool = False) -> None:
        """Write what came after the last frame."""
        if events:
            self._put("".join(self._line(event) for event in events))
            self.flush()

    def _line(self, event: Event) -> str:
        return json.dumps(event_row(event, self._scene), ensure_ascii=False, default=to_json) + "\n"


def event_row(event: Event, scene: Scene) -> dict[str, Json]:
    """Return what is told of an event, in the log and by every action; `to_json` makes it JSON."""
    data = dict(event.data)
    wall = wall_time(event.time, scene)
    row: dict[str, Json] = {"frame": event.frame, "time_s": round(event.time, 6)}
    row |= {"wall_time": wall} if wall else {}
    row |= {"kind": event.kind, "name": event.shape, "direction": data.get("direction")}
    row |= {"track_id": event.track_id, "class_id": event.class_id, "class": data.pop("class_name", None)}
    for known in ("line", "zone", "direction"):
        data.pop(known, None)
    return row | data


def wall_time(time: float, scene: Scene) -> str | None:
    """Return the wall-clock time of a frame's time, ISO 8601 with offset; None where it is not known."""
    wall = scene.wall(time)
    return None if wall is None else wall.isoformat(timespec="milliseconds")
