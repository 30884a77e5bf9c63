"""MOTChallenge layout: folders of sequences, text files of detections, tracks and ground truth."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bytetrack import Detections, Tracks
from bytetrack.types import FloatArray
from tracker.refine import measured, refine
from tracker.types import InputError, OutputError, Tracker

FRAME, ID, BOX, SCORE, CLASS = 0, 1, slice(2, 6), 6, 7  # columns; frames and ids from 1


@dataclass(frozen=True)
class Recording:
    """One sequence: a folder with ``gt/gt.txt`` or ``det/det.txt``, and mostly ``seqinfo.ini``."""

    name: str
    folder: Path
    frames: int
    fps: float
    size: tuple[int, int] | None = None  # width, height in pixels

    @property
    def truth(self) -> Path:
        """Where the ground truth lies."""
        return self.folder / "gt" / "gt.txt"

    @property
    def detections(self) -> Path:
        """Where stored detections lie."""
        return self.folder / "det" / "det.txt"


def recordings(folder: Path, part: str = "gt", names: Sequence[str] = ()) -> list[Recording]:
    """Find the sequences in ``folder``, or the one that it is; ``part`` (gt or det) must be there.

    Raises ``InputError`` when there is none, or none of a name asked for.
    """
    marker = f"{part}/{part}.txt"
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give one that holds SEQUENCE/{marker}")
    places = (
        [folder]
        if (folder / marker).is_file()
        else sorted(p.parent.parent for p in folder.glob(f"*/{marker}"))
    )
    found = [_recording(place, place / marker) for place in places]
    for name in names:
        if not any(one.name.startswith(name) for one in found):
            known = ", ".join(one.name for one in found) or "none"
            raise InputError(f"no sequence {name} with {marker} in {folder}; there is: {known}")
    if not found:
        raise InputError(f"no sequence in {folder}; expected SEQUENCE/{marker} (MOTChallenge layout)")
    return [one for one in found if not names or any(one.name.startswith(name) for name in names)]


def _recording(folder: Path, marker: Path) -> Recording:
    ini = configparser.ConfigParser()
    ini.read(folder / "seqinfo.ini")
    name = folder.resolve().name
    if not ini.has_section("Sequence"):
        return Recording(name, folder, int(read_rows(marker)[:, FRAME].max(initial=1)), 30.0)
    about = ini["Sequence"]
    try:
        width, height = about.getint("imWidth"), about.getint("imHeight")
        return Recording(
            name,
            folder,
            frames=int(about["seqLength"]),
            fps=about.getfloat("frameRate", 30.0),
            size=(width, height) if width and height else None,
        )
    except (KeyError, ValueError) as error:
        raise InputError(f"{folder / 'seqinfo.ini'}: {error}; expected seqLength=, frameRate=") from error


def read_rows(path: Path) -> FloatArray:
    """Read MOTChallenge text, commas or blanks; (N, 10), what is missing is -1.

    Raises ``InputError`` naming the line that is not one.
    """
    rows = []
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    for number, line in enumerate(lines, start=1):
        fields = re.split(r"[,\s]+", line.strip().strip(","))
        if fields == [""]:
            continue
        try:
            row = [float(text) for text in fields[:10]]
        except ValueError:
            row = []
        if len(row) < 6:
            raise InputError(
                f"{path}, line {number}: expected frame,id,left,top,width,height, got {line[:60]!r}"
            )
        rows.append(row + [-1.0] * (10 - len(row)))
    return np.array(rows, np.float64).reshape(-1, 10)


def find_result(results: Path, name: str) -> Path:
    """Return the file of a sequence among results: ``NAME.txt``, or that of another detector's MOT17 set."""
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
    """Yield the detections of frames 1 to ``frames``, empty ones too; rows as `read_rows`."""
    order = np.argsort(rows[:, FRAME], kind="stable")
    bounds = np.searchsorted(rows[order, FRAME], np.arange(1, frames + 2))
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        own = rows[order[first:last]]
        xyxy = own[:, BOX].copy()
        xyxy[:, 2:] += xyxy[:, :2]
        yield Detections(xyxy, own[:, SCORE], np.zeros(len(own), np.int64))


def rows_of(tracks_of: Iterable[Tracks]) -> FloatArray:
    """Return the tracks of consecutive frames as MOTChallenge rows (N, 10)."""
    rows = [np.empty((0, 10))]
    for frame, tracks in enumerate(tracks_of, start=1):
        own = np.full((len(tracks), 10), -1.0)
        own[:, FRAME], own[:, ID], own[:, SCORE] = frame, tracks.track_id, tracks.score
        own[:, 2:4], own[:, 4:6] = tracks.xyxy[:, :2], tracks.xyxy[:, 2:] - tracks.xyxy[:, :2]
        rows.append(own)
    return np.concatenate(rows)


def follow(one: Recording, tracker: Tracker, *, second_pass: bool = False) -> FloatArray:
    """Run a tracker over stored detections; returns MOTChallenge rows (N, 10).

    ``second_pass`` fills and smooths the tracks when they are finished (`tracker.refine`).
    """
    boxes = list(frames_of(read_rows(one.detections), one.frames))
    tracks = [tracker.update(found) for found in boxes]
    if second_pass:
        raw = [measured(seen, found) for seen, found in zip(tracks, boxes, strict=True)]
        tracks = refine(raw, np.arange(one.frames) / one.fps)
    return rows_of(tracks)


def write_rows(path: Path, rows: FloatArray) -> None:
    """Write rows as `read_rows` returns them; raises ``OutputError``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(
            path,
            rows,
            fmt=["%d", "%d", *["%.4f"] * 5, "%d", "%d", "%d"],
            delimiter=",",
        )
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another folder") from error
