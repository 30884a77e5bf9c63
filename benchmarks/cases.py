"""Recordings, their lines, and who crossed them in truth: what the defaults are judged by.

Sequences with annotated people (vtest, the MOT17 validation halves) have the sixteen lines of
`benchmarks.lines`; vtest and the clips of ../shared have those of ``truth.json`` too.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.counting import SHARED, SIGN, unmatched
from benchmarks.identities import VTEST
from benchmarks.lines import TOLERANCE_S, Crossing, ends, layout, told_crossings, true_crossings
from benchmarks.zones import Film, films, halved, jittered
from bytetrack import Detections
from bytetrack.types import FloatArray
from tracker.offline.metrics import score
from tracker.offline.motchallenge import MotSequence, find_sequences, rows_of
from tracker.options import Options
from tracker.plugins.line import Line
from tracker.trackers.make import make_tracker

HALVES = SHARED / "data/mot17-val-half"
BOX_JITTER = 0.01  # standard deviation of every edge, in parts of the box's size
SCORE_JITTER = 0.02
SCALED = ("conf", "new_track_thresh", "match_thresh")  # what a score is compared with, or part of


@dataclass(frozen=True)
class TrueLine:
    """Who crossed a line in truth."""

    points: tuple[tuple[float, float], tuple[float, float]]
    crossings: tuple[Crossing, ...]
    tolerance: int  # frames

    def halved(self, first: int) -> TrueLine:
        """Return the same where every second frame was dropped."""
        crossings = tuple(((frame - first) // 2, sign) for frame, sign in self.crossings)
        return replace(self, crossings=crossings, tolerance=self.tolerance // 2)


@dataclass(frozen=True, eq=False)
class Case:
    """One recording and what is true about it; ``truth`` where identities are annotated."""

    film: Film
    lines: tuple[TrueLine, ...]
    truth: MotSequence | None = None

    @property
    def crossings(self) -> int:
        return sum(len(line.crossings) for line in self.lines)

    def runs(self, draws: int) -> Iterator[tuple[Film, tuple[TrueLine, ...]]]:
        """Yield the recording as it is, with jittered boxes and scores, and each half of its frames."""
        yield self.film, self.lines
        for seed in range(draws):
            yield jittered(self.film, seed, 0, BOX_JITTER, SCORE_JITTER), self.lines
        for first in (0, 1):
            yield halved(self.film, first), tuple(line.halved(first) for line in self.lines)

    def judge(self, setting: Mapping[str, Any], draws: int) -> tuple[FloatArray, FloatArray]:
        """Return false and missed crossings of each run, and HOTA and IDF1 (runs, 2), NaN where unknown."""
        options = own_setting(self.film.options, setting)
        wrong, identities = [], []
        for number, (film, lines) in enumerate(self.runs(draws)):
            tracker = make_tracker(options.tracker, options.tracker_settings, film.fps, film.size)
            tracks = [tracker.update(found) for found in film.found]
            plugins = {line: Line(line.points) for line in lines}
            film = replace(film, options=options)
            wrong.append(
                sum(
                    len(crossings)
                    for line, events in told_crossings(film, tracks, plugins)
                    for crossings in unmatched(
                        line.crossings, [(e.frame, SIGN[e.kind]) for e in events], line.tolerance
                    )
                )
            )
            figures = {"HOTA": np.nan, "IDF1": np.nan}
            if self.truth is not None and number <= draws:  # there is no file of half the truth
                figures = score([self.truth], {self.truth.name: rows_of(tracks)})[self.truth.name]
            identities.append([figures["HOTA"], figures["IDF1"]])
        return np.array(wrong, np.float64), np.array(identities)


def own_setting(own: Options, setting: Mapping[str, Any]) -> Options:
    """Return a setting as it is for a recording whose detector wants options of its own.

    A threshold means another thing to a detector that is surer: the odds p / (1 - p) of what is asked are
    multiplied by the odds of the recording's own value over those of the default.
    """
    default, asked = Options(), dict(setting)
    for name in SCALED:
        if name in asked:
            here, there, value = getattr(own, name), getattr(default, name), asked[name]
            factor = here / (1 - here) * (1 - there) / there
            asked[name] = value * factor / (1 - value + value * factor)
    return replace(own, **asked)


def cases(cache: Path, only: Sequence[str] = ()) -> list[Case]:
    """Return vtest, the MOT17 halves and the clips, or those with one of these words in their names.

    Detections that have to be made are kept in ``cache``.
    """
    marked: dict[str, list[TrueLine]] = {}
    for line in json.loads((SHARED / "data/truth.json").read_text())["lines"]:
        x1, y1, x2, y2 = line["line"]
        crossings = tuple((frame, sign) for frame, sign in line["event_frames"])
        marked.setdefault(line["clip"], []).append(
            TrueLine(((x1, y1), (x2, y2)), crossings, line["event_match_tolerance_frames"])
        )

    def wanted(name: str) -> bool:
        return not only or any(word in name for word in only)

    cache.mkdir(parents=True, exist_ok=True)
    found = []
    for folder in (VTEST, *sorted(HALVES.glob("MOT*"))):
        name = "vtest" if folder == VTEST else folder.name
        if wanted(name):
            (film,), (truth,) = films([folder], cache / "vtest.npz"), find_sequences(folder)
            lines = [
                TrueLine(
                    ends(film.size, axis, at),
                    tuple(true_crossings(film, axis, at)),
                    round(TOLERANCE_S * film.fps),
                )
                for axis, at in layout(film.size)
            ]
            lines += marked["vtest.avi"] if folder == VTEST else []
            found.append(Case(replace(film, name=name), tuple(lines), truth))
    for name, own in marked.items():
        if name != "vtest.avi" and wanted(name):
            found.append(Case(clip(SHARED / "data/videos" / name, cache), tuple(own)))
    return found


def clip(path: Path, cache: Path) -> Film:
    """Return what the default detector finds in a clip; kept in ``cache`` from the first time on."""
    kept = cache / f"{path.stem}.npz"
    if not kept.is_file():
        _detect(path, kept)
    with np.load(kept) as data:
        bounds = np.searchsorted(data["frame"], np.arange(len(data["time"]) + 1))
        xyxy, score_of, class_id = data["xyxy"].astype(float), data["score"], data["class_id"]
        found = [
            Detections(xyxy[a:b], score_of[a:b], class_id[a:b])
            for a, b in itertools.pairwise(bounds.tolist())
        ]
        width, height = data["size"].tolist()
        return Film(path.stem, (width, height), float(data["fps"]), found, {})


def _detect(path: Path, kept: Path) -> None:
    from tracker.detectors import Settings, open_detector
    from tracker.sources import open_source

    with (
        open_source(str(path)) as source,
        open_detector(str(SHARED / "weights/yolov8n.pt"), Settings(precision="fp32")) as detector,
    ):
        frames = [(frame.time, found) for frame, found in detector.stream(source) if found is not None]
        about = {"fps": source.fps, "size": source.size}
    found = [boxes for _, boxes in frames]
    np.savez(
        kept,
        frame=np.repeat(np.arange(len(found)), [len(boxes) for boxes in found]),
        xyxy=np.concatenate([boxes.xyxy for boxes in found]),
        score=np.concatenate([boxes.score for boxes in found]),
        class_id=np.concatenate([boxes.class_id for boxes in found]),
        time=[time for time, _ in frames],
        **about,
    )
