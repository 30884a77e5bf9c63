"""What an appearance tracker remembers of one identity: where it was last, and what it looked like.

The gallery of a few embeddings per identity and their mean is DeepSORT's (Wojke et al. 2017,
arXiv:1703.07402).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bytetrack.types import FloatArray

BEST = 3  # the embeddings of a gallery that a new one is compared with


@dataclass
class Identity:
    """One identity: its last box and its gallery."""

    xyxy: FloatArray  # (4,) when last seen
    last_seen_s: float
    gallery: list[FloatArray] = field(default_factory=list)  # the newest embeddings, each (F,), of length 1
    sampled: float = -np.inf  # nominal frames, when the newest of them was taken
    compared: FloatArray | None = None  # (G, F') what they are compared by; None: the embeddings themselves

    def mean(self) -> FloatArray:
        """Return the direction of the mean embedding, (F,)."""
        total = np.sum(self.gallery if self.compared is None else self.compared, axis=0)
        mean: FloatArray = total / np.linalg.norm(total)
        return mean

    def cosine_similarity(self, embedding: FloatArray) -> float:
        """Return the mean cosine of an embedding (F,) and the ``BEST`` most similar of the gallery."""
        known = self.gallery if self.compared is None else self.compared
        cosines = np.sort([embedding @ one for one in known])
        return float(cosines[-BEST:].mean())

    def to_list(self, track_id: int) -> list[Any]:
        """Return everything for JSON."""
        sampled = self.sampled if self.gallery else None
        return [track_id, self.xyxy.tolist(), self.last_seen_s, sampled, packed(self.gallery)]


def identities_from_lists(lists: list[list[Any]]) -> dict[int, Identity]:
    """Rebuild identities by their ids from what ``to_list`` returned of each."""
    return {
        track_id: Identity(
            np.array(xyxy), last_seen_s, unpacked(gallery), -np.inf if sampled is None else sampled
        )
        for track_id, xyxy, last_seen_s, sampled, gallery in lists
    }


@dataclass(frozen=True)
class Reentry:
    """Where an object may appear again that was lost: near its last box, at a similar size."""

    size: tuple[float, float] | None  # width and height of the picture; None: it has no border
    max_height_ratio: float = 1.67  # of the two boxes
    distance: float = 0.5  # greatest distance of the centres in box heights,
    distance_per_s: float = 1.4  # plus this many for every second: a person in a hurry
    border: float = 0.01  # part of the picture's width and height in which objects enter and leave

    def possible(self, identity: Identity, xyxy: FloatArray, now_s: float) -> bool:
        """Return whether the identity can have moved to this box (4,)."""
        height, last_height = xyxy[3] - xyxy[1], identity.xyxy[3] - identity.xyxy[1]
        if not 1 / self.max_height_ratio <= height / last_height <= self.max_height_ratio:
            return False
        distance = np.hypot(*(xyxy[:2] + xyxy[2:] - identity.xyxy[:2] - identity.xyxy[2:])) / 2
        heights = self.distance + self.distance_per_s * (now_s - identity.last_seen_s)
        return bool(distance <= heights * (height + last_height) / 2)

    def at_border(self, xyxy: FloatArray) -> bool:
        """Return whether a box (4,) touches the border, where objects enter and leave the picture."""
        if self.size is None:
            return False
        width, height = self.size
        x, y = self.border * width, self.border * height
        return bool(xyxy[0] < x or xyxy[1] < y or xyxy[2] > width - x or xyxy[3] > height - y)


def packed(embeddings: list[FloatArray]) -> list[str]:
    """Return (F,) embeddings as text, bit for bit: as numbers they would be three times as long."""
    return [base64.b64encode(one.astype("<f4").tobytes()).decode() for one in embeddings]


def unpacked(texts: list[str]) -> list[FloatArray]:
    """Return the embeddings (F,) again."""
    return [np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32) for text in texts]
