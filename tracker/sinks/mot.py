"""MOTChallenge text: what evaluation tools read."""

from __future__ import annotations

from tracker.sinks.text_file import TextSink
from tracker.types import Result


class MotSink(TextSink):
    """``frame,id,left,top,width,height,score,-1,-1,-1``; frames and ids from 1, no header.

    The format has no place for class and time; ``CsvSink`` has.
    """

    def lines(self, result: Result) -> str:
        """Return one line per track."""
        frame, tracks = result.frame.index + 1, result.tracks
        return "".join(
            f"{frame},{track_id},{x:.2f},{y:.2f},{right - x:.2f},{bottom - y:.2f},{score:.4f},-1,-1,-1\n"
            for track_id, (x, y, right, bottom), score in zip(
                tracks.track_id.tolist(), tracks.xyxy.tolist(), tracks.score.tolist(), strict=True
            )
        )
