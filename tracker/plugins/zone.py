"""Who is in a zone, how many at a time, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.contracts import Plugin
from tracker.parse import class_ids
from tracker.plugins._shared.alarm import draw_loiterers
from tracker.plugins._shared.anchors import check_anchor
from tracker.plugins._shared.area_anchors import AREA, AreaAnchors
from tracker.plugins._shared.border import Border
from tracker.plugins._shared.distribution import Distribution
from tracker.plugins._shared.geometry import self_intersection
from tracker.plugins._shared.line_shape import too_few
from tracker.plugins._shared.plugin_state import PluginState, Row, identity
from tracker.plugins._shared.track_history import ROUNDING_S
from tracker.plugins._shared.turnstile import COLUMNS, Turnstile
from tracker.types import Canvas, Color, Event, Frame, Json, OptionError, Scene

MOST_PERIOD_S = 2.0  # two frames further apart than this are a pause of the source
HOLD_S = 0.5  # who is out of sight for so long, behind somebody else, is still taken to be there
TOTALS = ("entries", "visitors", "loiterers", "occupancy", "occupancy_max")


@dataclass
class Zone(Plugin):
    """Reports entries, exits with time of stay, occupancy and visitors of a polygon.

    An object has entered (or left) when its anchor is inside (outside) by a margin, a part of its own size
    (`anchors.HYSTERESIS`), and outside for `turnstile.LEAVE_S`; or when its path has entered by one side and
    left by another between two frames. Who is first seen inside but not by that margin has entered after
    `turnstile.ENTER_S`. Its time starts and stops where the path crossed the border itself.
    Sides of the zone on the edge of the picture are no border. A visit continues through gaps of the track
    and when another track continues it (`PluginState`, `visits`); if none does, it ends where the object was
    last seen.

    Raises ``OptionError`` for points, an anchor or a class that cannot be used.
    """

    points: ArrayLike  # (K, 2) pixels, three or more
    name: str = "zone"
    anchor: str = "bottom_center"  # the point of the box that must be inside; area: its greater part
    classes: Sequence[str | int] = ()  # watch these classes only  [default: all]
    loiter_s: float | None = None  # seconds in the zone before the event "zone.loiter"
    color: Color = (80, 220, 80)  # blue, green, red
    class_map: Mapping[str, str] = field(default_factory=dict)  # what to call classes: {"car": "vehicle"}
    entries: int = field(init=False, default=0)
    visitors: int = field(init=False, default=0)
    loiterers: int = field(init=False, default=0)
    occupancy: int = field(init=False, default=0)  # now, those lost from sight for a moment included
    occupancy_max: int = field(init=False, default=0)
    dwell: Distribution = field(init=False, default_factory=Distribution)  # seconds of the ended visits

    def __post_init__(self) -> None:
        """Check what can be checked without a picture."""
        self.anchor = check_anchor(self.anchor, (AREA,))
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
        outline = Canvas(by=type(self).__name__)
        outline.polygon(self._polygon, self.color)
        outline.polyline(self._polygon, self.color, width=1.5, closed=True)
        self._outline = outline.marks
        self._name_at = self._polygon[np.lexsort((self._polygon[:, 0], self._polygon[:, 1]))[0]]
        border = Border(self._polygon, scene.size)
        self._wanted = class_ids(self.classes, scene.names)
        place = AreaAnchors(self._polygon, scene.size) if self.anchor == AREA else None
        self._memory = PluginState(scene, self.anchor, COLUMNS, place)
        self._turnstile = Turnstile(self._memory, scene.size, border, self._wanted, self._enter, self._exit)
        self._period = 1 / scene.fps if scene.fps > 0 else 0.0
        self._turnstile.period = self._period
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
        gone = memory.update(now, tracks)
        events = self._turnstile.take(now, self._period, tracks.xyxy, gone)
        if len(tracks):
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
        return [self._exit(row, self._turnstile.last(row), end_of_run=True) for row in open_rows]

    def draw(self, canvas: Canvas) -> None:
        """Show the zone, its name and how many are in it."""
        if self._sketch is None or self._sketched != (self.occupancy, self.entries):
            self._sketch, self._sketched = Canvas(by=type(self).__name__), (self.occupancy, self.entries)
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
            "last": [self._now, self._frame],
        }

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there; visits that were open are open still."""
        for name in TOTALS:
            setattr(self, name, int(state[name]))
        self.dwell = Distribution.from_state(state["dwell"])
        self._watched_s, self._period = float(state["watched_s"]), float(state["period_s"])
        self._turnstile.period = self._period
        if tracks:
            self._memory.restore(state["memory"])
            self.go_on_at(*state["last"])

    def go_on_at(self, time_s: float, frame: int) -> None:
        """Take over from another zone within a run: this was the last frame."""
        self._now, self._frame = time_s, frame

    def _watched(self) -> float:
        """Return for how long it was watched, in seconds."""
        return self._watched_s + (0.0 if self._first is None else self._now - self._first + self._period)

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
        own["since_s"][row], own["entered_id"][row] = since_s, self._memory.seen["first_id"][row]
        self._alarm_s = -np.inf
        return self._event("enter", self._memory.row(row), since_s=round(since_s, 3))

    def _exit(self, row: Row, left_s: float, *, end_of_run: bool = False) -> Event:
        since_s = float(row["since_s"])
        dwell_s = max(left_s - since_s, 0.0)
        self.dwell.add(dwell_s)
        row["inside"], row["left_s"] = False, left_s
        ending: dict[str, Json] = {"end_of_run": True} if end_of_run else {}
        if row["entered_id"] != row["first_id"]:  # another track went on with the visit
            ending["entered_id"] = int(row["entered_id"])
        return self._event(
            "exit",
            row,
            dwell_s=round(dwell_s, 3),
            since_s=round(since_s, 3),
            left_s=round(left_s, 3),
            **ending,
        )

    def _event(self, what: str, row: Row, **data: Json) -> Event:
        class_id = int(row["class_id"])
        class_name = self._scene.names.get(class_id, str(class_id))
        place = {"x": round(float(row["anchor"][0]), 1), "y": round(float(row["anchor"][1]), 1)}
        data = {
            "zone": self.name,
            "class_name": self.class_map.get(class_name, class_name),
            **place,
            **data,
            **identity(row),
        }
        return Event(f"zone.{what}", self._now, self._frame, int(row["track_id"]), class_id, data)


def zone_problem(points: FloatArray) -> str | None:
    """Return what is wrong with the points of a zone, or None."""
    if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 3:
        return too_few(points, "three or more, 'x,y x,y x,y'")
    if not np.isfinite(points).all():
        return "has a point that is not a number"
    following = np.roll(np.arange(len(points)), -1)
    alike = np.flatnonzero((points[following] == points).all(axis=1))
    if len(alike):
        return f"has two identical points: {alike[0] + 1} and {following[alike[0]] + 1}"
    meeting = self_intersection(points.tolist(), closed=True)
    return f"crosses itself: side {meeting[0] + 1} meets side {meeting[1] + 1}" if meeting else None
