"""Who crossed a line, which way: exact about the finite line, deaf to jitter, once per crossing."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.plugins.anchors import (
    SHADOW_OVERLAP,
    SHADOW_S,
    at_edge,
    beyond_edge,
    check_anchor,
    hysteresis,
    resolve_classes,
)
from tracker.plugins.geometry import (
    crossing_fraction,
    distance_to_segments,
    overlap_of_smaller,
    self_intersection,
    signed_crossings,
)
from tracker.plugins.memory import Memory, Row
from tracker.types import Canvas, Color, Event, Frame, Json, OptionError, Scene

TOWARDS = {"right": (1.0, 0.0), "left": (-1.0, 0.0), "down": (0.0, 1.0), "up": (0.0, -1.0)}
OPPOSITE = {"right": "left", "left": "right", "down": "up", "up": "down"}
TIP_ANCHOR = {
    "right": "lm",
    "left": "rm",
    "down": "mt",
    "up": "mb",
}  # of a text that begins where an arrow ends
ARROW_AT = 0.3  # along the line: lines often cross in the middle
BESIDE = 0.3  # of the arrow's length: room between it and a name
ARROW = 0.07  # length of the arrow in parts of the picture's shorter side
END_PX = 1e-6  # by so much a line is longer than drawn: its end points belong to it
ON_LINE_PX = 1e-9  # nearer than this an anchor lies on the line itself
COLUMNS = (
    ("pending", np.int64),  # crossings since the anchor was last clear of the line, by sign
    ("crossed_s", np.float64),  # when and where the last of them was
    ("crossed_at", np.float64, (2,)),
    ("on_line", np.bool_),  # the anchor lies on the line itself, and came ...
    ("from_at", np.float64, (2,)),  # ... from here
)


@dataclass
class Line:
    """Counts who crosses a line or polyline, by direction and class.

    "In" leads to the right, or downwards where the line lies flatter than 45 degrees; ``towards`` turns it.

    An object has crossed when the path of its anchor has gone through the finite line and the anchor has
    then got clear of it by a margin of the object's own size (`anchors.HYSTERESIS`). Until then crossings
    to and fro cancel, however long it takes. The path goes on while the track is lost, and in the track that
    continues it (`Memory`). What is first seen beyond the line has crossed nothing.

    Raises ``OptionError`` for points, an anchor, a class or a direction that cannot be used.
    """

    points: ArrayLike  # (K, 2) pixels, two or more
    name: str = "line"
    names: tuple[str, str] = ("in", "out")  # what to call the two directions
    towards: str | None = None  # "in" leads right, left, up or down; None: right or down
    anchor: str = "bottom_center"
    classes: Sequence[str | int] = ()  # count these only; none: all
    color: Color = (0, 200, 255)
    totals: Counter[tuple[str, str]] = field(init=False, default_factory=Counter)  # (direction, class)

    def __post_init__(self) -> None:
        """Check what can be checked without a picture."""
        self.anchor = check_anchor(self.anchor)
        self._line = np.asarray(self.points, np.float64)
        problem = line_problem(self._line)
        if problem:
            raise OptionError(f"line {self.name!r} {problem}")
        chord = self._line[-1] - self._line[0]
        normal = np.array([-chord[1], chord[0]]) / np.hypot(*chord)  # where +1 of signed_crossings leads
        wish = (self.towards or ("right" if abs(normal[0]) > abs(normal[1]) else "down")).lower()
        if wish not in TOWARDS:
            raise OptionError(
                f"line {self.name!r}: towards {self.towards!r}; use one of {', '.join(TOWARDS)}"
            )
        along = float(normal @ np.array(TOWARDS[wish]))
        if abs(along) < 1e-6:
            raise OptionError(f"line {self.name!r} itself leads {wish}; let 'in' lead to one of its sides")
        self._in = 1 if along > 0 else -1

    def start(self, scene: Scene) -> None:
        """Learn the picture's size, where an end that touches its edge goes on, and the classes' names."""
        self._scene = scene
        self._path = extended(self._line, scene.size)
        self._sketch: Canvas | None = None  # made anew after a crossing
        self._arrow, self._heading = self.arrow(), self.heading()
        shape = Canvas()
        shape.polyline(self._line, self.color, width=2)
        shape.polyline(self._arrow, self.color, width=2, arrow=True)
        self._shape = shape.marks
        self._wanted = resolve_classes(self.classes, scene.names)
        self._memory = Memory(scene, self.anchor, COLUMNS)
        self._recent: deque[tuple[float, int, int, FloatArray]] = deque()  # time, sign, track_id, box

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Return one event per crossing that is completed in this frame."""
        memory, line = self._memory, self._path
        memory.look(frame.time, tracks)
        if not len(tracks):
            return []
        found, before, rows = memory.found, memory.before, memory.own
        was_on_line = rows["on_line"][found]
        if np.count_nonzero(was_on_line):
            before = np.where(was_on_line[:, None], rows["from_at"][found], before)
        step, touching = signed_crossings(before, memory.anchors, line)
        events = []
        if np.count_nonzero(step) or np.count_nonzero(rows["pending"][found]):
            events = self._settle(frame, tracks, before, step)
        if touching:  # an anchor exactly on the line is on neither side: its path goes on from where it came
            away = distance_to_segments(memory.anchors, line[:-1], line[1:])
            rows["on_line"][found] = (away <= ON_LINE_PX) & ~np.isnan(before[:, 0])
            rows["from_at"][found] = before
        elif np.count_nonzero(was_on_line):
            rows["on_line"][found] = False
        return events

    def _settle(self, frame: Frame, tracks: Tracks, before: FloatArray, step: IntArray) -> list[Event]:
        """Take note of crossings and count those whose object has got clear of the line."""
        now, memory, line = frame.time, self._memory, self._path
        rows, found, anchors = memory.own, memory.found, memory.anchors
        for place in np.flatnonzero(step).tolist():
            row, part = found[place], crossing_fraction(before[place], anchors[place], line)
            rows["crossed_s"][row] = memory.before_s[place] + part * (now - memory.before_s[place])
            rows["crossed_at"][row] = before[place] + part * (anchors[place] - before[place])
        pending = rows["pending"][found] + step
        rows["pending"][found] = pending
        events = []
        crossing = np.flatnonzero(pending)
        at_least = beyond_edge(anchors[crossing], tracks.xyxy[crossing], self._scene.size)
        away = distance_to_segments(at_least, line[:-1], line[1:])
        for place in crossing[away > hysteresis(tracks.xyxy[crossing])].tolist():
            row, sign = found[place], 1 if pending[place] > 0 else -1
            rows["pending"][row] = 0
            if self._counts(now, tracks, place, sign):
                events.append(self._event(frame, tracks, place, sign, memory.row(row)))
        return events

    def draw(self, canvas: Canvas) -> None:
        """Show the line, an arrow for "in" and the running totals."""
        if self._sketch is None:
            self._sketch = Canvas()
            self._record(self._sketch)
        canvas.marks += self._sketch.marks

    def _record(self, canvas: Canvas) -> None:
        canvas.marks += self._shape
        start, tip = self._arrow
        heading = self._heading
        for name, place, anchor in (
            (self.names[0], tip + BESIDE * (tip - start), TIP_ANCHOR[heading]),
            (self.names[1], start - BESIDE * (tip - start), TIP_ANCHOR[OPPOSITE[heading]]),
        ):
            canvas.text(f"{self.name} {name} {self.total(name)}", place, self.color, anchor=anchor)
        canvas.table(self.name, [(name, _by_class(self.totals, name)) for name in self.names], self.color)

    def arrow(self) -> tuple[FloatArray, FloatArray]:
        """Return a point on the line and one away from it on the side that "in" leads to."""
        edge = np.diff(self._line, axis=0)
        lengths = np.hypot(*edge.T)
        along = ARROW_AT * lengths.sum() - np.concatenate(([0.0], np.cumsum(lengths)[:-1]))
        part = int(np.flatnonzero(along >= 0)[-1])
        direction = edge[part] / lengths[part]
        start = self._line[part] + along[part] * direction
        normal = np.array([-direction[1], direction[0]])
        return start, start + self._in * normal * ARROW * min(self._scene.size)

    def heading(self) -> str:
        """Return where "in" leads on the picture: right, left, up or down."""
        start, tip = self.arrow()
        return max(TOWARDS, key=lambda way: float((tip - start) @ np.array(TOWARDS[way])))

    def total(self, direction: str) -> int:
        """Return how many have crossed in the direction of this name."""
        return sum(count for (name, _), count in self.totals.items() if name == direction)

    def summary(self) -> Sequence[tuple[str, str]]:
        """Return the totals, by class where there is more than one."""
        return [(f"{self.name} {name}", _by_class(self.totals, name)) for name in self.names]

    def state(self) -> Json:
        """Return the totals, and who is where."""
        return {
            "totals": [[*key, count] for key, count in self.totals.items()],
            "memory": self._memory.state(),
            "recent": [[time, sign, track_id, box.tolist()] for time, sign, track_id, box in self._recent],
        }

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there."""
        self.totals.update({(way, name): count for way, name, count in state["totals"]})
        self._sketch = None
        if tracks:
            self._memory.restore(state["memory"])
            self._recent.extend((*rest, np.array(box)) for *rest, box in state["recent"])

    def _counts(self, now: float, tracks: Tracks, place: int, sign: int) -> bool:
        """Return whether this crossing is new, and not that of a second box on the same object."""
        if self._wanted is not None and int(tracks.class_id[place]) not in self._wanted:
            return False
        while self._recent and self._recent[0][0] < now - SHADOW_S:
            self._recent.popleft()
        track_id, box = int(tracks.track_id[place]), tracks.xyxy[place]
        others = [r for r in self._recent if r[1] == sign and r[2] != track_id]
        self._recent.append((now, sign, track_id, box.copy()))
        if not others:
            return True
        place_of = {other: n for n, other in enumerate(tracks.track_id.tolist())}
        boxes = [tracks.xyxy[place_of[other]] if other in place_of else then for _, _, other, then in others]
        return not (overlap_of_smaller(box, np.array(boxes)) > SHADOW_OVERLAP).any()

    def _event(self, frame: Frame, tracks: Tracks, place: int, sign: int, row: Row) -> Event:
        way = "in" if sign == self._in else "out"
        direction = self.names[0] if way == "in" else self.names[1]
        class_id = int(tracks.class_id[place])
        class_name = self._scene.names.get(class_id, str(class_id))
        self.totals[direction, class_name] += 1
        self._sketch = None
        data = {
            "line": self.name,
            "direction": direction,
            "class_name": class_name,
            "x": round(float(row["crossed_at"][0]), 1),
            "y": round(float(row["crossed_at"][1]), 1),
            "crossed_s": round(float(row["crossed_s"]), 3),  # on the line itself; the event is clear of it
        }
        return Event(f"line.{way}", frame.time, frame.index, int(tracks.track_id[place]), class_id, data)


def line_problem(points: FloatArray) -> str | None:
    """Return what is wrong with the points of a line, or None."""
    if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 2:
        return f"needs two or more points [x, y], got shape {points.shape}"
    if not np.isfinite(points).all():
        return "has a point that is not a number"
    alike = np.flatnonzero((points[1:] == points[:-1]).all(axis=1))
    if len(alike):
        return f"has two points alike: {alike[0] + 1} and {alike[0] + 2} are {points[alike[0]].tolist()}"
    if (points[0] == points[-1]).all():
        return "ends where it begins; use a zone"
    meeting = self_intersection(points.tolist(), closed=False)
    return f"crosses itself: part {meeting[0] + 1} meets part {meeting[1] + 1}" if meeting else None


def extended(line: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Return the line (K, 2) with ends at the picture's edge drawn on beyond it.

    Somebody whose feet are cut off by the edge still crosses a line that was drawn up to it.
    """
    path: FloatArray = line.copy()
    for end, inner in ((0, 1), (-1, -2)):
        outward = line[end] - line[inner]
        reach = max(size) if at_edge(path[[end]], size).any() else END_PX
        path[end] = line[end] + outward / np.hypot(*outward) * reach
    return path


def _by_class(totals: Counter[tuple[str, str]], direction: str) -> str:
    parts = sorted(((n, name) for (way, name), n in totals.items() if way == direction), reverse=True)
    total = sum(n for n, _ in parts)
    return f"{total}  ({', '.join(f'{name} {n}' for n, name in parts)})" if len(parts) > 1 else str(total)
