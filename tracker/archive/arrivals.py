"""The parts of a camera in order, as they arrive."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bytetrack import Detections
from tracker.archive import pieces
from tracker.archive.recordings import Recording
from tracker.archive.store import Store
from tracker.contracts import Detector
from tracker.detectors.stored import StoredFrame
from tracker.offline.saved_detections import SavedDetections
from tracker.sources.video_piece import Seams, fits
from tracker.types import InputError, Json

PATIENCE_S = (0.05, 1.0)  # between two looks at whether a part has arrived: first, and after a while
NAMED_S = 1.0  # names of files tell whole seconds: what is nearer follows without a gap


@dataclass(frozen=True)
class Part:
    """A recording as a follower sees it."""

    recording: Recording
    probed: pieces.Probed
    folder: str
    pieces: int  # 0: it is decoded whole


class NotCutError(Exception):
    """The pieces of a recording do not fit: it must be decoded whole."""

    def __init__(self, recording: str, why: str) -> None:
        super().__init__(recording, why)
        self.recording, self.why = recording, why


class ReplacedError(Exception):
    """What was read has been replaced by something else: begin again."""


class Stored(NamedTuple):
    """A frame of a camera: its number and time there, and what was found in it."""

    number: int
    time: float
    found: Detections | None
    anew: bool  # whether so much time has passed that nobody is the same any more
    part: Part  # the recording it is of
    piece: int | None  # of that recording; None: it was decoded whole
    media_s: float  # its time in the recording


@dataclass
class Read:
    """What was read of one recording."""

    frames: int = 0
    parts: int = 0
    whole: bool = False  # it is not cut
    first_s: float | None = None  # of the camera's time
    last_s: float | None = None
    notes: list[str] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True)
class Reached:
    """How far a camera was read, so that what comes behind can be read alone."""

    index: int  # of the next frame
    last_s: float  # time of the last one
    computed: tuple[str, dict[str, str]]  # the first part, and what decided its numbers
    read: dict[str, Json]  # by recording, as `notes_of` tells it


class Arrivals:
    """The frames of a camera from its parts, which are awaited one after the other.

    Frames are numbered through all recordings. The time of each recording is that which its name tells, from
    the first one on; what begins within `NAMED_S` of the end of the last, or before it, follows it directly.
    Raises ``InputError`` where parts were computed differently, `NotCutError` and `ReplacedError`.
    Recordings that are ``reached`` were read before, and are not read again.
    """

    def __init__(
        self, store: Store, parts: Sequence[Part], lost_s: float, reached: Reached | None = None
    ) -> None:
        self.store, self.parts, self.lost_s = store, parts, lost_s
        usable = next(part.probed for part in parts if not part.probed.error)
        self.size, self.fps = usable.size, usable.fps
        self.read: dict[str, Read] = {}
        self._before = reached
        self._index = 0
        self._last: float | None = None
        self._computed: tuple[str, dict[str, str]] | None = None  # by which part, and how

    @property
    def reached(self) -> Reached | None:
        """How far everything was read; None where a recording failed, or had no frame at all."""
        if self._computed is None or self._last is None or any(read.error for read in self.read.values()):
            return None
        told = {name: notes_of(read) for name, read in self.read.items()}
        return Reached(self._index, self._last, self._computed, told)

    def detector(self) -> tuple[Mapping[int, str], str]:
        """Return the classes and the kind of detector, by the first part that arrives."""
        for part in self.parts:
            first = self._await(part, 0, begun=False)
            if first is not None:
                with self.store.local(first) as path:
                    saved = SavedDetections(path)
                    return saved.names, saved.kind
        return {}, Detector.kind

    def __iter__(self) -> Iterator[Stored]:
        """Yield the frames of all recordings, waiting for those that are not there yet."""
        self._begin()
        for part in self.parts[len(self.read) :]:
            read = self.read[part.recording.name] = Read()
            start, anew, number = 0.0, False, self._index
            for stored in self._of(part, read):
                if read.first_s is None:
                    start, anew = self._joined(part, self._last, read)
                    if part.probed.size != self.size:
                        read.error = "its pictures are not {}x{} like those before".format(*self.size)
                        break
                assert stored.time is not None
                now = start + stored.time
                read.first_s = now if read.first_s is None else read.first_s
                read.frames, read.last_s, self._last = read.frames + 1, now, now
                self._index = number + stored.frame + 1
                piece = None if read.whole else read.parts - 1
                yield Stored(self._index - 1, now, stored.detections, anew, part, piece, stored.time)
                anew = False

    def _begin(self) -> None:
        """Stand at the first frame, or behind what was reached before."""
        self.read, self._computed, self._index, self._last = {}, None, 0, None
        before = self._before
        if before is not None:
            self.read = {name: Read(**told) for name, told in before.read.items()}
            self._index, self._last = before.index, before.last_s
            self._computed = before.computed[0], before.computed[1]

    def _joined(self, part: Part, last: float | None, read: Read) -> tuple[float, bool]:
        """Return where a recording begins in the camera's time, and whether too long after the last frame."""
        began, start = self.parts[0].recording.start_s, part.recording.start_s
        told = None if began is None or start is None else start - began
        if last is None:
            return told or 0.0, False
        after = last + 1 / part.probed.fps
        if told is None or abs(told - after) <= NAMED_S:
            return after, False
        if told < after:
            read.notes.append(f"begins {after - told:.1f} s before the file before it ends; put behind it")
            return after, False
        read.notes.append(f"a gap of {told - after:.1f} s is before it")
        return told, told - last > self.lost_s

    def _of(self, part: Part, read: Read) -> Iterator[StoredFrame]:
        """Yield the frames of one recording, numbered from its beginning."""
        before: Seams | None = None
        index, number = 0, 0
        while True:
            name = self._await(part, number, begun=number > 0)
            if name is None:
                read.error = part.probed.error or self._why_failed(part)
                return
            with self.store.local(name) as path:
                saved = SavedDetections(path)
                about = saved.about.get(pieces.ABOUT)
                if about is None or not saved.complete:
                    raise InputError(
                        f"{self.store.shown(name)}: is no part of an archive; delete it, and run again"
                    )
                self._check(self.store.shown(name), pieces.arithmetic(saved.about))
                seams = pieces.seams_of(about["seams"])
                if before is not None and not fits(before, seams):
                    why = f"after {about['start_s']:g} s a seek gives other frames"
                    raise NotCutError(part.recording.name, why)
                read.notes += [note for note in about["notes"] if note not in read.notes]
                read.parts += 1
                read.whole = name.endswith(pieces.WHOLE)
                last = -1
                for stored in saved.stored():
                    last = stored.frame
                    yield stored._replace(frame=index + stored.frame)
                index += last + 1
            before, number = seams, number + 1
            if number >= part.pieces or name.endswith(pieces.WHOLE):
                return

    def _await(self, part: Part, number: int, *, begun: bool) -> str | None:
        """Return the name of a part once it is there; None once it is known that it will not come."""
        if part.probed.error:
            return None
        wait_s = PATIENCE_S[0]
        wanted = pieces.Piece(number).part if part.pieces else pieces.WHOLE
        while True:
            there = self.store.names(part.folder)
            if pieces.WHOLE in there:
                if begun and part.pieces:
                    raise ReplacedError
                return f"{part.folder}/{pieces.WHOLE}"
            if pieces.FAILED in there:
                if begun:
                    raise ReplacedError
                return None
            if wanted in there:
                return f"{part.folder}/{wanted}"
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, PATIENCE_S[1])

    def _why_failed(self, part: Part) -> str:
        data = self.store.read(f"{part.folder}/{pieces.FAILED}")
        return "" if data is None else str(json.loads(data)["error"])

    def _check(self, name: str, computed: dict[str, str]) -> None:
        """Refuse parts that were computed differently."""
        if self._computed is None:
            self._computed = name, computed
            return
        apart = pieces.difference(self._computed[1], computed)
        if apart is not None:
            raise InputError(
                f"{name} was not computed like {self._computed[0]} ({apart}): delete those of one kind, and "
                "run again where all workers are alike"
            )


def notes_of(read: Read) -> Json:
    """Return what is told of a recording in the record of a camera."""
    return {
        "frames": read.frames,
        "parts": read.parts,
        "first_s": read.first_s,
        "last_s": read.last_s,
        "notes": read.notes,
        "error": read.error,
    }
