"""What the tracks of a file look like: a sample now and then of each, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bytetrack import Detections, Tracks
from bytetrack.boxes import occluded
from bytetrack.types import FloatArray, IntArray
from tracker.contracts import PictureTracker
from tracker.types import Frame


@dataclass(frozen=True)
class Looks:
    """The S samples of one track, in the order of time."""

    position: IntArray  # (S,) which frame of those that were tracked, from 0
    vector: FloatArray  # (S, F) each of length 1

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.position)

    def between(self, first: int, last: int) -> Looks:
        """Return the samples from one position to another, both included."""
        chosen = (self.position >= first) & (self.position <= last)
        return Looks(self.position[chosen], self.vector[chosen])

    def halves(self) -> tuple[Looks, Looks]:
        """Return the earlier and the later half."""
        n = len(self) // 2
        return Looks(self.position[:n], self.vector[:n]), Looks(self.position[n:], self.vector[n:])

    def mean(self) -> FloatArray:
        """Return the direction of the mean, (F,)."""
        total = self.vector.sum(0)
        direction: FloatArray = total / max(float(np.linalg.norm(total)), 1e-12)
        return direction


@dataclass
class LookSampler:
    """Asks a tracker what its objects look like, of each some times a second, and keeps the answers.

    Only boxes of good score that hardly overlap another one are asked for. When ``most`` samples are there,
    every second one of each track is forgotten, and from then on half as many are taken.
    """

    tracker: PictureTracker
    every_s: float = 0.3
    min_score: float = 0.4
    max_occluded_iou: float = 0.3
    budget: int = 8  # per frame; who has waited longest comes first
    most: int = 50_000  # kept in all; 50 MB at 512 numbers each

    def __post_init__(self) -> None:
        """Begin empty."""
        self.size: tuple[int, int] | None = None  # of the picture, once there was one
        self._samples: dict[int, list[tuple[int, FloatArray]]] = {}
        self._due: dict[int, float] = {}  # seconds
        self._count = 0

    def sample(self, position: int, frame: Frame, tracks: Tracks, detections: Detections) -> None:
        """Look at the frame that is the ``position``-th one tracked."""
        self.size = frame.size
        seen = (tracks.source >= 0) & (tracks.score >= self.min_score)
        due = np.array([self._due.get(track_id, -np.inf) for track_id in tracks.track_id.tolist()])
        rows = (seen & (due <= frame.time + 1e-6)).nonzero()[0]
        rows = rows[~occluded(detections.xyxy, tracks.source[rows], self.max_occluded_iou)]
        rows = rows[np.argsort(due[rows], kind="stable")][: self.budget]
        if len(rows) == 0:
            return
        vectors = self.tracker.looks(frame, detections, tracks.source[rows])
        if vectors.shape[1] == 0:
            return
        for track_id, vector in zip(tracks.track_id[rows].tolist(), vectors, strict=True):
            if np.isfinite(vector).all():
                self._samples.setdefault(track_id, []).append((position, vector.astype(np.float16)))
                self._due[track_id] = frame.time + self.every_s
                self._count += 1
        if self._count > max(self.most, 2 * len(self._samples)):
            self._samples = {track_id: own[::2] for track_id, own in self._samples.items()}
            self._count = sum(map(len, self._samples.values()))
            self.every_s *= 2

    def looks(self) -> dict[int, Looks]:
        """Return the samples by track, as the tracker compares them by now."""
        found = {}
        for track_id, own in self._samples.items():
            vectors = self.tracker.comparable(np.array([vector for _, vector in own], np.float32))
            known = np.isfinite(vectors).all(axis=1)
            position = np.array([position for position, _ in own], np.int64)
            found[track_id] = Looks(position[known], vectors[known])
        return found
