"""What stands before the plugins of a run: where its frames, detections and tracks come from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from tracker.contracts import Detector, Source, Tracker
from tracker.detectors.every_nth import EveryNth
from tracker.offline.identities import Joining
from tracker.offline.two_pass import PrecomputedTracks, first_pass
from tracker.options import Options
from tracker.run.build_detector import look_of, make_detector
from tracker.run.checkpoint import Saved
from tracker.run.claims import Claims
from tracker.run.paths import claim_source
from tracker.run.resumed import Resumed
from tracker.run.small_objects import FarAway
from tracker.run.stored import stored_detector
from tracker.sources import address, open_source
from tracker.trackers.make import make_tracker
from tracker.types import OptionError, Recorded, Scene, Stopwatch


class Upstream:
    """Makes source, detector and tracker of one run, which asks for them in this order.

    The session does the rest alike, whether frames come from a file, a camera or a table.
    """

    address_name: str | None = None  # what it was called before it was given a name

    def __init__(self, recording: str | None, options: Options) -> None:
        self.recording = recording  # file, folder or address of the pictures, if there are any
        self._options = options

    @property
    def name(self) -> str:
        """What the source is called; no address, which may hold a password."""
        raise NotImplementedError

    @property
    def warnings(self) -> list[str]:
        """What the user should know of that is not in the source's own warnings."""
        return []

    def claim(self, claims: Claims) -> None:
        """Claim what is read."""
        if self.recording is not None:
            claim_source(claims, self.recording)

    def make_source(self, stop: threading.Event, stopwatch: Stopwatch, saved: Saved | None = None) -> Source:
        """Return the source, not yet opened; it goes on where ``saved`` was left."""
        raise NotImplementedError

    def make_detector(self, source: Source, stopwatch: Stopwatch) -> Detector:
        """Return the detector for a source that is open."""
        raise NotImplementedError

    def names(self, detector: Detector) -> Mapping[int, str]:
        """Return the classes that may be asked for: class_id -> name."""
        return detector.names

    def frame_rate(self, source: Source) -> float:
        """Return the nominal frames per second of what is tracked."""
        return source.fps

    def scene(self, source: Source, detector: Detector) -> Scene:
        """Return what plugins and sinks are told of a source and a detector that are open."""
        recorded = source.recorded or Recorded()
        return Scene(
            source=source.name,
            size=source.size,
            fps=self.frame_rate(source),
            live=source.live,
            names=self.names(detector),
            lost_s=self._options.lost,
            start_wall=0.0 if source.live else recorded.start_wall,
            utc_offset_s=recorded.utc_offset_s,
            kind=detector.kind,
        )

    def make_tracker(self, source: Source, found: str = "detect") -> Tracker:
        """Return the tracker that the options ask for, for a source that is open.

        ``found`` is what the detector finds, as `Detector.kind`.
        """
        options = self._options
        return make_tracker(options.tracker, options.tracker_settings, source.fps, source.size, found)

    def make_far_away(self, size: tuple[int, int]) -> FarAway | None:
        """Return what counts the boxes that a network can hardly see; None without a network."""
        return None

    def first_pass(
        self,
        source: Source,
        detector: Detector,
        tracker: Tracker,
        advance: Callable[[int], None],
        stop: threading.Event,
        stopwatch: Stopwatch,
    ) -> PrecomputedTracks:
        """Track the whole source and refine its tracks; ``advance`` is called once per frame.

        The source is read to its end; the second pass reads another.
        """
        asked = self._options.remember
        joining = Joining() if asked is None else Joining(longest_s=asked, returning=True)
        return first_pass(source, detector, tracker, joining=joining, advance=advance, stopwatch=stopwatch)


DetectorFactory = Callable[[Stopwatch, bool], Detector]  # of a source; whether that is live


class WithDetector(Upstream):
    """Files, folders, cameras and streams, in which a network detects and a tracker tracks."""

    recording: str

    def __init__(
        self,
        uri: str | int | Path,
        options: Options,
        detector_factory: DetectorFactory | None = None,  # of one that other sources share
        name: str | None = None,  # to call a live source by
    ) -> None:
        super().__init__(str(uri), options)
        self._name = name
        if name is not None and address.scheme(self.recording):
            self.address_name = address.name(self.recording)
        self._detector_factory = detector_factory
        self._notes: list[str] = []
        self._stop: threading.Event | None = None

    @property
    def name(self) -> str:
        """What the source is called."""
        return address.name(self.recording) if address.scheme(self.recording) else Path(self.recording).name

    @property
    def warnings(self) -> list[str]:
        """What has come of ``--int8``."""
        return self._notes

    def make_source(self, stop: threading.Event, stopwatch: Stopwatch, saved: Saved | None = None) -> Source:
        """Return the source that the address means."""
        self._stop = stop
        options = self._options
        source = open_source(
            self.recording,
            start_s=max(options.start, saved.time) if saved else options.start,
            end_s=options.end,
            stride=options.vid_stride,
            fps=options.fps,
            decode=options.decode,
            max_frames=None if saved else options.max_frames,
            stop=stop,
            stopwatch=stopwatch,
            rtsp_transport=options.rtsp_transport,
            camera_size=options.camera_size,
            camera_fps=options.camera_fps,
            give_up_after_s=options.give_up_after,
            name=self._name,
        )
        if saved is None:
            return source
        most = options.max_frames  # of the whole run, however often it was cut
        return Resumed(source, saved, None if most is None else max(most - saved.passed, 0))

    def make_detector(self, source: Source, stopwatch: Stopwatch) -> Detector:
        """Return the detector that the options ask for."""
        options = self._options
        if options.refine and source.live:
            raise OptionError(f"--refine needs a file, and {source.name} is live; record it first")
        if self._detector_factory is not None:
            return self._detector_factory(stopwatch, source.live)
        if options.detections is not None:
            stored = stored_detector(options, source, self.recording)
            return stored if options.detect_every == 1 else EveryNth(stored, options.detect_every)
        in_flight = 1 if source.live else None  # the newest frame is worth more than throughput
        return make_detector(
            options,
            stopwatch,
            in_flight=in_flight,
            every=options.detect_every,
            look=look_of(options, live=source.live),
            recordings=[self.recording],
            notes=self._notes,
            stop=self._stop,
        )

    def make_far_away(self, size: tuple[int, int]) -> FarAway | None:
        """Return what counts the boxes that the network can hardly see; None where there is none."""
        return None if self._options.detections is not None else FarAway(size, self._options.imgsz)
