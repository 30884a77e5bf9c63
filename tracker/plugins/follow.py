"""One object of interest, by its number or by a click: highlighted, the rest dimmed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bytetrack import Tracks
from bytetrack.types import FloatArray
from tracker.contracts import Plugin
from tracker.plugins._shared.plugin_state import PluginState, Row
from tracker.types import Canvas, Color, Event, Frame, Json, OptionError, Scene

ROOM = 0.08  # of a box's longer side stays bright around it
COLUMNS = (("followed", np.bool_),)
CLICK = re.compile(r"\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*(?:@\s*([\d.]+)\s*)?")


@dataclass
class Follow(Plugin):
    """Follows one object, through short losses and changes of its number.

    ``target`` is a track's number, or ``x,y@s``: the first object that covers this point of the picture at
    that second of the file (of what is live: since its first frame) or later, the smallest where several do.
    Events: ``follow.found`` with the number it has
    from now on, ``follow.lost`` when it is given up; a number that comes back is found again.

    Raises ``OptionError`` for a target that is neither.
    """

    target: str | int  # a track id, or x,y@second
    dim: float = 0.5  # how much the rest of the picture is darkened, 0 to 1
    color: Color = (255, 255, 255)  # blue, green, red

    def __post_init__(self) -> None:
        """Read the target."""
        text = str(self.target).strip()
        self._wanted_id = int(text) if text.isdecimal() else None
        self._click: tuple[float, float, float] | None = None
        if self._wanted_id is None:
            click = CLICK.fullmatch(text)
            try:
                if click is None:
                    raise ValueError(text)
                self._click = float(click[1]), float(click[2]), float(click[3] or 0)
            except ValueError as error:
                raise OptionError(
                    f"follow: {self.target!r} is not a target; give a track id, "
                    "or a point and a second: 320,200@12.5"
                ) from error
        elif self._wanted_id == 0:
            raise OptionError("follow: track ids start at 1; there is no 0")
        if not 0 <= self.dim <= 1:
            raise OptionError(f"follow: dim must be 0 to 1, not {self.dim}")

    def start(self, scene: Scene) -> None:
        """Check the point against the picture."""
        self._scene = scene
        if self._click is not None:
            x, y, _ = self._click
            if not (0 <= x < scene.size[0] and 0 <= y < scene.size[1]):
                raise OptionError(f"follow: {x:g},{y:g} lies outside the picture of {scene.size} pixels")
        self._memory = PluginState(scene, columns=COLUMNS)
        self._track_id: int | None = None  # the number it has now
        self._name = ""
        self._box: FloatArray | None = None  # where it was last seen, until it is given up
        self._first: float | None = None
        self._before: float | None = None
        self._seen_s, self._losses = 0.0, 0
        self._time = 0.0

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Return when the object is found, gets another number or is given up."""
        now, memory = frame.time, self._memory
        passed = 0.0 if self._before is None else max(now - self._before, 0.0)
        self._first = now if self._first is None else self._first
        self._before = self._time = now
        events = []
        for row in memory.update(now, tracks):
            if row["followed"]:
                events.append(self._event("lost", frame, row, seen_s=round(float(row["seen_s"]), 3)))
                self._track_id, self._box = None, None
                self._losses += 1
        if not len(tracks):
            return events
        found, rows = memory.found, memory.own
        chosen = rows["followed"][found]
        if self._track_id is None:
            chosen = self._choose(now - self._first if self._scene.live else now, tracks)
            rows["followed"][found] = chosen
        for place in np.flatnonzero(chosen).tolist():
            row, before = memory.row(found[place]), self._track_id
            self._box = tracks.xyxy[place].copy()
            if before is not None:
                self._seen_s += min(passed, self._scene.lost_s)
            if before != int(row["track_id"]):
                self._track_id = int(row["track_id"])
                events.append(self._event("found", frame, row, was=before))
        return events

    def draw(self, canvas: Canvas) -> None:
        """Darken everything else, and frame the object."""
        if self._box is None:
            return
        room = ROOM * float(np.max(self._box[2:] - self._box[:2]))
        x1, y1, x2, y2 = self._box + np.array([-room, -room, room, room])
        canvas.dim(self.dim, [[x1, y1, x2, y2]])
        arm = min(x2 - x1, y2 - y1) / 4
        for x, y, right, down in ((x1, y1, 1, 1), (x2, y1, -1, 1), (x2, y2, -1, -1), (x1, y2, 1, -1)):
            corner = [(x + right * arm, y), (x, y), (x, y + down * arm)]
            canvas.polyline(corner, self.color, width=2)

    def summary(self) -> Sequence[tuple[str, str]]:
        """Return whom it followed and for how long."""
        if not self._name:
            covered = "covered the point" if self._click else "was"
            return [("followed", f"nobody: no object {covered} {self.target}")]
        watched = self._time - (self._first or 0.0)
        text = f"{self._name}, seen {self._seen_s:.1f} s of {watched:.1f} s"
        return [("followed", text + (f", lost {self._losses} times" if self._losses > 1 else ""))]

    def state(self) -> Json:
        """Return whom it follows, and who is where."""
        names = ("_track_id", "_name", "_first", "_before", "_seen_s", "_losses")
        box = None if self._box is None else self._box.tolist()
        return {
            "memory": self._memory.state(),
            "box": box,
            **{name[1:]: getattr(self, name) for name in names},
        }

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there; in another recording look for the object anew."""
        if not tracks:
            return
        self._memory.restore(state["memory"])
        self._box = None if state["box"] is None else np.array(state["box"])
        self._track_id, self._name = state["track_id"], str(state["name"])
        self._first, self._before = state["first"], state["before"]
        self._time = self._before or 0.0
        self._seen_s, self._losses = float(state["seen_s"]), int(state["losses"])

    def _choose(self, now: float, tracks: Tracks) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return which of the tracks is meant: at most one."""
        if self._click is None:
            return np.asarray(tracks.track_id == self._wanted_id)
        x, y, since = self._click
        chosen = np.zeros(len(tracks), np.bool_)
        if now >= since and not self._name:  # clicked once: who is there after it is lost is somebody else
            x1, y1, x2, y2 = tracks.xyxy.T
            area = np.where((x1 <= x) & (x <= x2) & (y1 <= y) & (y <= y2), (x2 - x1) * (y2 - y1), np.inf)
            chosen[area.argmin()] = np.isfinite(area.min())
        return chosen

    def _event(self, what: str, frame: Frame, row: Row, **data: Json) -> Event:
        class_id, track_id = int(row["class_id"]), int(row["track_id"])
        class_name = self._scene.names.get(class_id, str(class_id))
        self._name = f"{class_name} {track_id}"
        data = {"class_name": class_name, **{key: value for key, value in data.items() if value is not None}}
        return Event(f"follow.{what}", frame.time, frame.index, track_id, class_id, data)
