"""A made world: a camera over flat ground, bodies that move on it, and what a detector would see of them.

Metres on the ground (x to the right, y away from the camera, z up), seconds, and pixels in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections
from bytetrack.boxes import iou

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
KINDS: dict[str, tuple[int, tuple[float, float, float]]] = {  # class, width, length, height in metres
    "person": (0, (0.5, 0.4, 1.75)),
    "cyclist": (0, (0.6, 0.9, 1.8)),
    "car": (2, (1.8, 4.4, 1.5)),
    "van": (2, (2.0, 5.2, 2.3)),
    "lorry": (7, (2.5, 10.0, 3.5)),
    "bus": (5, (2.5, 12.0, 3.2)),
    "post": (-1, (0.3, 0.3, 5.0)),
}
CAB = 0.24  # of a lorry's length, in front: often found as a car of its own
GRID = 10  # points across and along a box, at which it is asked who hides it
SHRINK = 0.08  # of a box, on each side, that its body does not fill
LEAST_PX = 12.0  # what is lower is not found
NEAR_M = 1.0  # what is nearer to the camera is not drawn


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera ``height`` m above the ground, looking ``tilt`` radians down, T frames long."""

    size: tuple[int, int]
    focal: float  # pixels
    height: float
    tilt: float
    yaw: Array  # (T,) radians to the left
    shift: Array  # (T, 2) by which it shakes, pixels

    def project(self, points: Array) -> tuple[Array, Array]:
        """Return pixels (T, ..., 2) and depths (T, ...) in metres of points (T, ..., 3)."""
        shape = (-1, *(1,) * (points.ndim - 2))
        cos, sin = np.cos(self.yaw).reshape(shape), np.sin(self.yaw).reshape(shape)
        x, y, below = points[..., 0], points[..., 1], self.height - points[..., 2]
        right, ahead = x * cos + y * sin, y * cos - x * sin
        depth = np.maximum(ahead * np.cos(self.tilt) + below * np.sin(self.tilt), 0.1)
        down = below * np.cos(self.tilt) - ahead * np.sin(self.tilt)
        middle = np.array(self.size) / 2
        pixels = self.focal * np.stack([right, down], -1) / depth[..., None] + middle
        return pixels + self.shift.reshape(len(self.shift), *(1,) * (points.ndim - 2), 2), depth

    def ground(self, xy: Array) -> Array:
        """Return where points on the ground (K, 2) are in the first frame, pixels (K, 2)."""
        points = np.column_stack([xy, np.zeros(len(xy))])
        return self.project(np.broadcast_to(points, (len(self.yaw), *points.shape)))[0][0]


@dataclass(frozen=True, eq=False)
class Body:
    """Something that moves: where its middle is on the ground in each of T frames."""

    kind: str
    xy: Array  # (T, 2)
    heading: Array  # (T,) radians from the x axis
    there: Mask  # (T,)
    tall: Array  # (T,) its height now, in parts of its own
    size: tuple[float, float, float] = (0.0, 0.0, 0.0)  # in metres; 0: as its kind

    def corners(self) -> Array:
        """Return the corners (T, 8, 3) of the box around it."""
        wide, long, high = self.size if self.size[0] else KINDS[self.kind][1]
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        found = []
        for along in (-long / 2, long / 2):
            for across in (-wide / 2, wide / 2):
                x = self.xy[:, 0] + along * cos - across * sin
                y = self.xy[:, 1] + along * sin + across * cos
                found += [np.stack([x, y, z], 1) for z in (np.zeros(len(x)), high * self.tall)]
        return np.stack(found, 1)


@dataclass(frozen=True, eq=False)
class Seen:
    """What is to be seen of N bodies in T frames."""

    whole: Array  # (T, N, 4) boxes, beyond the picture's edge too
    box: Array  # (T, N, 4) within the picture
    foot: Array  # (T, N, 2) pixels: the middle of the body on the ground
    there: Mask  # (T, N) in the picture
    visible: Array  # (T, N) part of the box within the picture that nobody hides
    shown: Array  # (T, N, 4) box around that part


def look(camera: Camera, bodies: list[Body]) -> Seen:
    """Return what the camera sees; posts hide others and are no bodies to be found."""
    pixels, depth = zip(*(camera.project(body.corners()) for body in bodies), strict=True)
    corners, depths = np.stack(pixels, 1), np.stack(depth, 1)  # (T, N, 8, 2), (T, N, 8)
    whole = np.concatenate([corners.min(2), corners.max(2)], -1)
    ground = np.stack([np.column_stack([b.xy, np.zeros(len(b.xy))]) for b in bodies], 1)
    foot, away = camera.project(ground)
    far = np.tile(np.array(camera.size, float), 2)
    box = np.clip(whole, 0, far)
    sides = box[..., 2:] - box[..., :2]
    there = np.stack([b.there for b in bodies], 1) & (depths.min(2) > NEAR_M)
    there &= (sides.min(2) > 2) & (sides[..., 1] > LEAST_PX)
    visible, shown = np.ones(away.shape), box.copy()
    steps = (np.arange(GRID) + 0.5) / GRID
    for t in range(len(box)):
        here = np.flatnonzero(there[t])
        b = box[t, here]
        meet = (b[:, None, :2] < b[None, :, 2:]).all(2) & (b[None, :, :2] < b[:, None, 2:]).all(2)
        hidden = meet & (away[t, here][:, None] > away[t, here][None] + 1e-6)
        margin = SHRINK * np.tile(b[:, 2:] - b[:, :2], 2) * np.array([1, 1, -1, -1])
        solid = b + margin
        for i in np.flatnonzero(hidden.any(1)):
            x = b[i, 0] + steps * (b[i, 2] - b[i, 0])
            y = b[i, 1] + steps * (b[i, 3] - b[i, 1])
            free = np.ones((GRID, GRID), bool)  # rows from the top
            for x1, y1, x2, y2 in solid[hidden[i]]:
                free &= ~(((y >= y1) & (y <= y2))[:, None] & ((x >= x1) & (x <= x2))[None])
            visible[t, here[i]] = free.mean()
            rows, columns = np.flatnonzero(free.any(1)), np.flatnonzero(free.any(0))
            if len(rows):
                side = (b[i, 2:] - b[i, :2]) / GRID
                shown[t, here[i]] = [
                    *(b[i, :2] + side * (columns[0], rows[0])),
                    *(b[i, :2] + side * (columns[-1] + 1, rows[-1] + 1)),
                ]
    return Seen(whole, box, foot, there, visible, shown)


@dataclass(frozen=True)
class Noise:
    """How a detector errs; zero everywhere is one that sees everything at least half visible."""

    jitter: float = 0.0  # standard deviation of each edge, in parts of the side
    score: float = 0.0  # of the score
    missed: float = 0.0  # chance of a body in plain view not to be found in a frame
    modal: bool = False  # boxes end where the body is hidden
    halves: float = 0.0  # chance a second to have a second box on a part, for a while
    merged: bool = False  # people who overlap much are one box at times
    ghosts: int = 0  # places where something is seen at times
    classes: float = 0.0  # chance of a vehicle's class to be another in a frame
    cabs: bool = False  # lorries have a second box on the cab


QUIET = Noise()
SHAKY = Noise(jitter=0.012, score=0.03)
REAL = Noise(0.015, 0.08, 0.02, True, 0.05, True, 2, 0.05, True)


@dataclass(frozen=True, eq=False)
class Found:
    """Detections, and whose they are: the number of the body; -1: of nobody."""

    boxes: list[Detections] = field(default_factory=list)
    owners: list[NDArray[np.int64]] = field(default_factory=list)


def slow(rng: np.random.Generator, shape: tuple[int, ...], over: float) -> Array:
    """Return standard normal noise along the first axis that keeps for some ``over`` frames."""
    keep = np.exp(-1 / max(over, 1e-3))
    noise = rng.normal(size=shape)
    for t in range(1, shape[0]):
        noise[t] = keep * noise[t - 1] + np.sqrt(1 - keep * keep) * noise[t]
    return noise


def detect(camera: Camera, bodies: list[Body], seen: Seen, fps: float, noise: Noise, seed: int) -> Found:
    """Return what a detector finds that errs so."""
    rng = np.random.default_rng(seed)
    t_n = seen.visible.shape
    usual = rng.uniform(0.75, 0.92, t_n[1])
    mood = slow(rng, t_n, 0.3 * fps)
    guess = 1 / (1 + np.exp(-3 * slow(rng, t_n, 0.3 * fps)))  # how far hidden parts are guessed
    double = slow(rng, t_n, 0.3 * fps) > 2.2 if noise.halves else np.zeros(t_n, bool)
    flicker = slow(rng, (t_n[0], max(noise.ghosts, 1)), 0.1 * fps) > 1.5
    width, height = camera.size
    ghosts = [
        (x, y, x + s / 2, y + s)
        for x, y, s in rng.uniform((0, 0, 0.06), (0.9, 0.9, 0.15), (noise.ghosts, 3))
        * (width, height, height)
    ]
    found = Found()
    for t in range(t_n[0]):
        rows: list[tuple[Array, float, int, int]] = []
        for n in np.flatnonzero(seen.there[t]):
            class_id = KINDS[bodies[n].kind][0]
            vis = seen.visible[t, n]
            chance = np.clip((vis - 0.15) / 0.3, 0, 1) * (1 - noise.missed)
            if class_id < 0 or (vis < 0.3 if noise.missed == 0 else rng.random() > chance):
                continue
            score = usual[n] * (0.45 + 0.55 * vis) + noise.score * mood[t, n]
            box = seen.box[t, n]
            if noise.modal and vis < 1:
                box = guess[t, n] * box + (1 - guess[t, n]) * seen.shown[t, n]
            if noise.classes and class_id in (2, 5, 7) and rng.random() < noise.classes:
                class_id = int(rng.choice((2, 5, 7)))
            rows.append((box, score, class_id, n))
            side = box[2:] - box[:2]
            if double[t, n]:
                rows.append((box + np.array([0.1, 0.05, -0.1, -0.4]) * np.tile(side, 2), 0.45, class_id, n))
            if noise.cabs and bodies[n].kind == "lorry":
                part = _cab(camera, bodies[n], t)
                part = np.clip(part, 0, (width, height, width, height))
                if (part[2:] - part[:2]).min() > LEAST_PX:
                    rows.append((part, 0.5 + 0.15 * mood[t, n], 2, n))
        rows += [(np.array(box), 0.35, 0, -1) for box, on in zip(ghosts, flicker[t], strict=False) if on]
        if noise.merged:
            rows = _merged(rows)
        found.boxes.append(_taken(rows, noise, rng, camera.size, found.owners))
    return found


def _cab(camera: Camera, body: Body, t: int) -> Array:
    length = KINDS[body.kind][1][1]
    way = np.array([np.cos(body.heading[t]), np.sin(body.heading[t])])
    xy = body.xy[t] + (0.5 - CAB / 2) * length * way
    one = Body(
        "car", xy[None], body.heading[t : t + 1], np.ones(1, bool), np.ones(1), (2.4, CAB * length, 3.0)
    )
    at = Camera(
        camera.size, camera.focal, camera.height, camera.tilt, camera.yaw[t : t + 1], camera.shift[t : t + 1]
    )
    corners = at.project(one.corners())[0][0]
    return np.concatenate([corners.min(0), corners.max(0)])


def _merged(rows: list[tuple[Array, float, int, int]]) -> list[tuple[Array, float, int, int]]:
    """Let people who overlap by half be one box, and those behind not be found."""
    kept: list[tuple[Array, float, int, int]] = []
    for row in sorted(rows, key=lambda row: -row[1]):
        for n, other in enumerate(kept):
            if row[2] == other[2] == 0 and row[3] != other[3] and min(row[3], other[3]) >= 0:
                both = np.concatenate(
                    [np.minimum(row[0][:2], other[0][:2]), np.maximum(row[0], other[0])[2:]]
                )
                if float(iou(row[0][None], other[0][None])[0, 0]) > 0.5:
                    kept[n] = (both, *other[1:])
                    break
        else:
            kept.append(row)
    return kept


def _taken(
    rows: list[tuple[Array, float, int, int]],
    noise: Noise,
    rng: np.random.Generator,
    size: tuple[int, int],
    owners: list[NDArray[np.int64]],
) -> Detections:
    """Jitter boxes, drop the weaker of two on one place as a detector does, from IoU 0.7."""
    if not rows:
        owners.append(np.empty(0, np.int64))
        return Detections.empty()
    xyxy = np.array([row[0] for row in rows])
    xyxy = xyxy + rng.normal(0, 1, xyxy.shape) * noise.jitter * np.tile(xyxy[:, 2:] - xyxy[:, :2], 2)
    xyxy = np.clip(xyxy, 0, np.tile(np.array(size, float), 2))
    score = np.clip([row[1] for row in rows], 0.05, 0.97)
    order = np.argsort(-score, kind="stable")
    common = iou(xyxy, xyxy)
    kept: list[int] = []
    for n in order.tolist():
        if score[n] >= 0.1 and not any(common[n, k] > 0.7 for k in kept):
            kept.append(n)
    kept.sort()
    owners.append(np.array([rows[n][3] for n in kept], np.int64))
    return Detections(xyxy[kept], score[kept], np.array([rows[n][2] for n in kept], np.int64))
