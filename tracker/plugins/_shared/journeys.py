"""From crossings to journeys: who came in by which section and left by which, from events alone.

Nothing but events and the time is looked at, so that a live run, `track replay` and a file of events come to
the same. Objects are known by their first number (`memory.identity`); nothing is joined beyond that.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from tracker.types import Event, Json

MAX_S = 300.0  # who came in so long ago and has not left is incomplete: lights are red for less
AGAIN_S = 2.0  # who is back over the same section so soon has not left; who is out twice so soon left last
HOLD_S = 5.0  # events come late, those of one object out of order: each waits so long for earlier ones


@dataclass(frozen=True)
class Crossing:
    """Somebody passed a section."""

    time: float  # seconds; on the section itself, not when it was told
    section: str
    inwards: bool  # into the junction: over a line's "in", out of a zone
    zone: bool  # the section is one
    object_id: int  # the same for all tracks that are one object
    track_id: int
    class_id: int | None
    class_name: str
    sure: float | None = None  # 0 to 1; None: not told
    why: str = ""  # it is doubtful
    first_s: float = 0.0  # the number was another object's before
    entered_id: int = 0  # of a zone that is left: who entered it
    last: bool = False  # of a zone that is left: the run ended


@dataclass(frozen=True)
class Journey:
    """What is known of one way through a junction; incomplete where either end is None."""

    came: Crossing | None
    left: Crossing | None

    @property
    def origin(self) -> str | None:
        """The section by which it came in."""
        return None if self.came is None else self.came.section

    @property
    def to(self) -> str | None:
        """The section by which it left."""
        return None if self.left is None else self.left.section

    @property
    def latest(self) -> Crossing:
        """The last that was seen of it."""
        crossing = self.left or self.came
        assert crossing is not None
        return crossing

    @property
    def least_sure(self) -> Crossing | None:
        """The end that is the less sure; None where neither tells."""
        told = [end for end in (self.came, self.left) if end is not None and end.sure is not None]
        return min(told, key=lambda end: end.sure or 0.0, default=None)


@dataclass
class _Open:
    came: Crossing | None
    left: Crossing | None = None
    quiet: bool = False  # it ended a journey in this zone: if nothing more comes that was its end


class Journeys:
    """Adds crossings up to journeys: the first section crossed inwards, the last one crossed outwards.

    ``take`` events as they come, ``advance`` to the time of each frame, ``finish`` at the end. A journey
    has ended when its object has left, and was not back over the same section within ``AGAIN_S``; or when it
    came in more than ``max_s`` ago.

    A zone lies outside of the junction, as the arm that a line ends: leaving it leads in, entering it leads
    out. Who is seen in one zone only came from there, and never left.
    """

    def __init__(self, sections: Collection[str], *, max_s: float = MAX_S, hold_s: float = HOLD_S) -> None:
        self._sections, self._max_s, self._hold_s = frozenset(sections), max_s, hold_s
        self._waiting: list[Crossing] = []  # by time
        self._open: dict[int, _Open] = {}  # by object
        self._arrived: set[tuple[int, str]] = set()  # who is in a zone in which a journey of theirs ended
        self._due = math.inf  # nobody's journey ends by itself before

    def take(self, event: Event) -> None:
        """Take note of an event; those that are about no section of this junction are left alone."""
        crossing = crossing_of(event, self._sections)
        if crossing is not None:
            bisect.insort_right(self._waiting, crossing, key=lambda waiting: waiting.time)

    def advance(self, now: float) -> list[Journey]:
        """Return the journeys that are known to have ended by now."""
        until = now - self._hold_s
        ready = bisect.bisect_right(self._waiting, until, key=lambda waiting: waiting.time)
        told: list[Journey] = []
        for crossing in self._waiting[:ready]:
            told += self._pass(crossing)
        del self._waiting[:ready]
        return told + (self._sweep(until) if until > self._due else [])

    def finish(self) -> list[Journey]:
        """Return the journeys that are left when nothing more comes."""
        return self.advance(math.inf)

    def state(self) -> Json:
        """Return who is under way."""
        return {
            "waiting": [asdict(crossing) for crossing in self._waiting],
            "open": [[number, asdict(journey)] for number, journey in self._open.items()],
            "arrived": sorted(map(list, self._arrived)),
        }

    def restore(self, state: Mapping[str, Json]) -> None:
        """Go on from there."""
        self._waiting = [Crossing(**crossing) for crossing in state["waiting"]]
        for number, saved in state["open"]:
            came, left = (saved[end] and Crossing(**saved[end]) for end in ("came", "left"))
            self._open[int(number)] = _Open(came, left, saved["quiet"])
        self._arrived = {(int(number), str(section)) for number, section in state["arrived"]}
        self._due = -math.inf

    def _pass(self, crossing: Crossing) -> list[Journey]:
        journey, told = self._open.get(crossing.object_id), list[Journey]()
        if journey is not None and (self._over(journey, crossing.time) or _is_another(journey, crossing)):
            told = self._end(crossing.object_id)
        told += self._enter(crossing) if crossing.inwards else self._leave(crossing)
        if (journey := self._open.get(crossing.object_id)) is not None:
            self._due = min(self._due, self._deadline(journey))
        return told

    def _enter(self, crossing: Crossing) -> list[Journey]:
        journey, arrived = self._open.get(crossing.object_id), False
        if crossing.zone:
            visit = (crossing.entered_id or crossing.object_id, crossing.section)
            arrived = visit in self._arrived
            self._arrived.discard(visit)
            if crossing.last:
                return []
        if journey is not None and journey.left is None:
            return []  # it had come in already
        if journey is not None and not crossing.zone and _is_back_in(journey, crossing):
            journey.left, journey.came = None, journey.came or crossing
            return []
        told = self._end(crossing.object_id)
        self._open[crossing.object_id] = _Open(crossing, quiet=arrived)
        return told

    def _leave(self, crossing: Crossing) -> list[Journey]:
        journey, visit = self._open.get(crossing.object_id), (crossing.object_id, crossing.section)
        if journey is None:
            if not crossing.zone:  # else it comes from outside, as everybody does who is first seen in a zone
                self._open[crossing.object_id] = _Open(None, crossing)
            return []
        if crossing.zone and journey.left is None and _is_back_out(journey, crossing):
            del self._open[crossing.object_id]
            if journey.quiet:
                self._arrived.add(visit)
            return []
        journey.left = crossing
        if crossing.zone:
            self._arrived.add(visit)
        return []

    def _end(self, object_id: int) -> list[Journey]:
        journey = self._open.pop(object_id, None)
        if journey is None or (journey.quiet and journey.left is None):
            return []
        return [Journey(journey.came, journey.left)]

    def _sweep(self, until: float) -> list[Journey]:
        """End what is over, the first first."""
        over = [(self._deadline(journey), number) for number, journey in self._open.items()]
        over = sorted(each for each in over if each[0] < until)
        told = [journey for _, number in over for journey in self._end(number)]
        self._due = min(map(self._deadline, self._open.values()), default=math.inf)
        return told

    def _over(self, journey: _Open, now: float) -> bool:
        return now > self._deadline(journey)

    def _deadline(self, journey: _Open) -> float:
        if journey.left is not None:
            return journey.left.time + AGAIN_S
        assert journey.came is not None
        return journey.came.time + self._max_s


def crossing_of(event: Event, sections: Collection[str]) -> Crossing | None:
    """Return what an event of a line or a zone says about a section; None for other events."""
    kind, _, what = event.kind.partition(".")
    data, section = event.data, event.data.get(kind)
    times = {"line.in": "crossed_s", "line.out": "crossed_s", "zone.enter": "since_s", "zone.exit": "left_s"}
    if event.kind not in times or section not in sections or event.track_id is None:
        return None
    return Crossing(
        time=float(data.get(times[event.kind], event.time)),
        section=str(section),
        inwards=what in ("in", "exit"),
        zone=kind == "zone",
        object_id=int(data.get("first_id", event.track_id)),
        track_id=int(event.track_id),
        class_id=event.class_id,
        class_name=str(data.get("class_name", event.class_id)),
        sure=data.get("sure"),
        why=str(data.get("why", "")),
        first_s=float(data.get("first_s", 0.0)),
        entered_id=int(data.get("entered_id", 0)),
        last=bool(data.get("end_of_run", False)),
    )


def _is_another(journey: _Open, crossing: Crossing) -> bool:
    """Return whether the number belonged to another object when the journey was last seen."""
    latest = journey.left or journey.came
    return latest is not None and latest.time < crossing.first_s


def _is_back_in(journey: _Open, crossing: Crossing) -> bool:
    """Return whether somebody is back over the line by which it has just left."""
    return journey.left is not None and journey.left.section == crossing.section


def _is_back_out(journey: _Open, crossing: Crossing) -> bool:
    """Return whether somebody is back in the zone that it has just left."""
    came = journey.came
    if came is None or not came.zone or came.section != crossing.section:
        return False
    return crossing.time - came.time <= AGAIN_S
