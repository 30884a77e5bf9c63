"""Several trackers over one recording: decoded once, detected once, counted for each."""

from __future__ import annotations

import importlib.util
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from bytetrack import Detections, Tracks
from bytetrack.last_shapes import LastShapes
from tracker import pipeline, threads
from tracker.contracts import Detector, PictureTracker, PredictingTracker, Source, Tracker
from tracker.offline.metrics import COMBINED, Scores, score
from tracker.offline.motchallenge import MotSequence, find_sequences, rows_of
from tracker.options import Options
from tracker.plugin_host import Host
from tracker.run.build_plugins import check, make_plugins
from tracker.run.upstream import Upstream
from tracker.text import harmless
from tracker.trackers.make import make_tracker
from tracker.trackers.settings import NEED_LOOKS, WITH_GALLERY
from tracker.types import Frame, InputError, OptionError, Scene, Stopwatch

DOUBTFUL = re.compile(r", (\d+) of them doubtful")  # too long for a column
LOOKS = "color"  # of the trackers that need looks, where nobody says which


@dataclass(eq=False)
class Candidate:
    """One tracker, what it found, and how long that took."""

    name: str
    tracker: Tracker
    host: Host
    ids: set[int] = field(default_factory=set)
    spent_s: float = 0.0
    frames: int = 0
    kept: list[Tracks] | None = None  # of every frame, where there is a truth
    before: float | None = None  # time of the last frame
    shapes: LastShapes = field(default_factory=lambda: LastShapes(pipeline.LOST_S))

    def take(self, frame: Frame, detections: Detections | None) -> None:
        """Track one frame, and count in it."""
        start = time.perf_counter()
        dt = pipeline.frames_passed(self.before, frame.time, self.tracker.frame_rate)
        if isinstance(self.tracker, PictureTracker):
            self.tracker.observe(frame)
        if detections is None:
            tracks = cast(PredictingTracker, self.tracker).predict(dt)
        else:
            tracks = self.tracker.update(detections, dt)
        self.spent_s += time.perf_counter() - start
        tracks = self.shapes.carry(tracks, pipeline.NOTHING if detections is None else detections, frame.time)
        self.before, self.frames = frame.time, self.frames + 1
        seen = tracks[tracks.source >= 0]
        self.ids.update(seen.track_id.tolist())
        if self.kept is not None:
            self.kept.append(tracks)
        self.host.look(frame, seen, [], sketch=False)

    def rows(self) -> list[tuple[str, str]]:
        """Return what there is to compare: names and values."""
        counted = [row for rows in self.host.summaries() for row in rows]
        spent_ms = 1000 * self.spent_s / max(self.frames, 1)
        return [("identities", str(len(self.ids))), *counted, ("ms per frame", f"{spent_ms:.2f}")]


def find_truth(path: Path | None) -> MotSequence | None:
    """Return the sequence of a ground truth: its folder, or its gt.txt; raises ``TrackError``."""
    if path is None:
        return None
    if importlib.util.find_spec("trackeval") is None:
        raise OptionError("--truth needs TrackEval; install it: pip install 'track-anything-in-video[eval]'")
    found = find_sequences(path.parent.parent if path.is_file() else path)
    if len(found) > 1:
        raise InputError(f"--truth {path}: has {len(found)} sequences; give the folder of one")
    return found[0]


class Comparison:
    """Trackers beside each other; opened by ``with``, run once.

    ``looks`` is the appearance of the trackers that need one, where the options name none. Raises
    ``TrackError`` for options that cannot be, and what source and detector raise.
    """

    def __init__(
        self,
        upstream: Upstream,
        options: Options,
        kinds: Sequence[str],
        truth: MotSequence | None,
        looks: str = LOOKS,
    ) -> None:
        check(options)
        self._looks = looks
        self._upstream, self._options, self._truth = upstream, options, truth
        self._asked = [self._own(kind) for kind in kinds]
        self._stack = ExitStack()

    def __enter__(self) -> Comparison:
        """Open source and detector, and make the trackers."""
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """Close what was opened."""
        self._stack.close()

    def run(self, advance: Callable[[int], None]) -> list[Candidate]:
        """Go through the recording; ``advance`` is called once a frame."""
        pictures = any(isinstance(each.tracker, PictureTracker) for each in self.candidates)
        for frame, detections in self.detector.stream(self.source):
            if pictures:
                frame.image  # noqa: B018  # made when first asked for, which is not the time of a tracker
            first = frame.index % len(self.candidates)  # who is first finds caches cold, and pays for all
            for each in (*self.candidates[first:], *self.candidates[:first]):
                each.take(frame, detections)
            advance(len(self.candidates[0].ids))
        for each in self.candidates:
            pipeline.finish(each.host)
        return self.candidates

    def scores(self) -> dict[str, Scores]:
        """Return HOTA, IDF1, switches and more of each, where there is a truth."""
        if self._truth is None:
            return {}
        found = {}
        for each in self.candidates:
            assert each.kept is not None
            one = replace(self._truth, frames=min(self._truth.frames, max(len(each.kept), 1)))
            rows = rows_of(each.kept[: one.frames])
            found[each.name] = score([one], {one.name: rows}, "auto")
        return found

    def _own(self, kind: str) -> tuple[str, Options]:
        """Return the name and the options of one of the trackers."""
        looks = self._options.appearance
        if kind in NEED_LOOKS and looks == "none":
            looks = self._looks
        remember = None if kind in WITH_GALLERY else self._options.remember
        own = replace(self._options, tracker=kind, appearance=looks, remember=remember)
        name = kind if looks == "none" else f"{kind} ({Path(looks).stem})"
        return name, own

    def _open(self) -> None:
        self._stack.enter_context(threads.OPENCV.at(threads.plan().opencv))
        stop, stopwatch = threading.Event(), Stopwatch()
        upstream, options = self._upstream, self._options
        self.source: Source = self._stack.enter_context(upstream.make_source(stop, stopwatch))
        if self.source.live:
            raise OptionError(f"{self.source.name} is live; record it first, and compare on the file")
        self.detector: Detector = self._stack.enter_context(upstream.make_detector(self.source, stopwatch))
        fps, size = upstream.frame_rate(self.source), self.source.size
        scene = Scene(
            source=self.source.name,
            size=size,
            fps=fps,
            live=False,
            names=upstream.names(self.detector),
            lost_s=options.lost,
            kind=self.detector.kind,
        )
        self.candidates: list[Candidate] = []
        for name, own in self._asked:
            host = Host(make_plugins(own, size, scene.names))
            host.start(scene)
            made = make_tracker(own.tracker, own.tracker_settings, fps, size, scene.kind)
            tracker = cast(Tracker, made)
            self.candidates.append(Candidate(name, tracker, host, kept=[] if self._truth else None))


def figures(candidates: Sequence[Candidate], scores: Mapping[str, Scores]) -> dict[str, dict[str, str]]:
    """Return what is compared: of each tracker names and values, the truth's first."""
    found = {}
    for each in candidates:
        judged: dict[str, str] = {}
        if each.name in scores:
            truth = scores[each.name][COMBINED]
            judged = {name: f"{truth[name]:.1f}" for name in ("HOTA", "IDF1", "MOTA")}
            judged |= {"switches": f"{truth['IDSW']}", "identities in truth": f"{truth['GT_IDs']}"}
        found[each.name] = {**judged, **dict(each.rows())}
    return found


def as_table(compared: Mapping[str, Mapping[str, str]]) -> str:
    """Return the comparison as text: a column for each tracker, a row for what is compared.

    >>> print(as_table({"sort": {"ids": "7"}, "motion": {"ids": "5", "A in": "2, 1 of them doubtful"}}))
          sort          motion
    ids      7               5
    A in     -  2 (1 doubtful)
    """
    names = dict.fromkeys(name for column in compared.values() for name in column)
    told = [["", *compared]]
    told += [[name, *(column.get(name, "-") for column in compared.values())] for name in names]
    rows = [[harmless(DOUBTFUL.sub(r" (\1 doubtful)", cell)) for cell in row] for row in told]
    first, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = (
        [f"{name:{first}}", *(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))]
        for name, *cells in rows
    )
    return "\n".join("  ".join(line) for line in lines)
