"""Following one camera: the project's own run on stored detections, and its tables into the store."""

from __future__ import annotations

import dataclasses
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracker.archive import kept as records
from tracker.archive import tables
from tracker.archive.arrivals import Arrivals, NotCutError, Part, ReplacedError, Stored, notes_of
from tracker.archive.arriving import AcrossGaps, ArrivingDetections, ArrivingFrames, recorded
from tracker.archive.kept import Kept, Whose
from tracker.archive.sketches import Sketcher
from tracker.archive.store import open_store
from tracker.archive.tasks import Task
from tracker.contracts import Detector, LastingTracker, Source, Tracker
from tracker.options import Options
from tracker.run.checkpoint import Saved
from tracker.run.session import Session
from tracker.run.upstream import Upstream
from tracker.trackers.make import make_tracker
from tracker.types import Json, Recorded, Stopwatch
from tracker.zones import file as zone_file

LEFT = "files"  # folder of what plugins leave
NEVER_S = 86400.0  # its state is taken once, after the last frame


@dataclass(frozen=True)
class Follow(Task):
    """Follow the objects of one camera through the parts of its recordings, in order, while they arrive."""

    camera: str
    key: str
    dated: bool
    parts: tuple[Part, ...]
    store: str
    options: Options
    zones: str | None = None  # name of the zone file in the store
    sketched: str = ""  # mark of the settings with which sketches for videos are stored; none: they are not
    mark: str = ""  # of the settings with which tables are made
    lines: bool = False  # whether the lines that a run writes are kept beside

    @property
    def waits(self) -> bool:
        """It waits for parts."""
        return True

    @property
    def title(self) -> str:
        """The camera."""
        return self.camera

    def run(self) -> Followed:
        """Follow."""
        return follow(self)


@dataclass(frozen=True)
class Followed:
    """What came of a camera."""

    files: dict[str, Json] = field(default_factory=dict)  # name of a recording -> frames and notes
    tables: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_cut: tuple[str, str] | None = None  # a recording whose pieces do not fit, and why
    again: bool = False  # what it had read has been replaced: follow from the beginning
    frames: int = 0
    cpu_s: float = 0.0


class WithArrivals(Upstream):
    """The parts of a camera as they arrive."""

    def __init__(self, task: Follow, options: Options, arrivals: Arrivals) -> None:
        super().__init__(None, options)
        self._task, self._arrivals = task, arrivals

    @property
    def name(self) -> str:
        """What the camera is called."""
        return self._task.camera

    def make_source(self, stop: threading.Event, stopwatch: Stopwatch, saved: Saved | None = None) -> Source:
        """Return the frames of the camera, from the beginning."""
        first = self._task.parts[0]
        told = Recorded(first.probed.start_wall, first.probed.utc_offset_s)
        told = recorded(first.recording, self._task.dated, told)
        self._frames = ArrivingFrames(self._task.camera, self._arrivals, told)
        return self._frames

    @property
    def current(self) -> Stored:
        """What is stored of the frame that is looked at."""
        assert self._frames.current is not None
        return self._frames.current

    def make_detector(self, source: Source, stopwatch: Stopwatch) -> Detector:
        """Return what was found in them; waits for the first part."""
        return ArrivingDetections(self._frames, *self._arrivals.detector())

    def make_tracker(self, source: Source, found: str = "detect") -> Tracker:
        """Return the tracker, which begins anew behind a long gap between two files."""
        options = self._options
        tracker: LastingTracker = make_tracker(
            options.tracker, options.tracker_settings, source.fps, source.size, found
        )
        return AcrossGaps(tracker, self._frames)


def follow(task: Follow) -> Followed:
    """Follow a camera and store its tables; raises ``TrackError``."""
    began = time.process_time()
    store = open_store(task.store)
    whose = Whose(
        task.key, (task.release, task.mark), [(part.recording.name, part.folder) for part in task.parts]
    )
    before = records.load(store, whose) if _can_go_on(task) else None
    arrivals = Arrivals(store, task.parts, task.options.lost, None if before is None else before.reached)
    with tempfile.TemporaryDirectory(prefix="track-") as name:
        folder = Path(name)
        options = _options(task, folder, resume=before is not None)
        if before is not None:
            before.restore(folder)
        (folder / LEFT).mkdir()
        upstream, sketched = WithArrivals(task, options, arrivals), bool(task.sketched)
        session = Session(upstream, options, sketch=sketched, prefix=folder / LEFT / "camera")
        frames, first_s = 0, None
        last_s = 0.0 if before is None else before.reached.last_s
        known = None
        try:
            with session:
                sketcher = None
                if sketched:
                    sketcher = Sketcher(store, task.key, task.sketched, session.scene, session.drawing)
                for result in session:
                    if sketcher is not None:
                        sketcher.add(result, upstream.current)
                    last_s = result.frame.time
                    first_s = last_s if first_s is None else first_s
                    frames += 1
                if options.state is not None:
                    session.checkpoint()
                    known = records.taken(folder, len(session.host.members))
        except NotCutError as error:
            return Followed(not_cut=(error.recording, error.why))
        except ReplacedError:
            return Followed(again=True)
        if sketcher is not None:
            sketcher.finish()
        if before is None:
            records.forget(store, task.key)
        stored, lasting = None if before is None else before.stored, {} if known is None else known[1]
        publisher = tables.Publisher(store, folder, task.key, session.scene, stored, lasting)
        publisher.publish((last_s if first_s is None else first_s, last_s), lines=task.lines)
        if known is not None and arrivals.reached is not None:
            records.save(store, whose, Kept(known[0], arrivals.reached, publisher.stored))
        for path in sorted((folder / LEFT).iterdir()):
            store.put(path, f"{LEFT}/camera={task.key}/{path.name}")
    return Followed(
        {name: notes_of(read) for name, read in arrivals.read.items()},
        tuple(publisher.names),
        tuple(session.account.warnings()),
        frames=frames,
        cpu_s=time.process_time() - began,
    )


def _can_go_on(task: Follow) -> bool:
    """Whether the camera may get new files, and its run can go on with them: a second pass cannot."""
    return task.parts[-1].recording.start_s is not None and not task.options.refine


def _options(task: Follow, folder: Path, *, resume: bool) -> Options:
    """Return the options of the run, which writes its tables into a folder."""
    wanted: dict[str, Any] = {
        "save_csv": str(folder / tables.WRITTEN["tracks"]),
        "events": str(folder / tables.WRITTEN["events"]),
        "counts": str(folder / tables.WRITTEN["counts"]),
    }
    if _can_go_on(task):
        wanted |= {"state": str(records.state_file(folder)), "state_every": NEVER_S, "resume": resume}
    if task.zones is not None:
        data = open_store(task.store).read(task.zones)
        path = folder / "zones.yaml"
        path.write_bytes(data or b"")
        wanted["zones"] = str(path)
        if zone_file.read(path, task.parts[0].probed.size).junctions:
            wanted["movements"] = str(folder / tables.WRITTEN["movements"])
    return dataclasses.replace(task.options, **wanted)
