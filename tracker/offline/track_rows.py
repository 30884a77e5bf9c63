"""Read the rows of tracks in a table, and refuse impossible numbers by line and column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytetrack.types import RADIANS, FloatArray, IntArray
from tracker.offline.columns import CORNERS, ROTATED
from tracker.offline.tables import TableReader
from tracker.text import cell_read, harmless

MOST_FRAME = 1e10  # ten years at 30 per second
MOST_ID = 1e15  # integers up to here are exact as floats
MOST_CLASS = 1e9
MOST_PX = 1e7  # of a coordinate; far outside every picture
MOST_TIME_S = 1e11  # of the wall clock: the year 5138
NO_ID = -1  # of a detection that belongs to no track
NO_SCORE = -1  # in MOTChallenge text without scores
IN_RADIANS = "expected radians, at most 6.28, not degrees"
MOT_CLASS = "object"  # MOTChallenge text has no classes

Mask = NDArray[np.bool_]


class Rows(NamedTuple):
    """Rows of a file; those without an id stand for a frame without objects."""

    line: IntArray  # (N,) number of the line
    frame: IntArray  # (N,) from 0
    time: FloatArray  # (N,) seconds, NaN if the file has none
    seen: Mask  # (N,) True for the M rows that have an id
    track_id: IntArray  # (M,)
    xyxy: FloatArray  # (M, 4)
    score: FloatArray  # (M,)
    class_id: IntArray  # (M,)
    rotated: FloatArray  # (M, 5), NaN where the file has none
    shape: NDArray[np.object_]  # (M,) the cell of a mask or of keypoints, as text; empty where there is none


class TrackRows:
    """Reads files of ``--save-csv`` and ``--save-mot``, supervision's CSV and MOTChallenge text, in blocks.

    Raises ``InputError`` that names file, line, column and what was expected.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: dict[int, str] = {}  # of the classes met so far
        self.kind = "detect"  # what there is beside the boxes, as `Detector.kind`
        self._joints: int | None = None  # numbers of a skeleton
        self.times = False  # whether the file has a time for each frame
        self.unfollowed = 0  # rows with `NO_ID`
        self._odd: dict[
            str, tuple[int, int]
        ] = {}  # what is unusual but allowed: how often, and the first line

    def blocks(self) -> Iterator[Rows]:
        """Yield the rows, in the order of the file."""
        with TableReader(self.path) as table:
            self.kind = table.layout.kind
            self.times = "time_s" in table.layout.columns
            self._named = "class_name" in table.layout.columns
            self._numbered = "class_id" in table.layout.columns
            if not table.layout.header:
                self.names = {0: MOT_CLASS}
            for lines, texts, numbers in table.blocks():
                yield self._rows(table, np.array(lines, np.int64), texts, numbers)

    def warnings(self) -> list[str]:
        """Return what is unusual in the file, for the user."""
        return [
            f"{self.path}: {count} {what}, first in line {line}" for what, (count, line) in self._odd.items()
        ]

    def _rows(self, table: TableReader, line: IntArray, texts: list[str], numbers: FloatArray) -> Rows:
        layout = table.layout
        value = dict(zip(table.numbers, numbers.T, strict=True))

        def need(meaning: str, good: Mask, expected: str, among: Mask | bool = True) -> None:
            for at in np.flatnonzero(~good & among)[:1].tolist():
                cell = layout.cell(texts[at], meaning)
                raise table.error(
                    int(line[at]),
                    f"not a row of tracks: column {layout.title(meaning)!r} has {cell}; {expected}",
                )

        frame, first = value["frame"], layout.first
        expected = f"expected a whole number from {first} to {MOST_FRAME:.0f}"
        need("frame", _whole(frame) & (frame >= first) & (frame <= MOST_FRAME), expected)
        if self.times:
            need("time_s", np.abs(value["time_s"]) <= MOST_TIME_S, "expected seconds")
        track_id = value["tracker_id"]
        without_id = np.isnan(track_id) | (track_id == NO_ID)
        self.unfollowed += int(np.count_nonzero(track_id == NO_ID))
        expected = f"expected a whole number from 0 to {MOST_ID:.0f}, or nothing"
        need(
            "tracker_id", without_id | (_whole(track_id) & (track_id >= 0) & (track_id <= MOST_ID)), expected
        )
        seen = ~without_id
        for meaning in layout.box:
            expected = f"expected pixels, at most {MOST_PX:.0f}"
            need(meaning, np.abs(value[meaning]) <= MOST_PX, expected, seen)
        box = np.stack([value[meaning] for meaning in layout.box], axis=1)
        boxed = ~np.isnan(box).all(axis=1)
        self._note("rows of a box that belongs to nobody (cut off?)", line, np.isnan(track_id) & boxed)
        box = box[seen]
        xyxy = box if layout.box == CORNERS else np.hstack([box[:, :2], box[:, :2] + box[:, 2:]])
        self._note("boxes without area", line[seen], np.asarray((xyxy[:, 2:] <= xyxy[:, :2]).any(axis=1)))
        score = value["confidence"]
        score = value["confidence"] = np.where(np.isnan(score) | (score == NO_SCORE), 1.0, score)
        likely = (score >= 0) & (score <= 1 + 1e-6)
        if layout.header:
            need("confidence", likely, "expected 0 to 1 (percent divided by 100)", seen)
        self._note("scores that are not between 0 and 1", line[seen], ~likely[seen])
        class_id = value["class_id"]
        whole = np.isnan(class_id) | (_whole(class_id) & (np.abs(class_id) <= MOST_CLASS))
        need("class_id", whole, "expected a whole number", seen)
        rotated = np.full((int(np.count_nonzero(seen)), 5), np.nan)
        if self.kind == "obb":
            need("angle", np.isnan(value["angle"]) | (np.abs(value["angle"]) <= RADIANS), IN_RADIANS, seen)
            rotated = np.stack([value[meaning][seen] for meaning in ROTATED], axis=1)
        texts = [texts[row] for row in np.flatnonzero(seen).tolist()]
        return Rows(
            line,
            frame.astype(np.int64) - first,
            value["time_s"],
            seen,
            track_id[seen].astype(np.int64),
            xyxy,
            score[seen],
            self._classes(table, texts, class_id[seen]),
            rotated,
            self._shapes(table, line[seen], texts),
        )

    def _shapes(self, table: TableReader, line: IntArray, texts: list[str]) -> NDArray[np.object_]:
        """Return the cells of masks or keypoints as text; skeletons must have one number of keypoints."""
        cells = np.full(len(texts), "", object)
        column = table.layout.columns.get({"segment": "segmentation", "pose": "keypoints"}.get(self.kind, ""))
        if column is None:
            return cells
        for row, text in enumerate(texts):
            found = table.layout.cells(text)
            cell = cells[row] = found[column] if column < len(found) else ""
            if self.kind != "pose" or not cell:
                continue
            numbers = cell.count(",") + 1
            self._joints = self._joints or numbers
            if numbers != self._joints or numbers % 3:
                raise table.error(
                    int(line[row]),
                    f"has {numbers / 3:g} keypoints, and the rows before have {self._joints / 3:g}; "
                    "one skeleton is expected, x, y and confidence of each point",
                )
        return cells

    def _classes(self, table: TableReader, texts: list[str], given: FloatArray) -> IntArray:
        """Return the class ids of some rows; a class keeps its first name."""

        def name_in(text: str) -> str:
            cells = table.layout.cells(text)
            column = table.layout.columns["class_name"]
            return harmless(cell_read(cells[column])) if column < len(cells) else ""

        class_id = np.where(np.isnan(given), 0, given).astype(np.int64)
        if not self._numbered and self._named:  # only names: numbered in the order of the file
            known = {name: number for number, name in self.names.items()}
            class_id = np.array([known.setdefault(name_in(t), len(known)) for t in texts], np.int64)
            self.names = {number: name or str(number) for name, number in known.items()}
        elif table.layout.header:
            found, at = np.unique(class_id, return_index=True)
            for one, row in zip(found.tolist(), at.tolist(), strict=True):
                if one not in self.names:
                    self.names[one] = (name_in(texts[row]) if self._named else "") or str(one)
        return class_id

    def _note(self, what: str, line: IntArray, odd: Mask) -> None:
        if odd.any():
            count, first = self._odd.get(what, (0, int(line[odd][0])))
            self._odd[what] = count + int(np.count_nonzero(odd)), first


def _whole(values: FloatArray) -> Mask:
    found: Mask = values == np.floor(values)
    return found
