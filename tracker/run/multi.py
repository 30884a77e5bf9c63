"""Several sources in one run: one model for all, everything else for each."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from tracker import handover
from tracker.contracts import Detector
from tracker.options import Options
from tracker.run.build_detector import look_of, of_shared, shared_detector
from tracker.run.claims import Claims
from tracker.run.listed import Run, find_runs, options_of
from tracker.run.naming import output_in
from tracker.run.paths import claim_inputs, claim_outputs, claim_source
from tracker.run.session import Companion, Session
from tracker.run.upstream import WithDetector
from tracker.sinks import output_file
from tracker.sinks.encoding import ENCODINGS
from tracker.sources import open_source
from tracker.types import EndRun, OptionError, Result, Stopwatch, TrackError

if TYPE_CHECKING:  # Python 3.10 has no Unpack of its own, and needs none to run
    from typing_extensions import Unpack

    from tracker.arguments.keywords import Keywords

GRACE_S = 1.5  # for who loads a model or waits for a camera; then the end of the process is theirs


def track_all(
    sources: Sequence[str | int | Path], *, stop: threading.Event | None = None, **options: Unpack[Keywords]
) -> Iterator[tuple[str, Result]]:
    """Track all objects in several sources: yield each result as it comes, with the name of its source.

    As `tracker.track`, with one model for all. Live sources run at the same time, files one after the other.
    ``output`` is a folder; names of other files get the source's name (``counts_door.csv``). A source that
    fails does not end the others: when they have ended the first error is raised.
    """
    chosen = Options.of(options, "track_all")
    places = [str(source) for source in sources]
    with Several(places, chosen, stop, save=chosen.output is not None) as several:
        for run, result in several:
            yield run.name, result
    for run in several.runs:
        if run.error is not None:
            raise run.error


class Several:
    """Runs over several sources; opened by ``with``, iterated once.

    What is live runs at the same time, each in a thread; files follow one another. A source that fails ends
    alone; its error is in its ``Run``. Raises ``OptionError`` and ``OutputError`` for what concerns all.
    """

    def __init__(
        self,
        sources: Sequence[str],
        options: Options,
        stop: threading.Event | None = None,
        *,
        save: bool = True,
        sketch: bool = True,
        leave: bool = False,
        companion: Callable[[str], Companion] | None = None,  # for the source of this name
        zones: Mapping[str, str] | None = None,  # by name of the source, where no other is named
    ) -> None:
        self._companion = companion
        self.runs = find_runs(sources)
        for run in self.runs:
            run.zones = run.zones or (zones or {}).get(run.name)
        self.notes: list[str] = []  # what the user should know of the network that all share
        self._options = {run.name: options_of(run, options, save=save) for run in self.runs}
        self._all, self._save, self._sketch = options, save, sketch
        self._leave = leave or save  # what plugins leave at the end, NAME_output_routes.png and the like
        self._folder = Path(options.output or ".")
        if save and self._folder.suffix.lower() in ENCODINGS:
            raise OptionError(f"-o {self._folder} is one file for {len(self.runs)} sources; give a folder")
        self.stop = stop or threading.Event()
        with ThreadPoolExecutor(len(self.runs)) as pool:  # one that does not answer holds up nobody
            lives = pool.map(
                lambda run: open_source(run.uri, give_up_after_s=options.give_up_after).live, self.runs
            )
        live = [run for run, is_live in zip(self.runs, lives, strict=True) if is_live]
        files = [run for run in self.runs if run not in live]
        self._lanes = [[run] for run in live] + ([files] if files else [])
        self._open_lanes = len(self._lanes)
        self._alone = not live
        look_of(options, live=not files)  # which may be refused
        self._results: queue.Queue[tuple[Run, Result] | None] = queue.Queue(len(self._lanes))
        self._closing = threading.Event()
        self._broken: BaseException | None = None
        recordings = [run.uri for run in self.runs]
        self._shared = shared_detector(options, recordings, self.notes, self.stop)
        self._lists = [source for source in sources if source.lower().endswith(".streams")]
        self._claims = Claims()

    def __enter__(self) -> Several:
        """Make the folder, claim every path and begin."""
        if self._save:
            output_file.make_folder(self._folder)
        try:
            self._claim()
        except BaseException:
            self._claims.__exit__(None, None, None)
            raise
        self._threads = [
            threading.Thread(target=self._run, args=(lane,), name=f"run {lane[0].name}", daemon=True)
            for lane in self._lanes
        ]
        self._shared.__enter__()
        for thread in self._threads:
            thread.start()
        return self

    def _claim(self) -> None:
        for path in self._lists:
            self._claims.read("the list of sources", path)
        for run in self.runs:
            claim_source(self._claims, run.uri)
            claim_inputs(self._claims, self._options[run.name])
        for run in self.runs:
            claim_outputs(self._claims, self._options[run.name], f" of {run.name}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every run in order."""
        self.stop.set()
        self._closing.set()
        until = time.monotonic() + GRACE_S
        for thread, lane in zip(self._threads, self._lanes, strict=True):
            while thread.is_alive() and (_has_files_open(lane) or time.monotonic() < until):
                thread.join(handover.POLL_S)
        if not any(thread.is_alive() for thread in self._threads):
            self._shared.__exit__(kind, error, trace)
            self._claims.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[tuple[Run, Result]]:
        """Yield each result as it comes, with the run that it belongs to."""
        for item in handover.items(self._results, self._over):
            if item is None:
                self._open_lanes -= 1
            else:
                yield item
        if self._broken is not None:
            raise self._broken

    def _over(self) -> bool:
        return not self._open_lanes or self.stop.is_set()

    def _run(self, lane: list[Run]) -> None:
        for run in lane:
            if self.stop.is_set():
                break
            try:
                self._follow(run)
            except EndRun:
                continue  # stopped before the first picture
            except TrackError as error:
                run.error = error
            except BaseException as error:  # a mistake of ours: the consumer must learn of it
                self._broken = error
                self.stop.set()
        self._put(None)

    def _follow(self, run: Run) -> None:
        options = self._options[run.name]
        prefix = Path(options.output) if options.output else output_in(Path(), run.name)
        session = Session(
            WithDetector(run.uri, options, self._detector_handle, run.name),
            options,
            stop=self.stop,
            sketch=self._sketch,
            prefix=prefix.with_suffix("") if self._leave else None,
            claims=self._claims,
            companion=None if self._companion is None else self._companion(run.name),
        )
        run.session = session
        with session:
            for result in session:
                if not self._put((run, result)):
                    return

    def _detector_handle(self, stopwatch: Stopwatch, live: bool) -> Detector:
        return of_shared(self._shared, self._all, stopwatch, live=live, alone=self._alone)

    def _put(self, item: tuple[Run, Result] | None) -> bool:
        return handover.put(self._results, item, self._closing.is_set)


def _has_files_open(lane: list[Run]) -> bool:
    return any(run.session is not None and run.session.account.opened for run in lane)
