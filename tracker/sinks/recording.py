"""One video file while it is written, under a temporary name, until it stands in its place."""

from __future__ import annotations

from pathlib import Path

import av

from tracker.errors import system_code, system_reason
from tracker.sinks import output_file
from tracker.sinks.encoding import Encoding
from tracker.sinks.output_file import DiskFullError
from tracker.sinks.video_writer import VideoWriter, remux
from tracker.types import OutputError

QUICK_BYTES = 200e6  # what a usual disk copies in a second


class Recording:
    """A file that will be ``goal``; it is made at once, and can be played at any moment once it has pictures.

    Raises ``OutputError``.
    """

    def __init__(self, goal: Path, encoding: Encoding) -> None:
        self.goal, self._encoding = goal, encoding
        self.part = output_file.create_temporary(goal)
        self.writer: VideoWriter | None = None  # from the first picture on
        self.warnings: list[str] = []

    def discard(self) -> None:
        """Delete it."""
        self.part.unlink(missing_ok=True)

    def close(self) -> OutputError | None:
        """Write the end; return what went wrong: the video until then is kept."""
        if self.writer is not None:
            try:
                self.writer.close()
            except (av.error.FFmpegError, OSError) as error:
                return failure(self.goal, error, self.writer)
        return None

    def move_into_place(self, *, overwrite: bool, fragments: bool, interrupted: bool) -> Path | None:
        """Return where it is now, or None: without pictures it is deleted.

        Unless it may stay in ``fragments``, the index is moved to the front; of a large file also not where
        the run was ``interrupted``.
        """
        if self.writer is None or not self.writer.pictures:
            self.discard()
            return None
        if not self.part.exists():
            raise OutputError(f"{self.goal}: was deleted while the run wrote it, or its folder was")
        too_long = interrupted and self.part.stat().st_size > QUICK_BYTES
        if self._encoding.fragments and not fragments and not too_long:
            self._put_index_first()
        found = output_file.move_into_place(self.part, self.goal, overwrite=overwrite)
        if found != self.goal:
            self.warnings.append(
                f"{self.goal} was created by another program meanwhile; the video is {found}"
            )
        return found

    def _put_index_first(self) -> None:
        """Copy the fragments into one file with its index in front, so that a browser can play it at once."""
        whole = output_file.create_temporary(self.goal)
        try:
            remux(self.part, whole, self._encoding.format)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            whole.unlink(missing_ok=True)  # the fragments can be played as they are
            self.warnings.append(f"{self.goal.name} was left in fragments ({system_reason(error) or error})")
        else:
            whole.replace(self.part)


def failure(goal: Path, error: Exception, writer: VideoWriter | None) -> OutputError:
    """Return an error of encoding or writing as the user is told it."""
    kept = f"it keeps about the first {writer.seconds if writer else 0:.0f} s"
    if system_code(error) in output_file.FULL:
        return DiskFullError(f"{goal}: the disk is full; {kept}; free space, or use -o")
    return OutputError(f"{goal}: cannot be written ({system_reason(error) or error}); {kept}; use another -o")
