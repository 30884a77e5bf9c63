"""A stage for plugins: scenes, frames and tracks from a few numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bytetrack import Tracks
from tracker.types import Event, Frame, Image, Scene

NAMES = {0: "person", 2: "car"}


def scene(*, size: tuple[int, int] = (640, 480), fps: float = 10.0, lost_s: float = 1.0) -> Scene:
    return Scene("stage", size, fps, False, NAMES, lost_s=lost_s)


def standing(
    feet: Mapping[int, Sequence[float]], *, box: tuple[float, float] = (20.0, 40.0), classes: ArrayLike = 0
) -> Tracks:
    """Tracks by number, each with its bottom centre here."""
    if not feet:
        return Tracks.empty()
    xy = np.array(list(feet.values()), np.float64)
    half = np.array([box[0] / 2, 0])
    xyxy = np.hstack([xy - half - [0, box[1]], xy + half])
    ids = np.array(list(feet), np.int64)
    class_id = np.broadcast_to(np.asarray(classes, np.int64), ids.shape)
    return Tracks(ids, xyxy, np.ones(len(ids)), class_id, np.arange(len(ids)))


def play(
    plugin: Any, moments: Iterable[Tracks], *, at: Scene, image: Image | None = None, finish: bool = True
) -> list[Event]:
    """Start the plugin, show it one frame per moment and let it finish."""
    picture = np.zeros((at.size[1], at.size[0], 3), np.uint8) if image is None else image
    plugin.start(at)
    events: list[Event] = []
    for index, tracks in enumerate(moments):
        events += plugin.update(Frame(picture, index, index / at.fps), tracks)
    return [*events, *(plugin.finish() if finish and hasattr(plugin, "finish") else ())]
