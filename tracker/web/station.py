"""One source as the page sees it: its state, its newest picture, what may be done, and where it counts.

The loop's thread publishes, the server's threads read; what goes the other way is `Counting`'s.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tracker.run.painter import Painter
from tracker.run.session import Session
from tracker.types import Result, Scene
from tracker.web.counting import Counting

OLD_S = 2.0  # a picture older than this is not live any more
STUCK_S = 15.0  # a camera that runs and gave no picture for so long does not work
RATE_FRAMES = 30  # over which frames per second are told
BURNT_IN = ("Line", "Zone", "Movement")  # plugins whose marks are in the way while shapes are edited


@dataclass(frozen=True, eq=False)
class Seen:
    """The newest frame, and when it came."""

    result: Result
    number: int  # counts all frames that were published
    at: float  # time.monotonic()


@dataclass(eq=False)
class Station:
    """See the module."""

    number: int
    name: str
    live: bool
    zones: Path  # the zone file, which need not exist
    keeps: bool = False  # goes on after a stop with what was counted, whatever was drawn meanwhile
    memory: Path | None = None  # where it is kept who counted last; see `Drawn`
    state: str = "idle"  # idle, starting, running, lost, stopping, stopped, ended, failed
    message: str = ""
    latest: Seen | None = None
    progress: tuple[int, int | None] = (0, None)  # frames done, of how many
    began: float = 0.0  # time.monotonic() of the first frame
    results: dict[str, Path] = field(default_factory=dict)  # what may be downloaded, by id
    runs: int = 0  # how many have ended
    stale: bool = False  # the shapes were changed after the video was drawn
    recounting: bool = False  # it counts anew from saved tracks
    changed: Callable[[], bool] = bool  # whether the file is another one than that which was counted
    start: Callable[[], None] | None = None
    stop: Callable[[], None] | None = None
    recount: Callable[[], None] | None = None
    unseen: Callable[[], str | None] | None = None  # why a camera has not given a picture yet
    still: Callable[[float], bytes] | None = None  # JPEG of a second of the file
    report: Callable[[str], bytes] | None = None  # "html" or "xlsx"
    length_s: float | None = None  # of the file
    video_from_s: float = 0.0  # where in the file the written video begins

    def __post_init__(self) -> None:
        """Nothing is attached yet."""
        self._lock = threading.RLock()
        self.counting = Counting(
            self.zones, self.memory, keeps=self.keeps, lock=self._lock, drawn=self._was_drawn
        )
        self._times: deque[float] = deque(maxlen=RATE_FRAMES)
        self._listeners: set[Callable[[], None]] = set()
        self._frames = 0

    # -- what the loop's thread does

    def attach(self, session: Session) -> None:
        """Begin: a run is open, and its plugins have started."""
        with self._lock:
            self.painter = Painter(session.scene.names, session.drawing, session.scene.live)
            self.counting.begin(session)
            self.state, self.message, self.progress = "running", "", (0, session.source.length)
            self.began = time.monotonic()

    def detach(self, state: str, message: str = "") -> None:
        """End: the run is over."""
        self.counting.close()  # before the lock: who waits for an answer has it
        with self._lock:
            self.recounting = False
            self.state, self.message = state, message
            self.runs += 1
        self._tell()

    def publish(self, result: Result, *, picture: bool = True) -> None:
        """Take a frame that everybody has seen; without a ``picture`` the newest one stays."""
        now = time.monotonic()
        self._times.append(now)
        self._frames += 1
        self.counting.add(result)
        if picture:
            self.latest = Seen(result, self._frames, now)
        self.progress = (self.progress[0] + 1, self.progress[1])
        if self.state in ("lost", "starting"):
            self.state, self.message = "running", ""
        self.counting.obey()
        self._tell()

    # -- what the server's threads do

    def listen(self, call: Callable[[], None]) -> Callable[[], None]:
        """Let ``call`` be called, in any thread, when there is something new; returns what ends this."""
        with self._lock:
            self._listeners = {*self._listeners, call}

        def leave() -> None:
            with self._lock:
                self._listeners = self._listeners - {call}

        return leave

    def _tell(self) -> None:
        for call in self._listeners:
            call()

    @property
    def age_s(self) -> float | None:
        """How old the newest picture is; None: there is none."""
        return None if self.latest is None else time.monotonic() - self.latest.at

    @property
    def fps(self) -> float:
        """Frames per second of late."""
        times = list(self._times)
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0

    @property
    def why(self) -> str:
        """What there is to say of the state."""
        waits = self.unseen() if self.unseen is not None and self.state == "starting" else None
        return waits or self.message

    @property
    def works(self) -> bool:
        """Whether pictures come, as far as they should."""
        if self.state in ("failed", "lost") or (self.state == "starting" and self.why):
            return False
        stuck = (self.age_s or 0.0) > STUCK_S
        return not (self.live and self.state == "running" and stuck)

    @property
    def scene(self) -> Scene | None:
        """What is known of the source once it was open."""
        return self.counting.scene

    def zero(self) -> None:
        """Count from zero; raises ``ConflictError`` where nothing runs."""
        self.counting.zero()

    def _was_drawn(self, counted: bool) -> None:
        if not counted:
            self.stale = self.stale or bool(self.results) or self.state in ("running", "stopping")
        self._tell()


def fix_shared(stations: Sequence[Station]) -> None:
    """Let nobody change a zone file that several sources have: who draws for one would change the others."""
    files = [os.path.realpath(station.zones) for station in stations]
    for station, file in zip(stations, files, strict=True):
        many = files.count(file)
        if many > 1:
            station.counting.fixed_because = (
                f"{station.zones.name} belongs to {many} sources; to draw here give each a zone file of its "
                "own, by zones=FILE in a list of sources (NAME.streams)"
            )


def plain(result: Result) -> Result:
    """Return a result without the lines and zones drawn into it."""
    marks = tuple(mark for mark in result.marks if mark.by not in BURNT_IN)
    return replace(result, marks=marks)
