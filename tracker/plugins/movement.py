"""Who came into a junction by which section and left it by which: movements, from the lines' events alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bytetrack import Tracks
from tracker.contracts import Plugin
from tracker.parse import class_ids, near_miss
from tracker.plugins._shared.journeys import AGAIN_S, MAX_S, Journey, Journeys
from tracker.plugins._shared.matrix import matrix_rows, table_rows
from tracker.types import Canvas, Color, Event, Frame, Json, OptionError, Scene

LATE_S = 1.5  # the visit of who vanished is told a second after its track is given up


@dataclass
class Movement(Plugin):
    """Counts movements: by which line or zone an object came into a junction, and by which it left.

    ``sections`` are names of lines and zones of the same run: "in" leads over a line into the
    junction, as leaving a zone does. The first section crossed inwards counts, and the last one crossed
    outwards (`journeys.Journeys`). Who came in and never left within ``max_s``, or left and never came in, is
    incomplete, and counted beside. A movement is as sure as the less sure of its two crossings.

    Raises ``OptionError`` for sections and names that cannot be.
    """

    sections: Sequence[str]  # two or more
    name: str = "junction"
    names: Mapping[str, str] = field(default_factory=dict)  # "north>east": "left"
    classes: Sequence[str | int] = ()  # count these only; none: all
    max_s: float = MAX_S  # seconds a journey may take
    color: Color = (255, 255, 255)
    class_map: Mapping[str, str] = field(default_factory=dict)  # what its sections call classes
    totals: Counter[tuple[str, str, str]] = field(init=False, default_factory=Counter)  # (from, to, class)
    doubtful: int = field(init=False, default=0)  # of the complete ones

    def __post_init__(self) -> None:
        """Check what can be checked without a picture."""
        given = self.sections.split(",") if isinstance(self.sections, str) else self.sections
        self.sections = tuple(str(section).strip() for section in given)
        problem = section_problem(self.sections)
        if problem:
            raise OptionError(f"movement {self.name!r} {problem}")
        if not 0 < self.max_s < math.inf:
            raise OptionError(f"movement {self.name!r}: max_s takes a number of seconds above 0")
        self._names = {self._pair(text): called for text, called in self.names.items()}

    def start(self, scene: Scene) -> None:
        """Learn the classes' names, and how late events may come."""
        self._wanted = class_ids(self.classes, scene.names)
        self._journeys = Journeys(self.sections, max_s=self.max_s, hold_s=scene.lost_s + LATE_S)
        self._now, self._frame = 0.0, 0

    def late_s(self, scene: Scene) -> float:
        """Return in what time after somebody came in all is told of it, however slow the frames."""
        return self.max_s + AGAIN_S + scene.lost_s + 2 * LATE_S

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Return the movements that are known by now."""
        self._now, self._frame = frame.time, frame.index
        return self._told(self._journeys.advance(frame.time))

    def hear(self, events: Sequence[Event]) -> None:
        """Take note of who crossed a section."""
        for event in events:
            self._journeys.take(event)

    def finish(self) -> Iterable[Event]:
        """Return what is left: who has left, and who is still on the way."""
        return self._told(self._journeys.finish())

    def draw(self, canvas: Canvas) -> None:
        """Show how many made which movement."""
        canvas.table(self.name, table_rows(self._names, self.totals), self.color)

    def summary(self) -> Iterable[tuple[str, str]]:
        """Return the matrix."""
        return matrix_rows(self.name, self.sections, self._names, self.totals, self.doubtful)

    def state(self) -> Json:
        """Return the totals, and who is under way."""
        return {
            "totals": [[*key, count] for key, count in self.totals.items()],
            "doubtful": self.doubtful,
            "journeys": self._journeys.state(),
            "last": [self._now, self._frame],
        }

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there."""
        self.totals.update({(origin, to, name): count for origin, to, name, count in state["totals"]})
        self.doubtful = int(state["doubtful"])
        if tracks:
            self._journeys.restore(state["journeys"])
            self._now, self._frame = state["last"]

    def _pair(self, text: str) -> tuple[str, str]:
        pair = pair_of(text, self.sections)
        if pair is None:
            raise OptionError(f"movement {self.name!r}: {pair_problem(text, self.sections)}")
        return pair

    def _told(self, journeys: Iterable[Journey]) -> list[Event]:
        wanted = (j for j in journeys if self._wanted is None or j.latest.class_id in self._wanted)
        return [self._event(journey) for journey in wanted]

    def _event(self, journey: Journey) -> Event:
        latest, least, origin, to = journey.latest, journey.least_sure, journey.origin, journey.to
        complete = origin is not None and to is not None
        self.totals[origin or "", to or "", latest.class_name] += 1
        data: dict[str, Json] = {
            "movement": self.name,
            "name": self._names.get((origin or "", to or ""), ""),
            "from": origin,
            "to": to,
            "class_name": latest.class_name,
            "since_s": journey.came and journey.came.time,
            "left_s": journey.left and journey.left.time,
        }
        if latest.object_id != latest.track_id:
            data["first_id"] = latest.object_id
        if least is not None:
            data["sure"] = least.sure
            if least.why:
                data["why"] = least.why
                self.doubtful += complete
        kind = "movement" if complete else "movement.incomplete"
        return Event(kind, self._now, self._frame, latest.track_id, latest.class_id, data)


def section_problem(sections: Sequence[str]) -> str | None:
    """Return what is wrong with the sections of a movement, or None."""
    twice = [name for name, times in Counter(sections).items() if times > 1]
    if twice:
        return f"names section {twice[0]!r} twice"
    if len(sections) < 2 or not all(sections):
        return f"needs two sections or more, not {', '.join(filter(None, sections)) or 'none'}"
    return None


def pair_of(text: str, sections: Sequence[str]) -> tuple[str, str] | None:
    """Return the two sections that a text such as ``north>east`` names, or None.

    >>> pair_of("north > east", ["north", "east"])
    ('north', 'east')
    """
    parts = text.split(">")
    for cut in range(1, len(parts)):  # a name may hold the sign, too
        pair = ">".join(parts[:cut]).strip(), ">".join(parts[cut:]).strip()
        if pair[0] in sections and pair[1] in sections:
            return pair
    return None


def pair_problem(text: str, sections: Sequence[str]) -> str:
    """Say what is wrong with a text that names no two sections."""
    origin, sign, to = (part.strip() for part in text.partition(">"))
    if not sign or not origin or not to:
        return f"{text!r} is not a movement; write {sections[0]}>{sections[1]}: NAME"
    wrong = origin if origin not in sections else to
    return f"{text!r}: {wrong!r} is not one of its sections{near_miss(wrong, sections)}"
