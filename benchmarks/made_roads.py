"""Made roads and junctions: lanes both ways, bends, a light, lorries, a roundabout with U-turns."""

from __future__ import annotations

import numpy as np

from benchmarks.made_scenes import Clock, Random, Scene, camera_over
from benchmarks.made_world import KINDS, Array, Body


def bend(start: Array, angle: float, curve: float, s: Array, aside: Array | float) -> tuple[Array, Array]:
    """Return places (T, 2) and headings (T,) at ``s`` m along an even bend, so far to its left."""
    heading = angle + curve * s
    if abs(curve) < 1e-9:
        middle = start + s[:, None] * np.array([np.cos(angle), np.sin(angle)])
    else:
        turned = np.stack([np.sin(heading) - np.sin(angle), np.cos(angle) - np.cos(heading)], 1)
        middle = start + turned / curve
    left = np.stack([-np.sin(heading), np.cos(heading)], 1)
    return middle + left * np.asarray(aside).reshape(-1, 1), heading


def vehicles(rng: Random) -> str:
    return str(rng.choice(["car", "van", "lorry", "bus", "cyclist"], p=[0.62, 0.12, 0.1, 0.06, 0.1]))


def queue(
    rng: Random, times: Array, speed: float, stop: tuple[float, float] | None, kinds: list[str], tau: float
) -> list[Array]:
    """Return how far along (T,) each of a file has come (Newell 2002): all do as the first, later and behind.

    ``stop`` is where the first stops, and for how long.
    """
    ahead, behind, found = 0.0, 0.0, []
    for n, kind in enumerate(kinds):
        t = times - n * tau
        s = speed * t
        if stop is not None:
            where, lasts = stop
            begin = where / speed
            s = np.where(t < begin, speed * t, np.maximum(where, where + speed * (t - begin - lasts)))
        if n:
            behind += (ahead + KINDS[kind][1][1]) / 2 + rng.uniform(1.5, 3.0)
        found.append(s - behind)
        ahead = KINDS[kind][1][1]
    return found


def road(rng: Random, number: int) -> Scene:
    """One to four lanes, straight or bent, one or both ways; at times a light stops everybody."""
    clock = Clock(rng, 22.0)
    lanes = int(rng.integers(1, 5))
    camera, at, about = camera_over(rng, clock, rng.uniform(18, 45), ("overhead", "cctv", "cctv", "low"))
    angle, curve = rng.uniform(0, 2 * np.pi), float(rng.choice([0.0, 0.0, rng.uniform(-0.02, 0.02)]))
    both = bool(lanes > 1 and rng.random() < 0.6)
    light = bool(rng.random() < 0.4)
    length, width = 120.0, 3.5
    start, _ = bend(at, angle, curve, np.array([-length / 2]), 0.0)
    angle = angle - curve * length / 2
    bodies = []
    for lane in range(lanes):
        back = both and lane < lanes / 2
        aside = (lane - (lanes - 1) / 2) * width
        speed = rng.uniform(5, 20)
        kinds = [vehicles(rng) for _ in range(int(rng.integers(2, 9)))]
        if speed > 8:  # no cyclist is as fast
            kinds = ["car" if kind == "cyclist" else kind for kind in kinds]
        stop = (length / 2 + rng.uniform(-8, 2), rng.uniform(2, 6)) if light else None
        tau = rng.uniform(0.3, 2.0)
        lead = rng.uniform(0, 40) if not light else 0.0
        for kind, s in zip(kinds, queue(rng, clock.times, speed, stop, kinds, tau), strict=True):
            s = s + lead
            there = (s > 0) & (s < length)
            way = length - s if back else s
            xy, heading = bend(start[0], angle, curve, way, aside)
            bodies.append(Body(kind, xy, heading + np.pi * back, there, np.ones(len(s))))
    lines = {}
    half = lanes * width / 2 + 0.8
    for name, s in (("middle", length / 2 + rng.uniform(-3, 3)), ("beside", length / 2 + rng.uniform(-8, 8))):
        lean = rng.uniform(-2, 2)
        ends = [bend(start[0], angle, curve, np.array([s + lean * way]), way * half)[0][0] for way in (1, -1)]
        lines[name] = [tuple(p) for p in camera.ground(np.array(ends)).tolist()]
    s = length / 2 + np.array([-rng.uniform(3, 8), rng.uniform(3, 8)])
    corners = [
        bend(start[0], angle, curve, np.array([each]), way * half)[0][0]
        for each, way in ((s[0], 1), (s[1], 1), (s[1], -1), (s[0], -1))
    ]
    zones = {"box": [tuple(p) for p in camera.ground(np.array(corners)).tolist()]}
    how = f"{lanes} lanes{' both ways' * both}{', light' * light}, curve {curve:.3f}"
    return Scene("road", number, clock, camera, bodies, lines, zones, f"{how}, {about}")


def junction(rng: Random, number: int) -> Scene:
    """Arms of a roundabout, with U-turns; a line across each arm."""
    clock = Clock(rng, 30.0)
    camera, at, about = camera_over(rng, clock, rng.uniform(45, 70), ("overhead", "cctv"))
    radius, reach, turn = rng.uniform(7, 10), 40.0, rng.uniform(0, 2 * np.pi)
    arms = np.sort(turn + np.arange(4) * np.pi / 2)
    bodies = []
    for k in range(int(rng.integers(4, 12))):
        origin, to = int(rng.integers(4)), int(rng.integers(4))
        a, b = arms[origin], arms[to]
        span = (b - a - 0.6) % (2 * np.pi)
        span = span if to != origin else 2 * np.pi - 0.6
        around = a + 0.3 + np.linspace(0, span, 40)

        def arm(angle: float, aside: float, far: float, near: float) -> Array:
            out, left = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
            r = np.linspace(far, near, 30)[:, None]
            return at + r * out + aside * left

        way = np.concatenate(
            [
                arm(a, 2.5, reach, radius + 1),
                at + radius * np.stack([np.cos(around), np.sin(around)], 1),
                arm(b, -2.5, radius + 1, reach),
            ]
        )
        along = np.concatenate([[0], np.hypot(*np.diff(way, axis=0).T).cumsum()])
        speed = rng.uniform(5, 9)
        s = (clock.times - k * rng.uniform(1.5, 3)) * speed
        xy = np.stack([np.interp(s, along, way[:, axis]) for axis in (0, 1)], 1)
        ahead = np.stack(
            [
                np.interp(s + 1.5, along, way[:, axis]) - np.interp(s - 1.5, along, way[:, axis])
                for axis in (0, 1)
            ],
            1,
        )
        bodies.append(
            Body(
                str(rng.choice(["car", "car", "van", "cyclist"])),
                xy,
                np.arctan2(ahead[:, 1], ahead[:, 0]),
                (s > 0) & (s < along[-1]),
                np.ones(len(s)),
            )
        )
    lines = {}
    for n, angle in enumerate(arms):
        out, left = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        ends = np.array([at + 18 * out + side * 5 * left for side in (1, -1)])
        lines[f"arm{n}"] = [tuple(p) for p in camera.ground(ends).tolist()]
    ring = np.array(
        [at + 15 * np.array([np.cos(x), np.sin(x)]) for x in np.linspace(0, 2 * np.pi, 16, endpoint=False)]
    )
    zones = {"ring": [tuple(p) for p in camera.ground(ring).tolist()]}
    return Scene("junction", number, clock, camera, bodies, lines, zones, about)
