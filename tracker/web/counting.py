"""Where one source counts: its lines and zones, changed from the page or by hand, and their totals.

The server's threads change them. While a run goes on it must follow, so a change goes to its loop as an
order, which is carried out between two frames, also while none comes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tracker.run.live_shapes import LiveShape, LiveShapes, totals_of
from tracker.run.session import Session
from tracker.types import Event, Json, OptionError, Result, Scene
from tracker.web.drawn import Drawn, Named
from tracker.web.orders import ConflictError, Orders
from tracker.zones.edit import ZoneDocument
from tracker.zones.shape_json import moved_to, to_json
from tracker.zones.shapes import Shape


class Counting:
    """Lines and zones of one source, those of ``zones``, whether a run counts at them or none does.

    ``keeps``: a run goes on after a stop with what was counted, whatever was drawn meanwhile. ``memory``: see
    `Drawn`. ``drawn`` is called after a change from the page, and told whether a run counts at it already.
    Who changes anything holds ``lock``.
    """

    def __init__(
        self,
        zones: Path,
        memory: Path | None,
        *,
        keeps: bool,
        lock: threading.RLock,
        drawn: Callable[[bool], None],
    ) -> None:
        self.zones = zones  # the zone file, which need not exist
        self.scene: Scene | None = None  # known once the source is open
        self.fixed: Sequence[Shape] = ()  # lines and zones of the command line, which are in no file
        self.fixed_because = ""  # why nobody can change lines and zones here
        self.totals: list[dict[str, Json]] = []
        self.at = ""  # version of the shapes that the totals are of; "" where it is not known
        self._keeps, self._tell_drawn = keeps, drawn
        self._lock = lock
        self._orders = Orders()
        self._drawn = Drawn(zones, memory)
        self._live_shapes: LiveShapes | None = None
        self._counters: list[LiveShape] = []  # those of whom it is noted that they count

    # -- what the loop's thread does

    def begin(self, session: Session) -> None:
        """Let a run count here that is open, and whose plugins have started."""
        with self._lock:
            self.scene = scene = session.scene
            self._changed = session.shapes_changed
            shapes = self._drawn.read(scene.size, scene.names)
            self.at = self.version
            class_map = ZoneDocument(self.zones, scene.size).read().class_map.names(scene.names)
            self._live_shapes = live = LiveShapes(session.host, scene, class_map)
            live.adopt([*self._fixed(), *shapes])
            self._orders.open()
            if self._keeps:  # totals stay those of before until the state is restored
                now = {key: moved_to(shape, scene.size) for key, shape in shapes}
                session.reshape = lambda key, state: self._drawn.follow(now, key, state)
                live.at(time.time(), 0)
                live.tell(self._drawn.changes(now))
            else:
                self._count()

    def close(self) -> None:
        """Take no order any more: the loop has seen its last frame, and the run is about to end."""
        self._live_shapes = None
        self._orders.close()

    def add(self, result: Result) -> None:
        """Take a frame that everybody has seen."""
        shapes = self._live_shapes
        if shapes is None:
            return
        shapes.at(result.frame.time, result.frame.index)
        new = self._counters is not shapes.counters  # not before a frame: a state may still be refused
        if result.events or new:
            self._count()
        if new:
            self._counters = shapes.counters
            self._drawn.count_at((each.id, each.shape) for each in self._counters)

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

    @property
    def running(self) -> bool:
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
        self._tell_drawn(counted)
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
