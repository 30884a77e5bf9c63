"""Tracks as a table: one row per object and frame."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tracker.sinks.shape_text import COLUMNS as SHAPE_COLUMNS
from tracker.sinks.shape_text import cells
from tracker.sinks.text_file import TextSink
from tracker.text import cell
from tracker.types import Result, Scene

COLUMNS = (
    *("frame", "time_s", "x_min", "y_min", "x_max", "y_max"),
    *("class_id", "class_name", "confidence", "tracker_id"),
)


class CsvSink(TextSink):
    """The columns of supervision's CSV with frame and seconds before them.

    ``frame`` counts from 0, the number events carry too; ``time_s`` is given to the microsecond. A frame in
    which nothing was followed has one row without the columns of an object, so that the clock of whoever
    counts from the table (`track replay`) goes on. Shapes have columns of their own (`shape_text`).
    """

    def __init__(self, path: str | Path, scene: Scene, *, overwrite: bool = False) -> None:
        super().__init__(path, overwrite=overwrite, live=scene.live)
        self._names, self._kind = scene.names, scene.kind
        self._columns = (*COLUMNS, *SHAPE_COLUMNS[scene.kind])

    def header(self) -> str:
        """Return the line of column names."""
        return ",".join(self._columns) + "\n"

    def lines(self, result: Result) -> str:
        """Return one row per track, or one that says that there was none."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        tracks = result.tracks
        frame, time_s = result.frame.index, f"{result.frame.time:.6f}"
        if not len(tracks):
            writer.writerow([frame, time_s, *[""] * (len(self._columns) - 2)])
        for row, (track_id, box, score, class_id) in enumerate(
            zip(
                tracks.track_id.tolist(),
                tracks.xyxy.tolist(),
                tracks.score.tolist(),
                tracks.class_id.tolist(),
                strict=True,
            )
        ):
            corners = (f"{value:.6f}" for value in box)
            name = cell(self._names.get(class_id, str(class_id)))
            writer.writerow(
                [
                    frame,
                    time_s,
                    *corners,
                    class_id,
                    name,
                    f"{score:.4f}",
                    track_id,
                    *(cells(tracks, row, self._kind) if self._kind != "detect" else ()),
                ]
            )
        return text.getvalue()
