"""What travels between the rooms of the application; what each room promises stands in ``contracts``.

Only numpy, ``bytetrack``, canvas, planes, error classes and the standard library are imported here, so that
anybody may import this.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from bytetrack import Detections, Tracks
from tracker.canvas import Canvas, Color, Image, Mark, Picture, Scale
from tracker.errors import (
    EndRun,
    InputError,
    OptionError,
    OutputError,
    PluginError,
    TrackError,
    WeightsError,
)
from tracker.planes import Pixels, Plane, Planes, as_bgr

__all__ = [
    "Canvas",
    "Color",
    "EndRun",
    "Event",
    "Frame",
    "Image",
    "InputError",
    "Json",
    "Mark",
    "OptionError",
    "OutputError",
    "Painter",
    "Picture",
    "Pixels",
    "Plane",
    "Planes",
    "PluginError",
    "Recorded",
    "Result",
    "Scale",
    "Scene",
    "Stopwatch",
    "TrackError",
    "WeightsError",
    "as_bgr",
    "to_json",
]

Json: TypeAlias = Any  # what json.dumps takes
T = TypeVar("T")


def to_json(value: object) -> Json:
    """Return numpy's scalars and arrays as numbers and lists: the ``default`` of every `json.dumps` here.

    Raises ``TypeError`` for anything else.

    >>> import json
    >>> json.dumps({"id": np.int64(3), "xyxy": np.array([1.5, 2.0])}, default=to_json)
    '{"id": 3, "xyxy": [1.5, 2.0]}'
    """
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON: {value!r}")


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source.

    ``image`` is made when it is first asked for, where the source has the picture in the codec's colours:
    who can take those asks for ``pixels`` and spares the conversion.
    """

    image: Image  # (H, W, 3) uint8 BGR, read-only
    index: int  # 0-based position in the source; skipped and dropped frames are counted
    time: float  # seconds: media time of a file from 0, wall clock (Unix time) of a live source
    _planes: Planes | None = field(default=None, init=False, repr=False)

    @classmethod
    def of(cls, pixels: Pixels, index: int, time: float) -> Frame:
        """Return the frame of a picture as it came; a BGR picture becomes read-only."""
        if not isinstance(pixels, Planes):
            pixels.flags.writeable = False
            return cls(pixels, index, time)
        frame = object.__new__(cls)
        for name, value in (("index", index), ("time", time), ("_planes", pixels)):
            object.__setattr__(frame, name, value)
        return frame

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Image:
            """Make the picture; asked only where it is not there yet."""
            if name != "image" or self._planes is None:
                raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
            image = self._planes.bgr()
            object.__setattr__(self, "image", image)
            return image

    @property
    def pixels(self) -> Pixels:
        """The picture as it came: planes or BGR, read-only; both have a ``shape``."""
        return self.image if self._planes is None else self._planes

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.pixels.shape[:2]
        return width, height

    @property
    def luma(self) -> Plane:
        """The luminance, (H, W): as it came where the source has it (16 to 235), else made (0 to 255)."""
        if self._planes is not None:
            return self._planes.y
        import cv2  # here, so that importing the contracts stays light

        return np.asarray(cv2.cvtColor(self.image, cv2.COLOR_BGR2GRAY), np.uint8)

    def at(self, index: int, time: float) -> Frame:
        """Return the same picture at another place of the source."""
        return Frame.of(self.pixels, index, time)

    def __reduce__(self) -> tuple[type[Frame], tuple[Image, int, float]]:
        """Leave the decoder's memory behind: another process gets the BGR picture."""
        return Frame, (self.image, self.index, self.time)

    def __repr__(self) -> str:
        """Return one line, without the picture."""
        width, height = self.size
        return f"Frame(index={self.index}, time={self.time:.3f}, {width}x{height})"


@dataclass(frozen=True)
class Event:
    """Something that happened: a crossing, an entry, an alarm."""

    kind: str  # "line.in", "zone.enter", "source.lost", ...
    time: float  # seconds, the frame's time
    frame: int  # the frame's index
    track_id: int | None = None
    class_id: int | None = None
    data: Mapping[str, Json] = field(default_factory=dict)

    @property
    def shape(self) -> str | None:
        """The name of the line or zone it happened at; None: at none."""
        name = self.data.get("line", self.data.get("zone"))
        return None if name is None else str(name)

    @property
    def counted_as(self) -> tuple[str, str, str] | None:
        """The line or zone, the direction and the class that it is counted under; None: it is no count.

        >>> Event("zone.enter", 1.0, 25, 7, 0, {"zone": "till", "class_name": "person"}).counted_as
        ('till', 'enter', 'person')
        """
        if self.shape is None or self.kind == "shape.changed":  # which tells of a shape, and of nobody at it
            return None
        direction = self.data.get("direction") or self.kind.rpartition(".")[2]
        return self.shape, str(direction), str(self.data.get("class_name", self.class_id))


class Recorded(NamedTuple):
    """When a file was recorded."""

    start_wall: float | None = None  # Unix time of its first frame; None: not told
    utc_offset_s: float | None = None  # of the place where; None: not told


@dataclass(frozen=True)
class Scene:
    """What is fixed for a run; given to plugins and sinks before the first frame."""

    source: str  # name to show: no path of credentials
    size: tuple[int, int]  # width, height in pixels
    fps: float  # nominal frames per second
    live: bool
    names: Mapping[int, str]  # class_id -> name
    lost_s: float = 1.0  # seconds after which a lost track is given up
    start_wall: float | None = None  # Unix time of frame time 0 where known, else None
    utc_offset_s: float | None = None  # of the place where it was recorded; None: as on this machine
    kind: str = "detect"  # what is found beside boxes, as `Detector.kind`
    _common: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def common(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what the analyses of this run have in common under ``key``, made for whoever asks first.

        It belongs to the run and goes with it: another run, of another camera, makes its own.
        """
        if key not in self._common:
            self._common[key] = make()
        made: T = self._common[key]
        return made

    def wall(self, time: float) -> datetime | None:
        """Return the clock's time at a frame's time, with its offset from UTC; None where it is not known."""
        start = 0.0 if self.live else self.start_wall
        if start is None:
            return None
        zone = None if self.utc_offset_s is None else timezone(timedelta(seconds=self.utc_offset_s))
        return datetime.fromtimestamp(start + time, timezone.utc).astimezone(zone)

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what the run has in common: a copy in another process is another run."""
        return {**self.__dict__, "_common": {}}


class Painter:
    """Draws results: as BGR pictures, and for encoders in the colours in which their frames came."""

    def __call__(self, result: Result) -> Image:
        """Return the annotated picture, (H, W, 3) BGR, a copy."""
        raise NotImplementedError

    def pixels(self, result: Result) -> Pixels:
        """Return the annotated picture as planes or BGR, a copy."""
        return self(result)


@dataclass(frozen=True, eq=False)
class Result:
    """Everything known about one frame.

    In a notebook it shows itself as an annotated picture.
    """

    frame: Frame
    detections: Detections
    tracks: Tracks
    events: tuple[Event, ...] = ()
    marks: tuple[Mark, ...] = ()  # what the plugins drew
    painter: Callable[[Result], Image] | None = field(default=None, repr=False)
    looked: bool = True  # whether a detector did; with --detect-every it leaves frames out

    def __repr__(self) -> str:
        """Return one line: how many of everything."""
        parts = ((self.detections, "detection"), (self.tracks, "track"), (self.events, "event"))
        counts = ", ".join(f"{len(part)} {name}{'' if len(part) == 1 else 's'}" for part, name in parts)
        return f"Result({self.frame!r}, {counts})"

    def plot(self) -> Image:
        """Return the annotated picture, (H, W, 3) BGR, a copy.

        Raises ``ValueError`` when the result was made without a painter (``track`` always gives one).
        """
        if self.painter is None:
            raise ValueError("this Result has no painter; use tracker.drawing.annotate.draw(result, names)")
        return self.painter(self)

    def plot_pixels(self) -> Pixels:
        """Return what `plot` does, as planes where the frame came as such and the painter can paint those."""
        return self.painter.pixels(self) if isinstance(self.painter, Painter) else self.plot()

    def _repr_png_(self) -> bytes:
        import cv2  # here, so that importing the contracts stays light

        return bytes(cv2.imencode(".png", self.plot())[1])


@dataclass
class Stopwatch:
    """Seconds each stage has worked; a stage is written by one thread only."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time spent inside the ``with`` to ``stage``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
