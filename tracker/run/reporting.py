"""``--report`` and ``--save-run``: what a report needs is kept during the run; it is written at the end."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from tracker.contracts import PluginLike, Sink
from tracker.options import Options
from tracker.run.record import RunRecord
from tracker.sinks import EventsSink, output_file
from tracker.types import Image, InputError, Json, OptionError, Scene


class Reporting:
    """The sinks of a report, and the report. Files that the user did not ask for go away at the end."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files: list[Path] = []

    def sinks(
        self, scene: Scene, plugins: Iterable[PluginLike], at_end: Callable[[], Mapping[str, Json]]
    ) -> Iterator[Sink]:
        """Yield what the run has to write besides; raises ``OptionError`` for what is not installed."""
        options = self._options
        if options.report:
            needed()
            self._folder = tempfile.TemporaryDirectory(prefix="track-report-")
            if options.events and options.events != "-":
                self._files.append(Path(options.events))
            else:
                events = EventsSink(Path(self._folder.name, "events.jsonl"), scene)
                self._files.append(events.path)
                yield events
        if self._folder is not None or options.save_run:
            record = Path(options.save_run or Path(self._folder.name if self._folder else "", "run.json"))
            self._files.append(record)
            yield RunRecord(record, options, scene, plugins, at_end)

    def outputs(self, written: Iterable[Path]) -> list[Path]:
        """Leave out what goes away."""
        folder = None if self._folder is None else Path(self._folder.name)
        return [path for path in written if folder is None or folder not in path.parents]

    def write(
        self, recording: str | None, pictures: Iterable[Path], *, live: bool, resumed: bool
    ) -> list[Path]:
        """Write the report of the files, which are complete now; return where it is."""
        options = self._options
        if options.report is None or self._folder is None:
            return []
        from tracker.report.gather import gather
        from tracker.report.page import page

        with self._folder:
            shown = [path for path in pictures if path.suffix == ".png"]
            frame_at = None if live or recording is None else frames_of(recording, options.fps)
            report = gather([*self._files, *shown], frame_at=frame_at)
            data = page(report).encode()
        path = Path(options.report)
        return [output_file.write(path, data, overwrite=options.overwrite or resumed)]


def needed() -> None:
    """Raise ``OptionError`` where what writes reports is not installed."""
    try:
        import jinja2  # noqa: F401 - only to see that it is there
    except ImportError:
        raise OptionError("a report needs jinja2; install it: pip install jinja2") from None


def frames_of(uri: str, fps: float | None = None) -> Callable[[float], Image | None]:
    """Return what finds the picture of a file at a time, in seconds; None beyond its end."""
    from tracker.sources import open_source

    def frame_at(time_s: float) -> Image | None:
        try:
            with open_source(uri, start_s=max(time_s, 0.0), max_frames=1, fps=fps) as source:
                return next((frame.image for frame in source), None)
        except InputError:
            return None

    return frame_at
