"""One run from its options to its end: everything with an effect is opened here."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeAlias, cast

from tracker import pipeline, threads
from tracker.contracts import Detector, LastingTracker, PluginLike, Sink, Source, Tracker
from tracker.options import Options
from tracker.plugin_host import Host
from tracker.run.account import Account
from tracker.run.build_plugins import check as check_plugins
from tracker.run.build_plugins import make_plugins, use_background
from tracker.run.build_sinks import check_outputs, counted, leave_files, make_sinks
from tracker.run.checkpoint import Parts, Reshape
from tracker.run.claims import Claims
from tracker.run.continuation import make_continuation
from tracker.run.painter import Painter, drawing_of
from tracker.run.paths import claim_inputs, claim_leaves, claim_outputs
from tracker.run.profile import Profile
from tracker.run.stored import detections_sink
from tracker.run.summary import Report
from tracker.run.upstream import Upstream, WithDetector
from tracker.run.waiting import Waiting
from tracker.sinks import CountsSink
from tracker.sinks.output_file import each_folder_once
from tracker.types import EndRun, Event, Frame, PluginError, Result, Stopwatch, TrackError

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
        self.options, self.plugins = options, list(plugins)
        self.stop = stop or threading.Event()
        self.reshape: Reshape | None = None  # set where lines and zones change while nothing runs
        self.stopwatch = Stopwatch()
        self.advance: Callable[[int], None] | None = None  # told of every frame of a first pass
        self.profile: list[tuple[str, str]] = []  # where the time went, once the run is over
        self.last_events: list[Event] = []  # what came after the last frame
        self._state = make_continuation(options)
        self._ended = False  # by itself
        self.account = Account(options, self._upstream, self.stopwatch)
        self._waiting: Waiting | None = None
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
        self.account.opened = True
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
        try:
            self.account.write_report(resumed=not self._state.is_new)
        except TrackError as late:
            failed.append(late)
        if self._profile is not None:
            self.profile = self._profile.rows(self.stopwatch.seconds, self.detector.idle_share)
        left_early = isinstance(error, GeneratorExit)  # by who uses the results, who must learn of it
        failed = each_folder_once(failed)
        told = failed[0] if failed and (error is None or left_early) else error
        self.account.notes += [str(other) for other in failed if other is not told]
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
                self.account.add(result)
                for sink in self.sinks:
                    sink.write(result)
                if self._state.due():
                    self._state.save()
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
            attempt(lambda: self._state.save(wait=True))
        elif self._limited and not self.host.errors:
            attempt(self._state.hold)
        self.last_events = pipeline.finish(self.host, self.source)
        if self._state.kept and not self._ended:
            self.last_events = []
        for sink in self.sinks:
            attempt(functools.partial(sink.finish, self.last_events, interrupted=self.stop.is_set()))
        attempt(self._leave_files)
        self.account.finish()
        if self._ended:
            attempt(lambda: self._state.save(wait=True, ended=True))
        return [*self.host.errors, *(error for error in failed if not isinstance(error, PluginError))]

    def _leave_files(self) -> None:
        nothing_new = self._state.kept and self.report.frames == 0
        if self.prefix is not None and not nothing_new:
            left: dict[str, str] = {}
            try:
                for path, digest in leave_files(
                    self.host, self.prefix, overwrite=self.options.overwrite, mine=self._state.left
                ):
                    self.account.left.append(path)
                    left[str(path)] = digest
            finally:
                self._state.add_left(left)

    def _on_idle(self, events: Sequence[Event]) -> None:
        """While no frame comes: pass on at once what happened to the source, and let the window answer."""
        for sink in self.sinks:
            if events:
                sink.notify(events)
            sink.on_idle()

    def checkpoint(self) -> None:
        """Save what is known by now, as a run does that will go on; with ``--state`` only.

        Between the last frame and the end it keeps what the run knew before anybody said their last.
        """
        self._state.save(wait=True)

    @property
    def _limited(self) -> bool:
        """Whether more of the source may be asked for than this run was to see."""
        limits = self.options.end, self.options.max_frames
        return not self.scene.live and any(limit is not None for limit in limits)

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
        killed = self._state.load()
        self.account.notes += [f"{path} contains what a killed run had recorded" for path in killed]
        going_on = not self._state.is_new
        if not going_on:
            check_outputs(options)
        source = self._make_source()
        self.account.await_picture(source)
        self._waiting = Waiting(options, source, self._stack)
        self.source = self._stack.enter_context(source)
        upstream = self._upstream
        self.detector: Detector = self._stack.enter_context(
            upstream.make_detector(self.source, self.stopwatch)
        )
        self.scene = upstream.scene(self.source, self.detector)
        self.plugins += make_plugins(options, self.scene.size, self.scene.names)
        self.drawing = drawing_of(options, self.scene)
        self._painter = Painter(self.scene.names, self.drawing, self.scene.live)
        self.host = Host(self.plugins)
        mine = self._state.left
        claim_leaves(claims, self.host, self.prefix, overwrite=options.overwrite, mine=mine)
        use_background(options, self.scene)
        self.host.start(self.scene)
        self.tracker = upstream.make_tracker(self.source, self.detector.kind)
        self._read = self.source  # with --refine a second one later
        self._profile = Profile(live=self.source.live) if options.profile else None
        self.report = Report(self.scene.names, forget_s=2 * options.known_s + 1)
        self.sinks: list[Sink] = list(
            make_sinks(
                options,
                self.scene,
                self.plugins,
                actions=self._waiting.actions,
                audio_from=None if self.scene.live else upstream.recording,
                another=claims.another if going_on else None,
                resumed=self._state.resumes_file,
                sound=self.source.sound,
                stopwatch=self.stopwatch,
            )
        )
        self.sinks += detections_sink(options, self.scene, self.detector, self.source, upstream.recording)
        self.sinks += self.account.sinks(self.scene, self.plugins)
        if self._companion is not None:
            self.sinks.append(self._companion(self))
        self.account.begin(self.scene, self.source, self.detector, self.host, self.sinks, self.report)
        # --state is an option of runs with a tracker of ours only
        tracker = cast(LastingTracker, self.tracker)
        self._state.take_up(
            Parts(self.scene, tracker, self.host, self.sinks, self.report),
            self.source,
            self.detector,
            recording=upstream.recording,
            before=upstream.address_name,
            reshape=self.reshape,
        )
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
        self._state.save()  # a kill must not leave a state of other lines and zones

    def _make_source(self) -> Source:
        saved = self._state.saved if self.options.resume else None
        if saved is not None and saved.live:
            saved = None  # what is live goes on where it is
        source = self._upstream.make_source(self.stop, self.stopwatch, saved)
        if saved is not None:
            self._state.check_source(source.name, self._upstream.recording)
        return source

    def _parts(self) -> tuple[Iterable[Frame], Detector, Tracker]:
        """Return what the loop runs on; with ``--refine`` the tracks are finished before."""
        if not self.options.refine:
            return self.source, self.detector, self.tracker
        parts = self.source, self.detector, self.tracker
        precomputed = self._upstream.first_pass(*parts, self._first_pass_frame, self.stop, self.stopwatch)
        if self.stop.is_set():
            self.account.notes.append("interrupted before the second pass; nothing was drawn or saved")
            return (), precomputed, precomputed
        self._read = self._stack.enter_context(self._make_source())
        return self._read, precomputed, precomputed

    def _first_pass_frame(self, tracks: int) -> None:
        if self._profile is not None:
            self._profile.sample(self.source.queued, 0, first_pass=True)
        if self.advance is not None:
            self.advance(tracks)
