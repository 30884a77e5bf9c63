"""Which way they go: a fading trail behind each object, and at the end all routes over the empty scene."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from bytetrack import Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.contracts import Plugin
from tracker.parse import class_ids
from tracker.plugins._shared.anchors import box_size, check_anchor
from tracker.plugins._shared.background import EmptyScene
from tracker.plugins._shared.plugin_state import PluginState, Row
from tracker.plugins._shared.route_line import RouteLine, side, way
from tracker.plugins._shared.trail import Trail, smoothed
from tracker.plugins._shared.walks import MOST_GROUPS, WALK, Walk, packed, picture, unpacked
from tracker.plugins._shared.when import span
from tracker.types import Canvas, Event, Frame, Json, OptionError, Picture, Scene

POINTS_PER_S = 10  # of a trail: closer ones cannot be told apart, and each has to be painted
SMOOTH_S = 0.3  # a trail is averaged over this much to both sides: less than a step of a walker
NEAR = 1 / 400  # of the picture's diagonal: nearer points of a route are one, and corners less are straight
COLUMNS = (("kept", np.float64, (2,)), ("path", np.int64))


class Trails(NamedTuple):
    """What is shown of the ways, made anew when a trail can have got a point."""

    time: float
    track_ids: bytes  # of M of them
    points: FloatArray  # (P, 2) smooth, end to end
    lengths: list[int]  # M of them
    newest: IntArray  # (N,) of the points, those that move with the objects
    rows: IntArray  # (N,) of these objects


@dataclass
class Route(Plugin):
    """Draws a trail behind each object; leaves a picture and the polylines of all routes.

    Routes are told apart by the sides of the picture they enter and leave by. All are counted; of more than
    ``keep`` a random sample of that many is kept for picture and file, which then say so. An object that
    moved less than its own size has no route.

    Raises ``OptionError`` for lengths, an anchor or a class that cannot be used.
    """

    seconds: float = 3.0  # length of the drawn trail, in seconds
    keep: int = 5000  # maximum number of routes kept for picture and file
    anchor: str = "bottom_center"  # the point of the box that draws the route
    classes: Sequence[str | int] = ()  # these classes only  [default: all]
    groups: Counter[tuple[str, str]] = field(init=False, default_factory=Counter)  # (entry, exit) -> routes
    still: int = field(init=False, default=0)  # objects that went nowhere

    def __post_init__(self) -> None:
        """Check what can be checked without a picture."""
        self.anchor = check_anchor(self.anchor)
        if not 0 < self.seconds <= 3600:
            raise OptionError(f"route: seconds must be more than 0 and at most 3600, not {self.seconds}")
        if self.keep < 1:
            raise OptionError(f"route: keep must be at least 1, not {self.keep}")

    def start(self, scene: Scene) -> None:
        """Learn the picture's size, the frame rate and the classes' names."""
        self._scene = scene
        self._wanted = class_ids(self.classes, scene.names)
        self._trail = Trail(self.seconds, min(scene.fps, POINTS_PER_S))
        self._memory = PluginState(scene, self.anchor, (*COLUMNS, *self._trail.columns))
        self._empty = EmptyScene.of(scene)
        self._near = NEAR * float(np.hypot(*scene.size))
        self._half = round(SMOOTH_S / max(self._trail.step_s, 1 / scene.fps))
        self._paths: dict[int, RouteLine] = {}
        self._begun = 0
        self._walks: list[Walk] = []
        self._random = random.Random(0)  # the same run keeps the same sample
        self._now, self._frame = 0.0, 0
        self._since: float | None = None
        self._trails: Trails | None = None
        self._undrawn = False  # whether this frame's points are not in the trails yet

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Return a ``route.end`` for each object that is gone, with the sides it came and left by."""
        memory, now = self._memory, frame.time
        self._now, self._frame, self._undrawn = now, frame.index, False
        self._since = now if self._since is None else self._since
        self._empty.update(frame, tracks)
        events = [event for row in memory.update(now, tracks) for event in self._end(row)]
        if len(tracks):
            rows, found, anchors = memory.own, memory.found, memory.anchors
            self._undrawn = True
            away = np.abs(anchors - rows["kept"][found]) >= self._near
            moved, new = away[:, 0] | away[:, 1], rows["path"][found] == 0
            if np.count_nonzero(new):
                for place in np.flatnonzero(new).tolist():
                    self._begin(memory.row(found[place]), tracks.xyxy[place])
                moved |= new
            grown, points = found[moved], anchors[moved]
            rows["kept"][grown] = points
            for number, (x, y) in zip(rows["path"][grown].tolist(), points.tolist(), strict=True):
                self._paths[number].add((x, y), self._near)
        return events

    def draw(self, canvas: Canvas) -> None:
        """Show the last seconds of each object's way; who does not draw needs no trails."""
        if self._undrawn:
            memory, self._undrawn = self._memory, False
            self._trail.push(memory.own, memory.found, self._now, memory.anchors)
        seen, alive = self._memory.seen, self._memory.alive()
        if self._wanted is not None:
            alive = alive[np.isin(seen["class_id"][alive], self._wanted)]
        trails = self._trails
        ids = seen["track_id"][alive]
        current = trails is not None and 0 <= self._now - trails.time < self._trail.step_s
        if trails is None or not current or trails.track_ids != ids.tobytes():
            times, points = self._trail.window(self._memory.own, alive, self._now - self.seconds)
            valid = ~np.isnan(times)
            lengths = np.count_nonzero(valid, axis=1)
            points = points.reshape(-1, 2).take(np.flatnonzero(valid), axis=0)
            smooth = smoothed(points, lengths, self._half)
            shown = lengths > 0
            newest = np.cumsum(lengths)[shown] - 1
            trails = Trails(self._now, ids.tobytes(), smooth, lengths.tolist(), newest, alive[shown])
            self._trails = trails
        if len(trails.points):
            points = trails.points.copy()  # what was handed out before is still being painted
            points[trails.newest] = seen["anchor"][trails.rows]
            canvas.polylines(points, trails.lengths, ids.tolist(), width=1.5, fade=True)

    def finish(self) -> Iterable[Event]:
        """End the routes that are still open."""
        memory = self._memory
        events = [event for row in memory.alive().tolist() for event in self._end(memory.row(row))]
        return events

    def summary(self) -> Sequence[tuple[str, str]]:
        """Return how many went which way."""
        total = self.groups.total()
        rows = [("routes", f"{total}" + (f", a sample of {self.keep} kept" if total > self.keep else ""))]
        return rows + [(way(*sides), str(n)) for sides, n in self.groups.most_common(MOST_GROUPS)]

    def leaves(self) -> Sequence[str]:
        """Return what picture and polylines are called."""
        return ["routes.png", "routes.json"]

    def files(self) -> Mapping[str, Picture | Json]:
        """Return the picture of all routes, and their polylines."""
        return {"routes.png": self._picture(), "routes.json": self._polylines()}

    def state(self) -> Json:
        """Return the routes kept, how many there were, and those that are still growing."""
        walks = [[getattr(walk, name) for name in WALK] + [packed(walk.points)] for walk in self._walks]
        paths = [
            [number, path.start_s, path.entry, list(path.points), path.simple]
            for number, path in self._paths.items()
        ]
        return {
            "groups": [[*sides, count] for sides, count in self.groups.items()],
            "still": self.still,
            "walks": walks,
            "paths": paths,
            "begun": self._begun,
            "since": self._since,
            "memory": self._memory.state(),
            "last": [self._now, self._frame],
        }

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there; the empty scene is looked at anew."""
        self.groups.update({(entry, exit): count for entry, exit, count in state["groups"]})
        self.still = int(state["still"])
        self._walks = [
            Walk(**dict(zip(WALK, walk, strict=False)), points=unpacked(walk[-1])) for walk in state["walks"]
        ]
        self._random = random.Random(self.groups.total())
        if tracks:
            for number, start_s, entry, points, simple in state["paths"]:
                self._paths[number] = RouteLine(start_s, entry, [(x, y) for x, y in points], simple)
            self._begun, self._since = int(state["begun"]), state["since"]
            self._memory.restore(state["memory"])
            self._now, self._frame = state["last"]

    def _begin(self, row: Row, xyxy: FloatArray) -> None:
        self._begun += 1
        row["path"] = self._begun
        self._paths[self._begun] = RouteLine(self._now, side(xyxy, self._scene.size))

    def _end(self, row: Row) -> list[Event]:
        path = self._paths.pop(int(row["path"]), None)
        if path is None:  # has ended already
            return []
        class_id, track_id, end_s = int(row["class_id"]), int(row["track_id"]), float(row["seen_s"])
        if self._wanted is not None and class_id not in self._wanted:
            return []
        x, y = row["anchor"].tolist()
        path.add((x, y), self._near)
        path.simplify(self._near)
        points = np.array(path.points, np.float32)
        if np.hypot(*np.ptp(points, axis=0)) < box_size(row["xyxy"][None])[0]:
            self.still += 1
            return []
        walk = Walk(
            track_id=track_id,
            class_id=class_id,
            entry=path.entry,
            exit=side(row["xyxy"], self._scene.size),
            start_s=path.start_s,
            end_s=end_s,
            points=points,
        )
        self.groups[walk.entry, walk.exit] += 1
        self._keep(walk)
        return [Event("route.end", self._now, self._frame, track_id, class_id, self._properties(walk))]

    def _keep(self, walk: Walk) -> None:
        """Keep a uniform sample of all walks (reservoir sampling: Vitter 1985, algorithm R)."""
        if len(self._walks) < self.keep:
            self._walks.append(walk)
        elif (place := self._random.randrange(self.groups.total())) < self.keep:
            self._walks[place] = walk

    def _properties(self, walk: Walk) -> dict[str, Json]:
        name = self._scene.names.get(walk.class_id, str(walk.class_id))
        times = {"start_s": round(walk.start_s, 3), "end_s": round(walk.end_s, 3)}
        return {"class_name": name, "entry": walk.entry, "exit": walk.exit, **times}

    def _picture(self) -> Picture:
        since = self._now if self._since is None else self._since
        notes = [f"{self._scene.source}, {span(self._scene, since, self._now)}"]
        if self._wanted is not None:
            notes += [", ".join(self._scene.names[wanted] for wanted in self._wanted) + " only"]
        return picture(self._walks, self.groups, self.still, self._empty, notes)

    def _polylines(self) -> Json:
        """Return what is laid out like a GeoJSON FeatureCollection (RFC 7946), but in pixels."""
        features: list[dict[str, Any]] = [
            {
                "type": "Feature",
                "geometry": {
                    "type": "LineString",
                    "coordinates": [[round(float(x), 1), round(float(y), 1)] for x, y in walk.points],
                },
                "properties": {"track_id": walk.track_id, **self._properties(walk)},
            }
            for walk in self._walks
        ]
        groups = [{"entry": a, "exit": b, "routes": n} for (a, b), n in self.groups.most_common()]
        return {
            "type": "FeatureCollection",
            "unit": "pixels",
            "size": list(self._scene.size),
            "routes": self.groups.total(),
            "kept": len(self._walks),
            "went_nowhere": self.still,
            "groups": groups,
            "features": features,
        }
