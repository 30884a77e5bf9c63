"""The sketches of a camera in the store: written while it is followed, read by whoever draws a piece."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tracker.archive import pieces
from tracker.archive.arrivals import Stored
from tracker.archive.sketch import Sketch, packed
from tracker.archive.store import Store
from tracker.drawing.annotate import DrawOptions
from tracker.errors import InputError
from tracker.run.painter import Painter
from tracker.sinks.detections import library
from tracker.types import Result, Scene

FOLDER, INDEX = "sketches", "index.json"
MOST_BYTES = 1 << 25  # of sketches in memory
PAGE_BYTES = 1 << 23  # what repeats from frame to frame is found within so many


@dataclass
class PieceSketch:
    """The sketches of one piece of a recording."""

    number: int
    first_s: float  # time of its first frame in the file
    frames: int = 0
    names: list[str] = field(default_factory=list)  # of the files that hold them, in order
    mark: str = ""  # a hash of all


@dataclass
class FileSketch:
    """The sketches of one recording."""

    folder: str
    whole: bool  # it is not cut
    pieces: list[PieceSketch] = field(default_factory=list)


@dataclass
class CameraSketch:
    """The sketches of all recordings of a camera, as ``index.json`` tells of them."""

    made_with: str  # a mark of the settings
    names: dict[int, str]  # of classes
    size: tuple[int, int]
    fps: float
    files: dict[str, FileSketch] = field(default_factory=dict)  # by the name of the recording


class Sketcher:
    """Stores the sketches of a camera while it is followed; the index comes last, in `finish`."""

    def __init__(self, store: Store, key: str, made_with: str, scene: Scene, drawing: DrawOptions) -> None:
        self._store, self._key, self._root = store, key, folder_of(key)
        self._painter = Painter(scene.names, drawing)
        self._blurs = drawing.blurring is not None
        self._index = CameraSketch(made_with, dict(scene.names), scene.size, scene.fps)
        self._piece: PieceSketch | None = None
        self._now: tuple[str, int | None] | None = None  # recording and piece
        self._hash = hashlib.blake2b(digest_size=8)
        self._waiting: list[Sketch] = []
        self._bytes = 0

    def add(self, result: Result, stored: Stored) -> None:
        """Take the result of a frame, and what is stored of it."""
        recording = stored.part.recording.name
        if self._now != (recording, stored.piece):
            self._end_piece()
            self._now = recording, stored.piece
            self._piece = PieceSketch(stored.piece or 0, stored.media_s)
            file = FileSketch(stored.part.folder, stored.piece is None)
            self._index.files.setdefault(recording, file).pieces.append(self._piece)
            self._hash = hashlib.blake2b(digest_size=8)
        assert self._piece is not None
        sketch = Sketch(stored.media_s, packed(self._painter.wanted(result), detections=self._blurs))
        self._hash.update(repr(stored.media_s).encode())
        self._hash.update(sketch.data)
        self._waiting.append(sketch)
        self._piece.frames += 1
        self._bytes += len(sketch.data)
        if self._bytes >= MOST_BYTES:
            self._flush()

    def finish(self) -> None:
        """Store what is left, and the index, which goes on telling of files that were not followed now."""
        self._end_piece()
        before = load(self._store, self._key)
        if before is not None and before.made_with == self._index.made_with:
            self._index.files = {**before.files, **self._index.files}
        every = [piece for file in self._index.files.values() for piece in file.pieces]
        kept = {name for piece in every for name in piece.names}
        for name in self._store.below(self._root):
            if name not in kept:
                self._store.delete(name)
        self._store.write(f"{self._root}/{INDEX}", json.dumps(asdict(self._index)).encode())

    def _end_piece(self) -> None:
        if self._piece is not None:
            self._flush()
            self._piece.mark = self._hash.hexdigest()

    def _flush(self) -> None:
        """Store what waits."""
        if not self._waiting:
            return
        assert self._piece is not None and self._now is not None
        recording, number = self._now
        file = self._index.files[recording]
        stem = pieces.Piece(number).part.partition(".")[0]
        name = f"{folder_beside(file.folder)}/{stem}.{len(self._piece.names)}.parquet"
        table = library().DataFrame(
            {
                "time_s": [sketch.time_s for sketch in self._waiting],
                "sketch": [sketch.data for sketch in self._waiting],
            }
        )
        with tempfile.TemporaryDirectory(prefix="track-") as folder:
            path = Path(folder) / "part.parquet"
            table.write_parquet(path, compression="zstd", data_page_size=PAGE_BYTES)
            self._store.put(path, name)
        self._piece.names.append(name)
        self._waiting, self._bytes = [], 0


def folder_of(key: str) -> str:
    """Return the folder of a camera's sketches."""
    return f"{FOLDER}/camera={key}"


def folder_beside(detections: str) -> str:
    """Return the folder of a recording's sketches by that of its detections.

    >>> folder_beside("detections/camera=gate/file=a.mp4~0")
    'sketches/camera=gate/file=a.mp4~0'
    """
    return detections.replace(pieces.FOLDER, FOLDER, 1)


def load(store: Store, key: str) -> CameraSketch | None:
    """Return what is known of a camera's sketches; None where there are none, or nobody finished them."""
    data = store.read(f"{folder_of(key)}/{INDEX}")
    if data is None:
        return None
    try:
        told = json.loads(data)
        files = {
            name: FileSketch(each["folder"], each["whole"], [PieceSketch(**one) for one in each["pieces"]])
            for name, each in told["files"].items()
        }
        names = {int(number): name for number, name in told["names"].items()}
        return CameraSketch(told["made_with"], names, tuple(told["size"]), told["fps"], files)
    except (ValueError, KeyError, TypeError):
        return None  # they are made anew


def read(store: Store, names: Sequence[str], most: int | None = None) -> Iterator[Sketch]:
    """Yield the sketches in these files, ``most`` of each; raises ``InputError`` where one is not there."""
    polars = library()
    for name in names:
        with store.local(name) as path:
            try:
                table = polars.read_parquet(path, n_rows=most)
            except (OSError, polars.exceptions.PolarsError) as error:
                raise InputError(
                    f"{store.shown(name)}: cannot be read; delete its folder, and run again"
                ) from error
        yield from map(Sketch, table["time_s"], table["sketch"])
