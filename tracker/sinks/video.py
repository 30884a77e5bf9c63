"""The annotated video: H.264 that plays everywhere, with the source's timestamps and sound."""

from __future__ import annotations

import errno
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import av

from tracker.contracts import Sink, Sound
from tracker.planes import BT601
from tracker.sinks import output_file
from tracker.sinks.encoding import EFFORTS, ENCODINGS, first_step
from tracker.sinks.output_file import DiskFullError, FolderGoneError
from tracker.sinks.pace import Pace
from tracker.sinks.recording import Recording, failure
from tracker.sinks.segments import Segments
from tracker.sinks.video_writer import VideoWriter
from tracker.sinks.worker import BackgroundWorker
from tracker.types import (
    Event,
    Json,
    OptionError,
    OutputError,
    Pixels,
    Planes,
    Result,
    Scene,
    Stopwatch,
)

LOG = logging.getLogger("track")
RETRY_S = 10.0  # between two attempts to record while the disk is full
ROOM_BYTES = 100e6  # free space from which recording starts again


class VideoSink(Sink):
    """Draws and encodes results in a thread of its own.

    The file is written as ``NAME.part.EXT`` in the same folder and can be played at any moment. It gets its
    name (MP4: after its index was moved to the front) when the sink is closed, also after an error.
    Timestamps are those of the frames, counted from the first one. Odd sizes get one more row or column, a
    copy of the last.

    With ``segment`` (seconds) it is a series of files named by time, of which ``keep`` (seconds) and
    ``keep_gb`` keep the newest. With a live source a full disk stops the recording, not the run; it starts
    again with a new file when there is room. Where a live source drops frames and encoding takes much of the
    time, it is done with less effort, step by step.

    Raises ``OptionError`` for an unknown extension or an impossible number, ``OutputError`` for other errors;
    after a full disk the video so far is kept.
    """

    def __init__(
        self,
        path: str | Path,
        scene: Scene,
        painter: Callable[[Result], Pixels],
        *,
        crf: int = 23,  # libx264's own default; 18 looks lossless, 28 is small
        encode: str = "balanced",  # one of EFFORTS
        audio_from: str | Path | None = None,
        sound: Sound | None = None,
        overwrite: bool = False,
        segment: float | None = None,
        keep: float | None = None,
        keep_gb: float | None = None,
        every_frame: bool = True,  # of the source is written, so that missing ones were dropped
        stopwatch: Stopwatch | None = None,
    ) -> None:
        super().__init__()
        self.path = Path(path)
        self._repeated: list[str] = []  # warnings of the writers, many of them equal
        self._files: list[Path] = []  # complete files, the last ten of them
        encoding = ENCODINGS.get(self.path.suffix.lower())
        if encoding is None:
            known = ", ".join(ENCODINGS)
            raise OptionError(
                f"{self.path}: cannot write '{self.path.suffix}' files; the name must end in {known}"
            )
        if not 0 <= crf <= 51:
            raise OptionError(f"--crf {crf}: must be 0 (lossless) to 51 (worst)")
        if encode not in EFFORTS:
            raise OptionError(f"--encode {encode!r} is unknown; choose from {', '.join(EFFORTS)}")
        self._effort, self._step = encode, ""
        self._pace = Pace() if scene.live and every_frame else None
        self._segments = Segments(self.path, scene.live, segment, keep, keep_gb)
        self._many = segment is not None
        self._encoding, self._scene, self._painter, self._crf = encoding, scene, painter, crf
        self._overwrite = overwrite
        self._audio_from = None if audio_from is None else Path(audio_from)
        self._sound, self._heard = sound, False
        self._watch = stopwatch or Stopwatch()
        self._recording: Recording | None = None
        self._goal = self.path
        self._number = 0
        self._resume = 0.0  # monotonic time before which a full disk is not tried again
        self._unrecorded, self._why = 0, ""
        self._gone: OutputError | None = None  # the error, once the folder was deleted: nothing more is drawn
        self._told = False  # whether the error was raised already
        self._interrupted = False

    def __enter__(self) -> VideoSink:
        """Check the path and create the temporary file; raises ``OutputError``."""
        output_file.check(self.path, self._overwrite or self._many, never=self._audio_from)
        self._recording = Recording(self.path, self._encoding)
        self._worker: BackgroundWorker[Result] = BackgroundWorker(f"write {self.path.name}", self._record)
        return self

    def write(self, result: Result) -> None:
        """Queue one result; raises the error of drawing or encoding an earlier one."""
        self._worker.put(result)

    def state(self) -> Json:
        """Return where the unfinished file is, so that a run that continues can move it into place."""
        recording = self._recording
        return None if recording is None else output_file.unfinished(recording.part, self._goal)

    @property
    def _writer(self) -> VideoWriter | None:
        return None if self._recording is None else self._recording.writer

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def files(self) -> list[Path]:
        """The complete files, the last ten of them."""
        return self._files

    @property
    def queued(self) -> int:
        """How many results wait to be drawn."""
        return self._worker.queued()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Encode the queued results, complete the file and move it into place."""
        self._worker.finish()
        try:
            self._complete()
        except FolderGoneError as late:
            if kind is None:
                raise
            if not (isinstance(error, FolderGoneError) and error.folder == late.folder):
                self.warnings.append(str(late))
        except OutputError as late:
            if self._scene.live and isinstance(late, DiskFullError):
                self.warnings.append(str(late))  # the run itself went well
            elif kind is None and not self._told:
                raise
        finally:
            if self._sound is not None:
                self._sound.close()
                self._repeated += self._sound.warnings
            self.warnings += dict.fromkeys(self._repeated)
            if self._unrecorded:
                self.warnings.append(f"{self._unrecorded} frames were not recorded: {self._why}")
        if kind is None:
            self._worker.check()

    def _record(self, result: Result) -> None:
        if self._gone is not None:
            return
        if time.monotonic() < self._resume:
            self._unrecorded += 1
            return
        with self._watch("draw"):
            image = self._painter(result)
        with self._watch("encode"):
            start = time.perf_counter()
            try:
                self._encode(image, result.frame.time)
                self._keep_up(result, time.perf_counter() - start)
            except OutputError as error:
                self._suspend(error)
            except (av.error.FFmpegError, OSError) as error:
                told = failure(self._goal, error, self._writer)
                told.__cause__ = error
                self._suspend(told)

    def _encode(self, image: Pixels, time_s: float) -> None:
        number = self._segments.number(time_s)
        if self._writer is not None and number != self._number:
            self._complete()
            self._prune()
        if self._writer is None:
            self._begin(image, time_s)
            self._number = number
        assert self._writer is not None
        self._writer.add(image, time_s)

    def _keep_up(self, result: Result, worked_s: float) -> None:
        """With a live source that comes too fast, encode with less effort, and say so."""
        if self._pace is None or not self._pace.is_lost(result.frame.index, result.frame.time, worked_s):
            return
        if self._writer is not None and self._writer.step_down():
            self._step = self._writer.step
            note = f"{self._goal.name}: encoded with less effort, because frames were dropped (--encode)"
            if note not in self._repeated:
                LOG.warning("%s", note)
            self._repeated.append(note)

    def _begin(self, image: Pixels, time_s: float) -> None:
        if self._resume:
            free = shutil.disk_usage(self.path.parent).free
            if free < ROOM_BYTES:
                raise OSError(errno.ENOSPC, "no space left")
            LOG.warning("%s: recording goes on", self.path)
        again = self._many or bool(self._resume)
        self._goal = self._segments.name(time_s) if again else self.path
        self._resume = 0.0
        if again:
            if self._recording is not None:  # the empty file of ``__enter__``
                self._recording.discard()
            self._recording = Recording(self._goal, self._encoding)
        assert self._recording is not None
        if self._sound is not None and not self._heard:
            self._heard = True
            self._sound.open(time_s)
        size = image.shape[1], image.shape[0]
        self._step = self._step or first_step(self._effort, size)
        self._recording.writer = VideoWriter(
            self._recording.part,
            self._encoding,
            self._scene.fps,
            size,
            self._crf,
            self._sound,
            time_s,
            self._repeated,
            step=self._step,
            matrix=image.matrix if isinstance(image, Planes) else BT601,
            live=self._scene.live,
            segment=self._many,
        )

    def _suspend(self, failure: OutputError) -> None:
        """Stop recording for a while if the source is live and the error may pass, else raise.

        If the folder was deleted, the run continues for its other outputs; the error comes at its end.
        """
        gone = not self.path.parent.is_dir()
        if gone and not self._scene.live:
            self._gone = FolderGoneError(self._goal)
            return
        if not self._scene.live or not (gone or isinstance(failure, DiskFullError)):
            self._told = True
            raise failure
        self._why = "the folder was gone" if gone else "the disk was full"
        if not self._resume:
            LOG.warning("%s; the run goes on, recording when there is room", failure)
        self._resume = time.monotonic() + RETRY_S
        self._unrecorded += 1
        with suppress(OutputError):  # one message is enough
            self._complete()
        self._prune()

    def _prune(self) -> None:
        for problem in self._segments.prune():
            if problem not in self.warnings:
                LOG.warning("%s", problem)
                self.warnings.append(problem)

    def _complete(self) -> None:
        """Close the open file and move it into place, or delete it if it has no pictures."""
        if self._gone is None and not self.path.parent.is_dir() and not self._scene.live:
            self._gone = FolderGoneError(self._goal)
        recording, self._recording = self._recording, None
        failed = None if recording is None else recording.close()
        if self._gone is not None:
            raise self._gone
        if recording is None:
            return
        try:
            found = recording.move_into_place(
                overwrite=self._overwrite and self._goal == self.path,
                fragments=self._many,
                interrupted=self._interrupted,
            )
        finally:
            self.warnings += recording.warnings
        if found is None:
            return
        self._goal = found
        self._files = [*self._files[-9:], found]
        if self._many:
            self._segments.made.append(found)
        if failed is not None:
            raise failed

    def finish(self, events: Sequence[Event], *, interrupted: bool = False) -> None:
        """If the run was interrupted, do not rewrite a large file; its index stays at the end."""
        self._interrupted = interrupted
