"""One source as the page sees it: its state, its newest picture, its counts, its lines and zones.

The loop's thread publishes, the server's threads read. What changes the run goes the other way as an order,
which the loop carries out between two frames, also while none comes.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tracker.run.live_shapes import LiveShape, LiveShapes, totals_of
from tracker.run.painter import Painter
from tracker.run.session import Session
from tracker.types import Event, Json, OptionError, Result, Scene
from tracker.web.drawn import Drawn, Named
from tracker.web.orders import ConflictError, Orders
from tracker.zones.edit import ZoneDocument
from tracker.zones.shape_json import moved_to, to_json
from tracker.zones.shapes import Shape

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
    fixed_because: str = ""  # why nobody can change lines and zones here
    keeps: bool = False  # goes on after a stop with what was counted, whatever was drawn meanwhile
    memory: Path | None = None  # where it is kept who counted last; see `Drawn`
    state: str = "idle"  # idle, starting, running, lost, stopping, stopped, ended, failed
    message: str = ""
    scene: Scene | None = None
    latest: Seen | None = None
    progress: tuple[int, int | None] = (0, None)  # frames done, of how many
    began: float = 0.0  # time.monotonic() of the first frame
    totals: list[dict[str, Json]] = field(default_factory=list)
    results: dict[str, Path] = field(default_factory=dict)  # what may be downloaded, by id
    runs: int = 0  # how many have ended
    stale: bool = False  # the shapes were changed after the video was drawn
    recounting: bool = False  # it counts anew from saved tracks
    counted: str = ""  # version of the shapes that the totals are of; "" where it is not known
    changed: Callable[[], bool] = bool  # whether the file is another one than that which was counted
    start: Callable[[], None] | None = None
    stop: Callable[[], None] | None = None
    recount: Callable[[], None] | None = None
    unseen: Callable[[], str | None] | None = None  # why a camera has not given a picture yet
    still: Callable[[float], bytes] | None = None  # JPEG of a second of the file
    report: Callable[[str], bytes] | None = None  # "html" or "xlsx"
    length_s: float | None = None  # of the file
    video_from_s: float = 0.0  # where in the file the written video begins
    fixed: Sequence[Shape] = ()  # lines and zones of the command line, which are in no file

    def __post_init__(self) -> None:
        """Nothing is attached yet."""
        self._lock = threading.RLock()
        self._orders = Orders()
        self._drawn = Drawn(self.zones, self.memory)
        self._live_shapes: LiveShapes | None = None
        self._counting: list[LiveShape] = []  # those of whom it is noted that they count
        self._times: deque[float] = deque(maxlen=RATE_FRAMES)
        self._listeners: set[Callable[[], None]] = set()
        self._frames = 0

    # -- what the loop's thread does

    def attach(self, session: Session) -> None:
        """Begin: a run is open, and its plugins have started."""
        with self._lock:
            self.scene = scene = session.scene
            self._changed = session.shapes_changed
            self.state, self.message, self.progress = "running", "", (0, session.source.length)
            self.began = time.monotonic()
            self.painter = Painter(scene.names, session.drawing, scene.live)
            shapes = self._drawn.read(scene.size, scene.names)
            self.counted = self.version
            class_map = ZoneDocument(self.zones, scene.size).read().class_map.names(scene.names)
            self._live_shapes = live = LiveShapes(session.host, scene, class_map)
            live.adopt([*self._fixed(), *shapes])
            self._orders.open()
            if self.keeps:  # totals stay those of before until the state is restored
                now = {key: moved_to(shape, scene.size) for key, shape in shapes}
                session.reshape = lambda key, state: self._drawn.follow(now, key, state)
                live.at(time.time(), 0)
                live.tell(self._drawn.changes(now))
            else:
                self._count()

    def closing(self) -> None:
        """Take no order any more: the loop has seen its last frame, and the run is about to end."""
        self._live_shapes = None
        self._orders.close()

    def detach(self, state: str, message: str = "") -> None:
        """End: the run is over."""
        self.closing()  # before the lock: who waits for an answer has it
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
        shapes = self._live_shapes
        if shapes is not None:
            shapes.at(result.frame.time, result.frame.index)
            new = self._counting is not shapes.counters  # not before a frame: a state may still be refused
            if result.events or new:
                self._count()
            if new:
                self._counting = shapes.counters
                self._drawn.count_at((each.id, each.shape) for each in self._counting)
        if picture:
            self.latest = Seen(result, self._frames, now)
        self.progress = (self.progress[0] + 1, self.progress[1])
        if self.state in ("lost", "starting"):
            self.state, self.message = "running", ""
        self.obey()
        self._tell()

    def obey(self) -> None:
        """Carry out what the page has asked for; called between two frames."""
        self._orders.obey()

    def _count(self) -> None:
        counters = () if self._live_shapes is None else self._live_shapes.counters
        self.totals = [
            {
                "id": counter.id,
                "kind": counter.shape.kind,
                "name": counter.shape.name,
                "color": counter.shape.color,
                "directions": list(counter.shape.names) if counter.shape.kind == "line" else [],
                "totals": totals_of(counter.plugin),
            }
            for counter in counters
        ]

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
    def counts(self) -> bool:
        """Whether a run counts here now."""
        return self._live_shapes is not None

    @property
    def editable(self) -> bool:
        """Whether lines and zones can be changed here."""
        return not self.fixed_because

    @property
    def version(self) -> str:
        """What tells these shapes from others."""
        return self._drawn.version

    @property
    def problem(self) -> str:
        """Why the zone file cannot be used as it is now; counting goes on at the lines and zones before."""
        return self._drawn.problem

    def shapes(self) -> dict[str, Json]:
        """Return the shapes for the page; raises ``OptionError`` where the zone file is wrong."""
        with self._lock:
            size = self._size()
            self.refresh()
            if self._drawn.problem:
                raise self._drawn.broken(OptionError(self._drawn.problem), size)
            return {**self._drawn.told(size), "fixed": [to_json(shape, size) for shape in self.fixed]}

    def refresh(self) -> None:
        """Take what somebody has written into the zone file by hand: what is shown is what is counted.

        A file that is wrong changes nothing, and is told as ``problem``. Nobody waits here for anybody else.
        """
        if self.scene is None or not self._lock.acquire(blocking=False):
            return
        try:
            drawn, size = self._drawn, self._size()
            if drawn.known is not None and not drawn.changed_by_hand():
                return
            before, known = drawn.version, drawn.known
            with suppress(OptionError):  # it is the problem
                shapes = drawn.read(size, self.scene.names)
                running = self._live_shapes
                if running is not None and known is not None and drawn.version != before:
                    try:
                        running.check([*self._fixed(), *shapes])
                        self._order(lambda: running.put([*self._fixed(), *shapes]))
                    except OptionError as error:
                        drawn.known, drawn.version, drawn.problem = known, before, str(error)
            drawn.look_away()
        except ConflictError:
            pass  # the run has just ended; the file has the shapes
        finally:
            self._lock.release()

    def put(self, given: Json, version: str) -> dict[str, Json]:
        """Count at these shapes from now on, and write them into the zone file.

        Raises ``ConflictError`` where ``version`` is not the one that is there, `ShapeError` for a shape that
        cannot be used, ``OutputError`` where the file cannot be written; nothing has changed then.
        """
        with self._lock:
            names = self.scene.names if self.scene else {}
            taken = [shape.name for shape in self.fixed]
            return self._apply(*self._drawn.wanted(given, version, self._size(), names, taken))

    def bring_back(self, name: str, version: str) -> dict[str, Json]:
        """Return to an earlier version of the file; raises as `put`."""
        with self._lock:
            return self._apply(*self._drawn.earlier(name, version, self._size()))

    def _apply(self, text: str, wanted: list[Named]) -> dict[str, Json]:
        if self.fixed_because:
            raise ConflictError(self.fixed_because)
        running, counted = self._live_shapes, False
        if running is not None:
            running.check([*self._fixed(), *wanted])
        self._drawn.save(text, wanted, self._size())
        if running is not None:
            with suppress(ConflictError):  # the run has just ended; the file has the shapes
                self._order(lambda: running.put([*self._fixed(), *wanted]))
                counted = True
        if not counted:
            self.stale = self.stale or bool(self.results) or self.state in ("running", "stopping")
        self._tell()
        return self.shapes()

    def zero(self) -> None:
        """Count from zero; raises ``ConflictError`` where nothing runs."""
        running = self._live_shapes
        if running is None:
            raise ConflictError("nothing is being counted here")
        self._order(running.zero)

    def zone_file(self) -> str | None:
        """Return the zone file for a run; None where there is nothing in it. Raises ``OptionError``."""
        if not self.zones.is_file():
            return None
        size = (1, 1) if self.scene is None else self.scene.size
        found = ZoneDocument(self.zones, size).read()
        return str(self.zones) if found.shapes else None

    def _order(self, call: Callable[[], Sequence[Event]]) -> None:
        """Let the loop do something between two frames, and wait until it has."""

        def counted() -> None:
            call()
            self._changed()
            self._count()

        self._orders.give(counted)

    def _fixed(self) -> list[Named]:
        return [(f"fixed{number}", shape) for number, shape in enumerate(self.fixed)]

    def _size(self) -> tuple[int, int]:
        if self.scene is None:
            raise OptionError("the size of the picture is not known yet: wait for the first picture")
        return self.scene.size


def fix_shared(stations: Sequence[Station]) -> None:
    """Let nobody change a zone file that several sources have: who draws for one would change the others."""
    files = [os.path.realpath(station.zones) for station in stations]
    for station, file in zip(stations, files, strict=True):
        many = files.count(file)
        if many > 1:
            station.fixed_because = (
                f"{station.zones.name} belongs to {many} sources; to draw here give each a zone file of its "
                "own, by zones=FILE in a list of sources (NAME.streams)"
            )


def plain(result: Result) -> Result:
    """Return a result without the lines and zones drawn into it."""
    marks = tuple(mark for mark in result.marks if mark.by not in BURNT_IN)
    return replace(result, marks=marks)
