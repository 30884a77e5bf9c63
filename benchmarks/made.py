"""Counting in made scenes whose truth is known: ``python -m benchmarks.made [--scenes N] [--tracker KIND]``.

Roads, junctions, doors and people (`benchmarks.made_kinds`), as a detector would see them that is exact,
that trembles, or that errs as real ones do (`benchmarks.made_world`). Somebody has crossed a line, or visited
a zone, if this holds of the middle of the body on the ground, of the whole box and of what of the box is in
the picture, with a margin of 2 % and of 12 % of the box alike; what hangs on that is neither right nor wrong.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.made_kinds import MAKERS, make
from benchmarks.made_scenes import Points, Scene
from benchmarks.made_truth import (
    Crossing,
    in_plain_view,
    places,
    sides,
    true_crossings,
    true_visits,
    unmatched,
)
from benchmarks.made_world import QUIET, REAL, SHAKY, Found, Noise, Seen, detect, look
from bytetrack import Tracks
from tracker.detectors.coco import COCO
from tracker.offline.saved_tracks import blank
from tracker.options import Options
from tracker.pipeline import frames_passed
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.trackers.make import make_tracker
from tracker.types import Event, Frame
from tracker.types import Scene as Stage

CAUSE_S = 1.0  # before and after a crossing that is missed it is looked what was seen of the body
NOISES: dict[str, Noise] = {"quiet": QUIET, "shaky": SHAKY, "real": REAL}


@dataclass(frozen=True, eq=False)
class Run:
    """What one tracker made of one scene."""

    scene: Scene
    seen: Seen
    found: Found
    tracks: list[Tracks]
    events: list[Event]

    def owner(self, event: Event) -> int:
        """Return whose track it is that an event tells of: the body it was last seen on."""
        frame = min(event.frame, len(self.tracks) - 1)
        for t in range(frame, -1, -1):
            rows = np.flatnonzero(self.tracks[t].track_id == event.track_id)
            if len(rows):
                return int(self.found.owners[t][self.tracks[t].source[rows[0]]])
        return -1

    def tracks_of(self, n: int, begin: float, end: float) -> list[int]:
        """Return the number of the track on a body, frame by frame; -1: none, 0: the body is not found."""
        ids = []
        for t in np.flatnonzero((self.scene.clock.times >= begin) & (self.scene.clock.times <= end)).tolist():
            owners = self.found.owners[t]
            mine = [
                int(i)
                for i, row in zip(self.tracks[t].track_id, self.tracks[t].source, strict=True)
                if owners[row] == n
            ]
            ids.append(mine[0] if mine else -1 if (owners == n).any() else 0)
        return ids

    def why(self, crossing: Crossing) -> str:
        """Return what became of a crossing that is missed."""
        before = self.tracks_of(crossing.body, crossing.time - CAUSE_S, crossing.time - 1e-6)
        after = self.tracks_of(crossing.body, crossing.time, crossing.time + CAUSE_S)
        if not any(before) or not any(after):
            return "unseen"
        one, other = {i for i in before if i > 0}, {i for i in after if i > 0}
        if not one or not other:
            return "untracked"
        return "counted not" if one & other else "broken"

    def body_size(self, event: Event) -> float:
        n, frame = self.owner(event), min(event.frame, len(self.tracks) - 1)
        return float(sides(self.seen, n)[frame]) if n >= 0 else 20.0


def play(scene: Scene, seen: Seen, noise: Noise, kind: str = "motion", seed: int = 0) -> Run:
    """Detect, follow, count."""
    found = detect(scene.camera, scene.bodies, seen, scene.clock.fps, noise, seed)
    options = Options(tracker=kind)
    tracker = make_tracker(kind, options.tracker_settings, scene.clock.fps, scene.camera.size)
    plugins = [Line(points, name) for name, points in scene.lines.items()]
    plugins += [Zone(points, name) for name, points in scene.zones.items()]  # type: ignore[misc]
    stage = Stage(scene.kind, scene.camera.size, scene.clock.fps, False, COCO, options.lost)
    for plugin in plugins:
        plugin.start(stage)
    image, events, all_tracks, before = blank(scene.camera.size), [], [], None
    for index, (time, boxes) in enumerate(zip(scene.clock.times.tolist(), found.boxes, strict=True)):
        tracks = tracker.update(boxes, frames_passed(before, time, scene.clock.fps))
        tracks = tracks[tracks.source >= 0]
        before = time
        all_tracks.append(tracks)
        for plugin in plugins:
            events += plugin.update(Frame(image, index, time), tracks)
    for plugin in plugins:
        events += plugin.finish()
    return Run(scene, seen, found, all_tracks, events)


def in_leads(line: Points) -> int:
    """Return the sign of a crossing that leads to the right, or down where the line is flat."""
    (x1, y1), (x2, y2) = line[0], line[-1]
    normal = -(y2 - y1), x2 - x1
    return 1 if (normal[0] if abs(normal[0]) > abs(normal[1]) else normal[1]) > 0 else -1


@dataclass(frozen=True)
class Wrong:
    """A crossing or visit that is told and not true, or true and not told."""

    what: str  # "false" or "missed"
    where: str
    crossing: Crossing


def judge_lines(run: Run) -> tuple[list[Crossing], list[Wrong]]:
    true, wrong = [], []
    for name, points in run.scene.lines.items():
        there = true_crossings(run.scene, run.seen, points)
        told = []
        for event in run.events:
            if event.kind.startswith("line.") and event.data["line"] == name:
                sign = in_leads(points) * (1 if event.kind == "line.in" else -1)
                n = run.owner(event)
                frame = int(np.abs(run.scene.clock.times - event.data["crossed_s"]).argmin())
                plain = n >= 0 and in_plain_view(run.scene, run.seen, n, frame)
                told.append(
                    Crossing(
                        event.data["crossed_s"],
                        sign,
                        (event.data["x"], event.data["y"]),
                        run.body_size(event),
                        n,
                        True,
                        plain,
                    )
                )
        false, missed = unmatched(there, told)
        true += [c for c in there if c.sure]
        wrong += [Wrong("false", name, c) for c in false] + [Wrong("missed", name, c) for c in missed]
    return true, wrong


def judge_zones(run: Run) -> tuple[list[Crossing], list[Wrong]]:
    true, wrong = [], []
    for name, points in run.scene.zones.items():
        there = true_visits(run.scene, run.seen, points)
        told = [(run.owner(e), e) for e in run.events if e.kind == "zone.exit" and e.data["zone"] == name]
        left = list(told)
        for n, visits in there.items():
            own = [(m, e) for m, e in left if m == n]
            if visits is None:
                left = [pair for pair in left if pair not in own]
                continue
            for begin, end in visits:
                frame = int(np.searchsorted(run.scene.clock.times, begin))
                plain = in_plain_view(run.scene, run.seen, n, frame) or begin == run.scene.clock.times[0]
                at = next(places(run.seen, n))[frame]
                visit = Crossing(begin, 1, (at[0], at[1]), float(sides(run.seen, n)[frame]), n, True, plain)
                true.append(visit)
                hits = [p for p in own if p[1].data["since_s"] < end and p[1].data["left_s"] > begin]
                if hits:
                    own.remove(hits[0])
                    left.remove(hits[0])
                else:
                    wrong.append(Wrong("missed", name, visit))
        for n, event in left:
            frame = int(np.abs(run.scene.clock.times - event.data["since_s"]).argmin())
            plain = n >= 0 and in_plain_view(run.scene, run.seen, n, frame)
            wrong.append(Wrong("false", name, Crossing(event.data["since_s"], 1, (0, 0), 0, n, True, plain)))
    return true, wrong


def row_of(kind: str, noise: str, numbers: range, tracker: str, tell: bool) -> str:
    """Return what is wrong in scenes of a kind, as a row of the table; ``tell`` prints each mistake."""
    total: Counter[str] = Counter()
    for number in numbers:
        scene = make(kind, number)
        seen = look(scene.camera, scene.bodies)
        run = play(scene, seen, NOISES[noise], tracker, number)
        for what, (true, wrong) in (("line", judge_lines(run)), ("zone", judge_zones(run))):
            total[what] += len(true)
            for one in wrong:
                total[f"{what} {one.what}"] += 1
                total[f"{what} plain"] += one.crossing.plain
                if tell:
                    print(described(run, one, what, noise))
    parts = [f"{what}{more}" for what in ("line", "zone") for more in ("", " false", " missed", " plain")]
    return " | ".join([f"| {kind}", noise, *(str(total[part]) for part in parts)]) + " |"


def described(run: Run, one: Wrong, what: str, noise: str) -> str:
    """Return a mistake in words: which scene, when, who, and why where that is known."""
    found, scene = one.crossing, run.scene
    who = scene.bodies[found.body].kind if found.body >= 0 else "nobody"
    why = run.why(found) if (what, one.what) == ("line", "missed") else ""
    view = "in plain view" if found.plain else "hidden or cut"
    return (
        f"{scene.kind} {scene.number} {noise}: {one.where} {one.what} at {found.time:.2f} s, {who} "
        f"{found.body}, {view}{', ' + why if why else ''} ({scene.about})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=30, help="of each kind")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--kind", nargs="*", default=list(MAKERS), choices=list(MAKERS))
    parser.add_argument("--noise", nargs="*", default=list(NOISES), choices=list(NOISES))
    parser.add_argument("--tracker", default="motion", help="as of `track --tracker`")
    parser.add_argument("--list", action="store_true", help="tell each mistake")
    args = parser.parse_args()
    print(
        "| scenes | detector | crossings | false | missed | in plain view "
        "| visits | false | missed | in plain view |"
    )
    print("|---" * 10 + "|")
    numbers = range(args.first, args.first + args.scenes)
    for kind, noise in product(args.kind, args.noise):
        print(row_of(kind, noise, numbers, args.tracker, args.list), flush=True)


if __name__ == "__main__":
    main()
