"""Who crossed a line, and which way: between its two ends, not by jitter, and once per crossing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.contracts import Plugin
from tracker.parse import class_ids
from tracker.plugins._shared.anchors import (
    HYSTERESIS,
    beyond_edge,
    check_anchor,
    cut_by_edge,
    hysteresis,
)
from tracker.plugins._shared.certainty import SURE, UNREST_S, Evidence, certainty
from tracker.plugins._shared.doubles import Doubles, whole_of
from tracker.plugins._shared.extent import STEADY, USUAL, VARIANCE, hidden_feet
from tracker.plugins._shared.geometry import Polyline
from tracker.plugins._shared.line_shape import (
    BESIDE,
    OPPOSITE,
    TIP_ANCHOR,
    TOWARDS,
    arrow_of,
    direction_in,
    extended,
    line_problem,
)
from tracker.plugins._shared.plugin_state import PluginState, Row, identity
from tracker.plugins._shared.track_history import ROUNDING_S, velocity
from tracker.types import Canvas, Color, Event, Frame, Json, OptionError, Scene

LOST_S = 0.5  # who is out of sight for so long, beyond the line but not clear of it ...
ONWARD_S = 0.04  # ... has crossed if its speed would have made it clear by the next frame, or in this time
MOST_PERIOD_S = 0.25  # two frames further apart than this are a pause
# Who is to be counted back is clear by so many standard deviations of its height, or MOST_BACK of its size.
BACK_UNREST, MOST_BACK = 2.5, 0.15
ON_LINE_PX = 1e-9  # nearer than this an anchor lies on the line itself
COLUMNS = (
    ("known", np.bool_),  # has been clear of the line: it is known on which side it came
    ("pending", np.int64),  # crossings since the anchor was last clear of the line, by sign
    ("crossed_s", np.float64),  # when and where the last of them was
    ("crossed_at", np.float64, (2,)),
    ("gap_s", np.float64),  # between the two frames that it lies between
    ("doubted", np.bool_),  # the box did not fit the object then or since
    ("whole_id", np.int64),  # whose part it was then, or itself
    ("counted_s", np.float64),  # when it was last counted ...
    ("counted", np.int64),  # ... and its sign; 0: never
    ("on_line", np.bool_),  # the anchor lies on the line itself, and came ...
    ("from_at", np.float64, (2,)),  # ... from here
)


@dataclass
class Line(Plugin):
    """Counts who crosses a line or polyline, by direction and class.

    "In" leads to the right, or downwards where the line is flatter than 45 degrees; ``towards`` changes that.

    An object has crossed when the path of its anchor has passed the line between its two ends and the anchor
    is then clear of it by a margin, a part of the object's own size (`anchors.HYSTERESIS`). Until then,
    crossings in both directions cancel, however long it takes. An object that was counted needs a larger
    margin to be counted back if its box is unsteady. While something hides the feet (`extent`), nothing is
    decided. The path continues while the track is lost, and in the track that continues it (`PluginState`).
    It begins where the object was first clear of the line: what appears on the line has not crossed it. An
    object that is lost beyond the line has crossed if it was moving away from it. Each event tells how sure
    it is (`certainty`).

    Raises ``OptionError`` for points, an anchor, a class or a direction that cannot be used.
    """

    points: ArrayLike  # (K, 2) pixels, two or more
    name: str = "line"
    names: tuple[str, str] = ("in", "out")  # names of the two directions
    towards: str | None = None  # where "in" leads: right, left, up or down  [default: right or down]
    anchor: str = "bottom_center"  # the point of the box that crosses
    classes: Sequence[str | int] = ()  # count these classes only  [default: all]
    color: Color = (0, 200, 255)  # blue, green, red
    class_map: Mapping[str, str] = field(default_factory=dict)  # what to call classes: {"car": "vehicle"}
    totals: Counter[tuple[str, str]] = field(init=False, default_factory=Counter)  # (direction, class)
    doubtful: Counter[str] = field(init=False, default_factory=Counter)  # of these, by direction

    def __post_init__(self) -> None:
        """Check what can be checked without a picture."""
        self.anchor = check_anchor(self.anchor)
        self._line = np.asarray(self.points, np.float64)
        problem = line_problem(self._line)
        if problem:
            raise OptionError(f"line {self.name!r} {problem}")
        self._in = direction_in(self._line, self.towards, self.name)

    def start(self, scene: Scene) -> None:
        """Learn the picture's size, where an end that touches its edge goes on, and the classes' names."""
        self._scene = scene
        self._path = Polyline(extended(self._line, scene.size))
        self._sketch: Canvas | None = None  # made anew after a crossing
        self._arrow, self._heading = self.arrow(), self.heading()
        shape = Canvas(by=type(self).__name__)
        shape.polyline(self._line, self.color, width=2)
        shape.polyline(self._arrow, self.color, width=2, arrow=True)
        self._shape = shape.marks
        self._wanted = class_ids(self.classes, scene.names)
        self._memory = PluginState(scene, self.anchor, COLUMNS)
        self._doubles = Doubles()
        self._now, self._frame, self._period = 0.0, 0, ONWARD_S

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Return one event per crossing that is completed in this frame."""
        memory, line = self._memory, self._path
        memory.update(frame.time, tracks)
        self._period = min(max(frame.time - self._now, ONWARD_S), MOST_PERIOD_S)
        self._now, self._frame = frame.time, frame.index
        rows = memory.own
        events = self._lost(LOST_S) if np.count_nonzero(rows["pending"]) else []
        if not len(tracks):
            return events
        found, before, anchors = memory.found, memory.before, memory.anchors
        self._doubles.update(frame.time, tracks, memory.seen, found)
        if np.count_nonzero(memory.changed):
            rows["known"][found[memory.changed]] = False
            rows["pending"][found[memory.changed]] = 0
        was_on_line = rows["on_line"][found] if np.count_nonzero(rows["on_line"]) else None
        if was_on_line is not None:
            before = np.where(was_on_line[:, None], rows["from_at"][found], before)
        step, touching = line.crossings(before, anchors)
        pending = rows["pending"][found]
        if np.count_nonzero(pending) or np.count_nonzero(step):
            busy = np.flatnonzero((pending != 0) | (step != 0))
            events += self._cross(tracks, before, step, busy)
        known = rows["known"][found]
        if np.count_nonzero(known) < len(known):
            unknown = np.flatnonzero(~known)
            points, boxes = anchors[unknown].tolist(), tracks.xyxy[unknown].tolist()
            clear = [line.away(x, y) > hysteresis(box) for (x, y), box in zip(points, boxes, strict=True)]
            rows["known"][found[unknown]] = clear
        if touching:  # an anchor exactly on the line is on neither side: its path goes on from where it came
            rows["on_line"][found] = (line.distance(anchors) <= ON_LINE_PX) & ~np.isnan(before[:, 0])
            rows["from_at"][found] = before
        elif was_on_line is not None:
            rows["on_line"][found] = False
        return events

    def _cross(self, tracks: Tracks, before: FloatArray, step: IntArray, busy: IntArray) -> list[Event]:
        """Take note of crossings and count those whose object has got clear of the line, and is itself.

        ``busy`` are the places of those who cross now, or have crossed and are not clear yet.
        """
        now, memory, line = self._now, self._memory, self._path
        rows, found, anchors = memory.own, memory.found, memory.anchors
        busy_rows, step = found[busy], step[busy]
        for place in busy[step != 0].tolist():
            row, part = found[place], line.fraction(before[place], anchors[place])
            rows["crossed_s"][row] = memory.before_s[place] + part * (now - memory.before_s[place])
            rows["crossed_at"][row] = before[place] + part * (anchors[place] - before[place])
            rows["gap_s"][row] = now - memory.before_s[place]
            rows["whole_id"][row] = whole_of(tracks, memory.seen, found, place)
        was, doubt = rows["pending"][busy_rows], memory.doubt[busy]
        rows["pending"][busy_rows] = pending = was + step
        rows["doubted"][busy_rows] = (was != 0) & rows["doubted"][busy_rows] | doubt
        events = []
        points, boxes = anchors[busy].tolist(), tracks.xyxy[busy].tolist()
        for place, row, crossed, is_doubted, point, box in zip(
            busy.tolist(), busy_rows.tolist(), pending.tolist(), doubt.tolist(), points, boxes, strict=True
        ):
            if not crossed or is_doubted:
                continue
            sign, margin = (1 if crossed > 0 else -1), HYSTERESIS
            if rows["counted"][row] == -sign:  # back, or the box trembles
                tremble = BACK_UNREST * math.sqrt(memory.seen["extent"][row, VARIANCE])
                margin = min(max(tremble, HYSTERESIS), MOST_BACK)
            if line.away(*beyond_edge(point, box, self._scene.size)) <= hysteresis(box, margin):
                continue
            rows["pending"][row] = 0
            if rows["known"][row] and self._counts(now, tracks, place, sign):
                events.append(self._event(sign, memory.row(row), tracks, place))
        return events

    def finish(self) -> Iterable[Event]:
        """Decide about those who were out of sight at the end."""
        return self._lost(0.0)

    def draw(self, canvas: Canvas) -> None:
        """Show the line, an arrow for "in" and the running totals."""
        if self._sketch is None:
            self._sketch = Canvas(by=type(self).__name__)
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
        return arrow_of(self._line, self._in, self._scene.size)

    def heading(self) -> str:
        """Return where "in" leads on the picture: right, left, up or down."""
        start, tip = self.arrow()
        return max(TOWARDS, key=lambda way: float((tip - start) @ np.array(TOWARDS[way])))

    def total(self, direction: str) -> int:
        """Return how many have crossed in the direction of this name."""
        return sum(count for (name, _), count in self.totals.items() if name == direction)

    def summary(self) -> Sequence[tuple[str, str]]:
        """Return the totals, by class where there is more than one."""
        return [
            (
                f"{self.name} {name}",
                _by_class(self.totals, name)
                + (f", {self.doubtful[name]} of them doubtful" if self.doubtful[name] else ""),
            )
            for name in self.names
        ]

    def state(self) -> Json:
        """Return the totals, and who is where."""
        return {
            "totals": [[*key, count] for key, count in self.totals.items()],
            "doubtful": dict(self.doubtful),
            "memory": self._memory.state(),
            "doubles": self._doubles.state(),
        }

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there."""
        self.totals.update({(way, name): count for way, name, count in state["totals"]})
        self.doubtful.update(state["doubtful"])
        self._sketch = None
        if tracks:
            self._memory.restore(state["memory"])
            self._doubles.restore(state["doubles"])

    def go_on_at(self, time_s: float, frame: int) -> None:
        """Take over from another line within a run: this was the last frame."""
        self._now, self._frame = time_s, frame

    def forget_pending(self) -> None:
        """Forget who was about to cross: the line is elsewhere now; who stands on it came from nowhere."""
        rows = self._memory.own
        rows["pending"], rows["known"], rows["on_line"] = 0, False, False

    def _counts(self, now: float, tracks: Tracks, place: int, sign: int) -> bool:
        """Return whether this crossing is new, and not that of a second box on the same object."""
        if self._wanted is not None and int(tracks.class_id[place]) not in self._wanted:
            return False
        memory = self._memory
        return self._doubles.is_new(now, tracks, memory.seen, memory.found, place, sign)

    def _lost(self, after_s: float) -> list[Event]:
        """Count those who were last seen beyond the line, about to be clear of it, more than so long ago."""
        memory = self._memory
        rows, line = memory.own, self._path
        waiting = np.flatnonzero((rows["pending"] != 0) & rows["known"])
        waiting = waiting[self._now - memory.seen["seen_s"][waiting] > after_s + ROUNDING_S]
        if not len(waiting):
            return []
        seen = memory.seen.take(waiting)
        goal = seen["anchor"] + np.nan_to_num(velocity(seen)) * self._period
        onward = (line.sides(goal) * line.sides(seen["anchor"]) > 0).all(axis=1)
        onward &= rows["whole_id"][waiting] == seen["track_id"]  # what it was part of crosses itself
        events = []
        for (x, y), box, row in zip(
            goal[onward].tolist(), seen["xyxy"][onward].tolist(), waiting[onward].tolist(), strict=True
        ):
            if line.away(x, y) <= hysteresis(box):
                continue
            sign = 1 if rows["pending"][row] > 0 else -1
            rows["pending"][row] = 0
            if self._doubles.has(int(memory.seen["track_id"][row]), sign):
                continue
            if self._wanted is None or int(memory.seen["class_id"][row]) in self._wanted:
                events.append(self._event(sign, memory.row(row)))
        return events

    def _event(self, sign: int, row: Row, tracks: Tracks | None = None, place: int = 0) -> Event:
        way = "in" if sign == self._in else "out"
        direction = self.names[0] if way == "in" else self.names[1]
        class_id = int(row["class_id"])
        class_name = self._scene.names.get(class_id, str(class_id))
        class_name = self.class_map.get(class_name, class_name)
        sure, why = certainty(self._evidence(sign, row, tracks, place))
        row["counted"], row["counted_s"] = sign, self._now
        self.totals[direction, class_name] += 1
        self.doubtful[direction] += sure < SURE
        self._sketch = None
        data = {
            "line": self.name,
            "direction": direction,
            "class_name": class_name,
            "x": round(float(row["crossed_at"][0]), 1),
            "y": round(float(row["crossed_at"][1]), 1),
            "crossed_s": round(float(row["crossed_s"]), 3),  # on the line itself; the event is clear of it
            "sure": round(sure, 2),
            **({"why": ", ".join(why)} if sure < SURE else {}),
            **identity(row),
        }
        return Event(f"line.{way}", self._now, self._frame, int(row["track_id"]), class_id, data)

    def _evidence(self, sign: int, row: Row, tracks: Tracks | None, place: int) -> Evidence:
        """Gather what is known of a crossing; ``tracks`` are None where the object is out of sight."""
        box, path = row["xyxy"].tolist(), self._path
        side = max(box[2] - box[0], box[3] - box[1], 1.0)
        return Evidence(
            age_s=float(row["crossed_s"] - row["born_s"]),
            born_sizes=path.away(*row["born_at"].tolist()) / side,
            back_s=self._now - float(row["counted_s"]) if row["counted"] == -sign else math.inf,
            gap_s=float(row["gap_s"]),
            took_s=self._now - float(row["crossed_s"]),
            clear_sizes=path.away(*row["anchor"].tolist()) / side,
            unrest=math.sqrt(row["extent"][VARIANCE]) if row["extent"][STEADY] >= UNREST_S else 0.0,
            doubted=bool(row["doubted"]),
            hidden=0.0 if tracks is None else hidden_feet(tracks.xyxy, place),
            score=float(row["extent"][USUAL]) if tracks is None else float(tracks.score[place]),
            usual_score=float(row["extent"][USUAL]),
            classed_s=self._now - float(row["classed_s"]) if row["classed_s"] > row["born_s"] else math.inf,
            cut=bool(cut_by_edge(row["xyxy"], self._scene.size)),
            lost=tracks is None,
        )


def _by_class(totals: Counter[tuple[str, str]], direction: str) -> str:
    parts = sorted(((n, name) for (way, name), n in totals.items() if way == direction), reverse=True)
    total = sum(n for n, _ in parts)
    return f"{total}  ({', '.join(f'{name} {n}' for n, name in parts)})" if len(parts) > 1 else str(total)
