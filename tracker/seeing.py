"""A tracker with eyes: what it needs of the picture is computed when it asks."""

from __future__ import annotations

from typing import Any

from bytetrack import BYTETracker, Detections, Tracks
from bytetrack.appearance import Recognizer
from bytetrack.types import FloatArray, IntArray
from tracker.appearance import Appearance, open_appearance
from tracker.camera_motion import CameraMotion
from tracker.options import Options
from tracker.types import Frame


class SeeingTracker:
    """Tells a tracker how the camera moved, and shows a `Recognizer` the rows of a frame that it asks for."""

    def __init__(
        self,
        tracker: BYTETracker | Recognizer,
        appearance: Appearance | None = None,
        camera: CameraMotion | None = None,
    ) -> None:
        self.tracker, self.appearance, self.camera = tracker, appearance, camera
        self.frame_rate = tracker.frame_rate
        self._frame: Frame | None = None

    def look(self, frame: Frame) -> None:
        """Take the picture that the next ``update`` is about."""
        self._frame = frame

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        """Match the boxes of the frame that was looked at."""
        frame, self._frame = self._frame, None
        if frame is None:
            return self.tracker.update(detections, dt)
        if self.camera is not None:
            move = self.camera.step(frame.image, detections.xyxy)
            if move.cut:
                self.tracker.forget()
            elif move.transform is not None:
                self.tracker.warp(move.transform)
        appearance = self.appearance
        if appearance is None or isinstance(self.tracker, BYTETracker):
            return self.tracker.update(detections, dt)

        def features(rows: IntArray) -> FloatArray:
            return appearance.describe(frame.image, detections.xyxy[rows])

        return self.tracker.update(detections, dt, features)


def with_eyes(tracker: BYTETracker, options: Options, size: tuple[int, int] | None) -> SeeingTracker:
    """Return the tracker as the options want it to see; raises what `open_appearance` does."""
    camera = None if options.camera_motion == "off" else CameraMotion(auto=options.camera_motion == "auto")
    appearance = open_appearance(options.appearance)
    if appearance is None:
        return SeeingTracker(tracker, camera=camera)
    memory: dict[str, Any] = {}
    if options.remember is not None:
        memory = {"remember_s": options.remember, "returning": True}
    knowing = Recognizer(tracker, size=size, neutral=appearance.neutral, **memory)
    return SeeingTracker(knowing, appearance, camera)
