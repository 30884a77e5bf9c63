"""One source as the page sees it: its state, its newest picture, its counts, its lines and zones.

The loop's thread publishes, the server's threads read. What changes the run goes the other way as a command,
which the loop carries out between two frames, also while none comes.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLateError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from tracker.run.checkpoint import Reshape
from tracker.run.live_shapes import LiveShape, LiveShapes, key_of, renamed, totals_of
from tracker.run.painter import Painter
from tracker.run.session import Session
from tracker.text import told
from tracker.types import Event, Json, OptionError, Result, Scene
from tracker.zones.edit import Edited, ShapeError, ZoneDocument, from_json, to_json
from tracker.zones.file import KEYS, ZoneFile, from_yaml
from tracker.zones.shapes import Shape

Answer = TypeVar("Answer")
MOST_SHAPES = 200
COMMAND_S = 5.0  # a loop that has not answered by then is busy with something long
OLD_S = 2.0  # a picture older than this is not live any more
RATE_FRAMES = 30  # over which frames per second are told
BURNT_IN = ("Line", "Zone", "Movement")  # plugins whose marks are in the way while shapes are edited


class ConflictError(Exception):
    """Somebody else was faster: the shapes are not those that the page had."""


@dataclass(frozen=True, eq=False)
class Seen:
    """The newest frame, and when it came."""

    result: Result
    number: int  # counts all frames that were published
    at: float  # time.monotonic()


@dataclass(eq=False)
class Station:
    """See the module. ``document`` is the zone file, which need not exist."""

    number: int
    name: str
    live: bool
    zones: Path  # the zone file
    editable: bool = True
    keeps: bool = False  # goes on after a stop with what was counted, whatever was drawn meanwhile
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
    start: Callable[[], None] | None = None
    stop: Callable[[], None] | None = None
    recount: Callable[[], None] | None = None
    still: Callable[[float], bytes] | None = None  # JPEG of a second of the file
    report: Callable[[str], bytes] | None = None  # "html" or "xlsx"
    length_s: float | None = None  # of the file
    video_from_s: float = 0.0  # where in the file the written video begins
    fixed: Sequence[Shape] = ()  # lines and zones of the command line, which are in no file

    def __post_init__(self) -> None:
        """Nothing is attached yet."""
        self._lock = threading.RLock()
        self._commands: deque[tuple[Callable[[], Json], Future[Json]]] = deque()
        self._live_shapes: LiveShapes | None = None
        self._counted: dict[str, tuple[str, Shape]] = {}  # key of the state -> id, shape: who counted last
        self._counting: list[LiveShape] = []  # those that it was made of
        self._ids = itertools.count(1)
        self._known: list[tuple[str, Shape]] | None = None  # id and shape; None: not read yet
        self._version = ""  # of the file when it was read
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
            shapes = self._read()
            class_map = ZoneDocument(self.zones, scene.size).read().class_map.names(scene.names)
            self._live_shapes = LiveShapes(session.host, scene, class_map)
            self._live_shapes.adopt([*self._fixed(), *shapes])
            if self.keeps:  # totals stay those of before until the state is restored
                session.reshape = self._reshape(dict(shapes))
            else:
                self._count()

    def detach(self, state: str, message: str = "") -> None:
        """End: no command reaches a loop any more."""
        with self._lock:
            self._live_shapes = None
            self.state, self.message = state, message
            self.runs += 1
            while self._commands:
                _, answer = self._commands.popleft()
                answer.set_exception(ConflictError("the run has ended; try again"))
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
                self._counted = {key_of(each.shape): (each.id, each.shape) for each in self._counting}
        if picture:
            self.latest = Seen(result, self._frames, now)
        self.progress = (self.progress[0] + 1, self.progress[1])
        if self.state in ("lost", "starting"):
            self.state, self.message = "running", ""
        self.obey()
        self._tell()

    def obey(self) -> None:
        """Carry out what the page has asked for; called between two frames."""
        while self._commands:
            call, answer = self._commands.popleft()
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(call())
            except BaseException as error:  # it is the page that has to know
                answer.set_exception(error)

    def _reshape(self, now: Mapping[str, Shape]) -> Reshape:
        """Return what hands on a state that was saved before lines and zones were changed."""
        before, keys = self._counted, {key_of(shape) for shape in now.values()}

        def reshape(key: str, state: Json) -> tuple[str, Json] | None:
            if key.partition(" ")[0] not in KEYS:
                return key, state
            known, old = before.get(key, (None, None))
            new = now.get(known) if known else None
            if old is not None and new is not None and old.kind == new.kind:
                return key_of(new), renamed(state, old, new)
            return (key, state) if old is None and key in keys else None

        return reshape

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

    def about(self) -> dict[str, Json]:
        """Return what the page shows of this source."""
        age, (done, total) = self.age_s, self.progress
        spent = time.monotonic() - self.began
        left = spent / done * (total - done) if total and done and self.state == "running" else None
        return {
            "id": self.number,
            "name": self.name,
            "kind": "live" if self.live else "file",
            "state": self.state,
            "message": told(self.message),
            "age_s": None if age is None else round(age, 2),
            "fresh": age is not None and age <= OLD_S,
            "fps": round(self.fps, 1),
            "size": None if self.scene is None else list(self.scene.size),
            "classes": [] if self.scene is None else list(self.scene.names.values()),
            "totals": self.totals,
            "version": self.version,
            "progress": {"done": done, "of": total, "left_s": None if left is None else round(left, 1)},
            "length_s": self.length_s,
            "video_from_s": self.video_from_s,
            "results": [{"id": key, "name": path.name} for key, path in self.results.items()],
            "stale": self.stale,
            "runs": self.runs,
            "reports": self.report is not None,
            "may": {
                "start": self.start is not None
                and self.state not in ("starting", "running", "lost", "stopping"),
                "stop": self.stop is not None and self.state in ("starting", "running", "lost"),
                "zero": self._live_shapes is not None,
                "edit": self.editable,
                "recount": self.recount is not None and self.state in ("ended", "stopped"),
            },
        }

    @property
    def version(self) -> str:
        """What tells these shapes from others."""
        return self._version

    def shapes(self) -> dict[str, Json]:
        """Return the shapes for the page; raises ``OptionError`` where the zone file is wrong."""
        with self._lock:
            size = self._size()
            known = self._read()
            return {
                "version": self._version,
                "size": list(size),
                "file": self.zones.name,
                "shapes": [{"id": key, **to_json(shape, size)} for key, shape in known],
                "fixed": [to_json(shape, size) for shape in self.fixed],
                "versions": self._document().versions(),
            }

    def put(self, given: Json, version: str) -> dict[str, Json]:
        """Count at these shapes from now on, and write them into the zone file.

        Raises ``ConflictError`` where ``version`` is not the one that is there, `ShapeError` for a shape that
        cannot be used, ``OutputError`` where the file cannot be written; nothing has changed then.
        """
        with self._lock:
            size, before = self._size(), dict(self._read())
            if version != self._version:
                raise ConflictError("the shapes were changed by somebody else meanwhile")
            if not isinstance(given, list) or len(given) > MOST_SHAPES:
                raise ShapeError(f"give a list of at most {MOST_SHAPES} shapes")
            names = self.scene.names if self.scene else {}
            wanted: list[tuple[str, Shape]] = []
            edited = []
            for index, each in enumerate(given):
                try:
                    shape = from_json(each, size, names)
                    if any(shape.name == fixed.name for fixed in self.fixed):
                        raise OptionError(f"the name {shape.name!r} is taken; names must differ")
                except OptionError as error:
                    raise ShapeError(str(error), index) from error
                key = each.get("id")
                known = before.get(key) if isinstance(key, str) else None
                wanted.append((key if known else f"s{next(self._ids)}", shape))
                edited.append(Edited(shape, known.name if known else None))
            document = self._document()
            text = document.changed(edited)
            return self._apply(document, text, wanted)

    def bring_back(self, name: str, version: str) -> dict[str, Json]:
        """Return to an earlier version of the file; raises as `put`."""
        with self._lock:
            if version != self._version:
                raise ConflictError("the shapes were changed by somebody else meanwhile")
            document = self._document()
            text = document.earlier(name)
            by_name = {shape.name: key for key, shape in self._read()}
            shapes = from_yaml(text, str(self.zones), self._size(), may_be_empty=True).shapes
            return self._apply(
                document, text, [(by_name.get(s.name) or f"s{next(self._ids)}", s) for s in shapes]
            )

    def _apply(self, document: ZoneDocument, text: str, wanted: list[tuple[str, Shape]]) -> dict[str, Json]:
        document.save(text)
        self._known, self._version = wanted, document.version
        running = self._live_shapes
        if running is not None:
            self._order(lambda: running.put([*self._fixed(), *wanted]))
        else:
            self.stale = self.stale or bool(self.results)
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

        def counted() -> Json:
            call()
            self._changed()
            self._count()
            return None

        answer: Future[Json] = Future()
        self._commands.append((counted, answer))
        with suppress(TooLateError):  # a loop that is busy does it later
            answer.result(timeout=COMMAND_S)

    def _fixed(self) -> list[tuple[str, Shape]]:
        return [(f"fixed{number}", shape) for number, shape in enumerate(self.fixed)]

    def _document(self) -> ZoneDocument:
        return ZoneDocument(self.zones, self._size())

    def _size(self) -> tuple[int, int]:
        if self.scene is None:
            raise OptionError("the size of the picture is not known yet: wait for the first picture")
        return self.scene.size

    def _read(self) -> list[tuple[str, Shape]]:
        """Return the shapes with their ids; another program may have changed the file."""
        document = self._document()
        version = document.version
        if self._known is None or version != self._version:
            found: ZoneFile = document.read()
            ids = {shape.name: key for key, shape in self._known or ()}
            self._known = [(ids.get(shape.name) or f"s{next(self._ids)}", shape) for shape in found.shapes]
            self._version = version
        return self._known


def plain(result: Result) -> Result:
    """Return a result without the lines and zones drawn into it."""
    marks = tuple(mark for mark in result.marks if mark.by not in BURNT_IN)
    return replace(result, marks=marks)
