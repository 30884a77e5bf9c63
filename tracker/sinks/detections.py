"""Detections as a Parquet file: every box the detector found, for runs without the detector later."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from bytetrack import Detections, Tracks
from tracker.contracts import Sink
from tracker.errors import OptionError
from tracker.sinks import output_file
from tracker.sinks.shape_text import COLUMNS as SHAPE_COLUMNS
from tracker.sinks.stored_features import COLUMN as FEATURES
from tracker.sinks.stored_features import FEWER, feature_column
from tracker.sinks.stored_shapes import shape_columns
from tracker.types import Frame, Image, Json, OutputError, Result, Scene

if TYPE_CHECKING:  # importing it takes its time
    import polars

FORMAT, VERSION = "track_detections", 3  # key of the file's metadata, and the newest form of it
OF_BOXES, OF_SHAPES, OF_FEATURES = 1, 2, 3  # each file has the oldest form that it can, for older versions
BOX = ("x_min", "y_min", "x_max", "y_max")
COLUMNS = ("frame", "time_s", *BOX, "class_id", "class_name", "confidence", "looked")
ROWS = 250_000  # in memory at most, 15 MB
EVERY_S = 60.0  # and what a killed run loses at most
PARTS = 64  # of so many parts of about one size one is made
ROW_GROUP = 1 << 17
JPEG_QUALITY = 90
LEAST_BYTES = 1 << 16  # free space below which a disk is full
NOTHING = Detections.empty()


class EmptyScene(Protocol):
    """Finds out what a place looks like while nobody is there."""

    def update(self, frame: Frame, tracks: Tracks) -> None:
        """Take note of a frame and of where the tracks are."""
        ...

    def picture(self) -> Image:
        """Return the empty scene, (h, w, 3) BGR."""
        ...


def library() -> Any:
    """Return polars; raises ``OptionError`` where it is missing."""
    try:
        import polars
    except ImportError:
        raise OptionError("stored detections need polars; install it: pip install polars") from None
    return polars


class DetectionsSink(Sink):
    """One row per box, with the corners and scores as float32, as the detectors of `tracker.detectors` give.

    A frame without boxes has one row without a box; ``looked`` is false where nobody looked at the frame.
    With ``features_from``, the score from which boxes have features, these are a further column.
    ``about`` goes into the metadata of the file, with the frames counted and a picture of the empty scene;
    more may be added to it until the file is closed.

    Each minute what is new becomes a part, ``NAME.part.parquet`` and so on, a whole Parquet file. At the end
    the parts become one; a run that is killed leaves them, and each can be read. If the folder is deleted, or
    the disk is full and the source live, the run goes on, and the error comes at its end. Raises
    ``OutputError``, and ``OptionError`` where polars is missing.
    """

    def __init__(
        self,
        path: str | Path,
        scene: Scene,
        about: Mapping[str, Json],
        empty_scene: EmptyScene | None = None,
        *,
        overwrite: bool = False,
        rows: int = ROWS,
        features_from: float | None = None,
    ) -> None:
        super().__init__()
        self.path, self._features_from = Path(path), features_from
        self._feature_length = 0
        self._live, self._kind = scene.live, scene.kind
        self._names, self.about, self._empty_scene = scene.names, dict(about), empty_scene
        fewer = 1 if features_from is None else FEWER
        self._overwrite, self._most, self._row_group = overwrite, max(rows // fewer, 1), ROW_GROUP // fewer
        self._waiting: list[tuple[int, float, Detections, bool]] = []
        self._rows = self._frames = 0
        self._parts: list[tuple[Path, int]] = []  # in order, with how often each was joined
        self._flushed = 0.0  # monotonic time
        self._part: Path | None = None  # the next part, empty yet
        self._files: list[Path] = []
        self._failed = False
        self._gone: OutputError | None = None  # the error, once nothing is written any more

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def files(self) -> list[Path]:
        """The file, once it is complete."""
        return self._files

    def __enter__(self) -> DetectionsSink:
        """Check the path and create the first temporary file; raises ``OutputError``."""
        self._polars = library()
        output_file.check(self.path, self._overwrite)
        self._part = output_file.create_temporary(self.path)
        self._flushed = time.monotonic()
        return self

    def write(self, result: Result) -> None:
        """Take one result."""
        if self._gone is not None:
            return
        if self._empty_scene is not None:
            self._empty_scene.update(result.frame, result.tracks)
        found = result.detections
        if self._features_from is not None and found.features is not None:
            self._feature_length = found.features.shape[1]
        self._waiting.append((result.frame.index, result.frame.time, found, result.looked))
        self._rows += max(len(found), 1)
        self._frames += 1
        if self._rows >= self._most or time.monotonic() - self._flushed > EVERY_S:
            try:
                self._flush()
            except OutputError as lost:
                full = isinstance(lost, output_file.DiskFullError)
                if not (isinstance(lost, output_file.FolderGoneError) or (full and self._live)):
                    raise
                self._gone = lost
                self._waiting.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the file and move it into place."""
        if self._gone is not None and kind is None:
            raise self._gone
        if self._failed:
            return
        try:
            if self._parts:
                if self._waiting:
                    self._flush()
                self._join(len(self._parts), complete=True)
            else:
                self._flush(complete=True)
            self._files = [output_file.move_into_place(self._parts[0][0], self.path, self._overwrite)]
        except OutputError as failure:
            if kind is None:
                raise
            self.warnings.append(str(failure))
        finally:
            if self._part is not None:
                self._part.unlink(missing_ok=True)

    def _flush(self, *, complete: bool = False) -> None:
        """Write what waits as the next part."""
        part = self._part or self._temporary()
        self._part = None
        try:
            self._table().write_parquet(
                part, row_group_size=self._row_group, metadata=self._metadata(complete)
            )
        except (OSError, self._polars.exceptions.PolarsError) as error:
            raise self._failure(error, part) from error
        self._parts.append((part, 0))
        self._waiting.clear()
        self._rows = 0
        self._flushed = time.monotonic()
        while len(self._parts) >= PARTS and self._parts[-PARTS][1] == self._parts[-1][1]:
            self._join(PARTS)

    def _join(self, count: int, *, complete: bool = False) -> None:
        """Make one part of the last ``count``; they are read and written in a stream."""
        parts = [part for part, _ in self._parts[-count:]]
        whole = self._temporary()
        try:
            self._polars.scan_parquet(parts, glob=False).sink_parquet(
                whole, row_group_size=self._row_group, maintain_order=True, metadata=self._metadata(complete)
            )
        except (OSError, self._polars.exceptions.PolarsError) as error:
            raise self._failure(error, whole) from error
        self._parts[-count:] = [(whole, self._parts[-1][1] + 1)]
        for part in parts:
            with suppress(OSError):
                part.unlink()

    def _table(self) -> polars.DataFrame:
        """Return the rows that wait."""
        pl = self._polars
        count = np.array([len(found) for _, _, found, _ in self._waiting], np.int64)
        each = np.maximum(count, 1)
        seen = np.repeat(count > 0, each)
        boxes = np.zeros((len(seen), 4), np.float32)
        score, class_id = np.zeros(len(seen), np.float32), np.zeros(len(seen), np.int32)
        with_boxes = [found for _, _, found, _ in self._waiting if len(found)] or [NOTHING]
        boxes[seen] = np.concatenate([found.xyxy for found in with_boxes])
        score[seen] = np.concatenate([found.score for found in with_boxes])
        class_id[seen] = np.concatenate([found.class_id for found in with_boxes])
        names = [self._names.get(number, str(number)) for number in class_id.tolist()]
        frames = [found for _, _, found, _ in self._waiting]
        table = pl.DataFrame(
            {
                "frame": np.repeat(np.array([index for index, *_ in self._waiting], np.int64), each),
                "time_s": np.repeat(np.array([time for _, time, *_ in self._waiting], np.float64), each),
                **{name: np.ascontiguousarray(boxes[:, n]) for n, name in enumerate(BOX)},
                "class_id": class_id,
                "class_name": pl.Series(names, dtype=pl.String),
                "confidence": score,
                "looked": np.repeat(np.array([looked for *_, looked in self._waiting], bool), each),
                "seen": seen,
                **shape_columns(self._kind, frames, pl),
                **({} if self._features_from is None else feature_column(frames, pl)),
            }
        )
        of_a_box = (*BOX, "class_id", "class_name", "confidence")
        empty = [pl.when(pl.col("seen")).then(pl.col(name)).alias(name) for name in of_a_box]
        more = () if self._features_from is None else (FEATURES,)
        return table.with_columns(empty).select((*COLUMNS, *SHAPE_COLUMNS[self._kind], *more))  # type: ignore[no-any-return]

    def _metadata(self, complete: bool) -> dict[str, str]:
        """Return what the file says of itself; ``complete``: the run has ended in order."""
        version = OF_BOXES if self._kind == "detect" else OF_SHAPES
        features: dict[str, Json] = {}
        if self._features_from is not None:
            version = OF_FEATURES
            features = {"features": {"length": self._feature_length, "from_score": self._features_from}}
        about = {
            "version": version,
            "kind": self._kind,
            **features,
            **self.about,
            "frames": self._frames,
            "complete": complete,
        }
        if complete and self._empty_scene is not None and self._frames:
            quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
            picture = cv2.imencode(".jpg", self._empty_scene.picture(), quality)[1]
            about["empty_scene"] = base64.b64encode(picture.tobytes()).decode()
        return {FORMAT: json.dumps(about)}

    def _temporary(self) -> Path:
        try:
            return output_file.create_temporary(self.path)
        except OutputError as error:
            self._failed = True
            if self.path.parent.is_dir():
                raise
            raise output_file.FolderGoneError(self.path) from error

    def _failure(self, error: Exception, unfinished: Path) -> OutputError:
        """Return the error for the user; what is ``unfinished`` goes away."""
        self._failed = True
        if not self.path.parent.is_dir():
            return output_file.FolderGoneError(self.path)
        full = (
            shutil.disk_usage(self.path.parent).free < LEAST_BYTES
        )  # polars does not tell the system's reason
        with suppress(OSError):
            unfinished.unlink()
        kept = ", ".join(part.name for part, _ in self._parts)
        told = f"; {kept} keeps what was written before" if kept else ""
        if full:
            return output_file.DiskFullError(f"{self.path}: the disk is full{told}; free space")
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return OutputError(f"{self.path}: cannot be written ({reason}){told}")
