"""A tracker that also uses the picture: for the motion of the camera and for appearance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bytetrack import BoTSORT, BYTETracker, DeepSORT, Detections, StrongSORT, Tracks
from bytetrack.appearance import AppearanceTracker
from bytetrack.looks import LooksTracker
from bytetrack.types import FloatArray, IntArray
from tracker.contracts import PictureTracker
from tracker.trackers.appearance import Appearance
from tracker.trackers.camera_motion import CameraMotion
from tracker.trackers.reid import open_appearance
from tracker.trackers.settings import REMEMBER_S, TrackerSettings
from tracker.types import Frame, Json


class VisualTracker(PictureTracker):
    """Wraps a tracker: compensates camera motion, and embeds the detections it wants to compare.

    Embeddings are computed only for the rows that the tracker asks for: a few of an `AppearanceTracker`, all
    above the threshold of a `LooksTracker`.
    """

    def __init__(
        self,
        tracker: BYTETracker | AppearanceTracker,
        appearance: Appearance | None = None,
        camera: CameraMotion | None = None,
    ) -> None:
        self.tracker, self.appearance, self.camera = tracker, appearance, camera
        self.frame_rate = tracker.frame_rate
        self._frame: Frame | None = None
        self._time_s = 0.0
        if appearance is not None and appearance.learns:
            assert isinstance(tracker, AppearanceTracker | LooksTracker)
            tracker.comparable = appearance.comparable
        self._boxes: FloatArray = np.empty(
            (0, 4)
        )  # of objects; the background outside them shows the camera's motion

    def observe(self, frame: Frame) -> None:
        """Take the picture that the next ``update`` is about."""
        self._frame = frame

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        """Match the detections of the frame given to ``observe``."""
        frame, self._frame = self._frame, None
        self._time_s += dt / self.frame_rate
        if frame is None:
            return self.tracker.update(detections, dt)
        self._follow_camera(frame, detections.xyxy)
        appearance = self.appearance
        if appearance is None or not isinstance(self.tracker, AppearanceTracker | LooksTracker):
            return self.tracker.update(detections, dt)

        def embed(rows: IntArray) -> FloatArray:
            return appearance.looks(frame, detections, rows)

        tracks = self.tracker.update(detections, dt, embed)
        if appearance.learns and appearance.learn(self._time_s, tracks, detections):
            self.tracker.compare_anew()
        return tracks

    def predict(self, dt: float = 1.0) -> Tracks:
        """Return the tracks where they are expected without detections; camera motion is compensated.

        Raises ``ValueError`` with an `AppearanceTracker`, which needs the boxes of detections.
        """
        if isinstance(self.tracker, AppearanceTracker):
            raise ValueError("a tracker with appearance needs detections in every frame")
        frame, self._frame = self._frame, None
        self._time_s += dt / self.frame_rate
        if frame is not None:
            self._follow_camera(frame, self._boxes)
        tracks = self.tracker.predict(dt)
        self._boxes = tracks.xyxy
        return tracks

    def looks(self, frame: Frame, detections: Detections, rows: IntArray) -> FloatArray:
        """Return the embeddings of these rows of the detections, (K, F)."""
        if self.appearance is None:
            return super().looks(frame, detections, rows)
        return self.appearance.looks(frame, detections, rows)

    def comparable(self, looks: FloatArray) -> FloatArray:
        """Return looks as vectors whose cosine tells who is who, by all that was learnt until now."""
        return looks if self.appearance is None else self.appearance.comparable(looks)

    @property
    def kind(self) -> str:
        """Which trackers can take up its state: embeddings of different kinds cannot be compared."""
        inner = self.tracker.tracker if isinstance(self.tracker, AppearanceTracker) else self.tracker
        looks = "" if self.appearance is None else f", {type(self.appearance).__name__}"
        return f"{type(inner).__name__}{looks}"

    def state(self) -> dict[str, Json]:
        """Return what tracker and camera know, for JSON; see theirs."""
        state = self.tracker.state()
        learnt = None if self.appearance is None else self.appearance.state()
        if learnt is not None:
            state["learnt"] = {"time_s": self._time_s, "looks": learnt}
        if self.camera is not None:
            state["seeing"] = {"boxes": self._boxes.tolist(), "camera": self.camera.state()}
        return state

    def restore(self, state: Mapping[str, Json]) -> None:
        """Go on where ``state`` was taken."""
        self.tracker.restore(state)
        if self.appearance is not None and "learnt" in state:
            self._time_s = state["learnt"]["time_s"]
            self.appearance.restore(state["learnt"]["looks"])
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
            if self.appearance is not None:
                self.appearance.forget_tracks()
        elif move.transform is not None:
            self.tracker.warp(move.transform)


def make_visual_tracker(
    tracker: BYTETracker, settings: TrackerSettings, size: tuple[int, int] | None
) -> VisualTracker:
    """Wrap a tracker as the settings say; ``size`` is the picture's. Raises what `open_appearance` does."""
    camera = None if settings.camera_motion == "off" else CameraMotion(auto=settings.camera_motion == "auto")
    appearance = open_appearance(settings.appearance)
    if appearance is None:
        return VisualTracker(tracker, camera=camera)
    if isinstance(tracker, LooksTracker):
        return VisualTracker(_judging(tracker, appearance.neutral), appearance, camera)
    asked = settings.remember_s
    with_appearance = AppearanceTracker(
        tracker,
        size=size,
        neutral=appearance.neutral,
        remember_s=REMEMBER_S if asked is None else asked,
        returning=asked is not None,
    )
    return VisualTracker(with_appearance, appearance, camera)


def _judging(tracker: LooksTracker, neutral: float) -> LooksTracker:
    """Return the tracker with limits for embeddings whose cosine tells nothing at ``neutral``.

    The published limits are those of the published networks. Here the limit is the distance at which two
    embeddings tell nothing: pairs that looks speak against are refused, and no others. StrongSORT's 0.4 is
    just that for a good network (and 0.05 of motion), and so is BoT-SORT's, which halves the distance.
    DeepSORT's 0.2 is half of it: who was lost for a moment and came back turned round got a new number. On
    vtest.avi the whole of it gives IDF1 81.3 instead of 79.8 with colours, 80.4 instead of 73.9 with the
    detector's own map, and 76.5 instead of 71.8 with OSNet.
    """
    unlike = 1.0 - neutral
    if isinstance(tracker, StrongSORT):
        return replace(tracker, max_cosine_distance=unlike + 0.05)
    if isinstance(tracker, DeepSORT):
        return replace(tracker, max_cosine_distance=unlike)
    if isinstance(tracker, BoTSORT):
        return replace(tracker, max_looks_distance=unlike / 2)
    return tracker
