"""Read tables with any usual delimiter, decimal mark and encoding, as spreadsheets write them."""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

import numpy as np

from bytetrack.types import FloatArray
from tracker.offline.columns import DELIMITERS, MOT, ROTATED, Layout, meaning_of, shorten
from tracker.types import InputError

LONGEST = 1 << 16  # letters of a row; a file with longer ones is not a table
BLOCK = 5_000  # rows parsed at once
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class TableReader:
    """Reads the rows of a text file as numbers; used in ``with``. Raises ``InputError``."""

    def __init__(self, path: Path, more: Sequence[str] = (), at: str = ":") -> None:
        self.path, self._more = path, more  # further columns that are read as numbers
        self._at = at  # between path and line in errors

    def __enter__(self) -> TableReader:
        """Open the file and read its header, if it has one."""
        self._file = self._open()
        try:
            self._rows: Iterator[tuple[int, str]] = self._numbered()
            first = next(self._rows, None)
            if first is not None and re.fullmatch(
                "sep=.", first[1].strip("\r\n")
            ):  # a line that only Excel writes
                first = next(self._rows, None)
            self.layout = Layout(dict(zip(MOT, range(len(MOT)), strict=True)), header=False)
            if first is not None:
                found = self._header(*first)
                self.layout = found or self.layout
                self._rows = self._rows if found else chain([first], self._rows)
            self.numbers = (
                "frame",
                "time_s",
                "tracker_id",
                *self.layout.box,
                "confidence",
                "class_id",
                *(ROTATED if self.layout.kind == "obb" else ()),
                *self._more,
            )
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def blocks(self) -> Iterator[tuple[list[int], list[str], FloatArray]]:
        """Yield line numbers (N,), rows (N,) and their numbers (N, K) as ``numbers`` names them.

        A cell that is empty or absent is NaN.
        """
        while block := list(islice(self._rows, BLOCK)):
            lines, texts = [n for n, _ in block], [text for _, text in block]
            yield lines, texts, self._parse(lines, texts)

    def error(self, line: int, text: str) -> InputError:
        """Return an error that names a line of this file."""
        return InputError(f"{self.path}{self._at}{line}: {text}")

    def _parse(self, lines: list[int], texts: list[str]) -> FloatArray:
        gap = 2 * (self.layout.delimiter or ",")
        bare = np.array([gap in text for text in texts])  # a cell is empty, as in frames without objects
        full = self._parse_fast([text for text in texts if gap not in text])
        if full is None:
            return self._parse_cells(lines, texts)
        numbers = np.empty((len(texts), len(self.numbers)))
        numbers[~bare] = full
        rows = np.flatnonzero(bare).tolist()
        numbers[bare] = self._parse_cells([lines[row] for row in rows], [texts[row] for row in rows])
        return numbers

    def _parse_fast(self, texts: list[str]) -> FloatArray | None:
        """Parse rows at once; None if there are empty cells, decimal commas or other exceptions."""
        layout = self.layout
        if not texts:
            return np.empty((0, len(self.numbers)))
        columns, width = layout.columns, texts[0].count(layout.delimiter or ",") + 1
        there = [meaning for meaning in self.numbers if columns.get(meaning, width) < width]
        if not layout.header and width < 6:
            return None
        try:
            table = np.loadtxt(
                texts,
                delimiter=layout.delimiter or ",",
                usecols=[columns[meaning] for meaning in there],
                comments=None,
                quotechar='"' if layout.header else None,
                ndmin=2,
            )
        except (ValueError, IndexError):
            return None
        if not np.isfinite(table).all():
            return None  # the slow way names the cell
        numbers = np.full((len(texts), len(self.numbers)), np.nan)
        numbers[:, [self.numbers.index(meaning) for meaning in there]] = table
        return numbers

    def _parse_cells(self, lines: list[int], texts: list[str]) -> FloatArray:
        numbers = np.full((len(texts), len(self.numbers)), np.nan)
        for at, (line, text) in enumerate(zip(lines, texts, strict=True)):
            cells = self.layout.cells(text)
            if not self.layout.header and len(cells) < 6:
                raise self._not_mot(line, text)
            for index, meaning in enumerate(self.numbers):
                column = self.layout.columns.get(meaning, len(cells))
                if column < len(cells) and cells[column]:
                    try:
                        numbers[at, index] = number(cells[column])
                    except ValueError:
                        if not self.layout.header:
                            raise self._not_mot(line, text, meaning, cells[column]) from None
                        raise self.error(
                            line,
                            f"not a row of tracks: column {self.layout.title(meaning)!r} has "
                            f"{shorten(cells[column])}; a number is expected",
                        ) from None
        return numbers

    def _not_mot(self, line: int, text: str, meaning: str = "", cell: str = "") -> InputError:
        column = f"column {MOT.index(meaning) + 1} ({meaning}) has {shorten(cell)}; " if meaning else ""
        return self.error(
            line,
            f"neither a table of tracks (--save-csv) nor MOTChallenge text: {column}expected "
            f"frame,id,left,top,width,height,score, got {shorten(text.strip())}",
        )

    def _header(self, line: int, row: str) -> Layout | None:
        """Return the layout that the first row describes, None if it is not a header."""
        best: tuple[int, str, list[str]] = (0, ",", [])
        for delimiter in DELIMITERS:
            titles = [cell.strip() for cell in next(csv.reader([row], delimiter=delimiter), [])]
            best = max(best, (sum(meaning_of(title) is not None for title in titles), delimiter, titles))
        known, delimiter, titles = best
        columns: dict[str, int] = {}
        for index, title in enumerate(titles):
            meaning = meaning_of(title)
            if meaning is not None and meaning in columns:
                raise self.error(
                    line,
                    f"the columns {titles[columns[meaning]]!r} and {title!r} mean the same; leave one out",
                )
            if meaning is not None:
                columns[meaning] = index
        if not known or ("tracker_id" not in columns and known < 2):
            return None
        layout = Layout(columns, delimiter, {meaning: titles[index] for meaning, index in columns.items()})
        for meaning in ("frame", *layout.box, "tracker_id"):
            if meaning not in columns:
                listed = shorten(", ".join(titles))
                raise self.error(
                    line, f"the column {meaning!r} is missing; --save-csv writes it (here: {listed})"
                )
        return layout

    def _open(self) -> TextIO:
        try:
            with self.path.open("rb") as file:
                head = file.read(4096)
            encoding = next((name for mark, name in BYTE_ORDER_MARKS if head.startswith(mark)), "utf-8")
            if (
                encoding == "utf-8" and b"\0" in head[:2]
            ):  # "Unicode text" of a spreadsheet without a byte order mark
                encoding = "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
            return self.path.open(encoding=encoding, newline="")
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror or error}") from error

    def _numbered(self) -> Iterator[tuple[int, str]]:
        """Yield the rows that are not empty, with line numbers; a quoted line end does not end a row."""
        line, row, begun = 0, "", 1
        try:
            while part := self._file.readline(LONGEST + 1):
                line += 1
                begun, row = (begun, row + part) if row else (line, part)
                if len(row) > LONGEST or "\0" in part:
                    raise self.error(begun, "is not a row of a table: too long, or not text")
                if '"' in row and row.count('"') % 2:
                    continue
                if row.strip(" \t\r\n,;\"'"):
                    yield begun, row
                row = ""
        except UnicodeError as error:
            raise InputError(
                f"{self.path}:{line + 1}: cannot be read: not text in UTF-8 or UTF-16; save it as 'CSV UTF-8'"
            ) from error
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        if row:
            raise self.error(begun, "a quotation mark is opened here and never closed")


def number(text: str) -> float:
    """Return the number in a cell; a comma is a decimal comma. Raises ``ValueError`` for other text.

    >>> number("4.0"), number("3,25"), number('"7"')
    (4.0, 3.25, 7.0)
    """
    text = text.strip().strip("\"'").strip()
    if "_" in text or text.count(",") > 1 or len(text) > 400:
        raise ValueError(text)
    value = float(text.replace(",", "."))
    if not math.isfinite(value):
        raise ValueError(text)
    return value
