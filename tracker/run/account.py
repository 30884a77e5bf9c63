"""What there is to tell of one run: its table, what the user should know, and the files written."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tracker.contracts import Detector, PluginLike, Sink, Source
from tracker.options import Options
from tracker.plugin_host import Host
from tracker.run.record import shapes_of
from tracker.run.reporting import Reporting
from tracker.run.summary import Report
from tracker.run.upstream import Upstream
from tracker.text import told
from tracker.types import Json, Result, Scene, Stopwatch


class Account:
    """Listens to a run and tells of it, also where it was never opened.

    It learns first of the source (`await_picture`), then of the rest (`begin`), then of every result.
    """

    def __init__(self, options: Options, upstream: Upstream, stopwatch: Stopwatch) -> None:
        self.notes: list[str] = []  # what nobody else will tell the user
        self.left: list[Path] = []  # files of plugins, and the report
        self.opened = False
        self._options, self._upstream, self._stopwatch = options, upstream, stopwatch
        self._reporting = Reporting(options)
        self._awaited: Source | None = None  # the source, also where it has not given a picture yet
        self._began = time.monotonic()
        self._summaries: list[list[tuple[str, str]]] | None = None  # once the plugins have finished
        self._crowded = 0  # frames with as many boxes as --max-det lets through

    def await_picture(self, source: Source) -> None:
        """Learn of a source that is about to be opened."""
        self._awaited = source

    def begin(
        self,
        scene: Scene,
        source: Source,
        detector: Detector,
        host: Host,
        sinks: Sequence[Sink],
        report: Report,
    ) -> None:
        """Learn of everybody who has something to say; nobody need be opened yet."""
        self._scene, self._source, self._detector = scene, source, detector
        self._host, self._sinks, self._report = host, sinks, report
        self._far_away = self._upstream.make_far_away(scene.size)

    def sinks(self, scene: Scene, plugins: Iterable[PluginLike]) -> Iterator[Sink]:
        """Yield what ``--report`` and ``--save-run`` need; raises ``OptionError``."""
        return self._reporting.sinks(scene, plugins, self._at_end)

    def add(self, result: Result) -> None:
        """Take one result."""
        self._report.add(result)
        self._crowded += len(result.detections) >= self._options.max_det
        if self._far_away is not None:
            self._far_away.add(result.tracks.xyxy)

    def finish(self) -> None:
        """Take down what the plugins found; they have said their last."""
        self._summaries = self._host.summaries()

    def write_report(self, *, resumed: bool) -> None:
        """Let the time stand, and write what ``--report`` asks for; raises ``TrackError``."""
        self._report.close()
        recording, live = self._upstream.recording, self._scene.live
        self.left += self._reporting.write(recording, self.left, live=live, resumed=resumed)

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
            return [*self.notes, *([unseen] if unseen else [])]
        warnings = [
            *self._upstream.warnings,
            *self._source.warnings,
            *(text for sink in self._sinks for text in sink.warnings),
            *self.notes,
        ]
        if self._crowded:
            most = self._options.max_det
            warnings.append(
                f"{self._crowded} frames had {most} boxes, the maximum of --max-det: raise it to get more"
            )
        return warnings

    def summaries(self) -> list[Sequence[tuple[str, str]]]:
        """Return the plugins' rows for the table."""
        return [*(self._host.summaries() if self._summaries is None else self._summaries)]

    def rows(self) -> list[tuple[str, str]]:
        """Return the table of the run: names and values."""
        if not self.opened:
            return [("frames", f"none in {time.monotonic() - self._began:.1f} s")]
        live: list[tuple[str, str]] = []
        if self._source.live:
            live = [("delay", f"{1000 * self._source.delay_s:.0f} ms, median")]
            live += [("dropped", f"{self._source.dropped} frames")]
        description = self._detector.description
        network = [("network", description)] if description else []
        small = [] if self._far_away is None else self._far_away.rows()
        rows = [live, *self.summaries(), small, network, self._detector.summary()]
        return self._report.rows(self._stopwatch.seconds, rows)

    def outputs(self) -> list[str]:
        """Return the files written."""
        if not self.opened:
            return []
        written = [path for sink in self._sinks for path in sink.files]
        return [str(path) for path in (*self._reporting.outputs(written), *self.left)]

    def _at_end(self) -> dict[str, Json]:
        """Return what the record of the run tells besides."""
        return {
            "shapes": shapes_of(self._options, self._scene, self._host.all_given),  # may have changed
            "dropped": self._source.dropped,
            "network": self._detector.description or None,
            "objects": dict(self._report.distinct()),
            "notes": [told(note) for note in self.warnings()],
            "left": [str(path) for path in self.left],
        }
