"""Who is in a zone, how many at a time, and for how long."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.plugins.alarm import draw_loiterers
from tracker.plugins.anchors import (
    EDGE_PX,
    SHADOW_OVERLAP,
    SHADOW_S,
    at_edge,
    beyond_edge,
    box_size,
    check_anchor,
    hysteresis,
    resolve_classes,
)
from tracker.plugins.distribution import Distribution
from tracker.plugins.geometry import (
    Mask,
    Polygon,
    distance_to_segments,
    overlap_of_smaller,
    self_intersection,
)
from tracker.plugins.memory import Memory, Row
from tracker.plugins.sighting import ROUNDING_S
from tracker.types import Canvas, Color, Event, Frame, Json, OptionError, Scene

MOST_PERIOD_S = 2.0  # two frames further apart than this are a pause of the source
HOLD_S = 0.5  # who is out of sight for so long, behind somebody else, is still taken to be there
EDGE_PART = 0.005  # sides nearer to the picture's edge, in parts of its longer side, are meant to lie on it
LEAVE_S = 0.2  # outside for so long is gone; for less, the feet were hidden and the box ended above them
TOTALS = ("entries", "visitors", "loiterers", "occupancy", "occupancy_max")
APART_OVERLAP = 0.5  # two boxes taken for one object are two once less than this of the smaller is common
COLUMNS = (
    ("inside", np.bool_),  # a visit is open
    (
        "turned_s",
        np.float64,
    ),  # since when the anchor has been on the other side, not clear of the border; NaN
    ("since_s", np.float64),  # when the visit began
    ("visited", np.bool_),  # is counted among the visitors
    ("waiting", np.bool_),  # is within the box of a visitor and may be a part of it
    ("loitered", np.bool_),  # the alarm of this visit has gone off
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
        touching = at_edge(self._polygon, scene.size, EDGE_PART)
        far = np.array(scene.size, np.float64)
        shape = np.where(touching[:, :2], 0.0, np.where(touching[:, 2:], far, self._polygon))
        along = touching & np.roll(touching, -1, axis=0)  # (K, 4) sides on an edge of the picture
        border = ~along.any(axis=1)
        open_ends = np.logical_or.reduce(
            along, axis=0
        )  # where the zone goes on beyond the picture: left, top, right, bottom
        self._least = np.where(open_ends[:2], EDGE_PX, -np.inf)
        self._most = np.where(open_ends[2:], far - EDGE_PX, np.inf)
        self._sketch: Canvas | None = None  # of so many inside and entries
        self._sketched = (0, 0)
        outline = Canvas()
        outline.polygon(self._polygon, self.color)
        outline.polyline(self._polygon, self.color, width=1.5, closed=True)
        self._outline = outline.marks
        self._name_at = self._polygon[np.lexsort((self._polygon[:, 0], self._polygon[:, 1]))[0]]
        self._area = Polygon(shape)
        self._border = shape[border], np.roll(shape, -1, axis=0)[border]
        self._wanted = resolve_classes(self.classes, scene.names)
        self._memory = Memory(scene, self.anchor, COLUMNS)
        self._period = 1 / scene.fps if scene.fps > 0 else 0.0
        self._first: float | None = None
        self._watched_s = 0.0  # in earlier parts of the run
        self._now, self._frame = 0.0, 0

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Return who entered, left or stayed too long."""
        now, memory = frame.time, self._memory
        if self._first is None:
            self._first = now
        elif 0 < now - self._now <= MOST_PERIOD_S:
            self._period = now - self._now  # not the source's: frames may be skipped
        self._now, self._frame = now, frame.index
        events = [self._exit(row, self._last(row)) for row in memory.look(now, tracks) if row["inside"]]
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
        events = [self._exit(row, self._last(row), end_of_run=True) for row in open_rows]
        memory.own["inside"][alive] = False
        return events

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
        memory = self._memory
        rows, found, anchors = memory.own, memory.found, self._within(memory.anchors)
        fresh: Mask = np.isnan(memory.before[:, 0])
        rows["turned_s"][found[fresh]] = np.nan
        inside, turned_s = rows["inside"][found], rows["turned_s"][found]
        turned = self._area.holds(anchors) != inside
        if not np.count_nonzero(turned) and np.count_nonzero(np.isnan(turned_s)) == len(found):
            return []
        turned_s = np.where(turned, np.where(np.isnan(turned_s) | fresh, now, turned_s), np.nan)
        rows["turned_s"][found] = turned_s
        rows["waiting"][found] &= turned
        fresh = fresh | rows["waiting"][found]
        passed = turned & fresh
        in_time = ~inside | (now + self._period - turned_s >= LEAVE_S - ROUNDING_S)
        doubtful = np.flatnonzero(turned & ~fresh & in_time)
        if len(doubtful):
            at_least = beyond_edge(memory.anchors[doubtful], xyxy[doubtful], self._scene.size)
            away = distance_to_segments(self._within(at_least), *self._border)
            passed[doubtful] = away > hysteresis(xyxy[doubtful])
        if not np.count_nonzero(passed):
            return []
        events = []
        largest_first = np.flatnonzero(passed)[np.argsort(-box_size(xyxy[passed]), kind="stable")]
        for place in largest_first.tolist():
            row = memory.row(found[place])
            if inside[place]:
                events.append(self._exit(row, float(turned_s[place])))
                row["inside"] = False
            elif self._wanted is not None and int(row["class_id"]) not in self._wanted:
                row["waiting"] = False
            else:
                row["waiting"] = self._belongs_to_a_visitor(row, found, bool(fresh[place]))
                if row["waiting"]:
                    continue  # since when it is inside is not forgotten
                if not row["inside"]:
                    row["inside"], row["since_s"], row["loitered"] = True, turned_s[place], False
                    events.append(self._enter(row))
                    row["visited"] = True
            row["turned_s"] = np.nan
        return events

    def _within(self, anchors: FloatArray) -> FloatArray:
        """Return anchors (M, 2); where the zone reaches up to the picture's edge, what is beyond is on it."""
        return np.minimum(np.maximum(anchors, self._least), self._most)

    def _belongs_to_a_visitor(self, row: Row, found: IntArray, fresh: bool) -> bool:
        """Return whether this box is a second one on a larger visitor: what somebody carries, a lorry's cab.

        It lies in the other's box and entered with it, or was first seen there. Once apart it counts. Where
        the smaller box came first, the larger takes over its visit.
        """
        rows, seen = self._memory.own, self._memory.seen
        others = found[rows["inside"][found]]
        together = abs(rows["since_s"][others] - row["turned_s"]) <= SHADOW_S
        sizes, own_size = box_size(seen["xyxy"][others]), float(box_size(row["xyxy"][None])[0])
        chosen = together | ((sizes >= own_size) & fresh)
        others, sizes = others[chosen], sizes[chosen]
        least = APART_OVERLAP if row["waiting"] else SHADOW_OVERLAP
        overlapping = overlap_of_smaller(row["xyxy"], seen["xyxy"][others]) > least
        for other, size in zip(others[overlapping].tolist(), sizes[overlapping].tolist(), strict=True):
            if size >= own_size:
                return True
            for name in ("inside", "since_s", "visited", "loitered"):
                row[name] = rows[name][other]
            rows["inside"][other], rows["waiting"][other] = False, True
            rows["turned_s"][other] = row["since_s"]
            return False
        return False

    def _loiterers(self, found: IntArray) -> list[Event]:
        if self.loiter_s is None:
            return []
        rows, now = self._memory.own, self._now
        late = rows["inside"] & ~rows["loitered"] & (now - rows["since_s"] >= self.loiter_s - ROUNDING_S)
        if not np.count_nonzero(late):
            return []
        alarming = found[late[found]]
        rows["loitered"][alarming] = True
        self.loiterers += len(alarming)
        return [
            self._event("loiter", self._memory.row(row), dwell_s=round(now - float(rows["since_s"][row]), 3))
            for row in alarming.tolist()
        ]

    def _enter(self, row: Row) -> Event:
        self.entries += 1
        self.visitors += not row["visited"]
        return self._event("enter", row, since_s=round(float(row["since_s"]), 3))

    def _exit(self, row: Row, left_s: float, *, end_of_run: bool = False) -> Event:
        since_s = float(row["since_s"])
        dwell_s = max(left_s - since_s, 0.0)
        self.dwell.add(dwell_s)
        ending = {"end_of_run": True} if end_of_run else {}
        return self._event(
            "exit",
            row,
            dwell_s=round(dwell_s, 3),
            since_s=round(since_s, 3),
            left_s=round(left_s, 3),
            **ending,
        )

    def _last(self, row: Row) -> float:
        """Return when the visit of a vanished track ended: at the border, or a frame after it was seen."""
        turned_s = float(row["turned_s"])
        return float(row["seen_s"]) + self._period if math.isnan(turned_s) else turned_s

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
