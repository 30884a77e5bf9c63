"""How far a lost track should be continued by a new one: ``python -m benchmarks.inheritance``.

Needs ../shared. Twelve zones and nine lines are laid over each MOT17 half; they count the default tracker's
tracks of stored detections and, for the truth, the annotated people. Printed are the sums of the absolute
errors for several reaches in time and space (`plugins._shared.track_history`). Nobody is merged or divided
unseen: entries and seconds spent in the zones are compared, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from bytetrack import MotionTracker, Tracks
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
from tracker.plugins._shared import track_history
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.types import Frame, Scene

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "mot17-val-half"
PEDESTRIAN = 1
LOST_S = 2.0
SECONDS, SIZES = (0.5, 1.0, 2.0), (0.375, 0.75, 1.5, 3.0)
PER_S = (
    track_history.DRIFT_SIZES_PER_S / track_history.INHERIT_SIZES
)  # the drift per second grows with the reach


def analyses(size: tuple[int, int]) -> tuple[list[Zone], list[Line]]:
    """Return zones and lines all over a picture."""
    width, height = size
    zones = []
    for column, row in product(range(4), range(3)):
        x1, x2 = (width * (0.05 + 0.225 * (column + n)) for n in (0, 1))
        y1, y2 = (height * (0.25 + 0.24 * (row + n)) for n in (0, 1))
        zones.append(Zone([(x1, y1), (x2, y1), (x2, y2), (x1, y2)]))
    lines = [Line([(part * width, 0), (part * width, height)]) for part in (0.2, 0.35, 0.5, 0.65, 0.8)]
    lines += [Line([(0, part * height), (width, part * height)]) for part in (0.4, 0.5, 0.6, 0.7)]
    return zones, lines


def counts(one: MotSequence, tracks: Sequence[Tracks]) -> list[FloatArray]:
    """Return visitors, entries and seconds of each zone, and crossings of each line by direction."""
    size = one.size or (1920, 1080)
    zones, lines = analyses(size)
    image, scene = blank(size), Scene(one.name, size, one.fps, False, {0: "person"}, LOST_S)
    for plugin in (*zones, *lines):
        plugin.start(scene)
    for index, seen in enumerate(tracks):
        frame = Frame(image, index, index / one.fps)
        for plugin in (*zones, *lines):
            list(plugin.update(frame, seen))
    for zone in zones:
        list(zone.finish())
    return [
        np.array([zone.visitors for zone in zones], np.float64),
        np.array([zone.entries for zone in zones], np.float64),
        np.array([zone.dwell.sum for zone in zones]),
        np.array([[line.total("in"), line.total("out")] for line in lines], np.float64).ravel(),
    ]


def truth_of(one: MotSequence) -> list[Tracks]:
    """Return the annotated people, frame by frame."""
    rows = read_rows(one.truth)
    rows = rows[(rows[:, SCORE] == 1) & (rows[:, CLASS] == PEDESTRIAN)]
    people = []
    for frame in range(1, one.frames + 1):
        own = rows[rows[:, FRAME] == frame]
        xyxy = own[:, BOX].copy()
        xyxy[:, 2:] += xyxy[:, :2]
        n = len(own)
        people.append(Tracks(own[:, ID].astype(int), xyxy, np.ones(n), np.zeros(n, int), np.arange(n)))
    return people


def tracks_of(one: MotSequence) -> list[Tracks]:
    """Return what the default tracker makes of the stored detections."""
    tracker = MotionTracker(
        track_thresh=0.6, new_track_thresh=0.7, frame_rate=one.fps, track_buffer=round(30 * LOST_S)
    )
    return [tracker.update(found) for found in frames_of(read_rows(one.detections), one.frames)]


def main() -> None:
    """Print a row per reach."""
    found = [(one, tracks_of(one), counts(one, truth_of(one))) for one in find_sequences(DATA)]
    true = [
        sum(part) for part in zip(*([column.sum() for column in truth] for *_, truth in found), strict=True)
    ]
    print("true: " + ", ".join(f"{total:.0f}" for total in true) + " visitors, entries, seconds, crossings")
    for seconds, sizes in product(SECONDS, SIZES):
        track_history.INHERIT_S, track_history.INHERIT_SIZES = seconds, sizes
        track_history.DRIFT_SIZES_PER_S = PER_S * sizes
        wrong = np.zeros(4)
        for one, tracks, truth in found:
            wrong += [np.abs(a - b).sum() for a, b in zip(counts(one, tracks), truth, strict=True)]
        errors = "  ".join(f"{error:5.0f}" for error in wrong)
        print(f"{seconds:.1f} s, {sizes:.2f} sizes: errors {errors}", flush=True)


if __name__ == "__main__":
    main()
