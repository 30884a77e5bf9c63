"""Detection of a piece: frames in, a part of stored detections out."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bytetrack import Tracks
from tracker.archive import pieces
from tracker.archive.files import opened
from tracker.archive.pieces import Piece
from tracker.archive.recordings import Recording
from tracker.archive.store import open_store
from tracker.archive.tasks import Task
from tracker.contracts import Detector
from tracker.options import Options
from tracker.run.build_detector import make_detector
from tracker.run.stored import about
from tracker.sinks.detections import DetectionsSink
from tracker.sources.video_file import VideoFile
from tracker.sources.video_piece import Seams, VideoPiece
from tracker.types import Recorded, Result, Scene, Stopwatch

NOBODY = Tracks.empty()


@dataclass(frozen=True)
class Place:
    """Where a recording is read and its parts are written."""

    store: str
    folder: str


@dataclass(frozen=True)
class Detect(Task):
    """Detect one piece, and store what was found."""

    recording: Recording
    piece: Piece
    place: Place
    options: Options

    @property
    def detects(self) -> bool:
        """It does."""
        return True

    @property
    def title(self) -> str:
        """File and piece."""
        number = self.piece.number
        return self.recording.name if number is None else f"{self.recording.name}, piece {number}"

    def run(self) -> Detected:
        """Detect."""
        return detect(self)


@dataclass(frozen=True)
class Detected:
    """What came of a piece."""

    frames: int = 0
    media_s: float = 0.0
    cpu_s: float = 0.0
    fault: str = ""  # why the file cannot be cut


def detect(task: Detect) -> Detected:
    """Detect a piece and store the part; a piece that cannot be cut out leaves none, but a fault."""
    began = time.process_time()
    options, piece = task.options, task.piece
    detector = _detector(options)
    with opened(task.recording.uri) as file:
        video = VideoFile(task.recording.uri, fps=options.fps, decode=options.decode, file=file)
        source = video if piece.number is None else VideoPiece.of(video, piece.start_s, piece.end_s)
        with source, tempfile.TemporaryDirectory(prefix="track-") as folder:
            scene = _scene(source, detector)
            part = Path(folder) / piece.part
            with DetectionsSink(part, scene, about(options, scene, detector, source)) as sink:
                frames, first, last = 0, None, 0.0
                for frame, found in detector.stream(source):
                    assert found is not None  # no option of an archive leaves frames out
                    sink.write(Result(frame, found, NOBODY, ()))
                    first, last = frame.time if first is None else first, frame.time
                    frames += 1
                if isinstance(source, VideoPiece) and source.fault is not None:
                    return Detected(fault=source.fault, cpu_s=time.process_time() - began)
                sink.about[pieces.ABOUT] = {
                    "part": piece.part,
                    "start_s": piece.start_s,
                    "processor": pieces.processor(),
                    "release": task.release,
                    "notes": source.warnings,
                    "seams": pieces.seams_to_json(_seams(source)),
                }
            open_store(task.place.store).put(part, f"{task.place.folder}/{piece.part}")
    media_s = 0.0 if first is None else last - first + 1 / scene.fps
    return Detected(frames, media_s, time.process_time() - began)


def _scene(source: VideoFile, detector: Detector) -> Scene:
    told = source.recorded or Recorded()
    return Scene(
        source.name,
        source.size,
        source.fps,
        False,
        detector.names,
        start_wall=told.start_wall,
        utc_offset_s=told.utc_offset_s,
        kind=detector.kind,
    )


def _seams(source: VideoFile) -> Seams:
    if isinstance(source, VideoPiece):
        return Seams(source.end_s, source.first, source.after)
    return Seams(None, [], [])


@lru_cache(maxsize=1)
def _detector(options: Options) -> Detector:
    """Return the detector of this worker, which keeps it for all its pieces."""
    return make_detector(options, Stopwatch()).__enter__()
