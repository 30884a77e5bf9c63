"""The layout of a table: what its columns mean, by any program's names, and how rows are split."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DELIMITERS = (",", ";", "\t")
NAMES = {  # meaning of a column: its possible names, ours first
    "frame": ("frame", "frame_index", "frame_id", "frame_idx", "frame_number", "frame_no"),
    "time_s": ("time_s",),
    "tracker_id": ("tracker_id", "track_id", "trackid", "object_id", "id"),
    "x_min": ("x_min", "xmin", "x1"),
    "y_min": ("y_min", "ymin", "y1"),
    "x_max": ("x_max", "xmax", "x2"),
    "y_max": ("y_max", "ymax", "y2"),
    "left": ("bb_left", "left", "bbox_left"),
    "top": ("bb_top", "top", "bbox_top"),
    "width": ("bb_width", "width", "bbox_width", "w"),
    "height": ("bb_height", "height", "bbox_height", "h"),
    "confidence": ("confidence", "conf", "score"),
    "class_id": ("class_id", "cls_id"),
    "class_name": ("class_name", "class", "label"),
    "x_center": ("x", "x_center", "cx"),
    "y_center": ("y", "y_center", "cy"),
    "angle": ("angle", "rotation"),
    "segmentation": ("segmentation",),
    "keypoints": ("keypoints",),
}
MEANING = {name: meaning for meaning, names in NAMES.items() for name in names}
CORNERS, SIZES = ("x_min", "y_min", "x_max", "y_max"), ("left", "top", "width", "height")
ROTATED = ("x_center", "y_center", "width", "height", "angle")  # beside corners
MORE = ("column_8", "column_9", "column_10")  # class and visibility, or coordinates in the world
MOT = ("frame", "tracker_id", *SIZES, "confidence", *MORE)  # MOTChallenge text, which has no header


@dataclass(frozen=True)
class Layout:
    """Which column of a row means what."""

    columns: Mapping[str, int]  # meaning -> index in the row
    delimiter: str | None = None  # None: whatever separates a row of MOTChallenge text
    titles: Mapping[str, str] = field(default_factory=dict)  # meaning -> the title in the file
    header: bool = True

    @property
    def box(self) -> Sequence[str]:
        """Return the meanings of the four columns of a box."""
        return CORNERS if self.header and "left" not in self.columns else SIZES

    @property
    def kind(self) -> str:
        """Return what there is beside the boxes, as `Detector.kind`."""
        if self.header and "segmentation" in self.columns:
            return "segment"
        if self.header and "keypoints" in self.columns:
            return "pose"
        turned = self.header and self.box == CORNERS and all(name in self.columns for name in ROTATED)
        return "obb" if turned else "detect"

    @property
    def first(self) -> int:
        """Return the number of the first frame: 1 in MOTChallenge's way of counting, else 0."""
        return 0 if self.header and self.box == CORNERS else 1

    def cells(self, row: str) -> list[str]:
        """Split a row."""
        if self.delimiter is not None:
            return [cell.strip() for cell in next(csv.reader([row], delimiter=self.delimiter), [])]
        for delimiter in (";", "\t"):
            if row.count(delimiter) >= 5:
                return [cell.strip().rstrip(",") for cell in row.strip().split(delimiter)]
        words = row.split()
        if len(words) >= 6:  # a comma within a word is a decimal comma
            return [word.rstrip(",") for word in words]
        return re.split(r"[,\s]+", row.strip().strip(","))

    def cell(self, row: str, meaning: str) -> str:
        """Return a cell of a row in quotes, or "nothing"."""
        cells, column = self.cells(row), self.columns.get(meaning, -1)
        return shorten(cells[column]) if 0 <= column < len(cells) and cells[column] else "nothing"

    def title(self, meaning: str) -> str:
        """Return the title of a column in the file."""
        return self.titles.get(meaning, meaning)


def shorten(text: str, most: int = 60) -> str:
    """Return text in quotes, cut off where it is long."""
    return repr(text if len(text) <= most else text[: most - 1] + "…")


def meaning_of(title: str) -> str | None:
    """Return the meaning of a column of this title, None if it has none for us.

    >>> meaning_of("Track ID"), meaning_of("bb_left"), meaning_of("weather")
    ('tracker_id', 'left', None)
    """
    return MEANING.get(re.sub(r"[\s.-]+", "_", title.strip().strip("\"'").casefold()))
