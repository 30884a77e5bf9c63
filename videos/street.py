"""Render the sample clip: people who walk, cross, stop behind a lamppost, leave and come back.

``python -m videos.street FOLDER`` writes ``street.mp4`` and ``street.truth.json``. Nothing is random and
nothing is fetched: the people are cut out of a photograph that the ultralytics package ships.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from videos.cast import Floats, Look, Picture, posed
from videos.scenery import HEIGHT, HORIZON, TALL, WIDTH, Thing, background, lamppost, pillar, shelter
from videos.truth import Box, Line, Zone, document

FPS = 25
FRAMES = 250
STEP = 0.42  # height of a person per radian of the step: a stride is 2.6 heights long
OPAQUE = 0.8  # coverage from which a thing hides what is behind it; glass has less
BOB = 0.012  # height of a person: how far it goes up and down

PALE, DARK = Look("pale"), Look("dark")
GREEN = Look("pale", coat=(0.62, 0.78, 0.60), trousers=(0.75, 0.9, 1.3))
BLUE = Look("pale", coat=(1.0, 0.72, 0.52), trousers=(0.5, 0.5, 0.6))
GRAY = Look("dark", coat=(0.95, 0.95, 1.0), lift=58, trousers=(0.7, 0.8, 1.1))
RUST = Look("dark", coat=(0.62, 0.74, 1.0), lift=56, trousers=(0.5, 0.55, 0.6))


@dataclass(frozen=True)
class Visit:
    """One person from coming into the picture to leaving it: one identity to a tracker."""

    visit: int
    person: str
    look: Look
    path: str  # frame,column,row of the feet, from key to key


VISITS = (
    Visit(
        1,
        "Ada",
        DARK,
        "0,60,336 40,240,335 66,360,336 116,592,338 134,650,345 170,700,360 205,860,390 240,1020,400",
    ),
    Visit(2, "Bo", BLUE, "0,800,372 42,592,371 110,262,372 178,-60,374"),
    Visit(3, "Cem", RUST, "40,1010,338 78,818,338 88,805,338 138,806,338 150,829,338 195,1020,338"),
    Visit(4, "Dana", GRAY, "0,370,500 56,-70,495"),
    Visit(5, "Eli", PALE, "0,880,440 34,1060,490"),
    Visit(6, "Fay", GREEN, "112,-50,392 180,270,390 249,545,390"),
    Visit(7, "Dana", GRAY, "170,-60,480 215,100,485 249,260,488"),
)


LINES = (
    Line("bakery", (200, 300), (200, 540)),
    Line("corner", (700, 300), (700, 425)),
    Line("kerb", (730, 376), (960, 376)),
)
ZONES = (Zone("shelter", (738, 320, 862, 352)), Zone("square", (380, 320, 560, 425)))


def render(folder: str | Path) -> tuple[Path, Path]:
    """Return the clip and its truth in ``folder``, rendered unless this version is there already."""
    folder = Path(folder)
    clip, truth = folder / "street.mp4", folder / "street.truth.json"
    if rendered(folder):
        return clip, truth
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".street-") as beside:
        new_clip, new_truth = Path(beside, clip.name), Path(beside, truth.name)
        boxes = _encode(new_clip)
        new_truth.write_text(_text(boxes), "utf-8")
        truth.unlink(missing_ok=True)  # never a truth beside another clip
        new_clip.replace(clip)
        new_truth.replace(truth)
    return clip, truth


def rendered(folder: str | Path) -> bool:
    """Return whether this version of the clip lies in ``folder`` already."""
    clip, truth = Path(folder, "street.mp4"), Path(folder, "street.truth.json")
    try:
        return clip.is_file() and json.loads(truth.read_text("utf-8"))["version"] == version()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _text(boxes: list[Box]) -> str:
    truth = document(
        boxes,
        people={visit.visit: visit.person for visit in VISITS},
        lines=LINES,
        zones=ZONES,
        size=(WIDTH, HEIGHT),
        fps=FPS,
        frames=FRAMES,
        version=version(),
    )
    rows = {key: truth.pop(key) for key in ("boxes", "seen")}  # one row of numbers per line
    tail = ",\n".join(
        f' "{key}": [\n' + ",\n".join(f"  {json.dumps(row)}" for row in row_list) + "\n ]"
        for key, row_list in rows.items()
    )
    return json.dumps(truth, indent=1)[:-2] + ",\n" + tail + "\n}\n"


def version() -> str:
    """Return a hash of the scripts: another scene is another version."""
    digest = hashlib.sha256()
    for name in ("cast.py", "scenery.py", "street.py", "truth.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()[:16]


def frames() -> Iterator[tuple[Picture, list[Box]]]:
    """Yield every picture, (HEIGHT, WIDTH, 3) BGR, with the boxes of who is in it."""
    things = [lamppost(), pillar(), shelter()]
    empty = background()
    for thing in things:
        middle = thing.left + thing.bgra.shape[1] / 2
        _shadow(empty, middle, thing.ground, 0.9 * thing.bgra.shape[1] / 2)
    walks = [Walk(visit) for visit in VISITS]
    for frame in range(FRAMES):
        picture = empty.copy()
        present = [(visit.visit, walk.at(frame)) for visit, walk in zip(VISITS, walks, strict=True)]
        actors = [(visit, thing) for visit, thing in present if thing is not None]
        for _, thing in actors:
            _shadow(picture, thing.left + thing.bgra.shape[1] / 2, thing.ground, 0.2 * thing.bgra.shape[0])
        owner = np.zeros((HEIGHT, WIDTH), np.uint8)  # whose body each pixel shows
        veil = np.ones((HEIGHT, WIDTH), np.float32)  # and how much of it the glass in front lets through
        stage = [*actors, *((0, thing) for thing in things)]
        for visit, thing in sorted(stage, key=lambda item: item[1].ground):
            _put(picture, owner, veil, thing, visit)
        boxes = [
            box for visit, thing in actors if (box := _box(frame, visit, thing, owner, veil)) is not None
        ]
        yield picture, boxes


class Walk:
    """Where one visitor is, and how it looks there."""

    def __init__(self, visit: Visit) -> None:
        self.look = visit.look
        keys = np.array([key.split(",") for key in visit.path.split()], np.float64)
        self.first, self.last = int(keys[0, 0]), int(keys[-1, 0])
        time = np.arange(self.first, self.last + 1)
        self.column = PchipInterpolator(keys[:, 0], keys[:, 1])(time)  # no overshoot: who stops stands
        self.feet = PchipInterpolator(keys[:, 0], keys[:, 2])(time)
        self.height = TALL * (self.feet - HORIZON)
        steps = np.hypot(np.diff(self.column), np.diff(self.feet)) / (STEP * self.height[1:])
        self.phase = np.concatenate([[0.0], np.cumsum(steps)]) + visit.visit
        moves = np.diff(self.column, prepend=self.column[0])
        moves[np.abs(moves) < 0.2] = 0  # who stands keeps looking where he went
        went = np.maximum.accumulate(np.where(moves != 0, np.arange(len(moves)), 1))
        self.mirrored = moves[went] < 0  # the photographed people walk to the right

    def at(self, frame: int) -> Thing | None:
        """Return the cut-out for a frame, None before and after the visit."""
        if not self.first <= frame <= self.last:
            return None
        now = frame - self.first
        column, feet, height = self.column[now], self.feet[now], self.height[now]
        bob = BOB * height * abs(np.sin(self.phase[now]))
        whole = int(np.floor(column))
        body = posed(
            self.look, height, self.phase[now], mirrored=bool(self.mirrored[now]), shift=float(column - whole)
        )
        top = round(feet - bob) - body.shape[0]
        return Thing(body, whole - body.shape[1] // 2, top, float(feet))


def _overlap(thing: Thing) -> tuple[slice, slice, slice, slice]:
    """Return the rows and columns of the picture, then those of the thing, where both are."""
    h, w = thing.bgra.shape[:2]
    top, left = max(thing.top, 0), max(thing.left, 0)
    bottom, right = max(min(thing.top + h, HEIGHT), top), max(min(thing.left + w, WIDTH), left)
    return (
        slice(top, bottom),
        slice(left, right),
        slice(top - thing.top, bottom - thing.top),
        slice(left - thing.left, right - thing.left),
    )


def _put(picture: Picture, owner: NDArray[np.uint8], veil: Floats, thing: Thing, visit: int) -> None:
    rows, columns, own_rows, own_columns = _overlap(thing)
    body = thing.bgra[own_rows, own_columns]
    mixed = picture[rows, columns] * (1 - body[..., 3:]) + body[..., :3]
    picture[rows, columns] = np.clip(mixed + 0.5, 0, 255)
    solid = body[..., 3] > (OPAQUE if visit == 0 else 0.5)
    veil[rows, columns] *= 1 - body[..., 3]
    veil[rows, columns][solid] = 1
    owner[rows, columns][solid] = visit


def _box(frame: int, visit: int, thing: Thing, owner: NDArray[np.uint8], veil: Floats) -> Box | None:
    rows, columns, _, _ = _overlap(thing)
    solid = thing.bgra[..., 3] > 0.5
    shown = owner[rows, columns] == visit
    full = _extent(solid, thing.left, thing.top)
    if full[2] <= 0 or full[0] >= WIDTH:
        return None
    seen = _extent(shown, columns.start, rows.start) if shown.any() else None
    return Box(frame, visit, full, seen, round(float(veil[rows, columns][shown].sum() / solid.sum()), 3))


def _extent(mask: NDArray[np.bool_], left: int, top: int) -> tuple[int, int, int, int]:
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return left + int(xs[0]), top + int(ys[0]), left + int(xs[-1]) + 1, top + int(ys[-1]) + 1


def _shadow(picture: Picture, column: float, feet: float, radius: float) -> None:
    """Darken the ground, softly, somewhat to the left: the sun of the photograph stands on the right."""
    x, y, r = column - 0.35 * radius, feet - 2, max(radius, 2.0)
    left, right = max(int(x - 2 * r), 0), min(int(x + 2 * r) + 1, WIDTH)
    top, bottom = max(int(y - 0.6 * r), 0), min(int(y + 0.6 * r) + 1, HEIGHT)
    if left >= right or top >= bottom:
        return
    xs, ys = np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32)
    away = ((xs[None, :] - x) / r) ** 2 + ((ys[:, None] - y) / (0.3 * r)) ** 2
    region = picture[top:bottom, left:right]
    region[:] = region * (1 - 0.5 * np.exp(-away))[..., None]


def _encode(path: Path) -> list[Box]:
    import av

    boxes: list[Box] = []
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "10", "preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index, (picture, present) in enumerate(frames()):
            boxes += present
            frame = av.VideoFrame.from_ndarray(picture, "bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return boxes


def main() -> None:
    """Render into the folder that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m videos.street", description=__doc__)
    parser.add_argument("folder", nargs="?", default=".", help="made where it is missing (default: this one)")
    for written in render(parser.parse_args().folder):
        print(written)


if __name__ == "__main__":
    main()
