"""A video of one object: cropped around it, stabilised, of constant size."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from bytetrack.types import FloatArray
from tracker.contracts import Sink
from tracker.sinks.video import VideoSink
from tracker.types import Event, Image, Json, OptionError, Result, Scene, Stopwatch

MOVE_S = 0.4  # time constant of the camera's position: slower than a step, faster than a turn
ZOOM_S = 1.5  # time constant of its zoom, whose changes disturb more
COAST_S = 0.5  # time constant with which the camera stops while the object is not seen
HOLD_S = 1.0  # longest gap without the object that is in the video
ROOM = 2.0  # height of the picture in heights of the object
LEAST_PX = 16.0  # pixels of the source that the picture shows at least


@dataclass
class VirtualCamera:
    """Follows an object smoothly.

    The position has an alpha-beta filter (Benedict and Bordner 1962), so that an object of constant velocity
    stays in the middle; it begins as a line of least squares. The size is a running mean of its logarithm.
    """

    center: FloatArray = field(init=False)  # (2,) pixels of the source
    velocity: FloatArray = field(init=False)  # (2,) pixels per second
    height: float = field(init=False, default=0.0)  # of the object, pixels
    _boxes: int = field(init=False, default=1)

    def move(self, passed_s: float, xyxy: FloatArray | None) -> None:
        """Advance by ``passed_s`` seconds, towards the box (4,) if the object is seen."""
        if xyxy is None:
            if self.height:
                self.velocity = self.velocity * math.exp(-passed_s / COAST_S)
                self.center = self.center + self.velocity * passed_s
            return
        center = (xyxy[:2] + xyxy[2:]) / 2
        height = max(float(np.max(xyxy[2:] - xyxy[:2])), 1.0)
        if not self.height:
            self.center, self.velocity, self.height = center, np.zeros(2), height
            return
        passed_s = max(passed_s, 1e-3)
        self.center = self.center + self.velocity * passed_s
        self._boxes += 1
        n = self._boxes
        alpha = max(1 - math.exp(-passed_s / MOVE_S), 2 * (2 * n - 1) / (n * (n + 1)))
        beta = max(alpha * alpha / (2 - alpha), 6 / (n * (n + 1)))
        error = center - self.center
        self.center = self.center + alpha * error
        self.velocity = self.velocity + beta * error / passed_s
        self.height *= (height / self.height) ** (1 - math.exp(-passed_s / ZOOM_S))

    def view(self, picture: tuple[int, int], size: tuple[int, int]) -> tuple[float, float, float]:
        """Return left, top and scale (source pixels per pixel) of a view of ``size`` inside the picture.

        If the object is too large, the view is the whole picture, as far as the shape of ``size`` allows.
        """
        scale = max(ROOM * self.height / size[1], LEAST_PX / min(size))
        scale = min(scale, picture[0] / size[0], picture[1] / size[1])
        seen = np.array(size) * scale
        corner = np.clip(self.center - seen / 2, 0, np.array(picture) - seen)
        return float(corner[0]), float(corner[1]), scale


class CropSink(Sink):
    """Records the object that the events ``follow.found`` and ``follow.lost`` name.

    The video begins when the object is found and ends with the last frame in which it was seen. While it is
    away nothing is recorded, but gaps of at most ``HOLD_S`` are. ``painter`` makes the picture to cut from,
    by default the bare frame. ``size`` is that of the video.

    Raises what `VideoSink` raises, and ``OptionError`` for a size that cannot be encoded.
    """

    def __init__(
        self,
        path: str | Path,
        scene: Scene,
        painter: Callable[[Result], Image] | None = None,
        *,
        size: tuple[int, int] = (480, 480),
        crf: int = 23,
        encode: str = "balanced",
        overwrite: bool = False,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        if min(size) < 16 or max(size) > 8192 or size[0] % 2 or size[1] % 2:
            raise OptionError(f"{path}: a picture of {size[0]}x{size[1]} cannot be encoded; use even sizes")
        self._painter, self._size = painter, size
        self._video = VideoSink(
            path,
            scene,
            Result.plot,
            crf=crf,
            encode=encode,
            overwrite=overwrite,
            every_frame=False,
            stopwatch=stopwatch,
        )
        super().__init__()
        self.path, self.warnings = self._video.path, self._video.warnings
        self._target: int | None = None
        self._camera = VirtualCamera()
        self._held: list[Result] = []  # cropped frames of a gap, recorded if the object comes back
        self._before_s: float | None = None
        self._seen_s = float("-inf")

    @property
    def files(self) -> list[Path]:
        """The file; none if no object was followed."""
        return self._video.files

    def __enter__(self) -> CropSink:
        """Open the file."""
        self._video.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the file; there is none if no object was found."""
        if self._before_s is None:
            self.warnings.append(
                f"{self.path.name} was not written: the object was not found; "
                "ids are in the video and in --save-csv"
            )
        self._video.__exit__(kind, error, trace)

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def queued(self) -> int:
        """How many results wait to be encoded."""
        return self._video.queued

    def finish(self, events: Sequence[Event], *, interrupted: bool = False) -> None:
        """Pass on whether the run was interrupted."""
        self._video.finish(events, interrupted=interrupted)

    def state(self) -> Json:
        """Return what is known of the file that is being written."""
        return self._video.state()

    def write(self, result: Result) -> None:
        """Record this frame if the object is followed."""
        for event in result.events:
            if event.kind == "follow.found":
                self._target = event.track_id
            elif event.kind == "follow.lost":
                self._target, self._camera = None, VirtualCamera()
                self._held.clear()
        if self._target is None:
            return
        now = result.frame.time
        passed_s = 0.0 if self._before_s is None else now - self._before_s
        self._before_s = now
        boxes = result.tracks.xyxy[result.tracks.track_id == self._target]
        seen = len(boxes) > 0
        self._camera.move(passed_s, boxes[0] if seen else None)
        view = self._camera.view(result.frame.size, self._size)
        crop = functools.partial(self._crop, view=view)
        if seen:
            self._seen_s = now
            for held in self._held:
                self._video.write(held)
            self._held.clear()
            self._video.write(replace(result, painter=crop))
        elif 0 <= now - self._seen_s <= HOLD_S:
            cut = crop(result)  # whole pictures would take too much memory
            self._held.append(
                replace(result, frame=replace(result.frame, image=cut), painter=lambda held: held.frame.image)
            )
        else:
            self._held.clear()

    def _crop(self, result: Result, view: tuple[float, float, float]) -> Image:
        """Return the view; usually called in the thread that encodes."""
        left, top, scale = view
        image = result.frame.image if self._painter is None else self._painter(result)
        # The centre of pixel i is at i + 0.5.
        matrix = np.array([[scale, 0, left + scale / 2 - 0.5], [0, scale, top + scale / 2 - 0.5]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cut = cv2.warpAffine(image, matrix, self._size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cut, np.uint8)
