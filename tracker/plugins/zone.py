"""Who is in a zone, how many at a time, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.plugins import visits
from tracker.plugins.alarm import draw_loiterers
from tracker.plugins.anchors import box_size, check_anchor, resolve_classes
from tracker.plugins.border import Border
from tracker.plugins.distribution import Distribution
from tracker.plugins.geometry import self_intersection
from tracker.plugins.memory import Memory, Row
from tracker.plugins.sighting import ROUNDING_S
from tracker.types import Canvas, Color, Event, Frame, Json, OptionError, Scene

MOST_PERIOD_S = 2.0  # two frames further apart than this are a pause of the source
HOLD_S = 0.5  # who is out of sight for so long, behind somebody else, is still taken to be there
LEAVE_S = 0.2  # outside for so long is gone; for less, the feet were hidden and the box ended above them
TOTALS = ("entries", "visitors", "loiterers", "occupancy", "occupancy_max")
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


@dataclass
class Zone:
    """Reports entries, exits with dwell, occupancy and visitors of a polygon.

    An object has entered (or left) when its anchor is inside (outside) by a margin of its own size
    (`anchors.HYSTERESIS`), outside for `LEAVE_S`; its clock starts and stops where the border itself was
    passed. Edges of the zone on the edge of the picture are no border. A visit outlives gaps of the track and
    a change of its number (`Memory`); one whose track does not come back ends where it was last seen.

    Raises ``OptionError`` for points, an anchor or a class that cannot be used.
    """

    points: ArrayLike  # (K, 2) pixels, three or more
    name: str = "zone"
    anchor: str = "bottom_center"
    classes: Sequence[str | int] = ()  # watch these only; none: all
    loiter_s: float | None = None  # seconds after which a visit raises "zone.loiter"
    color: Color = (80, 220, 80)
    entries: int = field(init=False, default=0)
    visitors: int = field(init=False, default=0)
    loiterers: int = field(init=False, default=0)
    occupancy: int = field(init=False, default=0)  # now, those lost from sight for a moment included
    occupancy_max: int = field(init=False, default=0)
    dwell: Distribution = field(init=False, default_factory=Distribution)  # seconds of the ended visits

    def __post_init__(self) -> None:
        """Check what can be checked without a picture."""
        self.anchor = check_anchor(self.anchor)
        self._polygon = np.asarray(self.points, np.float64)
        if (
            self._polygon.ndim == 2
            and len(self._polygon) > 3
            and (self._polygon[0] == self._polygon[-1]).all()
        ):
            self._polygon = self._polygon[:-1]  # the ring is closed by itself
        problem = zone_problem(self._polygon)
        if problem:
            raise OptionError(f"zone {self.name!r} {problem}")
        if self.loiter_s is not None and not self.loiter_s > 0:
            raise OptionError(f"zone {self.name!r}: loiter_s must be more than 0 s, not {self.loiter_s}")

    def start(self, scene: Scene) -> None:
        """Learn the picture's size, which edges of the zone are no border, and the classes' names."""
        self._scene = scene
        self._sketch: Canvas | None = None  # of so many inside and entries
        self._sketched = (0, 0)
        outline = Canvas()
        outline.polygon(self._polygon, self.color)
        outline.polyline(self._polygon, self.color, width=1.5, closed=True)
        self._outline = outline.marks
        self._name_at = self._polygon[np.lexsort((self._polygon[:, 0], self._polygon[:, 1]))[0]]
        self._border = Border(self._polygon, scene.size)
        self._wanted = resolve_classes(self.classes, scene.names)
        self._memory = Memory(scene, self.anchor, COLUMNS)
        self._period = 1 / scene.fps if scene.fps > 0 else 0.0
        self._first: float | None = None
        self._watched_s = 0.0  # in earlier parts of the run
        self._now, self._frame = 0.0, 0
        self._alarm_s = -np.inf  # no alarm is due before

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Return who entered, left or stayed too long."""
        now, memory = frame.time, self._memory
        if self._first is None:
            self._first = now
        elif 0 < now - self._now <= MOST_PERIOD_S:
            self._period = now - self._now  # not the source's: frames may be skipped
        self._now, self._frame = now, frame.index
        events = [event for row in memory.look(now, tracks) if row["inside"] for event in self._gone(row)]
        if len(tracks):
            events += self._turns(now, tracks.xyxy)
            events += self._loiterers(memory.found)
        present = memory.own["inside"] & (memory.seen["seen_s"] >= now - HOLD_S)
        self.occupancy = int(np.count_nonzero(present))
        self.occupancy_max = max(self.occupancy_max, self.occupancy)
        return events

    def finish(self) -> Iterable[Event]:
        """End the visits that are still open."""
        memory = self._memory
        alive = memory.alive()
        open_rows = [memory.row(row) for row in alive[memory.own["inside"][alive]].tolist()]
        return [self._exit(row, self._last(row), end_of_run=True) for row in open_rows]

    def draw(self, canvas: Canvas) -> None:
        """Show the zone, its name and how many are in it."""
        if self._sketch is None or self._sketched != (self.occupancy, self.entries):
            self._sketch, self._sketched = Canvas(), (self.occupancy, self.entries)
            self._record(self._sketch)
        canvas.marks += self._sketch.marks
        if self.loiter_s is not None:
            draw_loiterers(canvas, self._memory, self.name, self._now)

    def _record(self, canvas: Canvas) -> None:
        canvas.marks += self._outline
        canvas.text(f"{self.name}: {self.occupancy}", self._name_at, self.color, anchor="lb")
        rows = [("now", str(self.occupancy)), ("entered", str(self.entries))]
        canvas.table(self.name, rows, self.color)

    def summary(self) -> Sequence[tuple[str, str]]:
        """Return entries, visitors, occupancy and the distribution of dwell."""
        rows = [
            (f"{self.name} entries", f"{self.entries}  ({self.visitors} visitors)"),
            (
                f"{self.name} occupancy",
                f"{self.occupancy_mean():.2f} on average, {self.occupancy_max} at most",
            ),
        ]
        if self.dwell.count:
            half, most = self.dwell.quantile(0.5), self.dwell.quantile(0.9)
            text = f"half {half:.1f} s or less, nine in ten {most:.1f} s, longest {self.dwell.greatest:.1f} s"
            rows.append((f"{self.name} dwell", text))
        if self.loiter_s is not None:
            rows.append((f"{self.name} longer than {self.loiter_s:g} s", str(self.loiterers)))
        return rows

    def occupancy_mean(self) -> float:
        """Return the mean number inside over the time watched, visits still open included."""
        alive, own = self._memory.alive(), self._memory.own
        inside = alive[own["inside"][alive]]
        until_s = self._memory.seen["seen_s"][inside] + self._period
        inside_s = self.dwell.sum + float((until_s - own["since_s"][inside]).sum())
        return inside_s / max(self._watched(), 1e-9)

    def state(self) -> Json:
        """Return the totals, and who is where since when."""
        totals = {name: getattr(self, name) for name in TOTALS}
        return {
            **totals,
            "dwell": self.dwell.state(),
            "watched_s": self._watched(),
            "period_s": self._period,
            "memory": self._memory.state(),
        }

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there; visits that were open are open still."""
        for name in TOTALS:
            setattr(self, name, int(state[name]))
        self.dwell = Distribution.from_state(state["dwell"])
        self._watched_s, self._period = float(state["watched_s"]), float(state["period_s"])
        if tracks:
            self._memory.restore(state["memory"])

    def _watched(self) -> float:
        """Return for how long it was watched, in seconds."""
        return self._watched_s + (0.0 if self._first is None else self._now - self._first + self._period)

    def _turns(self, now: float, xyxy: FloatArray) -> list[Event]:
        """Follow those who are not settled on their side of the border: the larger of two boxes first."""
        memory, border = self._memory, self._border
        found, raw, before = memory.found, memory.anchors, border.within(memory.before)
        anchors = border.within(raw)
        held, inside = border.holds(anchors), memory.own["inside"][found]
        passing = border.near(before, anchors)
        if border.convex:
            passing &= ~inside & ~held
        busy = (held != inside) | memory.own["unsettled"][found] | passing
        if self._wanted is not None:
            busy &= inside | np.isin(memory.seen["class_id"][found], list(self._wanted))
        if not np.count_nonzero(busy):
            return []
        places = np.flatnonzero(busy)
        places = places[np.argsort(-box_size(xyxy[places]), kind="stable")]
        clear = border.clear(raw[places], xyxy[places])
        events: list[Event] = []
        for place, is_clear in zip(places.tolist(), clear.tolist(), strict=True):
            row, fresh = int(found[place]), bool(np.isnan(before[place, 0]))
            if fresh:
                self._settle(row)
            elif passing[place] or held[place] != self._held(row):
                events += self._pass(
                    row, before[place], anchors[place], float(memory.before_s[place]), xyxy[place]
                )
            events += self._stay(row, bool(held[place]), is_clear or fresh, fresh)
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
        self, row: int, start: FloatArray, end: FloatArray, start_s: float, xyxy: FloatArray
    ) -> list[Event]:
        """Take note of where the path since the time before passes the border, maybe several times."""
        own, now, held, border = self._memory.own, self._now, self._held(row), self._border
        changes, events = held != bool(border.holds(end[None])[0]), list[Event]()
        for part, side, place in border.crossings(start, end, changes=changes):
            time, held = start_s + part * (now - start_s), not held
            inside, first = bool(own["inside"][row]), not own["side"][row]
            if held and not first:  # back in: it was out, however shortly, if by another way
                since = own["side_at" if inside else "last_at"][row]
                if border.apart(since, place, xyxy):
                    if inside:
                        events += [self._exit(self._memory.row(row), float(own["out_s"][row]))]
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
        own, now, period = self._memory.own, self._now, self._period
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
            return [self._exit(self._memory.row(row), left_s)]
        if own["waiting"][row]:
            if visits.waits(self._memory, row, now):
                return []
        elif not clear:
            return []
        return self._arrive(row, fresh)

    def _arrive(self, row: int, fresh: bool) -> list[Event]:
        """Begin a visit, or let it wait in the box of somebody whose second box it may be."""
        memory, own = self._memory, self._memory.own
        since_s = float(own["turned_s"][row])
        if fresh:
            lost = visits.hidden(memory, row, self._now, self._scene.size)
            if lost is not None:
                visits.hand_over(memory, lost, row)
                own["unsettled"][lost], own["turned_s"][lost] = True, self._now
                self._settle(row)
                return []
        host = None if own["waiting"][row] else visits.host_of(memory, row, since_s, fresh=fresh)
        own["waiting"][row] = False
        if host is None:
            self._settle(row)
            return [self._enter(row, since_s)]
        sizes = box_size(memory.seen["xyxy"][[row, host]])
        if sizes[0] <= sizes[1] or not own["inside"][host]:
            visits.meet(memory, row, host, self._now)
            return []
        own["turned_s"][host], own["unsettled"][host] = own["since_s"][host], True
        visits.hand_over(memory, host, row)
        visits.meet(memory, host, row, self._now)
        self._settle(row)
        return []

    def _passed(self, row: int) -> list[Event]:
        """Count who entered and left again between two frames, or never got clear inside a thin zone."""
        own, memory = self._memory.own, self._memory
        first = int(own["side"][row]), own["side_at"][row]
        last = int(own["last_side"][row]), own["last_at"][row]
        in_s, out_s = float(own["in_s"][row]), float(own["out_s"][row])
        if not self._border.through(*first, *last, memory.seen["xyxy"][row]):
            return []
        if visits.host_of(memory, row, in_s, fresh=False) is not None:
            return []
        return [self._enter(row, in_s), self._exit(memory.row(row), out_s)]

    def _exact(self, row: Row, left_s: float) -> float:
        """Return when a visit ended; where it had a frame or two, by the time between passing the border."""
        since_s = float(row["since_s"])
        if left_s - since_s > 2 * self._period + ROUNDING_S or not row["side"]:
            return left_s
        return since_s + max(float(row["out_s"] - row["in_s"]), 0.0)

    def _loiterers(self, found: IntArray) -> list[Event]:
        now = self._now
        if self.loiter_s is None or now < self._alarm_s:
            return []
        rows = self._memory.own
        quiet = rows["inside"] & ~rows["loitered"]
        due = self.loiter_s - ROUNDING_S
        late = quiet & (now - rows["since_s"] >= due)
        alarming = found[late[found]]
        rows["loitered"][alarming] = True
        self.loiterers += len(alarming)
        self._alarm_s = float(rows["since_s"].min(where=quiet & ~rows["loitered"], initial=np.inf)) + due
        return [
            self._event("loiter", self._memory.row(row), dwell_s=round(now - float(rows["since_s"][row]), 3))
            for row in alarming.tolist()
        ]

    def _enter(self, row: int, since_s: float) -> Event:
        own = self._memory.own
        self.entries += 1
        self.visitors += not own["visited"][row]
        own["inside"][row], own["visited"][row], own["loitered"][row] = True, True, False
        own["since_s"][row] = since_s
        self._alarm_s = -np.inf
        return self._event("enter", self._memory.row(row), since_s=round(since_s, 3))

    def _exit(self, row: Row, left_s: float, *, end_of_run: bool = False) -> Event:
        since_s = float(row["since_s"])
        dwell_s = max(left_s - since_s, 0.0)
        self.dwell.add(dwell_s)
        row["inside"], row["left_s"] = False, left_s
        ending = {"end_of_run": True} if end_of_run else {}
        return self._event(
            "exit",
            row,
            dwell_s=round(dwell_s, 3),
            since_s=round(since_s, 3),
            left_s=round(left_s, 3),
            **ending,
        )

    def _gone(self, row: Row) -> list[Event]:
        """End the visit of a vanished track, unless a part of it is still there and goes on with it."""
        own, number = self._memory.own, int(row["track_id"])
        heirs = np.flatnonzero(own["waiting"] & own["part"] & (own["host"] == number))
        if not len(heirs):
            return [self._exit(row, self._last(row))]
        heir = int(heirs[0])
        for name in visits.VISIT:
            own[name][heir] = row[name]
        own["waiting"][heir] = False
        self._settle(heir)
        return []

    def _last(self, row: Row) -> float:
        """Return when the visit of a vanished track ended: at the border, or a frame after it was seen."""
        turned_s = float(row["turned_s"])
        return float(row["seen_s"]) + self._period if np.isnan(turned_s) else self._exact(row, turned_s)

    def _event(self, what: str, row: Row, **data: Json) -> Event:
        class_id = int(row["class_id"])
        place = {"x": round(float(row["anchor"][0]), 1), "y": round(float(row["anchor"][1]), 1)}
        data = {
            "zone": self.name,
            "class_name": self._scene.names.get(class_id, str(class_id)),
            **place,
            **data,
        }
        return Event(f"zone.{what}", self._now, self._frame, int(row["track_id"]), class_id, data)


def zone_problem(points: FloatArray) -> str | None:
    """Return what is wrong with the points of a zone, or None."""
    if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 3:
        return f"needs three or more points [x, y], got shape {points.shape}"
    if not np.isfinite(points).all():
        return "has a point that is not a number"
    following = np.roll(np.arange(len(points)), -1)
    alike = np.flatnonzero((points[following] == points).all(axis=1))
    if len(alike):
        return f"has two points alike: {alike[0] + 1} and {following[alike[0]] + 1}"
    meeting = self_intersection(points.tolist(), closed=True)
    return f"crosses itself: side {meeting[0] + 1} meets side {meeting[1] + 1}" if meeting else None
