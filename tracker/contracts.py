"""The contracts of the application: what a source, a detector, a tracker, a plugin and a sink promise.

What is optional has a body that does nothing, so that whoever asks need not look first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bytetrack import Detections, Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.canvas import Canvas, Image, Picture
from tracker.types import Event, Frame, Json, Recorded, Result, Scene

if TYPE_CHECKING:  # a sound is handed over as PyAV gives it
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.packet import Packet


class Sound(Protocol):
    """What is heard with a film, read once, in order; whatever the file is like, nothing here raises."""

    stream: AudioStream | None  # known once it is open; None: nothing can be heard
    sample: AudioFrame | None  # the first piece as it was decoded, where there is one
    warnings: list[str]  # why it was left out

    def open(self, first_s: float) -> None:
        """Choose a stream and go to ``first_s`` of the film."""
        ...

    def peek(self) -> Packet[AudioStream] | None:
        """Return the next packet without taking it; its timestamps count from the film's first picture."""
        ...

    def take(self) -> None:
        """Go on to the packet after it."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class Source:
    """Where frames come from: opened by ``with``, iterated once, in order.

    Iteration ends soon after the ``stop`` event given to ``open_source`` is set. Raises ``InputError``. What
    is not a matter of files (`dropped`, `delay_s`, `drain_events`, `when_idle`) they answer with nothing.
    """

    fps: float  # nominal frames per second of the frames it yields before any stride
    size: tuple[int, int]  # width, height as yielded (rotation applied)
    live: bool = False  # only the newest frame counts; files never drop
    length: int | None = None  # number of frames it will yield, where known
    sound: Sound | None = None  # what is heard with it; known when it is entered
    recorded: Recorded | None = None  # when, where a file tells; known when it is entered

    def __init__(self, name: str) -> None:
        self.name = name  # to show and to derive file names from; never holds credentials
        self.warnings: list[str] = []  # one line each, for the user at the end: "12 corrupt packets skipped"

    def __enter__(self) -> Source:
        """Open; ``fps``, ``size`` and ``length`` are known from here on."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, leaving no thread behind."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames."""
        raise NotImplementedError

    @property
    def queued(self) -> int:
        """How many frames are ready and not yet asked for."""
        return 0

    @property
    def dropped(self) -> int:
        """How many frames were given up to stay live."""
        return 0

    @property
    def delay_s(self) -> float:
        """Median age in seconds that recent frames had when the consumer was done with them."""
        return 0.0

    def drain_events(self) -> list[Event]:
        """Return what happened to the source since the last call: ``source.lost``, ``source.back``."""
        return []

    def when_idle(self, call: Callable[[Sequence[Event]], None]) -> None:
        """Let ``call`` be called, in the consumer's thread, ten times a second while no frame comes.

        It takes what happened to the source since the last time; `drain_events` will return it again.
        """

    def unseen(self) -> str | None:
        """Return in words that no picture has come, and why; None for files and where one has."""
        return None

    def when_ready(self, call: Callable[[], None]) -> None:
        """Let ``call`` be called when a frame is there, before the then newest is given; only live ones do.

        Who must wait before it can use a frame waits in there: what it then gets is no older for it.
        """


class Detector:
    """Finds objects in pictures; opened by ``with``."""

    names: Mapping[int, str]  # class_id -> name
    description: str = ""  # weights, what runs them and how exactly; known when it is entered
    kind: str = "detect"  # what it finds beside boxes: "segment" masks, "pose" keypoints, "obb" rotated boxes

    def __enter__(self) -> Detector:
        """Load the model."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free it."""

    @property
    def idle_share(self) -> float | None:
        """Part of its time in which the network rested; None where nobody knows."""
        return None

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return one ``Detections`` per picture."""
        raise NotImplementedError

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections | None]]:
        """Detect in order; may keep several frames in flight, a bounded number.

        ``None`` says that nobody looked at this frame.
        """
        for frame in frames:
            yield frame, self.detect([frame.image])[0]

    def resume(self, passed: int) -> None:
        """Go on behind so many frames, which an earlier part of the run saw; only who counts them minds."""

    def state(self, index: int) -> Json:
        """Return what it remembers of the frames up to that of this index, all yielded; None: nothing."""
        return None

    def restore(self, state: Json) -> None:
        """Go on from what ``state`` returned; ``ValueError``, ``KeyError`` or ``TypeError`` if it cannot."""

    def summary(self) -> Sequence[tuple[str, str]]:
        """Return rows for the table at the end."""
        return ()

    def await_turn(self) -> None:
        """Wait until there is time for a frame, where the network is shared; before the frame is taken."""


class Tracker(Protocol):
    """Gives detections an identity."""

    frame_rate: float

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        """Advance by ``dt`` nominal frames (1 / frame_rate seconds each) and match."""
        ...


class PredictingTracker(Tracker, Protocol):
    """One that can go on without having looked, as BYTETracker can."""

    def predict(self, dt: float = 1.0) -> Tracks:
        """Advance by ``dt``: the tracks where they are supposed to be, ``source`` -1."""
        ...


class LastingTracker(Tracker, Protocol):
    """One whose run can be cut in two, as that of BYTETracker can."""

    def state(self) -> dict[str, Json]:
        """Return a copy of everything it knows; in it ``next_id``, and ``memory`` of who is not followed."""
        ...

    def restore(self, state: Mapping[str, Json]) -> None:
        """Go on where ``state`` was taken."""
        ...


class PictureTracker:
    """One that uses the pictures too."""

    @property
    def kind(self) -> str:
        """Which trackers can take up its state."""
        raise NotImplementedError

    def observe(self, frame: Frame) -> None:
        """Take the frame of the next ``update``, for its picture."""
        raise NotImplementedError

    def looks(self, frame: Frame, detections: Detections, rows: IntArray) -> FloatArray:
        """Return what these rows, (K,), of a frame's detections look like, for `comparable`: (K, F).

        NaN where nothing is known; F is 0 for one that does not compare looks.
        """
        return np.empty((len(rows), 0))

    def comparable(self, looks: FloatArray) -> FloatArray:
        """Return looks as vectors of length 1, (K, F), whose cosine tells who is who, as far as it learnt."""
        return looks


class PluginLike(Protocol):
    """What is enough of a plugin: any object with ``update``; the host adds the rest of `Plugin`."""

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Look at one frame; neither frame nor tracks may be changed."""
        ...


class Plugin:
    """An analysis: a dataclass whose fields are its options.

    Only ``update`` is required; every other method has a body that does nothing. A plugin need not inherit
    from this class: of any other object with ``update`` the methods that it has are called.
    """

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Look at one frame; neither frame nor tracks may be changed."""
        raise NotImplementedError("a plugin needs a method update(frame, tracks)")

    def start(self, scene: Scene) -> None:
        """Begin: called before the first frame."""

    def hear(self, events: Sequence[Event]) -> None:
        """Take everything that happened in a frame; called when all have seen it, and it was not nothing.

        Once more before ``finish``, with what the others had left to say: who hears has its last word after
        those who do not.
        """

    def draw(self, canvas: Canvas) -> None:
        """Draw what a person should see; called after each ``update`` where somebody looks."""

    def finish(self) -> Iterable[Event]:
        """Return what is left to say after the last frame: summaries."""
        return ()

    def summary(self) -> Iterable[tuple[str, str]]:
        """Return rows for the table on the terminal; called after ``finish``."""
        return ()

    def files(self) -> Mapping[str, Picture | Json]:
        """Return what is left at the end, by suffix; called after ``finish``."""
        return {}

    def leaves(self) -> Sequence[str]:
        """Return the suffixes of ``files``, known from the start: a file that exists is then told early."""
        return ()

    def state(self) -> Json:
        """Return a copy of what it counted and remembers; None: it has no state and begins anew each time.

        Called between two updates.
        """
        return None

    def restore(self, state: Json, tracks: bool) -> None:
        """Go on from what ``state`` returned; called after ``start``.

        ``tracks`` tells whether time goes on too: who was there may still be there, under the same number.
        Else (another recording, or the same from its start) only totals are taken over. What cannot be used
        raises ``ValueError``, ``KeyError`` or ``TypeError``.
        """


class Sink:
    """Where results go: opened by ``with``, closed whatever happens; what was written stays usable.

    Only ``write`` is required; every other method has a body that does nothing.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []  # one line each, for the user at the end

    def __enter__(self) -> Sink:
        """Open; raises ``OutputError``."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete and close."""

    @property
    def name(self) -> str:
        """What tells it from another of its kind, in this run and in the next: mostly its path."""
        return ""

    @property
    def files(self) -> Sequence[Path]:
        """What it has written: videos may be none or, in segments, many, of which the last count."""
        return ()

    @property
    def queued(self) -> int:
        """How many results wait to be written."""
        return 0

    def write(self, result: Result) -> None:
        """Take one result; raises ``OutputError``, or ``EndRun`` when the user asks for the end."""
        raise NotImplementedError("a sink needs a method write(result)")

    def notify(self, events: Sequence[Event]) -> None:
        """Take what cannot wait for the next frame, which will bring it again: ``source.lost``."""

    def on_idle(self) -> None:
        """Do what must go on while a live source gives no frame: called ten times a second.

        Raises ``EndRun`` when the user asks for the end.
        """

    def hold(self) -> None:
        """Keep what a later part goes on from; called before ``finish`` where a limit ends a file."""

    def finish(self, events: Sequence[Event], *, interrupted: bool = False) -> None:
        """Take the events that come after the last frame; ``interrupted``: leave within a second."""

    def state(self) -> Json:
        """Return what a run that goes on needs to know; None: nothing. As `Plugin.state`."""
        return None

    def restore(self, state: Json, tracks: bool) -> None:
        """Go on from there; called before ``with``. As `Plugin.restore`."""
