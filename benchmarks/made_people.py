"""Made people who cross a line: alone, in groups, out of a door, behind a post; some turn back or wait."""

from __future__ import annotations

import numpy as np

from benchmarks.made_scenes import Clock, Random, Scene, camera_over
from benchmarks.made_world import Array, Body


def walker(
    rng: Random, times: Array, starts: float, deed: str, way: float, at: Array, far: float
) -> tuple[Array, Array, Array, Array]:
    """Return places (T, 2) along (away from the line) and aside, who is there and how tall, of somebody.

    The line is where "along" is 0.
    """
    speed, aside = rng.uniform(0.8, 1.8), rng.uniform(-1.8, 1.8)
    knots = [(0.0, -far)]

    def go(to: float) -> None:
        knots.append((knots[-1][0] + abs(to - knots[-1][1]) / speed, to))

    def wait(s: float) -> None:
        knots.append((knots[-1][0] + s, knots[-1][1]))

    tall_at: list[tuple[float, float]] = []
    if deed == "turns back":
        go(rng.uniform(-0.6, 2.0))
        go(-far)
    elif deed == "stops on it":
        go(rng.uniform(-0.3, 0.3))
        wait(rng.uniform(1, 5))
        go(far if rng.random() < 0.6 else -far)
    elif deed == "sits down":
        go(rng.choice([-1, 1]) * rng.uniform(0.5, 1.2))
        wait(0.5)
        t0 = knots[-1][0]
        wait(rng.uniform(3, 5))
        t1 = knots[-1][0]
        tall_at = [(t0, 1), (t0 + 0.6, 0.68), (t1 - 0.6, 0.68), (t1, 1)]
        go(far)
    else:
        go(far)
    clock, place = np.array(knots).T
    t = times - starts
    along = np.interp(t, clock, place) * way
    tall = np.interp(t, *np.array(tall_at).T) if tall_at else np.ones(len(t))
    sway = aside + 0.05 * np.sin(2 * np.pi * 0.9 * t + aside)
    return np.stack([along, sway], 1), (t >= 0) & (t <= clock[-1]), tall, np.full(len(t), way)


DEEDS = ("crosses", "crosses", "crosses", "turns back", "stops on it", "sits down")


def people(rng: Random, number: int, *, door: bool = False, crowd: bool = False, post: bool = False) -> Scene:
    """People who cross a line on their way: alone, in pairs, in a queue; out of a door; behind a post."""
    clock = Clock(rng, 25.0)
    camera, at, about = camera_over(rng, clock, rng.uniform(5, 16), ("overhead", "cctv", "cctv", "low"))
    angle = rng.uniform(0, 2 * np.pi)
    ahead, left = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    bodies, starts, wall = [], 0.0, 0.0
    while starts < clock.times[-1] - 6:
        deed, way, far = str(rng.choice(DEEDS)), float(rng.choice([-1, 1])), rng.uniform(4, 8)
        group = int(rng.choice([1, 1, 2, 3] if crowd else [1, 1, 1, 2]))
        places, there, tall, _ = walker(rng, clock.times, starts, deed, way, at, far)
        for k in range(group):
            beside = places + np.array([rng.uniform(-0.3, 0.3) - 0.2 * k, 0.75 * k])
            xy = at + beside[:, :1] * ahead + beside[:, 1:] * left
            seen = there.copy()
            if door:  # a wall with a door at a step before the line
                wall = wall if k else -float(rng.uniform(0.6, 1.5))
                seen &= beside[:, 0] > wall
            heading = np.full(len(xy), angle if way > 0 else angle + np.pi)
            bodies.append(Body("person", xy, heading, seen, tall, (0.5, 0.4, rng.uniform(1.5, 1.95))))
        starts += rng.uniform(0.3, 2.0) if crowd else rng.uniform(1.5, 5.0)
    if post:
        spot = at + rng.uniform(-0.3, 0.3) * ahead + rng.uniform(-1, 1) * left
        t = len(clock.times)
        bodies.append(Body("post", np.tile(spot, (t, 1)), np.zeros(t), np.ones(t, bool), np.ones(t)))
    half = 5.0
    ends = np.array([at + half * left, at - half * left])
    lines = {"line": [tuple(p) for p in camera.ground(ends).tolist()]}
    middle = np.array([at + half * left, at + rng.uniform(-0.4, 0.4) * ahead, at - half * left])
    lines["bent"] = [tuple(p) for p in camera.ground(middle).tolist()]
    corners = np.array(
        [at + half * left, at + half * left + 3 * ahead, at - half * left + 3 * ahead, at - half * left]
    )
    zones = {"room": [tuple(p) for p in camera.ground(corners).tolist()]}
    name = "door" if door else "post" if post else "crowd" if crowd else "people"
    return Scene(name, number, clock, camera, bodies, lines, zones, about)
