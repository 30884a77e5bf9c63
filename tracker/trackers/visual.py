"""A tracker with eyes: what it needs of the picture is computed when it asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bytetrack import BYTETracker, Detections, Tracks
from bytetrack.appearance import Recognizer
from bytetrack.types import FloatArray, IntArray
from tracker.options import REMEMBER_S, Options
from tracker.trackers.camera_motion import CameraMotion
from tracker.trackers.reid import Appearance, open_appearance
from tracker.types import Frame, Json


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
        self._boxes: FloatArray = np.empty((0, 4))  # of what moves by itself

    def look(self, frame: Frame) -> None:
        """Take the picture that the next ``update`` is about."""
        self._frame = frame

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        """Match the boxes of the frame that was looked at."""
        frame, self._frame = self._frame, None
        if frame is None:
            return self.tracker.update(detections, dt)
        self._follow_camera(frame, detections.xyxy)
        appearance = self.appearance
        if appearance is None or isinstance(self.tracker, BYTETracker):
            return self.tracker.update(detections, dt)

        def features(rows: IntArray) -> FloatArray:
            return appearance.describe(frame.image, detections.xyxy[rows])

        return self.tracker.update(detections, dt, features)

    def predict(self, dt: float = 1.0) -> Tracks:
        """Let time pass without detections; the camera is followed all the same.

        Raises ``ValueError`` with appearance, which needs boxes to look at.
        """
        if not isinstance(self.tracker, BYTETracker):
            raise ValueError("a tracker with appearance cannot leave frames out")
        frame, self._frame = self._frame, None
        if frame is not None:
            self._follow_camera(frame, self._boxes)
        tracks = self.tracker.predict(dt)
        self._boxes = tracks.xyxy
        return tracks

    @property
    def kind(self) -> str:
        """Whose states it takes up: looks of one kind say nothing to another."""
        if isinstance(self.tracker, BYTETracker):
            return type(self.tracker).__name__
        return f"{type(self.tracker.tracker).__name__}, {type(self.appearance).__name__}"

    def state(self) -> dict[str, Json]:
        """Return what tracker and camera know, for JSON; see theirs."""
        state = self.tracker.state()
        if self.camera is not None:
            state["seeing"] = {"boxes": self._boxes.tolist(), "camera": self.camera.state()}
        return state

    def restore(self, state: Mapping[str, Json]) -> None:
        """Go on where ``state`` was taken."""
        self.tracker.restore(state)
        if self.camera is not None and "seeing" in state:
            self.camera.restore(state["seeing"]["camera"])
            self._boxes = np.array(state["seeing"]["boxes"], np.float64).reshape(-1, 4)

    def _follow_camera(self, frame: Frame, xyxy: FloatArray) -> None:
        self._boxes = xyxy
        if self.camera is None:
            return
        move = self.camera.step(frame.image, xyxy)
        if move.cut:
            self.tracker.forget()
        elif move.transform is not None:
            self.tracker.warp(move.transform)


def with_eyes(tracker: BYTETracker, options: Options, size: tuple[int, int] | None) -> SeeingTracker:
    """Return the tracker as the options want it to see; raises what `open_appearance` does."""
    camera = None if options.camera_motion == "off" else CameraMotion(auto=options.camera_motion == "auto")
    appearance = open_appearance(options.appearance)
    if appearance is None:
        return SeeingTracker(tracker, camera=camera)
    memory: dict[str, Any] = {"remember_s": REMEMBER_S}
    if options.remember is not None:
        memory = {"remember_s": options.remember, "returning": True}
    knowing = Recognizer(tracker, size=size, neutral=appearance.neutral, **memory)
    return SeeingTracker(knowing, appearance, camera)
