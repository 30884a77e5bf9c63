"""Gaps in a track: where its object was while nobody saw it, and whether anything says that it was there.

Between two boxes of a track the object went on in a straight line; that much is assumed of every gap (linear
interpolation is the last step of the ByteTrack paper, Zhang et al. 2022). Whether it should be *shown* there
is a matter of evidence:

- A frame of the gap is supported where a box of the detector lies that no track took (too weak to be
  matched), or where a tracked object in front hides the place.
- A gap is supported if half of the frames are that a detector looked at. It is filled if the object was seen
  on both sides for at least as many frames as are missing; without support, for three times as many, and for
  0.2 s in any case: false tracks flicker, and what was hardly seen is hardly known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections, Tracks
from bytetrack.boxes import columns, overlapping
from bytetrack.types import FloatArray, IntArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """What a gap needs in order to be filled; measured on MOT15, MOT17 and PETS 2009."""

    supported: float = 1.0  # frames seen on either side, per missing frame, where something supports the gap
    unsupported: float = 3.0  # the same where nothing does
    seen_s: float = 0.2  # least time on either side
    weak_iou: float = 0.3  # of the expected box with one that no track took
    hidden: float = 0.5  # share of the expected box that is behind one object
    frames: float = 0.5  # share of a gap's frames that must be supported


@dataclass(frozen=True)
class Gaps:
    """The G gaps between consecutive boxes of tracks, and the K boxes expected in them.

    ``rows`` are ordered by id and frame; ``frame`` (N,) belongs to them.
    """

    before: IntArray  # (G,) the row before each gap; the next one is behind it
    missing: IntArray  # (G,) frames
    seen: IntArray  # (G,) rows of the track on the side where there are fewer
    number: IntArray  # (K,) the gap of each expected box
    frame: IntArray  # (K,)
    share: FloatArray  # (K,) of the time of the gap that has passed then, 0 to 1
    xyxy: FloatArray  # (K, 4)

    def __getitem__(self, chosen: Mask) -> Gaps:
        """Select gaps, (G,), with their boxes."""
        boxes = chosen[self.number]
        number = (np.cumsum(chosen) - 1)[self.number[boxes]]
        per_gap = self.before[chosen], self.missing[chosen], self.seen[chosen]
        return Gaps(*per_gap, number, self.frame[boxes], self.share[boxes], self.xyxy[boxes])


def find_gaps(frame: IntArray, rows: Tracks, time_s: FloatArray, longest_s: float) -> Gaps:
    """Return the gaps of at most ``longest_s`` from box to box, with straight lines across them."""
    same = np.diff(rows.track_id) == 0
    before = (same & (np.diff(frame) > 1) & (np.diff(time_s[frame]) <= longest_s)).nonzero()[0]
    starts = np.concatenate(([0], (~same).nonzero()[0] + 1, [len(frame)]))
    track = np.searchsorted(starts, before, side="right") - 1
    seen = np.minimum(before - starts[track] + 1, starts[track + 1] - before - 1)
    missing = frame[before + 1] - frame[before] - 1
    number = np.repeat(np.arange(len(before)), missing)
    left, ends = before[number], np.cumsum(missing)
    new_frame = frame[left] + 1 + np.arange(len(left)) - (ends - missing)[number]
    share = (time_s[new_frame] - time_s[frame[left]]) / (time_s[frame[left + 1]] - time_s[frame[left]])
    xyxy = rows.xyxy[left] + share[:, None] * (rows.xyxy[left + 1] - rows.xyxy[left])
    return Gaps(before, missing, seen, number, new_frame, share, xyxy)


def credible(
    gaps: Gaps,
    tracks: Sequence[Tracks],
    detections: Sequence[Detections | None],
    step_s: float,
    evidence: Evidence,
) -> Mask:
    """Return which gaps, (G,), should be filled.

    ``tracks`` and ``detections`` are those of every frame, None where no detector looked; without any
    detections (an empty sequence) only tracked objects in front can support a gap.
    """
    supported, looked = np.zeros(len(gaps.frame), bool), np.ones(len(gaps.frame), bool)
    order = np.argsort(gaps.frame, kind="stable")
    frames, first = np.unique(gaps.frame[order], return_index=True)
    for index, chosen in zip(frames.tolist(), np.split(order, first[1:]), strict=False):
        expected = columns(gaps.xyxy[chosen])
        supported[chosen] = _hidden(expected, tracks[index], evidence.hidden)
        if not detections:
            continue
        found = detections[index]
        looked[chosen] = found is not None
        if found is not None:
            free = np.delete(found.xyxy, tracks[index].source[tracks[index].source >= 0], axis=0)
            pairs = overlapping(expected, columns(free))
            supported[chosen[pairs.row[pairs.iou >= evidence.weak_iou]]] = True
    told, asked = (np.bincount(gaps.number, of, len(gaps.missing)) for of in (supported & looked, looked))
    share = told / np.maximum(asked, 1)
    ratio = np.where(share >= evidence.frames, evidence.supported, evidence.unsupported)
    least = np.maximum(ratio * gaps.missing, evidence.seen_s / step_s - 1e-6)
    enough: Mask = gaps.seen >= least
    return enough


def _hidden(expected: FloatArray, tracks: Tracks, share: float) -> Mask:
    """Return which of (4, K) boxes lie, for this share of their area, behind one that stands lower."""
    others = columns(tracks.xyxy)
    pairs = overlapping(expected, others)
    area, area_of_other = ((box[2] - box[0]) * (box[3] - box[1]) for box in (expected, others))
    both = area[pairs.row] + area_of_other[pairs.column]
    shared = pairs.iou * both / (1 + pairs.iou)
    front = others[3, pairs.column] >= expected[3, pairs.row]  # what stands lower in the picture is nearer
    hidden = np.zeros(expected.shape[1], bool)
    hidden[pairs.row[front & (shared >= share * area[pairs.row])]] = True
    return hidden
