"""Following one camera: the project's own run on stored detections, and its tables into the store."""

from __future__ import annotations

import dataclasses
import tempfile
import threading
import time
from pathlib import Path

from tracker.archive import tables
from tracker.archive.arrivals import (
    Arrivals,
    ArrivingDetections,
    ArrivingFrames,
    NotCutError,
    ReplacedError,
    Stored,
    notes_of,
    recorded,
    tracker_for,
)
from tracker.archive.sketches import Sketcher
from tracker.archive.store import open_store
from tracker.archive.tasks import Follow, Followed
from tracker.contracts import Detector, LastingTracker, Source, Tracker
from tracker.options import Options
from tracker.run.checkpoint import Saved
from tracker.run.session import Session
from tracker.run.upstream import Upstream
from tracker.trackers.make import make_tracker
from tracker.types import Recorded, Stopwatch
from tracker.zones import file as zone_file

LEFT = "files"  # folder of what plugins leave


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
        return tracker_for(tracker, self._frames, len(self._task.parts) > 1)


def follow(task: Follow) -> Followed:
    """Follow a camera and store its tables; raises ``TrackError``."""
    began = time.process_time()
    store = open_store(task.store)
    arrivals = Arrivals(store, task.parts, task.options.lost)
    with tempfile.TemporaryDirectory(prefix="track-") as name:
        folder = Path(name)
        options = _options(task, folder)
        (folder / LEFT).mkdir()
        upstream, sketched = WithArrivals(task, options, arrivals), bool(task.sketched)
        session = Session(upstream, options, sketch=sketched, prefix=folder / LEFT / "camera")
        frames, first_s, last_s = 0, 0.0, 0.0
        try:
            with session:
                sketcher = None
                if sketched:
                    sketcher = Sketcher(store, task.key, task.sketched, session.scene, session.drawing)
                for result in session:
                    if sketcher is not None:
                        sketcher.add(result, upstream.current)
                    first_s, last_s = first_s if frames else result.frame.time, result.frame.time
                    frames += 1
        except NotCutError as error:
            return Followed(not_cut=(error.recording, error.why))
        except ReplacedError:
            return Followed(again=True)
        if sketcher is not None:
            sketcher.finish()
        written = tables.publish(store, folder, task.key, session.scene, (first_s, last_s))
        for path in sorted((folder / LEFT).iterdir()):
            store.put(path, f"{LEFT}/camera={task.key}/{path.name}")
    return Followed(
        {name: notes_of(read) for name, read in arrivals.read.items()},
        tuple(written),
        tuple(session.warnings()),
        frames=frames,
        cpu_s=time.process_time() - began,
    )


def _options(task: Follow, folder: Path) -> Options:
    """Return the options of the run, which writes its tables into a folder."""
    wanted: dict[str, str | None] = {
        "save_csv": str(folder / tables.FILES["tracks"]),
        "events": str(folder / tables.FILES["events"]),
        "counts": str(folder / tables.FILES["counts"]),
    }
    if task.zones is not None:
        data = open_store(task.store).read(task.zones)
        path = folder / "zones.yaml"
        path.write_bytes(data or b"")
        wanted["zones"] = str(path)
        if zone_file.read(path, task.parts[0].probed.size).junctions:
            wanted["movements"] = str(folder / tables.FILES["movements"])
    return dataclasses.replace(task.options, **wanted)  # type: ignore[arg-type] # mypy knows no **
