"""A tracker that is told what its detections look like, and remembers it of every track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from bytetrack.appearance import Comparable, Embed
from bytetrack.association import HIGH
from bytetrack.life import UsableDetections
from bytetrack.memory import Gallery, MemoryTracker
from bytetrack.types import Detections, FloatArray, IntArray, Tracks


@dataclass(eq=False)
class LooksTracker(MemoryTracker):
    """ByteTrack's frame with an embedding of every high detection, once a frame.

    A tracker made of this says how an embedding enters the gallery of its track, and uses both to associate.
    """

    NEEDS_LOOKS: ClassVar[bool] = False  # whether it does nothing useful without embeddings

    def reset(self) -> None:
        """Forget everything; the next id is 1."""
        super().reset()
        self._embed: Embed | None = None
        self._looks: FloatArray = np.empty((0, 0), np.float32)  # (D, F) of length 1, nan where there is none
        self._compared: FloatArray = self._looks  # (D, F') what they are compared by
        self.comparable: Comparable | None = None  # makes that of them, where it is being learnt

    def compare_anew(self) -> None:
        """Take note that ``comparable`` has learnt: galleries keep looks, and are compared by it anew."""
        for gallery in self._table.galleries:
            gallery.compare_anew()

    def update(
        self, detections: Detections | ArrayLike, dt: float = 1.0, embed: Embed | None = None
    ) -> Tracks:
        """Match the detections of one frame as `BYTETracker.update` does.

        ``embed`` is asked for the embeddings of rows of ``detections``, at most once. Raises ``ValueError``
        without it where the method is to compare looks.
        """
        if embed is None and self.NEEDS_LOOKS:
            name = type(self).__name__
            raise ValueError(
                f"{name} compares what objects look like; give update(detections, embed=lambda rows: "
                "features[rows]), features being a row of numbers for each detection"
            )
        self._embed = embed
        try:
            return super().update(detections, dt)
        finally:
            self._embed = None  # it may hold a picture

    def _usable(self, detections: Detections) -> UsableDetections:
        """Return the detections that take part, and keep what the high ones look like."""
        usable = super()._usable(detections)
        high = (usable.level == HIGH).nonzero()[0]
        self._looks = np.full((len(usable.score), 0), np.nan, np.float32)
        if self._embed is not None and len(high):
            given = np.asarray(self._embed(usable.source[high]), np.float32)
            if given.ndim != 2 or len(given) != len(high):
                raise ValueError(f"embed must return ({len(high)}, F) embeddings, got {given.shape}")
            length = np.linalg.norm(given, axis=1, keepdims=True)
            self._looks = np.full((len(usable.score), given.shape[1]), np.nan, np.float32)
            self._looks[high] = given / np.where(length > 0, length, np.nan)
        self._compared = self._looks
        if self.comparable is not None and self._looks.size:
            self._compared = self.comparable(self._looks)
        return usable

    def _correct(self, rows: IntArray, matched: IntArray, usable: UsableDetections) -> None:
        """Update the matched tracks by their detections, boxes and looks."""
        super()._correct(rows, matched, usable)
        self._remember_all(rows, matched)

    def _begin_tracks(self, matched: IntArray, usable: UsableDetections) -> None:
        """Begin tracks; the first look of each is that of its detection."""
        before = len(self._table)
        super()._begin_tracks(matched, usable)
        born = np.arange(before, len(self._table))
        self._remember_all(born, usable.source.searchsorted(self._table.source[born]))

    def _remember_all(self, rows: IntArray, matched: IntArray) -> None:
        for row, look in zip(rows.tolist(), self._looks[matched], strict=True):
            if len(look) and np.isfinite(look[0]):
                self._remember(self._table.galleries[row], look)

    def _remember(self, gallery: Gallery, look: FloatArray) -> None:
        """Put a look (F,) into the gallery of its track."""
        raise NotImplementedError
