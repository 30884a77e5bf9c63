"""Who crosses a line: paths, frame by frame, become crossings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.plugins._shared.anchors import HYSTERESIS, beyond_edge, cut_by_edge, hysteresis
from tracker.plugins._shared.certainty import UNREST_S, Evidence
from tracker.plugins._shared.doubles import Doubles, whole_of
from tracker.plugins._shared.extent import STEADY, USUAL, VARIANCE, hidden_feet
from tracker.plugins._shared.geometry import Polyline
from tracker.plugins._shared.motion import velocity, way
from tracker.plugins._shared.plugin_state import PluginState, Row
from tracker.plugins._shared.track_history import ROUNDING_S
from tracker.types import Event, Json

LOST_S = 0.5  # who is out of sight for so long, beyond the line but not clear of it ...
ONWARD_S = 0.04  # ... has crossed if its speed would have made it clear by the next frame, or in this time
MOST_PERIOD_S = 0.25  # two frames further apart than this are a pause
# Whose height is unsteady is clear of a line by so many standard deviations of it, at most by such a part of
# its size; more where it is to be counted back. Measured with `python -m benchmarks.lines --more --noise`.
UNREST, MOST = 1.0, 0.1
BACK_UNREST, MOST_BACK = 2.5, 0.15
SIDEWAYS = 0.5  # a box trembles by this part of that from side to side: its middle is that of two edges
UNSTEADY_S, LEAST_PLACES = 0.5, 3  # over so long, and so many places, it is told how steadily somebody goes
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


class Crossings:
    """Follows whoever is about the line, and calls ``count`` (sign, row, evidence) for each crossing.

    Those of the ``wanted`` classes (None: all) are counted; ``memory`` has `COLUMNS`.
    """

    def __init__(
        self,
        memory: PluginState,
        path: Polyline,
        size: tuple[int, int],
        wanted: Sequence[int] | None,
        count: Callable[[int, Row, Evidence], Event],
    ) -> None:
        self._memory, self._path, self._size, self._wanted, self._count = memory, path, size, wanted, count
        self._doubles = Doubles()
        self.now, self._period = 0.0, ONWARD_S

    def take(self, now: float, tracks: Tracks) -> list[Event]:
        """Return who has crossed by this frame; ``memory`` has taken it already."""
        memory, line = self._memory, self._path
        self._period = min(max(now - self.now, ONWARD_S), MOST_PERIOD_S)
        self.now = now
        rows = memory.own
        events = self.lost(LOST_S) if np.count_nonzero(rows["pending"]) else []
        if not len(tracks):
            return events
        found, before, anchors = memory.found, memory.before, memory.anchors
        self._doubles.update(now, tracks, memory.seen, found)
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
        now, memory, line = self.now, self._memory, self._path
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
            sign = 1 if crossed > 0 else -1
            off = line.offset(*beyond_edge(point, box, self._size))
            margin = self._margin(row, sign, *off)
            if math.hypot(*off) <= hysteresis(box, margin):
                continue
            rows["pending"][row] = 0
            if rows["known"][row] and self._counts(tracks, place, sign):
                events.append(self._crossed(sign, row, tracks, place))
        return events

    def _margin(self, row: int, sign: int, off_x: float, off_y: float) -> float:
        """Return how far an object must be beyond the line, in longer sides, to have crossed it that way.

        A box that trembles passes a line that it lies on, up and down more than from side to side.
        """
        unrest = math.sqrt(self._memory.seen["extent"][row, VARIANCE])
        away = math.hypot(off_x, off_y) or 1.0
        if self._memory.own["counted"][row] == -sign:
            tremble = BACK_UNREST * unrest * math.hypot(SIDEWAYS * off_x / away, off_y / away)
            return min(max(tremble, HYSTERESIS), MOST_BACK)
        return min(max(UNREST * unrest * abs(off_y) / away, HYSTERESIS), MOST)

    def _counts(self, tracks: Tracks, place: int, sign: int) -> bool:
        """Return whether this crossing is new, and not that of a second box on the same object."""
        if self._wanted is not None and int(tracks.class_id[place]) not in self._wanted:
            return False
        memory = self._memory
        return self._doubles.is_new(self.now, tracks, memory.seen, memory.found, place, sign)

    def lost(self, after_s: float) -> list[Event]:
        """Count those who were last seen beyond the line, about to be clear of it, more than so long ago."""
        memory = self._memory
        rows, line = memory.own, self._path
        waiting = np.flatnonzero((rows["pending"] != 0) & rows["known"])
        waiting = waiting[self.now - memory.seen["seen_s"][waiting] > after_s + ROUNDING_S]
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
                events.append(self._crossed(sign, row))
        return events

    def _crossed(self, sign: int, row: int, tracks: Tracks | None = None, place: int = 0) -> Event:
        found = self._memory.row(row)
        evidence = self._evidence(sign, found, tracks, place)
        found["counted"], found["counted_s"] = sign, self.now
        return self._count(sign, found, evidence)

    def _evidence(self, sign: int, row: Row, tracks: Tracks | None, place: int) -> Evidence:
        """Gather what is known of a crossing; ``tracks`` are None where the object is out of sight."""
        box, path = row["xyxy"].tolist(), self._path
        side = max(box[2] - box[0], box[3] - box[1], 1.0)
        before, unsteady = self._approach(row, side)
        return Evidence(
            age_s=float(row["crossed_s"] - row["born_s"]),
            born_sizes=path.away(*row["born_at"].tolist()) / side,
            back_s=self.now - float(row["counted_s"]) if row["counted"] == -sign else math.inf,
            gap_s=float(row["gap_s"]),
            took_s=self.now - float(row["crossed_s"]),
            clear_sizes=path.away(*row["anchor"].tolist()) / side,
            before_sizes=before,
            unsteady=unsteady,
            unrest=math.sqrt(row["extent"][VARIANCE]) if row["extent"][STEADY] >= UNREST_S else 0.0,
            doubted=bool(row["doubted"]),
            hidden=0.0 if tracks is None else hidden_feet(tracks.xyxy, place),
            score=float(row["extent"][USUAL]) if tracks is None else float(tracks.score[place]),
            usual_score=float(row["extent"][USUAL]),
            classed_s=self.now - float(row["classed_s"]) if row["classed_s"] > row["born_s"] else math.inf,
            cut=bool(cut_by_edge(row["xyxy"], self._size)),
            lost=tracks is None,
        )

    def _approach(self, row: Row, side: float) -> tuple[float, float]:
        """Return how far before the line somebody was, in sizes, and how unsteadily it went across it.

        The second is the standard deviation of the distance to the line from that of a steady motion, as part
        of the object's size and of what it moved; NaN where it was seen too seldom.
        """
        seen_s, (x, y) = float(row["seen_s"]), row["crossed_at"].tolist()
        across = np.array(self._path.normal(x, y))
        path = way(row)
        beyond = (path[:, :2] - (x, y)) @ across
        if (row["anchor"] - (x, y)) @ across < 0:
            beyond = -beyond
        before = max(-float(beyond.min(initial=0.0)), 0.0) / side
        if len(path) < LEAST_PLACES:
            return before, math.nan
        late = int(np.count_nonzero(path[:, 2] >= seen_s - UNSTEADY_S - ROUNDING_S))
        late = max(late, LEAST_PLACES)
        times, places = path[-late:, 2] - path[-late:, 2].mean(), beyond[-late:] - beyond[-late:].mean()
        speed = float((times @ places) / (times @ times))
        moved = abs(speed) * float(times[-1] - times[0])
        return before, float((places - speed * times).std()) / (side + moved)

    def forget_pending(self) -> None:
        """Forget who was about to cross: the line is elsewhere now; who stands on it came from nowhere."""
        rows = self._memory.own
        rows["pending"], rows["known"], rows["on_line"] = 0, False, False

    def state(self) -> Json:
        """Return who crossed a moment ago."""
        return self._doubles.state()

    def restore(self, state: Json) -> None:
        """Go on from there."""
        self._doubles.restore(state)
