"""Files of detections: what ``--save-detections`` wrote, and MOTChallenge's ``det.txt``."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bytetrack import Detections
from tracker.contracts import Source
from tracker.detectors.stored import StoredFrame
from tracker.errors import system_reason
from tracker.offline.motchallenge import FRAME, ID, frames_of, read_rows
from tracker.offline.saved_tracks import blank
from tracker.sinks.detections import BOX, COLUMNS, FORMAT, VERSION, library
from tracker.sinks.shape_text import COLUMNS as SHAPE_COLUMNS
from tracker.sinks.stored_features import COLUMN as FEATURES
from tracker.sinks.stored_features import FEWER, features_read
from tracker.sinks.stored_shapes import shapes_read
from tracker.types import Frame, Image, InputError, Recorded

BATCH = 1 << 17  # rows in memory
MAGIC = b"PAR1"
NOTHING = Detections.empty()
NOBODY_LOOKED = None
NEVER_EMPTY = ("frame", "time_s", "looked")


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, by its name or by its first bytes."""
    try:
        with path.open("rb") as file:
            return path.suffix.lower() == ".parquet" or file.read(4) == MAGIC
    except OSError:
        return path.suffix.lower() == ".parquet"


class SavedDetections:
    """A Parquet file of ``--save-detections``; it is read in pieces, whatever its length.

    ``about`` is what it says of itself. Raises ``InputError`` for a file that is damaged or something else.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._polars = path, library()
        pl = self._polars
        try:
            with path.open("rb") as file:  # the system's own reason is shorter
                if not file.read(1):
                    raise InputError(
                        f"{path}: is empty; a run that is killed in its first minute leaves that"
                    )
            metadata = pl.read_parquet_metadata(path)
            table = pl.scan_parquet(path, glob=False)
            columns = table.collect_schema().names()
            self._rows = int(table.select(pl.len()).collect().item())
            text = metadata.get(FORMAT)
            about = None if text is None else json.loads(text)
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:
            raise self._damaged(error) from error
        if about is None:
            raise InputError(f"{path}: is a Parquet file, but not one that --save-detections wrote")
        self._read(about, columns)

    def _read(self, about: Any, columns: list[str]) -> None:
        try:
            if about["version"] > VERSION:
                raise InputError(f"{self.path}: was written by a newer version of track; update this one")
            width, height = about["size"]
            self.size = int(width), int(height)
            self.fps, self.frames = float(about["fps"]), int(about["frames"])
            self.names = {int(key): str(name) for key, name in about["names"].items()}
            self.source, self.live = str(about["source"]), bool(about["live"])
            self.recorded = Recorded(about["start_wall"], about["utc_offset_s"])
            self.kind = str(about.get("kind", "detect"))
            features = about.get("features")  # of files with features alone
            self._feature_length = None if features is None else int(features["length"])
            self.features_from = None if features is None else float(features["from_score"])
            self.classes = None if about["classes"] is None else [int(number) for number in about["classes"]]
            self.selection, self.length = about["selection"], about["length"]
            self.fingerprint = about.get("fingerprint")  # what its video is known again by, if it is a file
            self.network, self.complete = str(about["network"]), bool(about["complete"])
            jpeg = base64.b64decode(about.get("empty_scene", ""), validate=True)
            if min(self.size) < 1 or not self.fps > 0 or self._columns != columns:
                raise ValueError("its columns or its size")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._damaged(error) from error
        self.about, self._jpeg = about, jpeg

    @property
    def warnings(self) -> list[str]:
        """What the user should know."""
        if self.complete:
            return []
        return [f"{self.path}: is a part that a run left which did not end in order"]

    def picture(self) -> Image:
        """Return the empty scene in the size of the video, read-only; black where it is not known."""
        image = cv2.imdecode(np.frombuffer(self._jpeg, np.uint8), cv2.IMREAD_COLOR) if self._jpeg else None
        if image is None:
            return blank(self.size)
        picture: Image = np.asarray(cv2.resize(image, self.size, interpolation=cv2.INTER_AREA), np.uint8)
        picture.flags.writeable = False
        return picture

    def times(self) -> Iterator[tuple[int, float]]:
        """Yield index and time, in seconds, of every frame."""
        last = None
        for table in self._tables(["frame", "time_s"], BATCH):
            for index, time in zip(table["frame"].to_list(), table["time_s"].to_list(), strict=True):
                if index != last:
                    yield index, time
                    last = index

    def stored(self, *, features: bool = False) -> Iterator[StoredFrame]:
        """Yield what is stored of every frame; ``features``: with those, where there are any."""
        length = self._feature_length if features else None
        columns = (
            self._columns if length is not None else [name for name in self._columns if name != FEATURES]
        )
        left = None
        for table in self._tables(columns, BATCH if length is None else max(BATCH // FEWER, 1)):
            if left is not None:
                table = left.vstack(table)
            index = table["frame"].to_numpy()
            whole = int(np.searchsorted(index, index[-1]))  # the last frame may go on in the next piece
            left = table.slice(whole)
            yield from self._frames(table.slice(0, whole), length)
        if left is not None:
            yield from self._frames(left, length)

    def _frames(self, table: Any, features: int | None) -> Iterator[StoredFrame]:
        try:
            yield from _frames(table, self.kind, self.size, features)
        except ValueError as error:  # a box that no detector gives
            raise self._damaged(error) from error

    @property
    def _columns(self) -> list[str]:
        more = [] if self._feature_length is None else [FEATURES]
        return [*COLUMNS, *SHAPE_COLUMNS[self.kind], *more]

    def _tables(self, columns: list[str], batch: int) -> Iterator[Any]:
        """Yield the rows in pieces, in order of frame."""
        pl, last = self._polars, -1
        for start in range(0, self._rows, batch):
            try:
                wanted = pl.scan_parquet(self.path, glob=False).select(columns)
                table = wanted.slice(start, batch).collect()
                index = table["frame"].to_numpy()
                if sum(table[name].null_count() for name in columns if name in NEVER_EMPTY):
                    raise ValueError("cells are empty")
                if not len(index) or index[0] < last or (np.diff(index) < 0).any():
                    raise ValueError("its frames are not in order")
            except (OSError, ValueError, pl.exceptions.PolarsError) as error:
                raise self._damaged(error) from error
            last = int(index[-1])
            yield table

    def _damaged(self, error: Exception) -> InputError:
        if isinstance(error, OSError) and (reason := system_reason(error)):
            return InputError(f"{self.path}: cannot be read ({reason})")
        if isinstance(error, ValueError) and "are expected" in str(error):
            return InputError(f"{self.path}: {error}")
        return InputError(
            f"{self.path}: is damaged, or no file of detections; expected what --save-detections wrote"
        )


def _frames(
    table: Any, kind: str, size: tuple[int, int], features: int | None = None
) -> Iterator[StoredFrame]:
    """Yield the frames of a piece that ends with the end of a frame; ``features``: how many of each box."""
    if not len(table):
        return
    index, time = table["frame"].to_numpy(), table["time_s"].to_numpy()
    looked, seen = table["looked"].to_numpy(), table["class_id"].is_not_null().to_numpy()
    boxes = np.stack([table[name].fill_null(0).to_numpy() for name in BOX], axis=1)
    score = table["confidence"].fill_null(0).to_numpy()
    class_id = table["class_id"].fill_null(0).to_numpy().astype(np.int64)
    nothing = NOTHING if features is None else replace(NOTHING, features=np.empty((0, features), np.float32))
    starts = np.concatenate([[0], np.flatnonzero(np.diff(index)) + 1, [len(index)]])
    for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        found: Detections | None = nothing if looked[start] else NOBODY_LOOKED
        if seen[start]:
            more = shapes_read(kind, table[start:end], size)
            if features is not None:
                more["features"] = features_read(table[start:end], features)
            found = Detections(boxes[start:end], score[start:end], class_id[start:end], **more)
        yield StoredFrame(int(index[start]), float(time[start]), found)


def mot_frames(path: Path) -> Iterator[StoredFrame]:
    """Yield the frames of a ``det.txt``, whose boxes are of class 0; raises ``InputError``."""
    rows = read_rows(path)
    if len(rows) and rows[:, ID].max() >= 0:
        raise InputError(
            f"{path}: has ids, so these are tracks, not detections; `track replay` counts from them"
        )
    for index, found in enumerate(frames_of(rows, int(rows[:, FRAME].max(initial=0)))):
        yield StoredFrame(index, None, found)


class DetectionFrames(Source):
    """The frames that a file of detections names, with the empty scene as their picture."""

    def __init__(self, saved: SavedDetections, stop: threading.Event) -> None:
        super().__init__(saved.source)
        self.fps, self.size, self.length = saved.fps, saved.size, saved.frames
        start = 0.0 if saved.live else saved.recorded.start_wall  # a live source tells the clock's time
        self.recorded = Recorded(start, saved.recorded.utc_offset_s)
        self.warnings += saved.warnings
        self._saved, self._stop = saved, stop

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames."""
        picture = self._saved.picture()
        for index, time in self._saved.times():
            if self._stop.is_set():
                return
            yield Frame(picture, index, time)
