"""MOTS text: masks with identities, for MOTS Challenge, KITTI MOTS and TrackEval."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bytetrack.masks import Crop, Masks, packed
from bytetrack.types import FloatArray
from tracker.sinks.text_file import TextSink
from tracker.types import OptionError, Result, Scene

CLASSES = {"car": 1, "person": 2}  # the numbers of the format
FIRST_OTHER = 11  # of the other classes; 10 is what the format ignores


class MotsSink(TextSink):
    """``frame id class height width rle``, frames from 1, in order of id; run lengths as COCO writes them.

    A pixel belongs to one object only: where masks overlap, the surest has it. Cars are class 1 and people
    class 2, others their own number and 11. Voigtlaender et al. 2019, arXiv:1902.03604.

    Raises ``OptionError`` where there are no masks.
    """

    def __init__(self, path: str | Path, scene: Scene, *, overwrite: bool = False) -> None:
        super().__init__(path, overwrite=overwrite, live=scene.live)
        if scene.kind != "segment":
            raise OptionError("--save-mots needs masks: give -seg weights, such as yolov8n-seg.pt")
        self._names = scene.names

    def lines(self, result: Result) -> str:
        """Return one line per mask that was seen in this frame."""
        tracks = result.tracks
        if tracks.masks is None:
            return ""
        masks = apart(tracks.masks, tracks.score)
        area, (height, width) = masks.area, masks.size
        seen = np.flatnonzero((tracks.source >= 0) & (area > 0)).tolist()
        return "".join(
            f"{result.frame.index + 1} {tracks.track_id[row]} {self._number(int(tracks.class_id[row]))} "
            f"{height} {width} {packed(masks.runs(row))}\n"
            for row in seen
        )

    def _number(self, class_id: int) -> int:
        return CLASSES.get(self._names.get(class_id, ""), FIRST_OTHER + class_id)


def apart(masks: Masks, score: FloatArray) -> Masks:
    """Return masks of which none covers another: a pixel goes to the one with the best score."""
    taken = np.zeros(masks.size, bool)
    crops: list[Crop] = [Crop(0, 0, np.zeros((0, 0), bool))] * len(masks)
    for row in np.argsort(-score, kind="stable").tolist():
        x, y, inside = masks.crop(row)
        where = taken[y : y + inside.shape[0], x : x + inside.shape[1]]
        crops[row] = Crop(x, y, inside & ~where)
        where |= inside
    return Masks.of(crops, masks.size)
