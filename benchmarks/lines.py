"""Crossings of many lines against ground truth: ``python -m benchmarks.lines [--noise N] [--sure] [FOLDER]``.

Needs ../shared; what is missing there is named and left out. Sixteen lines, eight across and eight along,
are laid over each sequence. A person of the ground truth has crossed when the bottom centre of the box has
got clear of a line, by 5 % of the box's height, on the other side than before. Crossings are matched one to
one by line, direction and time (1.2 s).

``--others`` adds five sequences with poorer boxes, in the sum too. ``--more`` takes other lines: the sixteen
shifted by about half a step, and eight oblique ones. ``--identities`` gives the plugin our boxes with the
true identities, without those of nobody; ``--boxes`` the boxes and identities of the truth itself: what is
wrong then is wrong in the plugin, or in the truth.

``--noise`` adds detections jittered by half a pixel, by 1 % of their size, and every second frame dropped.
``--sure`` tells how many of the crossings that are not called doubtful are right, and by how sure they were
told to be, how many are. A crossing of somebody whom the truth leaves out (a person far away, behind a
window, on a poster) counts as false everywhere but in this last table; how many of these there are is told.
"""

from __future__ import annotations

import argparse
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.counting import unmatched
from benchmarks.identities import SHARED
from benchmarks.zones import Film, films, halved, jittered, known_tracks, people_of, true_tracks
from bytetrack import Tracks
from tracker.detectors.coco import COCO
from tracker.offline.saved_tracks import blank
from tracker.plugins.line import Line
from tracker.trackers.make import make_tracker
from tracker.types import Event, Frame, Scene

EACH_WAY = 8  # lines
CLEAR = 0.05  # of a person's height
TOLERANCE_S = 1.2
TOLD = (0, 50, 70, 80, 85, 91, 95, 101)  # hundredths of `sure`, from .. to below, of the last table
Crossing = tuple[int, str]  # frame, sign
Segment = tuple[tuple[int, int], tuple[int, int]]
OTHERS = SHARED / "data/mot15"
Key = TypeVar("Key", bound=Hashable)


def layout(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the lines: the axis they are counted along (0 is x), and where they lie on it."""
    return [(axis, round(size[axis] * k / (EACH_WAY + 1))) for axis in (0, 1) for k in range(1, EACH_WAY + 1)]


def other_lines(size: tuple[int, int]) -> list[Segment]:
    """Return lines that lie between those of the layout, and oblique ones."""
    width, height = size
    lines: list[Segment] = []
    for k in range(EACH_WAY):
        x, y = (round(side * (k + 1.5) / (EACH_WAY + 1.5)) for side in size)
        lines += [((x, 0), (x, height)), ((0, y), (width, y))]
    for k in range(1, 5):
        x, y, other_x, other_y = (round(side * part / 5) for part in (k, 5 - k) for side in size)
        lines += [((x, 0), (other_x, height)), ((0, y), (width, other_y))]
    return lines


def true_crossings(film: Film, axis: int, at: int) -> list[Crossing]:
    """Return who of the ground truth crossed one line, when and which way."""
    return crossings_of(film, ends(film.size, axis, at))


def crossings_of(film: Film, line: Segment) -> list[Crossing]:
    """Return who of the ground truth crossed any line; "+" leads where the plugin's "in" does."""
    (x, y), (end_x, end_y) = line
    along = np.array([end_x - x, end_y - y]) / np.hypot(end_x - x, end_y - y)
    normal = np.array([along[1], -along[0]])
    normal *= np.sign(normal[0] if abs(normal[0]) > abs(normal[1]) else normal[1])
    found = []
    for rows in film.people.values():
        feet = np.stack([(rows[:, 1] + rows[:, 3]) / 2, rows[:, 4]], axis=1)
        away = (feet - (x, y)) @ normal
        clear = np.abs(away) >= CLEAR * (rows[:, 4] - rows[:, 2])
        frames, sides = rows[clear, 0].astype(int), np.sign(away[clear])
        turns = np.flatnonzero(sides[1:] != sides[:-1]) + 1
        found += [(int(frames[n]), "+" if sides[n] > 0 else "-") for n in turns]
    return sorted(found)


def ends(size: tuple[int, int], axis: int, at: int) -> Segment:
    """Return where a line of the layout begins and ends."""
    width, height = size
    return ((at, 0), (at, height)) if axis == 0 else ((0, at), (width, at))


def told_crossings(
    film: Film, tracks: Sequence[Tracks], lines: Mapping[Key, Line]
) -> Iterator[tuple[Key, list[Event]]]:
    """Yield each line's key and the events that the plugin tells of it."""
    scene = Scene(film.name, film.size, film.fps, False, COCO, film.options.lost)
    for line in lines.values():
        line.start(scene)
    events: dict[Key, list[Event]] = {key: [] for key in lines}
    image = blank(film.size)
    for index, seen in enumerate(tracks):
        for key, line in lines.items():
            events[key] += line.update(Frame(image, index, index / film.fps), seen)
    for key, line in lines.items():
        yield key, [*events[key], *line.finish()]


def measure(film: Film, given: str = "", more: bool = False) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return (9,): crossings there are, false, missed; told sure, of these wrong, of these of nobody;
    told doubtful, of these wrong, of these of nobody. Then, for each part of `TOLD` and without nobody's:
    crossings, of these right, and the sum of `sure` in hundredths.

    ``given``: what the plugin gets of the truth, "identities" or "boxes".
    """
    if given == "boxes":
        tracks = true_tracks(film)
    else:
        tracker = make_tracker("motion", film.options.tracker_settings, film.fps, film.size)
        tracks = [tracker.update(found) for found in film.found]
        if given == "identities":
            tracks = known_tracks(film, tracks)
    shown = people_of(film, tracks)
    figures = np.zeros(9 + 3 * (len(TOLD) - 1), np.int64)
    drawn = other_lines(film.size) if more else [ends(film.size, *one) for one in layout(film.size)]
    for drawn_line, events in told_crossings(film, tracks, {line: Line(line) for line in drawn}):
        true = crossings_of(film, drawn_line)
        told = [(event.frame, "+" if event.kind == "line.in" else "-") for event in events]
        false, missed = unmatched(true, told, round(TOLERANCE_S * film.fps))
        figures[:3] += len(true), len(false), len(missed)
        left = list(false)
        for event, crossing in zip(events, told, strict=True):
            wrong = crossing in left
            if wrong:
                left.remove(crossing)
            before = shown[max(event.frame - round(film.fps), 0) : event.frame + 1]
            nobody = wrong and not any(event.track_id in whom for whom in before)
            start = 6 if "why" in event.data else 3
            figures[start : start + 3] += 1, wrong, nobody
            if not nobody:
                sure = round(100 * event.data["sure"])
                start = 9 + 3 * (int(np.searchsorted(TOLD, sure, "right")) - 1)
                figures[start : start + 3] += 1, not wrong, sure
    return figures


def row(name: str, figures: np.ndarray[tuple[int], np.dtype[np.int64]], sure: bool) -> str:
    """Return one line of the table."""
    there, false, missed, told, wrong, nobody, doubtful, doubtful_wrong, others = figures[:9].tolist()
    text = f"{name:22s} {there:5d} crossings  {false:4d} false {missed:4d} missed"
    text += f"  {(false + missed) / max(there, 1):6.1%}"
    if sure:
        text += f"   sure {told:4d}, right {1 - wrong / max(told, 1):6.1%}"
        text += f" ({1 - (wrong - nobody) / max(told - nobody, 1):.1%} of people in the truth)"
        text += f"   doubtful {doubtful:4d}, right {1 - doubtful_wrong / max(doubtful, 1):6.1%}"
        text += f"   false, of nobody in the truth: {nobody + others}"
    return text


def reliability(figures: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Iterator[str]:
    """Yield, by how sure crossings were told to be, how many were right."""
    for low, high, (told, right, sure) in zip(TOLD, TOLD[1:], figures[9:].reshape(-1, 3), strict=False):
        if told:
            part = f"{low / 100:.2f} to {(high - 1) / 100:.2f}"
            yield f"  told {part}: {told:5d}, mean {sure / told / 100:.3f}, right {right / told:.3f}"


def main() -> None:
    """Print a row per sequence and one for all, then one per kind of noise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, help="sequences; none: those of ../shared")
    parser.add_argument("--cache", type=Path, default=Path("vtest.npz"), help="detections of vtest.avi")
    parser.add_argument("--noise", type=int, default=0, help="runs per kind of noise")
    parser.add_argument("--sure", action="store_true", help="tell how right the sure ones are")
    parser.add_argument("--others", action="store_true", help="five sequences with poorer boxes, too")
    parser.add_argument("--more", action="store_true", help="other lines, some of them oblique")
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--identities", action="store_true", help="give our boxes the true identities")
    given.add_argument("--boxes", action="store_true", help="give the plugin the truth's own boxes")
    arguments = parser.parse_args()
    folders = arguments.folders or [SHARED / "data/pets09-s2l1", SHARED / "data/mot17-val-half"]
    known = films([*folders, *([OTHERS] if arguments.others else [])], arguments.cache)
    truth = "boxes" if arguments.boxes else "identities" if arguments.identities else ""
    results = [measure(film, truth, arguments.more) for film in known]
    for film, figures in zip(known, results, strict=True):
        print(row(film.name, figures, arguments.sure), flush=True)
    print(row("all", np.sum(results, axis=0), arguments.sure), flush=True)
    for line in reliability(np.sum(results, axis=0)) if arguments.sure else ():
        print(line)
    kinds = {
        "half a pixel": lambda film, seed: jittered(film, seed, 0.5, 0),
        "1 % of the size": lambda film, seed: jittered(film, seed, 0, 0.01),
        "every second frame": lambda film, seed: halved(film, seed % 2),
    }
    for kind, noisy in kinds.items() if arguments.noise else ():
        runs = 2 if kind.startswith("every") else arguments.noise
        figures = np.sum(
            [measure(noisy(film, seed), truth, arguments.more) for film in known for seed in range(runs)],
            axis=0,
        )
        print(row(f"{kind}, {runs} runs", figures, arguments.sure), flush=True)


if __name__ == "__main__":
    main()
