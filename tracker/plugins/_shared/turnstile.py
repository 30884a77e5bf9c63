"""Who goes into a zone and out of it: paths, frame by frame, become visits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from bytetrack.types import FloatArray
from tracker.plugins._shared import visits
from tracker.plugins._shared.anchors import box_size
from tracker.plugins._shared.border import Border, Point
from tracker.plugins._shared.plugin_state import PluginState, Row
from tracker.plugins._shared.track_history import ROUNDING_S
from tracker.types import Event

LEAVE_S = 0.2  # outside for so long is gone; for less, the feet were hidden and the box ended above them
ENTER_S = 0.2  # who is first seen inside, on the border, is in after so long; sooner, it may only brush past
COLUMNS = (
    *visits.COLUMNS,
    ("unsettled", np.bool_),  # not where it was settled, inside or outside, or not clear of the border there
    ("turned_s", np.float64),  # since when the anchor has been on the other side; NaN: it is not
    ("side", np.int64),  # of the zone, passed first since it was settled, from 1; 0: none
    ("side_at", np.float64, (2,)),  # ... and where
    ("last_side", np.int64),  # passed last, by somebody outside who went in and out again ...
    ("last_at", np.float64, (2,)),  # ... and where
    ("out_s", np.float64),  # when it went out
)


class Turnstile:
    """Follows whoever is about the border, and calls ``enter`` (row, since) and ``leave`` (row, until)."""

    def __init__(
        self,
        memory: PluginState,
        size: tuple[int, int],
        border: Border,
        wanted: Sequence[int] | None,  # classes; None: all
        enter: Callable[[int, float], Event],
        leave: Callable[[Row, float], Event],
    ) -> None:
        self._memory, self._size, self._border, self._wanted = memory, size, border, wanted
        self._enter, self._leave = enter, leave
        self.now, self.period = 0.0, 0.0

    def take(self, now: float, period: float, xyxy: FloatArray, gone: Iterable[Row]) -> list[Event]:
        """Return who entered or left in this frame, of tracks with these boxes (M, 4), or is forgotten."""
        self.now, self.period = now, period
        events = [event for row in gone if row["inside"] for event in self._gone(row)]
        return events + self._turns(xyxy) if len(xyxy) else events

    def _turns(self, xyxy: FloatArray) -> list[Event]:
        """Follow those who are not settled on their side of the border: the larger of two boxes first."""
        memory, border = self._memory, self._border
        found, raw, before = memory.found, memory.anchors, border.within(memory.before)
        anchors = border.within(raw)
        held, inside = border.holds(anchors), memory.own["inside"][found]
        passing = border.near(before, anchors)
        if border.convex:
            passing &= ~(inside | held)
        busy = (held != inside) | memory.own["unsettled"][found] | passing
        if self._wanted is not None:
            busy &= inside | np.isin(memory.seen["class_id"][found], self._wanted)
        if not np.count_nonzero(busy):
            return []
        places = busy.nonzero()[0]
        if len(places) > 1:
            places = places[np.argsort(-box_size(xyxy[places]), kind="stable")]
        events: list[Event] = []
        for place, row, point, to, box in zip(
            places.tolist(),
            found[places].tolist(),
            raw[places].tolist(),
            anchors[places].tolist(),
            xyxy[places].tolist(),
            strict=True,
        ):
            is_held, fresh = bool(held[place]), bool(np.isnan(before[place, 0]))
            if fresh:
                self._settle(row)
            elif passing[place] or is_held != self._held(row):
                way = before[place].tolist(), to
                events += self._pass(row, *way, float(memory.before_s[place]), is_held, box)
            clear = border.clear(point, box) and not memory.doubt[place]
            events += self._stay(row, is_held, clear, fresh)
        return events

    def _held(self, row: int) -> bool:
        """Return whether the anchor was inside the time before."""
        own = self._memory.own
        away = bool(own["unsettled"][row]) and not np.isnan(own["turned_s"][row])
        return bool(own["inside"][row]) != away

    def _settle(self, row: int) -> None:
        own = self._memory.own
        own["unsettled"][row], own["turned_s"][row], own["side"][row] = False, np.nan, 0

    def _pass(
        self, row: int, start: Point, end: Point, start_s: float, ends_held: bool, box: Sequence[float]
    ) -> list[Event]:
        """Take note of where the path since the time before passes the border, maybe several times."""
        own, now, held, border = self._memory.own, self.now, self._held(row), self._border
        changes, events = held != ends_held, list[Event]()
        for part, side, place in border.crossings(start, end, changes=changes):
            time, held = start_s + part * (now - start_s), not held
            inside, first = bool(own["inside"][row]), not own["side"][row]
            if held and not first:  # back in: it was out, however shortly, if by another way
                since = own["side_at" if inside else "last_at"][row]
                if border.apart(since.tolist(), place, box):
                    if inside:
                        events += [self._leave(self._memory.row(row), float(own["out_s"][row]))]
                        events += [self._enter(row, time)]
                        own["in_s"][row] = time
                    else:
                        events += self._passed(row)
                        first = True
                if inside:
                    own["side"][row] = 0
                    continue
            if held != inside and first:
                own["side"][row], own["side_at"][row] = side, place
                own["in_s" if held else "out_s"][row] = time
            elif not held:
                own["last_side"][row], own["last_at"][row], own["out_s"][row] = side, place, time
        return events

    def _stay(self, row: int, held: bool, clear: bool, fresh: bool) -> list[Event]:
        """Settle who is clear of the border; return who entered or left by that."""
        own, now, period = self._memory.own, self.now, self.period
        inside = bool(own["inside"][row])
        if held == inside:
            own["turned_s"][row] = np.nan
            if not (inside or clear or own["waiting"][row] or not own["side"][row]):
                own["unsettled"][row] = True
                return []
            passed = not inside and bool(own["side"][row]) and not own["waiting"][row]
            events = self._passed(row) if passed else []
            own["waiting"][row] = False
            self._settle(row)
            return events
        if not own["unsettled"][row] or np.isnan(own["turned_s"][row]):
            own["unsettled"][row], own["turned_s"][row] = True, now
            if fresh:
                own["in_s"][row] = now
        if inside:
            turned_s = float(own["turned_s"][row])
            if not clear or now + period - turned_s < LEAVE_S - ROUNDING_S:
                return []
            left_s = self._exact(self._memory.row(row), turned_s)
            self._settle(row)
            return [self._leave(self._memory.row(row), left_s)]
        if own["waiting"][row]:
            return [] if visits.waits(self._memory, row, now) else self._arrive(row, False)
        within = not own["side"][row]  # it was first seen inside, and has passed no side since
        stayed = now + period - float(own["turned_s"][row]) >= ENTER_S - ROUNDING_S
        return self._arrive(row, within) if clear or (within and stayed) else []

    def _arrive(self, row: int, fresh: bool) -> list[Event]:
        """Begin a visit, or let it wait in the box of somebody whose second box it may be."""
        memory, own = self._memory, self._memory.own
        since_s = float(own["turned_s"][row])
        if fresh:
            lost = visits.hidden(memory, row, self.now, self._size)
            if lost is not None:
                visits.hand_over(memory, lost, row)
                own["unsettled"][lost], own["turned_s"][lost] = True, self.now
                self._settle(row)
                return []
        host = None if own["waiting"][row] else visits.host_of(memory, row, since_s, fresh=fresh)
        own["waiting"][row] = False
        if host is None:
            self._settle(row)
            return [self._enter(row, since_s)]
        sizes = box_size(memory.seen["xyxy"][[row, host]])
        if sizes[0] <= sizes[1] or not own["inside"][host]:
            visits.meet(memory, row, host, self.now)
            return []
        own["turned_s"][host], own["unsettled"][host] = own["since_s"][host], True
        visits.hand_over(memory, host, row)
        visits.meet(memory, host, row, self.now)
        self._settle(row)
        return []

    def _passed(self, row: int) -> list[Event]:
        """Count who entered and left again between two frames, or never got clear inside a thin zone."""
        own, memory = self._memory.own, self._memory
        first = int(own["side"][row]), own["side_at"][row].tolist()
        last = int(own["last_side"][row]), own["last_at"][row].tolist()
        in_s, out_s = float(own["in_s"][row]), float(own["out_s"][row])
        if not self._border.through(*first, *last, memory.seen["xyxy"][row].tolist()):
            return []
        if visits.host_of(memory, row, in_s, fresh=False) is not None:
            return []
        return [self._enter(row, in_s), self._leave(memory.row(row), out_s)]

    def _exact(self, row: Row, left_s: float) -> float:
        """Return when a visit ended; where it had a frame or two, by the time between passing the border."""
        since_s = float(row["since_s"])
        if left_s - since_s > 2 * self.period + ROUNDING_S or not row["side"]:
            return left_s
        return since_s + max(float(row["out_s"] - row["in_s"]), 0.0)

    def _gone(self, row: Row) -> list[Event]:
        """End the visit of a vanished track, unless a part of it is still there and goes on with it."""
        own, number = self._memory.own, int(row["track_id"])
        heirs = np.flatnonzero(own["waiting"] & own["part"] & (own["host"] == number))
        if not len(heirs):
            return [self._leave(row, self.last(row))]
        heir = int(heirs[0])
        for name in visits.VISIT:
            own[name][heir] = row[name]
        own["waiting"][heir] = False
        self._settle(heir)
        return []

    def last(self, row: Row) -> float:
        """Return when the visit of a vanished track ended: at the border, or a frame after it was seen."""
        turned_s = float(row["turned_s"])
        return float(row["seen_s"]) + self.period if np.isnan(turned_s) else self._exact(row, turned_s)
