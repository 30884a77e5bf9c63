"""What is true in the sample clip: boxes, crossings of lines and visits to zones, from the scene itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

Point: TypeAlias = tuple[float, float]

CONVENTION = (
    "Frames 0-based. Pixels, right and bottom exclusive. boxes: frame, visit, x1, y1, x2, y2 of the "
    "whole body (it may reach out of the picture), visibility 0 to 1; seen: the same for the part that "
    "can be seen, as far as something can. A visit is one stay of a person in the picture: one track id "
    "is expected per visit, and a person who comes back after more than the lost buffer begins a new "
    "one. '+' = right/down, '-' = left/up. A crossing = the path of the anchor crosses the segment; "
    "anchor = bottom centre of the whole body. A zone holds who has the anchor in it, edges included; "
    "exit is the first frame outside, null at the end."
)


@dataclass(frozen=True)
class Box:
    """Where one visitor is in one frame; right and bottom are exclusive."""

    frame: int  # 0-based
    visit: int
    full: tuple[int, int, int, int]  # xyxy of the whole body in pixels, may reach out of the picture
    seen: tuple[int, int, int, int] | None  # xyxy of what can be seen, None when nothing
    visibility: float  # share of the body that can be seen, 0 to 1

    @property
    def anchor(self) -> Point:
        """Return the bottom centre of the whole body: where it stands."""
        return (self.full[0] + self.full[2]) / 2, float(self.full[3])


@dataclass(frozen=True)
class Line:
    """A named, finite line; for a steep one '+' is to the right, for a flat one down."""

    name: str
    start: Point
    end: Point

    @property
    def axis(self) -> str:
        """Return the axis along which it is crossed."""
        steep = abs(self.end[1] - self.start[1]) >= abs(self.end[0] - self.start[0])
        return "x" if steep else "y"


@dataclass(frozen=True)
class Zone:
    """A named rectangle on the ground."""

    name: str
    xyxy: tuple[float, float, float, float]

    def holds(self, point: Point) -> bool:
        """Return whether a point is in it, edges included."""
        x1, y1, x2, y2 = self.xyxy
        return x1 <= point[0] <= x2 and y1 <= point[1] <= y2


def paths(boxes: Iterable[Box]) -> dict[int, list[tuple[int, Point]]]:
    """Return frame and anchor of every visit, in order."""
    found: dict[int, list[tuple[int, Point]]] = {}
    for box in boxes:
        found.setdefault(box.visit, []).append((box.frame, box.anchor))
    return found


def crossings(line: Line, boxes: Iterable[Box]) -> list[tuple[int, str, int]]:
    """Return frame, direction and visit of every crossing.

    >>> walk = [Box(f, 1, (4 * f - 1, 0, 4 * f + 1, 5), None, 1.0) for f in range(5)]
    >>> crossings(Line("gate", (10, 0), (10, 9)), walk)
    [(3, '+', 1)]
    """
    events = []
    for visit, path in paths(boxes).items():
        for (_, before), (frame, now) in pairwise(path):
            side_before, side_now = _side(line, before), _side(line, now)
            if (side_before < 0) == (side_now < 0):
                continue
            share = side_before / (side_before - side_now)
            meeting = tuple(a + share * (b - a) for a, b in zip(before, now, strict=True))
            if _beside(line, (meeting[0], meeting[1])):
                axis = "xy".index(line.axis)
                events.append((frame, "+" if now[axis] > before[axis] else "-", visit))
    return sorted(events)


def _side(line: Line, point: Point) -> float:
    (x1, y1), (x2, y2) = line.start, line.end
    return (x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)


def _beside(line: Line, point: Point) -> bool:
    (x1, y1), (x2, y2) = line.start, line.end
    along = (point[0] - x1) * (x2 - x1) + (point[1] - y1) * (y2 - y1)
    return bool(0 <= along <= (x2 - x1) ** 2 + (y2 - y1) ** 2)


def stays(zone: Zone, boxes: Iterable[Box]) -> list[tuple[int, int, int | None, int]]:
    """Return visit, frame of entry, frame of exit (None: still there at the end) and frames inside.

    >>> walk = [Box(f, 1, (4 * f - 1, 0, 4 * f + 1, 5), None, 1.0) for f in range(5)]
    >>> stays(Zone("square", (3, 0, 10, 9)), walk)
    [(1, 1, 3, 2)]
    """
    found: list[tuple[int, int, int | None, int]] = []
    for visit, path in paths(boxes).items():
        entered: int | None = None
        for frame, anchor in path:
            if zone.holds(anchor) and entered is None:
                entered = frame
            elif entered is not None and not zone.holds(anchor):
                found.append((visit, entered, frame, frame - entered))
                entered = None
        if entered is not None:
            found.append((visit, entered, None, path[-1][0] + 1 - entered))
    return sorted(found, key=lambda stay: (stay[1], stay[0]))


def document(
    boxes: Sequence[Box],
    *,
    people: Mapping[int, str],
    lines: Sequence[Line],
    zones: Sequence[Zone],
    size: tuple[int, int],
    fps: int,
    frames: int,
    version: str,
) -> dict[str, Any]:
    """Return everything that is written beside the clip."""
    head = {"clip": "street.mp4", "width": size[0], "height": size[1], "fps": fps, "frames": frames}
    return {
        "convention": CONVENTION,
        "version": version,
        **head,
        "visits": [
            {
                "visit": visit,
                "person": person,
                "frames": [path[0][0], path[-1][0]],
                "returns": person in [p for v, p in people.items() if v < visit],
            }
            for (visit, person), path in zip(people.items(), _ordered(people, boxes), strict=True)
        ],
        "expected_ids": len(people),
        "lines": [_line(line, boxes) for line in lines],
        "zones": [_zone(zone, boxes, fps, frames) for zone in zones],
        "boxes": [[b.frame, b.visit, *b.full, b.visibility] for b in boxes],
        "seen": [[b.frame, b.visit, *b.seen, b.visibility] for b in boxes if b.seen],
    }


def _ordered(people: Mapping[int, str], boxes: Sequence[Box]) -> list[list[tuple[int, Point]]]:
    found = paths(boxes)
    return [found[visit] for visit in people]


def _line(line: Line, boxes: Sequence[Box]) -> dict[str, Any]:
    events = crossings(line, boxes)
    return {
        "name": line.name,
        "line": [*line.start, *line.end],
        "axis": line.axis,
        "expected": {sign: sum(event[1] == sign for event in events) for sign in "+-"},
        "event_frames": [[frame, sign] for frame, sign, _ in events],
        "visits": [visit for _, _, visit in events],
        "event_match_tolerance_frames": 5,
        "anchor": "bottom_center",
    }


def _zone(zone: Zone, boxes: Sequence[Box], fps: int, frames: int) -> dict[str, Any]:
    found = stays(zone, boxes)
    return {
        "name": zone.name,
        "zone_xyxy": list(zone.xyxy),
        "anchor": "bottom_center, inclusive edges",
        "entries": len(found),
        "entry_events": [[entry, visit] for visit, entry, _, _ in found],
        "exit_events": [[leave, visit] for visit, _, leave, _ in found],
        "dwell_seconds_by_visit": {str(visit): round(inside / fps, 2) for visit, _, _, inside in found},
        "person_seconds": round(sum(inside for *_, inside in found) / fps, 2),
        "occupancy_mean": round(sum(inside for *_, inside in found) / frames, 3),
    }
