"""Visits to zones against ground truth, by person: ``python -m benchmarks.zones [--noise N] [FOLDER ...]``.

    python -m benchmarks.zones ../shared/data/mot15 --identities --boxes

Needs ../shared; what is missing there is named and left out. Eleven zones (a grid of rectangles, two L
shapes) are laid over each sequence. A visit is told rightly where it shares frames, zone and person with a
true one; each true visit is matched once. Printed are false + missed entries, false + missed visitors (a
person told twice is false, one hidden in another's visit missed) and seconds during which somebody was told
inside who was not, or not told who was: each over what there is. Sums over zones hide what cancels; these do
not.

``--identities`` adds rows with the true identities on the tracker's boxes, those of nobody left out: what is
wrong then, no better identity can mend. ``--boxes`` adds rows for the boxes of the truth itself: what is
wrong then is wrong in the plugin, or in the truth.

``--noise`` adds the mean and spread over so many runs on detections jittered by half a pixel, on such
jittered by 1 % of their size, and with every second frame dropped.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.identities import PAPER, SHARED, vtest
from bytetrack import Detections, Tracks
from bytetrack.boxes import iou
from bytetrack.types import FloatArray
from tracker.offline.motchallenge import (
    BOX,
    CLASS,
    FRAME,
    ID,
    SCORE,
    MotSequence,
    find_sequences,
    frames_of,
    read_rows,
)
from tracker.offline.saved_tracks import blank
from tracker.options import Options
from tracker.plugins._shared.geometry import Polygon, distance_to_segments
from tracker.plugins.zone import Zone
from tracker.trackers.make import make_tracker
from tracker.types import Event, Frame, Scene

PEDESTRIAN = 1
CLEAR = 0.05  # of a person's height: so far beyond the border somebody is in or out
LEAST_S, BRIDGED_S = 0.2, 1.0  # shorter visits and absences are none; longer gaps of the truth end a visit
SAME_IOU = 0.5
SHRINK = 0.1  # of a cell of the grid: room between two zones
SHAPES: dict[str, Sequence[tuple[float, float]]] = {
    "L0": ((0.1, 0.1), (0.4, 0.1), (0.4, 0.6), (0.9, 0.6), (0.9, 0.9), (0.1, 0.9)),
    "L1": ((0.25, 0.2), (0.85, 0.2), (0.85, 0.8), (0.65, 0.8), (0.65, 0.45), (0.25, 0.45)),
}
People = dict[int, FloatArray]  # by id: (N, 5) frame from 0 and xyxy


@dataclass(frozen=True)
class Visit:
    """Who was inside from frame ``begin`` to before ``end``."""

    who: tuple[int, ...]  # the number of the person; of a track, its numbers at both ends
    begin: int
    end: int
    first: bool = True  # of this visitor
    told: tuple[Event, ...] = ()


@dataclass(eq=False)
class Film:
    """One sequence with detections and truth."""

    name: str
    size: tuple[int, int]
    fps: float
    found: list[Detections]
    people: People
    options: Options = field(default_factory=Options)


def layout(size: tuple[int, int]) -> dict[str, FloatArray]:
    """Return the corners of the zones by name, pixels."""
    near, far = SHRINK / 2, 1 - SHRINK / 2
    zones: dict[str, Sequence[tuple[float, float]]] = {
        f"r{row}{column}": [
            ((column + x) / 3, (row + y) / 3) for x, y in ((near, near), (far, near), (far, far), (near, far))
        ]
        for row, column in product(range(3), range(3))
    }
    return {name: np.round(np.array(corners) * size) for name, corners in (zones | SHAPES).items()}


def true_visits(film: Film, corners: FloatArray) -> list[Visit]:
    """Return the visits of the annotated people: the bottom centre of their boxes tells."""
    area, sides = Polygon(corners), (corners, np.roll(corners, -1, axis=0))
    visits = []
    for who, rows in film.people.items():
        feet = np.stack([(rows[:, 1] + rows[:, 3]) / 2, rows[:, 4]], 1)
        clear = distance_to_segments(feet, *sides) > CLEAR * (rows[:, 4] - rows[:, 2])
        spans = _spans(rows[:, 0].astype(int).tolist(), area.holds(feet).tolist(), clear.tolist(), film.fps)
        visits += [Visit((who,), begin, end, number == 0) for number, (begin, end) in enumerate(spans)]
    return visits


def _spans(frames: list[int], held: list[bool], clear: list[bool], fps: float) -> list[list[int]]:
    spans: list[list[int]] = []
    inside: bool | None = None
    begin, turned, last = 0, None, frames[0]
    for frame, now_held, now_clear in zip(frames, held, clear, strict=True):
        if frame - last - 1 > BRIDGED_S * fps:
            if inside:
                spans.append([begin, last + 1 if turned is None else turned])
            inside = turned = None
        if inside is None:
            inside, begin = now_held, frame
        elif now_held == inside:
            turned = None
        else:
            turned = frame if turned is None else turned
            if now_clear:
                if inside:
                    spans.append([begin, turned])
                inside, begin, turned = now_held, turned, None
        last = frame
    if inside:
        spans.append([begin, last + 1 if turned is None else turned])
    joined: list[list[int]] = []
    for span in spans:
        if joined and span[0] - joined[-1][1] < LEAST_S * fps:
            joined[-1][1] = span[1]
        else:
            joined.append(span)
    return [span for span in joined if span[1] - span[0] >= LEAST_S * fps]


def told_visits(film: Film, tracks: Sequence[Tracks], zones: dict[str, FloatArray]) -> dict[str, list[Visit]]:
    """Return the visits that the plugin tells, by zone."""
    scene = Scene(film.name, film.size, film.fps, False, {0: "person"}, film.options.lost)
    plugins = {name: Zone(corners, name=name) for name, corners in zones.items()}
    told: dict[str, list[Visit]] = {}
    for name, plugin in plugins.items():
        plugin.start(scene)
        visits: list[Visit] = []
        entered: dict[float, list[tuple[Event, bool]]] = {}
        known: set[int] = set()
        image = blank(film.size)
        for index, seen in enumerate([*tracks, None]):
            before = plugin.visitors
            events = (
                plugin.finish()
                if seen is None
                else plugin.update(Frame(image, index, index / film.fps), seen)
            )
            events = list(events)
            entries = [event for event in events if event.kind == "zone.enter"]
            entries.sort(key=lambda event: event.track_id in known)
            for number, event in enumerate(entries):
                entered.setdefault(event.data["since_s"], []).append(
                    (event, number < plugin.visitors - before)
                )
                known.add(event.track_id or 0)
            for event in events:
                if event.kind == "zone.exit":
                    candidates = entered[event.data["since_s"]]
                    own = next((c for c in candidates if c[0].track_id == event.track_id), candidates[0])
                    candidates.remove(own)
                    span = [round(event.data[key] * film.fps) for key in ("since_s", "left_s")]
                    visits.append(
                        Visit((own[0].track_id or 0, event.track_id or 0), *span, own[1], (own[0], event))
                    )  # type: ignore[arg-type]
        told[name] = visits
    return told


def people_of(film: Film, tracks: Sequence[Tracks]) -> list[dict[int, int]]:
    """Return whom each track shows, frame by frame: the person whose box it shares most with."""
    by_frame: list[list[tuple[int, FloatArray]]] = [[] for _ in tracks]
    for who, rows in film.people.items():
        for row in rows:
            if int(row[0]) < len(tracks):
                by_frame[int(row[0])].append((who, row[1:]))
    shown = []
    for present, seen in zip(by_frame, tracks, strict=True):
        whom: dict[int, int] = {}
        if present and len(seen):
            common = iou(seen.xyxy, np.array([box for _, box in present]))
            for i, j in zip(*linear_sum_assignment(-common), strict=True):
                if common[i, j] >= SAME_IOU:
                    whom[int(seen.track_id[i])] = present[j][0]
        shown.append(whom)
    return shown


def known_tracks(film: Film, tracks: Sequence[Tracks]) -> list[Tracks]:
    """Return our boxes with the numbers of the people whom they show; what shows nobody is left out."""
    renamed = []
    for seen, whom in zip(tracks, people_of(film, tracks), strict=True):
        kept = seen[np.flatnonzero(np.isin(seen.track_id, list(whom)))]
        ids = np.array([whom[number] for number in kept.track_id.tolist()], np.int64)
        renamed.append(replace(kept, track_id=ids))
    return renamed


def true_tracks(film: Film) -> list[Tracks]:
    """Return the people of the ground truth as tracks, frame by frame."""
    rows: list[list[tuple[float, ...]]] = [[] for _ in film.found]
    for who, boxes in film.people.items():
        for frame, *box in boxes.tolist():
            if frame < len(rows):
                rows[int(frame)].append((who, *box))
    tracks = []
    for present in rows:
        table = np.array(sorted(present)).reshape(-1, 5)
        n = len(table)
        tracks.append(
            Tracks(
                table[:, 0].astype(np.int64), table[:, 1:], np.ones(n), np.zeros(n, np.int64), np.arange(n)
            )
        )
    return tracks


def judge(
    film: Film, true: Sequence[Visit], told: Sequence[Visit], shown: Sequence[dict[int, int]]
) -> tuple[FloatArray, list[Visit], list[Visit]]:
    """Return false and missed entries, visitors and seconds (3, 2), and the visits false and missed."""
    common = np.zeros((len(told), len(true)))
    for i, visit in enumerate(told):
        for j, other in enumerate(true):
            for frame in range(max(visit.begin, other.begin), min(visit.end, other.end)):
                common[i, j] += any(shown[frame].get(number) == other.who[0] for number in visit.who)
    pairs = [
        (int(i), int(j)) for i, j in zip(*linear_sum_assignment(-common), strict=True) if common[i, j] > 0
    ]
    right, found = {i for i, _ in pairs}, {j for _, j in pairs}
    visitors = [(i, true[j].who[0]) for i, j in pairs if told[i].first]
    people = {visit.who[0] for visit in true}
    both = np.zeros(2)
    for i, j in pairs:
        a, b = told[i], true[j]
        shared = min(a.end, b.end) - max(a.begin, b.begin)
        both += [a.end - a.begin - shared, b.end - b.begin - shared]
    false = [visit for i, visit in enumerate(told) if i not in right]
    missed = [visit for j, visit in enumerate(true) if j not in found]
    both += [sum(visit.end - visit.begin for visit in visits) for visits in (false, missed)]
    named = {who for _, who in visitors}
    firsts = sum(visit.first for visit in told)
    figures = np.array(
        [[len(false), len(missed)], [firsts - len(named), len(people - named)], both / film.fps]
    )
    return figures, false, missed


def totals(film: Film, visits: Sequence[Visit]) -> FloatArray:
    """Return entries, visitors and seconds."""
    seconds = sum(visit.end - visit.begin for visit in visits) / film.fps
    return np.array([len(visits), sum(visit.first for visit in visits), seconds])


def measure(film: Film, who: str = "ours") -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return false and missed (3, 2), absolute errors of the sums per zone (3,), and what there is (3,).

    ``who``: people are followed by the default tracker ("ours"), by it under their true identities
    ("identities"), or as the truth says ("boxes").
    """
    if who == "boxes":
        tracks = true_tracks(film)
    else:
        tracker = make_tracker("motion", film.options.tracker_settings, film.fps, film.size)
        tracks = [tracker.update(found) for found in film.found]
        tracks = known_tracks(film, tracks) if who == "identities" else tracks
    zones = layout(film.size)
    told, shown = told_visits(film, tracks, zones), people_of(film, tracks)
    wrong, off, there = np.zeros((3, 2)), np.zeros(3), np.zeros(3)
    for name, corners in zones.items():
        true = true_visits(film, corners)
        wrong += judge(film, true, told[name], shown)[0]
        off += np.abs(totals(film, told[name]) - totals(film, true))
        there += totals(film, true)
    return wrong, off, there


def jittered(film: Film, seed: int, pixels: float, part: float, score: float = 0.0) -> Film:
    """Return the film with every edge of a detection off by so many pixels, or such a part of its size.

    ``score``: how far the scores are off; each is a standard deviation.
    """
    rng = np.random.default_rng(seed)
    found = []
    for one in film.found:
        size = np.tile(one.xyxy[:, 2:] - one.xyxy[:, :2], 2)
        xyxy = one.xyxy + rng.normal(0, 1, size.shape) * (pixels + part * size)
        unsure = one.score
        if score:  # not drawn otherwise, so that the boxes stay the same
            unsure = np.clip(unsure + rng.normal(0, score, len(one)), 0.0, 1.0)
        found.append(replace(one, xyxy=xyxy, score=unsure))
    return replace(film, found=found)


def halved(film: Film, first: int) -> Film:
    """Return the film with every second frame dropped."""
    people = {}
    for who, rows in film.people.items():
        kept = rows[rows[:, 0] % 2 == first].copy()
        kept[:, 0] //= 2
        if len(kept):
            people[who] = kept
    return replace(film, fps=film.fps / 2, found=film.found[first::2], people=people)


def films(folders: Iterable[Path], cache: Path) -> list[Film]:
    """Return the sequences that are there; name those that are not."""
    found = []
    for folder in folders:
        if not folder.is_dir():
            print(f"{folder.name}: not there, left out")
            continue
        for one in find_sequences(folder):
            if one.detections.is_file():
                boxes, options = list(frames_of(read_rows(one.detections), one.frames)), PAPER
            else:
                boxes, options = vtest(cache).found, Options()
            found.append(Film(one.name, one.size or (1920, 1080), one.fps, boxes, _people(one), options))
    return found


def _people(one: MotSequence) -> People:
    rows = read_rows(one.truth)
    rows = rows[rows[:, SCORE] != 0]
    if one.name.startswith(("MOT16", "MOT17", "MOT20")):
        rows = rows[rows[:, CLASS] == PEDESTRIAN]
    boxes = np.hstack([rows[:, [FRAME]] - 1, rows[:, BOX]])
    boxes[:, 3:] += boxes[:, 1:3]
    order = np.argsort(boxes[:, 0], kind="stable")
    boxes, ids = boxes[order], rows[order, ID]
    return {int(who): boxes[ids == who] for who in np.unique(ids)}


def row(
    name: str, wrong: FloatArray, off: FloatArray, there: FloatArray, spread: FloatArray | None = None
) -> str:
    """Return one line of the table."""
    parts = []
    for number, what in enumerate(("entries", "visitors", "seconds")):
        false, missed = wrong[number]
        more = f" ±{spread[number]:.3f}" if spread is not None else ""
        share, sums = (false + missed) / there[number], off[number] / there[number]
        parts.append(f"{what} {share:.3f}{more} ({false:.0f} false, {missed:.0f} missed) sums {sums:.3f}")
    return f"{name:26s} " + "   ".join(parts)


def main() -> None:
    """Print a row per sequence and one for all, then one per kind of noise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, help="sequences; none: those of ../shared")
    parser.add_argument("--cache", type=Path, default=Path("vtest.npz"), help="detections of vtest.avi")
    parser.add_argument("--noise", type=int, default=0, help="runs per kind of noise")
    parser.add_argument("--identities", action="store_true", help="also true identities on the same boxes")
    parser.add_argument("--boxes", action="store_true", help="also the truth's own boxes")
    arguments = parser.parse_args()
    folders = arguments.folders or [SHARED / "data/pets09-s2l1", SHARED / "data/mot17-val-half"]
    known = films(folders, arguments.cache)
    for who in (
        "ours",
        *(["identities"] if arguments.identities else []),
        *(["boxes"] if arguments.boxes else []),
    ):
        results = [measure(film, who) for film in known]
        for film, result in zip(known, results, strict=True):
            print(row(f"{film.name} {who}", *result), flush=True)
        print(row(f"all {who}", *(sum(parts) for parts in zip(*results, strict=True))), flush=True)  # type: ignore[arg-type]
    kinds = {
        "half a pixel": lambda film, seed: jittered(film, seed, 0.5, 0),
        "1 % of the size": lambda film, seed: jittered(film, seed, 0, 0.01),
        "every second frame": lambda film, seed: halved(film, seed % 2),
    }
    for kind, noisy in kinds.items() if arguments.noise else ():
        runs = []
        for seed in range(2 if kind.startswith("every") else arguments.noise):
            parts = [measure(noisy(film, seed)) for film in known]
            runs.append([sum(values) for values in zip(*parts, strict=True)])
        wrong, off, there = (np.mean([run[k] for run in runs], axis=0) for k in range(3))
        spread = np.std([np.sum(run[0], axis=1) / run[2] for run in runs], axis=0)
        print(row(kind, wrong, off, there, spread), flush=True)


if __name__ == "__main__":
    main()
