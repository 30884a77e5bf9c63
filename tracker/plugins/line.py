"""Who crossed a line, and which way: between its two ends, not by jitter, and once per crossing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from bytetrack import Tracks
from bytetrack.types import FloatArray
from tracker.contracts import Plugin
from tracker.parse import class_ids
from tracker.plugins._shared.anchors import check_anchor
from tracker.plugins._shared.certainty import SURE, Evidence, certainty
from tracker.plugins._shared.crossings import COLUMNS, Crossings
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
from tracker.types import Canvas, Color, Event, Frame, Json, OptionError, Scene


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
        self._sketch: Canvas | None = None  # made anew after a crossing
        self._arrow, self._heading = self.arrow(), self.heading()
        shape = Canvas(by=type(self).__name__)
        shape.polyline(self._line, self.color, width=2)
        shape.polyline(self._arrow, self.color, width=2, arrow=True)
        self._shape = shape.marks
        self._memory = PluginState(scene, self.anchor, COLUMNS)
        path, wanted = Polyline(extended(self._line, scene.size)), class_ids(self.classes, scene.names)
        self._crossings = Crossings(self._memory, path, scene.size, wanted, self._event)
        self._frame = 0

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Return one event per crossing that is completed in this frame."""
        self._memory.update(frame.time, tracks)
        self._frame = frame.index
        return self._crossings.take(frame.time, tracks)

    def finish(self) -> Iterable[Event]:
        """Decide about those who were out of sight at the end."""
        return self._crossings.lost(0.0)

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
            "doubles": self._crossings.state(),
            "last": [self._crossings.now, self._frame],
        }

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there."""
        self.totals.update({(way, name): count for way, name, count in state["totals"]})
        self.doubtful.update(state["doubtful"])
        self._sketch = None
        if tracks:
            self._memory.restore(state["memory"])
            self._crossings.restore(state["doubles"])
            self.go_on_at(*state["last"])

    def go_on_at(self, time_s: float, frame: int) -> None:
        """Take over from another line within a run: this was the last frame."""
        self._crossings.now, self._frame = time_s, frame

    def forget_pending(self) -> None:
        """Forget who was about to cross: the line is elsewhere now."""
        self._crossings.forget_pending()

    def _event(self, sign: int, row: Row, evidence: Evidence) -> Event:
        way = "in" if sign == self._in else "out"
        direction = self.names[0] if way == "in" else self.names[1]
        class_id = int(row["class_id"])
        class_name = self._scene.names.get(class_id, str(class_id))
        class_name = self.class_map.get(class_name, class_name)
        sure, why = certainty(evidence)
        sure = round(sure, 2)  # as it is told: what is doubtful can be told from the number
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
            "sure": sure,
            **({"why": ", ".join(why)} if sure < SURE else {}),
            **identity(row),
        }
        return Event(f"line.{way}", self._crossings.now, self._frame, int(row["track_id"]), class_id, data)


def _by_class(totals: Counter[tuple[str, str]], direction: str) -> str:
    parts = sorted(((n, name) for (way, name), n in totals.items() if way == direction), reverse=True)
    total = sum(n for n, _ in parts)
    return f"{total}  ({', '.join(f'{name} {n}' for n, name in parts)})" if len(parts) > 1 else str(total)
