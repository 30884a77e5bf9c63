"""One run from its options to its end: everything with an effect is opened here."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeAlias, cast

from tracker import pipeline, threads
from tracker.contracts import Detector, LastingTracker, PluginLike, Sink, Source, Tracker
from tracker.options import Options
from tracker.plugin_host import Host
from tracker.run.build_plugins import check as check_plugins
from tracker.run.build_plugins import make_plugins, use_background
from tracker.run.build_sinks import check_outputs, counted, leave_files, make_sinks
from tracker.run.checkpoint import Parts, Reshape
from tracker.run.claims import Claims
from tracker.run.continuation import make_continuation
from tracker.run.painter import Painter, draw_options
from tracker.run.paths import claim_inputs, claim_leaves, claim_outputs
from tracker.run.profile import Profile
from tracker.run.record import shapes_of
from tracker.run.reporting import Reporting
from tracker.run.stored import detections_sink
from tracker.run.summary import Report
from tracker.run.upstream import Upstream, WithDetector
from tracker.run.waiting import Waiting
from tracker.sinks import CountsSink
from tracker.sinks.output_file import each_folder_once
from tracker.text import told
from tracker.types import (
    EndRun,
    Event,
    Frame,
    Json,
    OptionError,
    PluginError,
    Recorded,
    Result,
    Scene,
    Stopwatch,
    TrackError,
)

Companion: TypeAlias = "Callable[[Session], Sink]"


class Session:
    """One run, opened by ``with`` and iterated once."""

    def __init__(
        self,
        source: str | int | Path | Upstream,
        options: Options,
        plugins: Sequence[PluginLike] = (),
        stop: threading.Event | None = None,
        *,
        sketch: bool = True,
        prefix: Path | None = None,
        claims: Claims | None = None,
        companion: Companion | None = None,
    ) -> None:
        self._upstream = source if isinstance(source, Upstream) else WithDetector(source, options)
        self._companion = companion  # makes a sink that needs the whole run, such as the live page
        self._claims = claims  # of a call with several sources, which has claimed what options name
        self.sketch = sketch  # whether anybody may look at a picture
        self.prefix = prefix  # plugins leave PREFIX_routes.png and the like; None: they leave nothing
        self.left: list[Path] = []
        self.options, self.plugins = options, list(plugins)
        self.stop = stop or threading.Event()
        self.reshape: Reshape | None = None  # set where lines and zones change while nothing runs
        self.stopwatch = Stopwatch()
        self.advance: Callable[[int], None] | None = None  # told of every frame of a first pass
        self.profile: list[tuple[str, str]] = []  # where the time went, once the run is over
        self.last_events: list[Event] = []  # what came after the last frame
        self._summaries: list[list[tuple[str, str]]] | None = None  # once the plugins have finished
        self._warnings: list[str] = []
        self._crowded = 0  # frames with as many boxes as --max-det lets through
        self._state = make_continuation(options)
        self._ended = False  # by itself
        self.opened = False
        self._waiting: Waiting | None = None
        self._awaited: Source | None = None  # the source, also where it has not given a picture yet
        self._began = time.monotonic()
        self._reporting = Reporting(options)
        self._stack = ExitStack()

    @property
    def name(self) -> str:
        """What the source is called; no address, which may hold a password."""
        return self._upstream.name

    def __enter__(self) -> Session:
        """Open source, detector, plugins and sinks, in this order; what was opened is closed on an error."""
        try:
            self._open()
        except BaseException:
            if self._waiting is not None:
                self._waiting.give_up(interrupted=self.stop.is_set())
            self._stack.close()
            raise
        self.opened = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let plugins say their last, then close everything, the last opened first."""
        failed: list[BaseException] = []
        try:
            with self._stack:
                failed += self._finish()
        except Exception as late:  # of a sink that was completed
            failed.append(late)
        self.report.close()
        try:
            resumed = not self._state.is_new
            self.left += self._reporting.write(
                self._upstream.recording, self.left, live=self.scene.live, resumed=resumed
            )
        except TrackError as late:
            failed.append(late)
        if self._profile is not None:
            self.profile = self._profile.rows(self.stopwatch.seconds, self.detector.idle_share)
        left_early = isinstance(error, GeneratorExit)  # by who uses the results, who must learn of it
        failed = each_folder_once(failed)
        told = failed[0] if failed and (error is None or left_early) else error
        self._warnings += [str(other) for other in failed if other is not told]
        if told is not None and told is not error:
            raise told

    def __iter__(self) -> Iterator[Result]:
        """Yield one ``Result`` per frame; each has been through every sink."""
        results = pipeline.run(
            *self._parts(),
            self.host,
            sketch=self.sketch,
            stopwatch=self.stopwatch,
            since=self._state.since,
            painter=self._painter,
        )
        with suppress(EndRun):  # a window was closed, while frames came or while none did
            for result in results:
                self._state.count(result.frame)
                self.report.add(result)
                self._crowded += len(result.detections) >= self.options.max_det
                if self._far_away is not None:
                    self._far_away.add(result.tracks.xyxy)
                for sink in self.sinks:
                    sink.write(result)
                if self._state.due():
                    self._save()
                if self._profile is not None:
                    self._profile.sample(
                        self._read.queued, max((sink.queued for sink in self.sinks), default=0)
                    )
                yield result
                if self.stop.is_set():
                    return
            self._ended = not self.stop.is_set()

    def _finish(self) -> list[Exception]:
        """Let plugins and sinks say their last; a run that will go on says nothing, but saves its state.

        Whoever fails keeps nobody else from it. Returns the errors, the first first.
        """
        failed: list[Exception] = []

        def attempt(step: Callable[[], None]) -> None:
            try:
                step()
            except Exception as error:
                failed.append(error)

        if not self._ended:
            attempt(lambda: self._save(wait=True))
        elif self._limited and not self.host.errors:
            attempt(lambda: self._state.hold(self._known(), self.detector))
        self.last_events = pipeline.finish(self.host, self.source)
        if self._state.kept and not self._ended:
            self.last_events = []
        for sink in self.sinks:
            attempt(functools.partial(sink.finish, self.last_events, interrupted=self.stop.is_set()))
        attempt(self._leave_files)
        self._summaries = self.host.summaries()
        if self._ended:
            attempt(lambda: self._save(wait=True, ended=True))
        return [*self.host.errors, *(error for error in failed if not isinstance(error, PluginError))]

    def _leave_files(self) -> None:
        nothing_new = self._state.kept and self.report.frames == 0
        if self.prefix is not None and not nothing_new:
            left: dict[str, str] = {}
            try:
                for path, digest in leave_files(
                    self.host, self.prefix, overwrite=self.options.overwrite, mine=self._state.left
                ):
                    self.left.append(path)
                    left[str(path)] = digest
            finally:
                self._state.add_left(left)

    def _on_idle(self, events: Sequence[Event]) -> None:
        """While no frame comes: pass on at once what happened to the source, and let the window answer."""
        for sink in self.sinks:
            if events:
                sink.notify(events)
            sink.on_idle()

    def _save(self, *, wait: bool = False, ended: bool = False) -> None:
        """Save, unless a plugin has failed: then the last state is the one to go on from."""
        if not self.host.errors:
            try:
                self._state.save(self._known(), self.detector, wait=wait, ended=ended)
            except PluginError as error:
                self.host.errors.append(error)
                raise

    def checkpoint(self) -> None:
        """Save what is known by now, as a run does that will go on; with ``--state`` only.

        Between the last frame and the end it keeps what the run knew before anybody said their last.
        """
        self._save(wait=True)

    def _known(self) -> Parts:
        return Parts(self.scene, self._lasting_tracker(), self.host, self.sinks, self.report)

    @property
    def _limited(self) -> bool:
        """Whether more of the source may be asked for than this run was to see."""
        limits = self.options.end, self.options.max_frames
        return not self.scene.live and any(limit is not None for limit in limits)

    @property
    def was_awaited(self) -> bool:
        """Whether there was a live source to wait for, so that its run is told of even without a picture."""
        return self._awaited is not None and self._awaited.live

    def unseen(self) -> str | None:
        """Return why a live source has not given a picture yet; None where one has."""
        return None if self.opened or self._awaited is None else self._awaited.unseen()

    def warnings(self) -> list[str]:
        """Return what the user should know: skipped packets, dropped frames, that no picture came at all."""
        if not self.opened:
            unseen = self.unseen()
            return [*self._warnings, *([unseen] if unseen else [])]
        warnings = [
            *self._upstream.warnings,
            *self.source.warnings,
            *(text for sink in self.sinks for text in sink.warnings),
            *self._warnings,
        ]
        if self._crowded:
            most = self.options.max_det
            warnings.append(
                f"{self._crowded} frames had {most} boxes, the maximum of --max-det: raise it to get more"
            )
        return warnings

    def summaries(self) -> list[Sequence[tuple[str, str]]]:
        """Return the plugins' rows for the table."""
        return [*(self.host.summaries() if self._summaries is None else self._summaries)]

    def rows(self) -> list[tuple[str, str]]:
        """Return the table of the run: names and values."""
        if not self.opened:
            return [("frames", f"none in {time.monotonic() - self._began:.1f} s")]
        live: list[tuple[str, str]] = []
        if self.source.live:
            live = [("delay", f"{1000 * self.source.delay_s:.0f} ms, median")]
            live += [("dropped", f"{self.source.dropped} frames")]
        description = self.detector.description
        network = [("network", description)] if description else []
        small = [] if self._far_away is None else self._far_away.rows()
        rows = [live, *self.summaries(), small, network, self.detector.summary()]
        return self.report.rows(self.stopwatch.seconds, rows)

    def outputs(self) -> list[str]:
        """Return the files written."""
        if not self.opened:
            return []
        written = [path for sink in self.sinks for path in sink.files]
        return [str(path) for path in (*self._reporting.outputs(written), *self.left)]

    def _open(self) -> None:
        options = self.options
        check_plugins(options)
        self._stack.enter_context(threads.OPENCV.at(threads.plan().opencv))
        claims = self._claims
        if claims is None:
            claims = self._stack.enter_context(Claims())
            self._upstream.claim(claims)
            claim_inputs(claims, options)
            claim_outputs(claims, options)
        self._stack.callback(self._state.release)
        self._warnings += [f"{path} contains what a killed run had recorded" for path in self._state.load()]
        going_on = not self._state.is_new
        if not going_on:
            check_outputs(options)
        self._awaited = source = self._make_source()
        self._waiting = Waiting(options, source, self._stack)
        self.source = self._stack.enter_context(source)
        upstream = self._upstream
        self.detector: Detector = self._stack.enter_context(
            upstream.make_detector(self.source, self.stopwatch)
        )
        recorded = self.source.recorded or Recorded()
        self.scene = Scene(
            source=self.source.name,
            size=self.source.size,
            fps=upstream.frame_rate(self.source),
            live=self.source.live,
            names=upstream.names(self.detector),
            lost_s=options.lost,
            start_wall=0.0 if self.source.live else recorded.start_wall,
            utc_offset_s=recorded.utc_offset_s,
            kind=self.detector.kind,
        )
        self.plugins += make_plugins(options, self.scene.size, self.scene.names)
        self.drawing = draw_options(options, self.scene.names)
        if self.drawing.blurring is not None and self.drawing.blurring.faces and self.scene.kind != "pose":
            raise OptionError(
                "--blur face needs -pose weights, such as yolov8n-pose.pt; --blur person does not"
            )
        self._painter = Painter(self.scene.names, self.drawing, self.scene.live)
        self.host = Host(self.plugins)
        mine = self._state.left
        claim_leaves(claims, self.host, self.prefix, overwrite=options.overwrite, mine=mine)
        use_background(options, self.scene)
        self.host.start(self.scene)
        self.tracker = upstream.make_tracker(self.source, self.detector.kind)
        self._read = self.source  # with --refine a second one later
        self._profile = Profile(live=self.source.live) if options.profile else None
        self._far_away = upstream.make_far_away(self.scene.size)
        self.report = Report(self.scene.names, forget_s=2 * options.known_s + 1)
        self.sinks: list[Sink] = list(
            make_sinks(
                options,
                self.scene,
                self.plugins,
                actions=self._waiting.actions,
                audio_from=None if self.scene.live else upstream.recording,
                another=claims.another if going_on else None,
                resumed=self._resumes_file,
                sound=self.source.sound,
                stopwatch=self.stopwatch,
            )
        )
        self.sinks += detections_sink(options, self.scene, self.detector, self.source, upstream.recording)
        self.sinks += self._reporting.sinks(self.scene, self.plugins, self._at_end)
        if self._companion is not None:
            self.sinks.append(self._companion(self))
        self._state.begin(
            self.scene, self._lasting_tracker(), resumed=options.resume, before=upstream.address_name
        )
        self._state.restore(self.host, self.sinks, self.report, self.reshape)
        self._state.skip(self.source, self.detector)
        self._state.announce(self.scene, self.sinks, upstream.recording)
        for sink in self.sinks:
            if not (self._waiting.opened and sink in self._waiting.actions):
                self._stack.enter_context(sink)
        self._state.created(self.sinks)
        self._waiting.begin(self.scene)
        self.source.when_idle(self._on_idle)
        self.source.when_ready(self.detector.await_turn)

    def shapes_changed(self) -> None:
        """Let the tables know that lines and zones are others than a frame ago."""
        plugins = [member.given for member in self.host.members]
        for sink in self.sinks:
            if isinstance(sink, CountsSink):
                sink.count_at(counted(plugins, self.options, self.scene))
        self._save()  # a kill must not leave a state of other lines and zones

    def _at_end(self) -> dict[str, Json]:
        """Return what the record of the run tells besides."""
        return {
            "shapes": shapes_of(self.options, self.scene, self.host.all_given),  # they may have changed
            "dropped": self.source.dropped,
            "network": self.detector.description or None,
            "objects": dict(self.report.distinct()),
            "notes": [told(note) for note in self.warnings()],
            "left": [str(path) for path in self.left],
        }

    def _make_source(self) -> Source:
        saved = self._state.saved if self.options.resume else None
        if saved is not None and saved.live:
            saved = None  # what is live goes on where it is
        source = self._upstream.make_source(self.stop, self.stopwatch, saved)
        if saved is not None:
            self._state.check_source(source.name, self._upstream.recording)
        return source

    @property
    def _resumes_file(self) -> bool:
        """Whether this run reads on in the file in which an earlier one stopped."""
        saved = self._state.saved
        return self.options.resume and saved is not None and not saved.live and not saved.ended

    def _lasting_tracker(self) -> LastingTracker:
        return cast(LastingTracker, self.tracker)  # --state is an option of runs with a tracker of ours only

    def _parts(self) -> tuple[Iterable[Frame], Detector, Tracker]:
        """Return what the loop runs on; with ``--refine`` the tracks are finished before."""
        if not self.options.refine:
            return self.source, self.detector, self.tracker
        parts = self.source, self.detector, self.tracker
        precomputed = self._upstream.first_pass(*parts, self._first_pass_frame, self.stop, self.stopwatch)
        if self.stop.is_set():
            self._warnings.append("interrupted before the second pass; nothing was drawn or saved")
            return (), precomputed, precomputed
        self._read = self._stack.enter_context(self._make_source())
        return self._read, precomputed, precomputed

    def _first_pass_frame(self, tracks: int) -> None:
        if self._profile is not None:
            self._profile.sample(self.source.queued, 0, first_pass=True)
        if self.advance is not None:
            self.advance(tracks)
