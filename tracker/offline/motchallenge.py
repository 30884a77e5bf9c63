"""MOTChallenge layout: folders of sequences, text files of detections, tracks and ground truth."""

from __future__ import annotations

import configparser
import io
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bytetrack import Detections, Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.contracts import Tracker
from tracker.offline.columns import CORNERS, MORE, MOT, SIZES
from tracker.offline.refine import measured, refine
from tracker.offline.tables import TableReader
from tracker.offline.track_rows import MOST_FRAME, MOST_ID, MOST_PX
from tracker.sinks import output_file
from tracker.types import InputError, OutputError

LOG = logging.getLogger(__name__)
MOST_FRAMES = 1_000_000  # of a sequence: nine hours at 30 frames per second
MOST_FPS = 1000.0
FRAME, ID, BOX, SCORE, CLASS = 0, 1, slice(2, 6), 6, 7  # columns; frames and ids from 1


@dataclass(frozen=True)
class MotSequence:
    """One sequence: a folder with ``gt/gt.txt`` or ``det/det.txt``, and usually ``seqinfo.ini``."""

    name: str
    folder: Path
    frames: int
    fps: float
    size: tuple[int, int] | None = None  # width, height in pixels

    @property
    def truth(self) -> Path:
        """The file of the ground truth."""
        return self.folder / "gt" / "gt.txt"

    @property
    def detections(self) -> Path:
        """The file of the stored detections."""
        return self.folder / "det" / "det.txt"


def find_sequences(folder: Path, part: str = "gt", names: Sequence[str] = ()) -> list[MotSequence]:
    """Find the sequences in ``folder``, or the one that it is itself; each must have ``part`` (gt or det).

    ``names`` selects by the beginning of the name. Raises ``InputError`` when there is none.
    """
    marker = f"{part}/{part}.txt"
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give one that holds SEQUENCE/{marker}")
    folders = (
        [folder]
        if (folder / marker).is_file()
        else sorted(p.parent.parent for p in folder.glob(f"*/{marker}"))
    )
    found = [_sequence(one, one / marker) for one in folders]
    for name in names:
        if not any(one.name.startswith(name) for one in found):
            known = ", ".join(one.name for one in found) or "none"
            raise InputError(f"no sequence {name} with {marker} in {folder}; there is: {known}")
    if not found:
        raise InputError(f"no sequence in {folder}; expected SEQUENCE/{marker} (MOTChallenge layout)")
    return [one for one in found if not names or any(one.name.startswith(name) for name in names)]


def _sequence(folder: Path, marker: Path) -> MotSequence:
    name = folder.resolve().name
    info = _seqinfo(folder / "seqinfo.ini")
    if info is None:
        frames, fps, size = int(read_rows(marker)[:, FRAME].max(initial=1)), 30.0, None
    else:
        try:
            width, height = info.getint("imWidth"), info.getint("imHeight")
            frames, fps = int(info["seqLength"]), info.getfloat("frameRate", 30.0)
        except (KeyError, ValueError) as error:
            raise InputError(f"{folder / 'seqinfo.ini'}: {error}; expected seqLength=, frameRate=") from error
        if not 0 < fps <= MOST_FPS or frames < 1:
            raise InputError(
                f"{folder / 'seqinfo.ini'}: seqLength {frames} and frameRate {fps:g}; "
                f"expected 1 or more, and more than 0 to {MOST_FPS:g}"
            )
        size = (width, height) if width and height and min(width, height) > 0 else None
    if frames > MOST_FRAMES:
        raise InputError(
            f"{marker if info is None else folder / 'seqinfo.ini'}: {frames} frames; "
            f"a sequence may have {MOST_FRAMES} at most"
        )
    return MotSequence(name, folder, frames, fps, size)


def _seqinfo(path: Path) -> configparser.SectionProxy | None:
    """Return the section of ``seqinfo.ini``, None if there is none; raises ``InputError``."""
    ini = configparser.ConfigParser(interpolation=None)
    try:
        ini.read(path, encoding="utf-8-sig")
    except (configparser.Error, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path}: {problem}; expected [Sequence] with seqLength=, frameRate=") from error
    return ini["Sequence"] if ini.has_section("Sequence") else None


def read_rows(path: Path) -> FloatArray:
    """Read MOTChallenge text, or a table of tracks (``--save-csv``), as (N, 10); missing cells are -1.

    Raises ``InputError`` that names the line and what is wrong with it.
    """
    return _read(path)[0]


def read_tracks(path: Path) -> FloatArray:
    """Read tracks as `read_rows` does; raises ``InputError`` for an id that is missing or not unique."""
    rows, lines = _read(path)
    ids = rows[:, ID]
    for row in np.flatnonzero(~((ids >= 0) & (ids <= MOST_ID) & (ids == np.floor(ids))))[:1].tolist():
        shown = f"{ids[row]:.0f}" if ids[row] == np.floor(ids[row]) else f"{ids[row]:g}"
        what = "these are detections, not tracks" if ids[row] == -1 else "no identity"
        raise InputError(f"{path}, line {lines[row]}: id {shown}: {what}; expected a whole number from 0")
    order = np.lexsort((ids, rows[:, FRAME]))
    for n in np.flatnonzero((np.diff(rows[order][:, : ID + 1], axis=0) == 0).all(axis=1))[:1].tolist():
        first, second = sorted(lines[order[n : n + 2]].tolist())
        frame, number = rows[order[n], : ID + 1]
        raise InputError(
            f"{path}, line {second}: id {number:.0f} is already in frame {frame:.0f}, in line {first}; "
            "expected one row per object and frame"
        )
    return rows


def _read(path: Path) -> tuple[FloatArray, IntArray]:
    """Return the rows (N, 10) and their line numbers (N,)."""
    with TableReader(path, MORE, ", line ") as table:
        found = list(table.blocks())
        if not found:
            return np.empty((0, 10)), np.empty(0, np.int64)
        lines = np.concatenate([np.array(numbers, np.int64) for numbers, _, _ in found])
        value = dict(zip(table.numbers, np.concatenate([block for *_, block in found]).T, strict=True))
        if table.layout.header:  # a row without an id stands for a frame without objects
            seen = ~np.isnan(value["tracker_id"])
            lines, value = lines[seen], {meaning: column[seen] for meaning, column in value.items()}
        value["frame"] += 1 - table.layout.first
        if table.layout.box == CORNERS:
            corners = [value[meaning] for meaning in CORNERS]
            value |= dict(
                zip(SIZES, (*corners[:2], corners[2] - corners[0], corners[3] - corners[1]), strict=True)
            )
        for meaning in MOT[:6]:
            column = value[meaning]
            most = MOST_FRAME if meaning == "frame" else MOST_PX if meaning in SIZES else np.inf
            good = (np.abs(column) <= most) & (
                (meaning != "frame") | ((column >= 1) & (column == np.floor(column)))
            )
            for row in np.flatnonzero(~good)[:1].tolist():
                told = "nothing" if np.isnan(column[row]) else f"{column[row]:.17g}"
                raise InputError(
                    f"{path}, line {lines[row]}: {meaning} has {told}; "
                    "expected frame,id,left,top,width,height, frames whole numbers from 1"
                )
    rows = np.stack([value[meaning] for meaning in MOT], axis=1)
    return np.where(np.isnan(rows), -1.0, rows), lines


def find_result(results: Path, name: str) -> Path:
    """Return the results of a sequence: ``NAME.txt``, or in MOT17 those of another detector."""
    if results.is_file():
        return results
    exact = results / f"{name}.txt"
    if exact.is_file():
        return exact
    number = re.match(r"MOT\d+-\d+", name)
    others = [p for p in results.glob("*.txt") if number and re.fullmatch(rf"{number[0]}(-[A-Z]+)?", p.stem)]
    if len(others) == 1:
        return others[0]
    raise InputError(f"no results for {name} in {results}; expected {exact.name}")


def frames_of(rows: FloatArray, frames: int) -> Iterator[Detections]:
    """Yield the detections of every frame from 1 to ``frames``; ``rows`` are those of `read_rows`."""
    if len(rows) and (most := rows[:, SCORE].max()) > 1:
        LOG.warning("scores reach %g; those above 1 count as 1, and --conf goes from 0 to 1", most)
    order = np.argsort(rows[:, FRAME], kind="stable")
    bounds = np.searchsorted(rows[order, FRAME], np.arange(1, frames + 2))
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        own = rows[order[first:last]]
        xyxy = own[:, BOX].copy()
        xyxy[:, 2:] += xyxy[:, :2]
        own_score = np.clip(own[:, SCORE], 0, 1)  # the scores of DPM and ACF are not limited to 1
        yield Detections(xyxy, own_score, np.zeros(len(own), np.int64))


def rows_of(tracks_of: Iterable[Tracks]) -> FloatArray:
    """Return the tracks of consecutive frames as MOTChallenge rows (N, 10)."""
    rows = [np.empty((0, 10))]
    for frame, tracks in enumerate(tracks_of, start=1):
        own = np.full((len(tracks), 10), -1.0)
        own[:, FRAME], own[:, ID], own[:, SCORE] = frame, tracks.track_id, tracks.score
        own[:, 2:4], own[:, 4:6] = tracks.xyxy[:, :2], tracks.xyxy[:, 2:] - tracks.xyxy[:, :2]
        rows.append(own)
    return np.concatenate(rows)


def follow(one: MotSequence, tracker: Tracker, *, second_pass: bool = False) -> FloatArray:
    """Run a tracker over stored detections; returns MOTChallenge rows (N, 10).

    ``second_pass`` fills gaps and smooths the complete tracks (`tracker.offline.refine`).
    """
    boxes = list(frames_of(read_rows(one.detections), one.frames))
    tracks = [tracker.update(found) for found in boxes]
    if second_pass:
        raw = [measured(seen, found) for seen, found in zip(tracks, boxes, strict=True)]
        tracks = refine(raw, np.arange(one.frames) / one.fps, detections=boxes)
    return rows_of(tracks)


def write_rows(path: Path, rows: FloatArray, *, overwrite: bool = False) -> None:
    """Write rows as `read_rows` returns them; raises ``OutputError``."""
    text = io.StringIO()
    np.savetxt(text, rows, fmt=["%d", "%d", *["%.4f"] * 5, "%d", "%d", "%d"], delimiter=",")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another folder") from error
    output_file.write(path, text.getvalue().encode(), overwrite=overwrite)
