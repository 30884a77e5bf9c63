"""What tells the objects of a detector apart by their looks: the contract."""

from __future__ import annotations

from bytetrack import Detections, Tracks
from bytetrack.types import FloatArray, IntArray
from tracker.types import Frame, Image, Json


class Appearance:
    """Tells what objects look like, so that the same object gives vectors of nearly the same direction."""

    learns: bool = False  # whether `comparable` changes as the run goes
    neutral: float  # cosine similarity that is evidence neither for nor against the same object

    def looks(self, frame: Frame, detections: Detections, rows: IntArray) -> FloatArray:
        """Return (K, F) float32 vectors of length 1 for rows (K,) of detections; NaN where there is none."""
        raise NotImplementedError

    def comparable(self, looks: FloatArray) -> FloatArray:
        """Return what looks, (K, F), are compared by; what learns makes something else of them, (K, D)."""
        return looks

    def learn(self, time_s: float, tracks: Tracks, detections: Detections) -> bool:
        """Learn from the tracks of a frame; return whether `comparable` has changed. Most learn nothing."""
        return False

    def forget_tracks(self) -> None:
        """Take note that ids begin anew."""

    def state(self) -> Json:
        """Return what was learnt, for JSON; None: nothing is."""
        return None

    def restore(self, state: Json) -> None:
        """Go on where ``state`` was taken."""


class PictureAppearance(Appearance):
    """One that looks at the part of the picture in each box."""

    def looks(self, frame: Frame, detections: Detections, rows: IntArray) -> FloatArray:
        """Return the embeddings of rows (K,) of detections."""
        return self.embed(frame.image, detections.xyxy[rows])

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """Return (N, F) float32 vectors of length 1 for (N, 4) boxes; NaN where there is none."""
        raise NotImplementedError
