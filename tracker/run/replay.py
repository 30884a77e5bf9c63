"""A run over saved tracks: a table stands in for detector and tracker, and without a video for the source."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from tracker import parse
from tracker.contracts import Detector, Source, Tracker
from tracker.detectors.coco import COCO
from tracker.offline.saved_tracks import SavedFrames, SavedTracks
from tracker.offline.two_pass import PrecomputedTracks, first_pass
from tracker.options import Options
from tracker.run.checkpoint import Saved
from tracker.run.claims import Claims
from tracker.run.upstream import Upstream
from tracker.sources import open_source
from tracker.types import OptionError, Stopwatch


class WithSavedTracks(Upstream):
    """What ``--save-csv`` or ``--save-mot`` wrote, and the video that it belongs to where that is needed.

    ``size`` is that of the picture, ``fps`` the frame rate where the table has no times. Raises
    ``InputError`` and ``OptionError`` when it is opened.
    """

    def __init__(
        self,
        table: Path,
        options: Options,
        video: Path | None = None,
        *,
        size: tuple[int, int] | None = None,
        fps: float | None = None,
    ) -> None:
        super().__init__(None if video is None else str(video), options)
        self._table, self._size, self._fps = table, size, fps
        self._read: SavedTracks | None = None  # once somebody needed it

    @property
    def name(self) -> str:
        """What the table is called."""
        return self._table.name

    @property
    def warnings(self) -> list[str]:
        """What was strange in the table."""
        return [] if self._read is None else self._read.warnings

    def claim(self, claims: Claims) -> None:
        """Claim table and video."""
        claims.read("the table of tracks", self._table)
        super().claim(claims)

    def make_source(self, stop: threading.Event, stopwatch: Stopwatch, saved: Saved | None = None) -> Source:
        """Return the video or, without one, the frames that the table names."""
        if self.recording is not None:
            return open_source(self.recording, stop=stop, stopwatch=stopwatch)
        tracks = self._tracks()
        return SavedFrames(tracks, self._size or self._told_size(tracks.extent), stop)

    def make_detector(self, source: Source, stopwatch: Stopwatch) -> Detector:
        """Return the table, with the tracks of the classes that the options choose."""
        tracks = self._tracks(source.fps)
        if self._options.classes:
            if not tracks.has_classes:
                raise OptionError(f"{self._table} contains no classes; leave out --classes")
            tracks.keep(parse.class_ids(self._options.classes, self.names(tracks)) or ())
        return tracks

    def names(self, detector: Detector) -> Mapping[int, str]:
        """Return the table's classes and those of COCO: one may be asked for that nothing belonged to."""
        return {**COCO, **detector.names}

    def frame_rate(self, source: Source) -> float:
        """Return the table's own."""
        return self._tracks(source.fps).frame_rate

    def make_tracker(self, source: Source, found: str = "detect") -> Tracker:
        """Return the table."""
        return self._tracks(source.fps)

    def first_pass(
        self,
        source: Source,
        detector: Detector,
        tracker: Tracker,
        advance: Callable[[int], None],
        stop: threading.Event,
        stopwatch: Stopwatch,
    ) -> PrecomputedTracks:
        """Go through the table; of a video nothing is needed for it."""
        tracks = self._tracks()
        frames, bare = SavedFrames(tracks, source.size, stop), tracks.bare()
        return first_pass(
            *(frames, bare, bare), raw=False, shaped=tracks.shaped, advance=advance, stopwatch=stopwatch
        )

    def _tracks(self, video_fps: float | None = None) -> SavedTracks:
        if self._read is None:
            self._read = SavedTracks(self._table, self._fps, video_fps=video_fps)
        return self._read

    def _told_size(self, extent: tuple[float, float]) -> tuple[int, int]:
        """Return the size that the zone file names."""
        from tracker.zones import file as zone_file

        if self._options.zones:
            for shape in zone_file.load(self._options.zones):
                if shape.size:
                    return round(shape.size[0]), round(shape.size[1])
        reach = f"{extent[0]:.0f}x{extent[1]:.0f}"
        raise OptionError(
            f"the picture size is unknown; give --size WxH or --video (boxes extend to {reach})"
        )
