"""What `track serve` runs: a thread for every source that was started."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from tracker.contracts import Detector, Sink
from tracker.detectors.coco import COCO
from tracker.detectors.shared import SharedDetector
from tracker.errors import EndRun, OutputError
from tracker.options import Options
from tracker.run.build_detector import of_shared, shared_detector
from tracker.run.listed import Run
from tracker.run.lock import Lock
from tracker.run.replay import WithSavedTracks
from tracker.run.session import Session
from tracker.run.upstream import Upstream, WithDetector
from tracker.sinks import output_file
from tracker.sources import open_source
from tracker.types import InputError, Scene, Stopwatch, TrackError
from tracker.web.counted_file import CountedFile
from tracker.web.history import History
from tracker.web.picture import encoded
from tracker.web.station import Station, fix_shared
from tracker.web.watch import WatchSink

INTERVAL_S = 900.0  # of the counts of a camera
STILL_WIDTH = 1280
RESULTS = {
    "video": "_output.mp4",
    "tracks": "_tracks.csv",
    "events": "_events.jsonl",
    "counts": "_counts.csv",
    "run": "_run.json",
}


class Worker:
    """Runs one source, as often as it is started; a camera goes on where it was stopped."""

    def __init__(self, run: Run, number: int, options: Options, folder: Path, shared: SharedDetector) -> None:
        self._uri, self._options, self._shared = run.uri, options, shared
        self._base = folder / run.name
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.history: History | None = None  # once the server is open
        zones = Path(run.zones or options.zones or self._path("_zones.yaml"))
        source = open_source(run.uri)
        self.station = station = Station(
            number, run.name, source.live, zones, keeps=source.live,
            memory=self._path("_shapes.json") if source.live else None,
        )  # fmt: skip
        station.start, station.stop = self.start, self.stop
        station.report = self.report
        if not source.live:
            with source:  # tells at once what is wrong with it
                station.counting.scene = Scene(source.name, source.size, source.fps, False, COCO)
                if source.length:
                    station.length_s = source.length / source.fps
            station.still, station.recount = self.still, self.recount
            self._file = CountedFile(run.uri, self._path("_film.json"))
            station.changed = self._file.changed
            station.video_from_s = options.start
            if all(output_file.exists(self._path(RESULTS[name])) for name in ("video", "tracks")):
                station.state = "ended"
                self._show_results()

    def start(self) -> None:
        """Begin, unless it runs."""
        self._begin(self._session)

    def recount(self) -> None:
        """Count anew from the saved tracks, at the lines and zones as they are now."""
        self._begin(self._recount_session, recounting=True)

    def stop(self) -> None:
        """End in order; returns at once."""
        self._stop.set()
        if self.station.state in ("starting", "running", "lost"):
            self.station.state = "stopping"

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the end."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    @property
    def is_alive(self) -> bool:
        """Whether a run has not ended yet."""
        return self._thread is not None and self._thread.is_alive()

    def still(self, at_s: float) -> bytes:
        """Return the picture at a second of the file as JPEG; raises ``InputError`` beyond its end."""
        with self._lock, open_source(self._uri, start_s=max(at_s, 0.0) or None, max_frames=1) as source:
            for frame in source:
                return encoded(frame.image, STILL_WIDTH)
        raise InputError(f"there is no picture at {at_s:g} s")

    def report(self, kind: str) -> bytes:
        """Return the report of what was counted, "html" or "xlsx"; raises ``TrackError``."""
        from tracker.report import sheets
        from tracker.report.gather import gather
        from tracker.report.page import page
        from tracker.run.reporting import needed

        needed()
        files = [self._path(RESULTS[name]) for name in ("events", "run")]
        if not all(path.is_file() for path in files):
            raise InputError("nothing has been counted yet")
        if kind == "xlsx":
            sheets.needed()
        report = gather(files)
        return sheets.workbook(report) if kind == "xlsx" else page(report).encode()

    def _begin(self, make: Callable[[], Session], *, recounting: bool = False) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._stop = threading.Event()
            self.station.state, self.station.message = "starting", ""
            self.station.recounting = recounting
            self._thread = threading.Thread(target=self._run, args=(make,), name=f"run {self.station.name}")
            self._thread.daemon = True
            self._thread.start()

    def _run(self, make: Callable[[], Session]) -> None:
        station = self.station
        try:
            made = make()
            station.unseen = made.account.unseen
            with made as session:
                for _ in session:
                    pass
        except EndRun:
            station.detach("stopped")
        except TrackError as error:
            station.detach("failed", str(error))
        except Exception as error:  # a mistake of ours ends one source, and is told
            station.detach("failed", f"{type(error).__name__}: {error}")
        else:
            station.detach("stopped" if self._stop.is_set() else "ended")
        self._show_results()

    def _session(self) -> Session:
        station = self.station
        options = replace(
            self._options,
            zones=station.counting.zone_file(),
            output=None if station.live else self._name("video"),
            events=self._name("events"),
            counts=self._name("counts"),
            save_run=self._name("run"),
            save_csv=None if station.live else self._name("tracks"),
            interval=self._options.interval or (INTERVAL_S if station.live else None),
        )
        if station.live:
            state = self._path("_state.json")
            options = replace(
                options, state=str(state), resume=state.is_file(), overwrite=not state.is_file()
            )
        else:
            options = replace(options, overwrite=True)
            station.results.clear()
            self._file.take()
            station.stale = False
            assert self.history is not None
            self.history.forget_after(station.name, -1.0)
        return self._opened(WithDetector(self._uri, options, self._detector, self.station.name), options)

    def _recount_session(self) -> Session:
        station = self.station
        options = replace(
            self._options,
            zones=station.counting.zone_file(),
            output=None,
            events=self._name("events"),
            counts=self._name("counts"),
            save_run=self._name("run"),
            overwrite=True,
        )
        assert self.history is not None and station.scene is not None
        self.history.forget_after(station.name, -1.0)
        table = self._path(RESULTS["tracks"])
        return self._opened(WithSavedTracks(table, options, size=station.scene.size), options, pictures=False)

    def _opened(self, upstream: Upstream, options: Options, *, pictures: bool = True) -> Session:
        station, history = self.station, self.history
        assert history is not None

        def attach(session: Session) -> Sink:
            station.attach(session)
            return WatchSink(station, history, session.scene, pictures=pictures)

        return Session(upstream, options, stop=self._stop, sketch=pictures, companion=attach)

    def _detector(self, stopwatch: Stopwatch, live: bool) -> Detector:
        return of_shared(self._shared, self._options, stopwatch, live=live)

    def _show_results(self) -> None:
        self.station.results = {
            key: path
            for key, suffix in RESULTS.items()
            if key != "run" and (path := self._path(suffix)).is_file()
        }

    def _path(self, suffix: str) -> Path:
        return output_file.beside(self._base, self._base.name, suffix)

    def _name(self, key: str) -> str:
        return str(self._path(RESULTS[key]))


class Workers:
    """All sources of `track serve`; opened by ``with``. Raises ``TrackError`` for what concerns all."""

    def __init__(self, runs: Sequence[Run], options: Options, folder: Path, *, count: bool = True) -> None:
        self._count, self._folder = count, folder
        self._alone = Lock(folder / "serve.lock")
        self._shared = shared_detector(options)
        self.all = [Worker(run, n, options, folder, self._shared) for n, run in enumerate(runs, 1)]
        fix_shared(self.stations)
        for worker in () if count else self.all:
            station = worker.station
            station.start = station.stop = station.recount = station.report = None
            station.results, station.state = {}, "idle"

    @property
    def stations(self) -> list[Station]:
        """What the page shows."""
        return [worker.station for worker in self.all]

    def claim(self) -> None:
        """Keep the folder for these alone until they end; raises ``OutputError``."""
        if not self._count:
            return
        output_file.make_folder(self._folder)
        if not self._alone.acquire():  # each would remove what the other has kept of the same source
            raise OutputError(
                f"{self._folder}: another track serve keeps its results there; end it, or give another -o"
            )

    def __enter__(self) -> Workers:
        """Begin with what is live; files wait for somebody to draw."""
        self._shared.__enter__()
        for worker in self.all:
            if worker.station.live and self._count:
                worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every run in order, however long that takes: what it has written is whole only then."""
        self.stop()
        self.join()
        self._shared.__exit__(kind, error, trace)
        self.release()

    def release(self) -> None:
        """Let others have the folder."""
        self._alone.release()

    def stop(self) -> None:
        """Let every run end; returns at once."""
        for worker in self.all:
            worker.stop()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of all runs; tells whether it has come."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        for worker in self.all:
            worker.join(None if until is None else max(until - time.monotonic(), 0.0))
        return not any(worker.is_alive for worker in self.all)
