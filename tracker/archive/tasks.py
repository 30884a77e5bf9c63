"""What is done anywhere: a task goes to a worker, an outcome comes back; only paths and notes travel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tracker.archive.pieces import Piece, Probed
from tracker.archive.recordings import Recording
from tracker.options import Options
from tracker.types import Json

CRASHES = 3  # of the worker that does it, after which a task has failed


@dataclass(frozen=True)
class Task:
    """Something to do. ``release`` is the program's version where it was asked for."""

    release: str

    @property
    def waits(self) -> bool:
        """Whether it mostly waits for others, and needs no core of its own."""
        return False

    @property
    def detects(self) -> bool:
        """Whether it needs the network, and with it a share of a GPU where there are any."""
        return False

    @property
    def title(self) -> str:
        """What it is about, for the user."""
        raise NotImplementedError

    def run(self) -> Any:
        """Do it; raises ``TrackError``."""
        raise NotImplementedError


@dataclass(frozen=True)
class Place:
    """Where a recording is read and its parts are written."""

    store: str
    folder: str


@dataclass(frozen=True)
class Probe(Task):
    """Open a recording and see what it is."""

    recording: Recording
    options: Options

    @property
    def title(self) -> str:
        """The file."""
        return self.recording.name

    def run(self) -> Probed:
        """Look."""
        from tracker.archive.probe import probe

        return probe(self.recording.uri, self.options)


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
        from tracker.archive.detect import detect

        return detect(self)


@dataclass(frozen=True)
class Detected:
    """What came of a piece."""

    frames: int = 0
    media_s: float = 0.0
    cpu_s: float = 0.0
    fault: str = ""  # why the file cannot be cut


@dataclass(frozen=True)
class Part:
    """A recording as a follower sees it."""

    recording: Recording
    probed: Probed
    folder: str
    pieces: int  # 0: it is decoded whole


@dataclass(frozen=True)
class Follow(Task):
    """Follow the objects of one camera through the parts of its recordings, in order, while they arrive."""

    camera: str
    key: str
    dated: bool
    parts: tuple[Part, ...]
    store: str
    options: Options
    zones: str | None = None  # name of the zone file in the store
    sketched: str = ""  # mark of the settings with which sketches for videos are stored; none: they are not
    mark: str = ""  # of the settings with which tables are made
    lines: bool = False  # whether the lines that a run writes are kept beside

    @property
    def waits(self) -> bool:
        """It waits for parts."""
        return True

    @property
    def title(self) -> str:
        """The camera."""
        return self.camera

    def run(self) -> Followed:
        """Follow."""
        from tracker.archive.follow import follow

        return follow(self)


@dataclass(frozen=True)
class Followed:
    """What came of a camera."""

    files: dict[str, Json] = field(default_factory=dict)  # name of a recording -> frames and notes
    tables: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_cut: tuple[str, str] | None = None  # a recording whose pieces do not fit, and why
    again: bool = False  # what it had read has been replaced: follow from the beginning
    frames: int = 0
    cpu_s: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What a worker returns of a task."""

    value: Any = None
    error: str = ""  # a line for the user
    refused: bool = False  # because the worker has another version of the program


def perform(task: Task) -> Outcome:
    """Do a task in a worker; what goes wrong is told in the outcome."""
    from tracker.archive.pieces import release
    from tracker.types import TrackError

    if task.release != release():
        why = f"a worker on {_host()} has track {release()}, this is {task.release}: install the same"
        return Outcome(error=why, refused=True)
    try:
        return Outcome(task.run())
    except TrackError as error:
        return Outcome(error=str(error))
    except Exception as error:  # a mistake of ours, or of a codec; the other files go on
        import logging

        logging.getLogger("track").exception("%s", task.title)
        return Outcome(error=f"{type(error).__name__}: {' '.join(str(error).split())}")


def _host() -> str:
    import socket

    return socket.gethostname()
