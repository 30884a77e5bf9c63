"""What kind of file a recording is, before it is cut."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.archive.files import known_by, opened, stamp
from tracker.archive.pieces import Probed
from tracker.archive.recordings import Recording
from tracker.archive.tasks import Task
from tracker.options import Options
from tracker.sources.video_file import VideoFile
from tracker.types import TrackError


@dataclass(frozen=True)
class Probe(Task):
    """Open a recording and see what it is."""

    recording: Recording
    options: Options

    @property
    def title(self) -> str:
        """The file."""
        return self.recording.name

    def run(self) -> Probed:
        """Look."""
        return probe(self.recording.uri, self.options)


def probe(uri: str, options: Options) -> Probed:
    """Open a recording and return what is known of it; an ``error`` where it cannot be read."""
    marked = tuple(stamp(uri))
    try:
        known = known_by(uri)
        with opened(uri) as file:
            source = VideoFile(uri, fps=options.fps, decode=options.decode, file=file)
            with source:
                told, length = source.recorded, source.duration_s
                return Probed(
                    known,
                    marked,
                    length,
                    source.fps,
                    source.size,
                    None if told is None else told.start_wall,
                    None if told is None else told.utc_offset_s,
                    "" if length else "its header tells no duration, or its frames no times",
                )
    except TrackError as error:
        return Probed(stamp=marked, error=str(error))
