"""Who crossed a line and who visited a zone in a made scene: what must be told, and what hangs on a hair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.made_scenes import Points, Scene
from benchmarks.made_world import Array, Mask, Seen
from tracker.plugins._shared.geometry import Polygon

MARGINS = (0.02, 0.12)  # of the longer side
REACHES = (-0.15, 0.15)  # by so much of it a line is longer: who passes near its end is not sure
LATE_S, FAR_SIZES = 1.5, 2.0  # a crossing is told rightly by no more
PLAIN_S = 1.0  # who is in plain view for so long before and after ...
PLAIN = 0.9  # ... with so much of the box, must be counted right
SHORT_S = 0.6  # shorter visits and absences are not judged


@dataclass(frozen=True)
class Crossing:
    """A crossing that is true, or told."""

    time: float
    sign: int
    at: tuple[float, float]
    size: float  # pixels
    body: int  # -1: nobody
    sure: bool = True  # it must be told
    plain: bool = False  # the body is in plain view


def places(seen: Seen, n: int) -> Iterator[Array]:
    """Yield what may be called the place of a body: (T, 2)."""
    for box in (seen.box[:, n], seen.whole[:, n]):
        yield np.stack([(box[:, 0] + box[:, 2]) / 2, box[:, 3]], 1)
    yield seen.foot[:, n]


def sides(seen: Seen, n: int) -> Array:
    size = seen.box[:, n, 2:] - seen.box[:, n, :2]
    longer: Array = size.max(1)
    return longer


def passing(path: Array, there: Mask, line: Points, margin: Array, longer: float) -> list[tuple[int, int]]:
    """Return when (a frame) and which way (a sign) a path (T, 2) passed a line and got clear of it."""
    frames = np.flatnonzero(there)
    if len(frames) < 2:
        return []
    p = path[frames]
    corners = np.array(line)
    for end, inner in ((0, 1), (-1, -2)):
        out = corners[end] - corners[inner]
        corners[end] = corners[end] + out / np.hypot(*out) * longer
    away = np.full(len(p), np.inf)
    pending = np.zeros(len(p), int)
    for a, b in pairwise(corners):
        along = b - a
        share = np.clip(((p - a) @ along) / (along @ along), 0, 1)
        away = np.minimum(away, np.hypot(*(p - a - share[:, None] * along).T))
        side = along[0] * (p[:, 1] - a[1]) - along[1] * (p[:, 0] - a[0]) > 0
        way = np.diff(p, axis=0)
        left, right = (way[:, 0] * (e[1] - p[:-1, 1]) - way[:, 1] * (e[0] - p[:-1, 0]) > 0 for e in (a, b))
        hit = (side[1:] != side[:-1]) & (left != right)
        pending[1:][hit] += np.where(side[1:][hit], 1, -1)
    found, known, total, when = [], False, 0, 0
    for k, (step, clear) in enumerate(zip(pending.tolist(), (away > margin[frames]).tolist(), strict=True)):
        if step:
            when = k
        total += step
        if clear:
            if known and total:
                found.append((int(frames[when]), 1 if total > 0 else -1))
            known, total = True, 0
    return found


def _near(seen: Seen, n: int, line: Points) -> float:
    """Return how long a body's longer side is where it is nearest to a line, pixels."""
    middle = np.mean(line, axis=0)
    frames = np.flatnonzero(seen.there[:, n])
    near = frames[np.hypot(*(seen.foot[frames, n] - middle).T).argmin()]
    return float(sides(seen, n)[near])


def in_plain_view(scene: Scene, seen: Seen, n: int, frame: int) -> bool:
    """Return whether a body can be seen whole for a while before and after a frame."""
    near = np.abs(scene.clock.times - scene.clock.times[frame]) <= PLAIN_S
    whole = (np.abs(seen.whole[near, n] - seen.box[near, n]) < 1e-6).all()
    return bool(whole and seen.there[near, n].all() and (seen.visible[near, n] > PLAIN).all())


def true_crossings(scene: Scene, seen: Seen, line: Points) -> list[Crossing]:
    """Return who crossed a line; not sure where it hangs on what a place is and on the margin."""
    found = []
    for n, body in enumerate(scene.bodies):
        if body.kind == "post" or not seen.there[:, n].any():
            continue
        longer = sides(seen, n)
        each = [
            passing(path, seen.there[:, n], line, part * longer, reach * _near(seen, n, line))
            for path, part, reach in product(places(seen, n), MARGINS, REACHES)
        ]
        alike = all([sign for _, sign in one] == [sign for _, sign in each[0]] for one in each)
        for one in each[:1] if alike else each:
            for frame, sign in one:
                at = next(places(seen, n))[frame]
                size = float(sides(seen, n)[frame])
                plain = in_plain_view(scene, seen, n, frame)
                found.append(
                    Crossing(float(scene.clock.times[frame]), sign, (at[0], at[1]), size, n, alike, plain)
                )
    return found


def unmatched(true: Sequence[Crossing], told: Sequence[Crossing]) -> tuple[list[Crossing], list[Crossing]]:
    """Return who is told and not true, and who is true for sure and not told."""
    sure, unsure = [c for c in true if c.sure], [c for c in true if not c.sure]
    left = list(told)
    missed: list[Crossing] = []
    for some in (sure, unsure):
        cost = np.full((len(some), len(left)), 1e6)
        for i, a in enumerate(some):
            for j, b in enumerate(left):
                late = abs(a.time - b.time)
                far = np.hypot(a.at[0] - b.at[0], a.at[1] - b.at[1]) / max(a.size, 1)
                if a.sign == b.sign and late <= LATE_S and far <= FAR_SIZES:
                    cost[i, j] = late + far + (a.body != b.body)
        pairs = [(i, j) for i, j in zip(*linear_sum_assignment(cost), strict=True) if cost[i, j] < 1e6]
        if some is sure:
            missed = [a for i, a in enumerate(some) if i not in {i for i, _ in pairs}]
        left = [b for j, b in enumerate(left) if j not in {j for _, j in pairs}]
    return left, missed


def true_visits(scene: Scene, seen: Seen, zone: Points) -> dict[int, list[tuple[float, float]] | None]:
    """Return each body's visits, begin and end; None where they hang on what a place is."""
    area, corners = Polygon(np.array(zone)), np.array([*zone, zone[0]])
    found: dict[int, list[tuple[float, float]] | None] = {}
    for n, body in enumerate(scene.bodies):
        if body.kind == "post" or not seen.there[:, n].any():
            continue
        frames = np.flatnonzero(seen.there[:, n])
        each = []
        for path, part in product(places(seen, n), MARGINS):
            p = path[frames]
            away = np.full(len(p), np.inf)
            for a, b in pairwise(corners):
                along = b - a
                share = np.clip(((p - a) @ along) / (along @ along), 0, 1)
                away = np.minimum(away, np.hypot(*(p - a - share[:, None] * along).T))
            inside, clear = area.holds(p), away > part * sides(seen, n)[frames]
            visits, begin = [], None
            for t, held, is_clear in zip(
                scene.clock.times[frames].tolist(), inside.tolist(), clear.tolist(), strict=True
            ):
                if begin is None and held and is_clear:
                    begin = t
                elif begin is not None and not held and is_clear:
                    visits.append((begin, t))
                    begin = None
            if begin is not None:
                visits.append((begin, float(scene.clock.times[frames[-1]])))
            each.append(visits)
        alike = len({len(one) for one in each}) == 1
        short = any(end - begin < SHORT_S for one in each for begin, end in one)
        gaps = any(b[0] - a[1] < SHORT_S for one in each for a, b in pairwise(one))
        found[n] = each[0] if alike and not short and not gaps else None
    return found
