"""Drawing a piece of a recording: its pictures, what was stored to be drawn on them, and the encoder."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av

from tracker.archive import sketches
from tracker.archive.files import opened
from tracker.archive.pieces import Piece
from tracker.archive.recordings import Recording
from tracker.archive.sketch import Sketch
from tracker.archive.store import Store, open_store
from tracker.archive.tasks import Task
from tracker.errors import OutputError, system_reason
from tracker.options import Options
from tracker.planes import BT601, Planes
from tracker.run.painter import Painter, draw_options
from tracker.sinks.encoding import ENCODINGS
from tracker.sinks.video_writer import VideoWriter
from tracker.sources.video_file import VideoFile
from tracker.sources.video_piece import VideoPiece
from tracker.types import Result

SUFFIX = ".mp4"
ENCODING = ENCODINGS[SUFFIX]
SLIP_S = 1e-6  # by which the times of one frame, decoded twice, may differ


@dataclass(frozen=True)
class Look:
    """How all pieces of a recording are drawn and encoded alike."""

    options: Options
    names: tuple[tuple[int, str], ...]  # of classes
    fps: float
    step: str  # the encoder's effort, as one machine decides it for all
    first: str  # the file with the sketch of the recording's first frame
    first_s: float  # when that is

    def painter(self) -> Painter:
        """Return what draws."""
        names = dict(self.names)
        return Painter(names, draw_options(self.options, names))


@dataclass(frozen=True)
class Draw(Task):
    """Draw one piece, and store it as a video without sound."""

    recording: Recording
    piece: Piece
    sketches: tuple[str, ...]  # the files that hold them
    look: Look
    store: str
    goal: str

    @property
    def title(self) -> str:
        """File and piece."""
        return f"{self.recording.name}, drawing {self.piece.number or 0}"

    def run(self) -> Drawn:
        """Draw."""
        return draw(self)


@dataclass(frozen=True)
class Drawn:
    """What came of a piece."""

    frames: int = 0
    media_s: float = 0.0
    cpu_s: float = 0.0
    fault: str = ""  # why the piece is not the one that was followed
    warnings: tuple[str, ...] = ()


class UnlikeError(Exception):
    """The pictures are not those that were followed."""


def draw(task: Draw) -> Drawn:
    """Draw a piece; one that is not what was followed leaves nothing, but a fault. Raises ``TrackError``."""
    began = time.process_time()
    store, options, piece = open_store(task.store), task.look.options, task.piece
    painter = task.look.painter()
    warnings: list[str] = []
    with opened(task.recording.uri) as file, tempfile.TemporaryDirectory(prefix="track-") as folder:
        video = VideoFile(task.recording.uri, fps=options.fps, decode=options.decode, file=file)
        source = video if piece.number is None else VideoPiece.of(video, piece.start_s, piece.end_s)
        part = Path(folder) / f"piece{SUFFIX}"
        frames, last_s = 0, 0.0
        try:
            with source:
                results = _results(source, sketches.read(store, task.sketches))
                first = next(results, None)
                if first is None:
                    raise UnlikeError("it has no frame there")
                with closing(_writer(task, store, part, first, warnings)) as writer:
                    for result in chain([first], results):
                        writer.add(painter.pixels(result), result.frame.time)
                        frames, last_s = frames + 1, result.frame.time
        except UnlikeError as error:
            return Drawn(fault=str(error), cpu_s=time.process_time() - began)
        except (av.error.FFmpegError, OSError) as error:
            why = system_reason(error) or error
            raise OutputError(f"{store.shown(task.goal)}: cannot be encoded ({why})") from error
        store.put(part, task.goal)
    media_s = last_s - first.frame.time + 1 / task.look.fps
    return Drawn(frames, media_s, time.process_time() - began, warnings=tuple(warnings))


def _results(source: VideoFile, drawn_on: Iterator[Sketch]) -> Iterator[Result]:
    """Yield every frame with what is drawn on it; raises `UnlikeError` where they do not belong together."""
    for frame in source:
        drawn = next(drawn_on, None)
        if drawn is None or abs(drawn.time_s - frame.time) > SLIP_S:
            raise UnlikeError(f"its frame at {frame.time:g} s is not one that was followed")
        found, tracks, marks = drawn.parts()
        yield Result(frame, found, tracks, (), marks)
    if isinstance(source, VideoPiece) and source.fault is not None:
        raise UnlikeError(source.fault)
    left = next(drawn_on, None)
    if left is not None:
        raise UnlikeError(f"its frame at {left.time_s:g} s cannot be decoded again")


def _writer(task: Draw, store: Store, part: Path, result: Result, warnings: list[str]) -> VideoWriter:
    """Return the encoder of a piece, set as that of the whole file would be by the file's first picture.

    Whether a picture is painted in the codec's colours depends on how much is drawn, not on what it shows:
    what is drawn on the first one is therefore painted on a picture of the piece.
    """
    look = task.look
    found, tracks, marks = next(sketches.read(store, [look.first], most=1)).parts()
    painted = look.painter().pixels(Result(result.frame, found, tracks, (), marks))
    matrix = painted.matrix if isinstance(painted, Planes) else BT601
    size = painted.shape[1], painted.shape[0]
    return VideoWriter(
        part,
        ENCODING,
        look.fps,
        size,
        look.options.crf,
        None,
        look.first_s,
        warnings,
        step=look.step,
        matrix=matrix,
    )
